"""Taking orders as a shop tells them, from webhooks and from files.

Whatever is told twice changes nothing the second time, and what is older than what is stored
changes nothing either, so deliveries may come in any order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any  # Any: column values

from server.actions.contacts import email_key, phone_keys, phone_region
from server.actions.take_carts import take_carts
from server.actions.take_products import take_products
from server.actions.take_shop_customers import take_shop_customers
from server.actions.taken import Taken
from server.domain.actors import SYSTEM
from server.domain.errors import InvalidInput
from server.domain.events import (
    EventData,
    OrderCancelled,
    OrderCreated,
    OrderPaid,
    OrderRefunded,
)
from server.domain.periods import LocalTimes, zone
from server.domain.shop_data import Line, Order, counts
from server.storage import orders as stored
from server.storage import shop_customers, tombstones
from server.storage.carts import carts_ordered
from server.storage.customers import CustomerChanged
from server.storage.import_batches import keep_before
from server.storage.persons import customers_of_source, persons_of
from server.storage.profiles import recompute
from server.storage.shop import Shop, load_shop
from server.storage.shop_sources import Source
from server.storage.unit import Tx

__all__ = ["take_carts", "take_orders", "take_products", "take_shop_customers"]

Row = dict[str, Any]  # Any: column values
_EPOCH = date(1970, 1, 1).toordinal()
# What a file need not say; what is known stays then. Whoever tells when an order was changed tells
# all of it.
_KEPT = (
    "customer_id",
    "email",
    "email_key",
    "phone",
    "postcode",
    "promised_at_ms",
    "shipped_at_ms",
    "delivered_at_ms",
    "discount_minor",
    "shipping_minor",
    "tax_minor",
    "fulfilment",
    "carrier",
    "tracking_number",
    "tracking_url",
    "coupon",
)
_ASIDE = frozenset({"id", "batch", "written_at_ms"})
_LINE_FIELDS = tuple(Line.__dataclass_fields__)
# So many SKUs of an order stand in the log; a longer one is a wholesale order.
MAX_SKUS = 50


def take_orders(
    tx: Tx,
    source: Source,
    orders: Sequence[Order],
    *,
    imported: bool,
    batch: str | None = None,
) -> list[Taken]:
    """Writes orders with their lines, customers, profiles and events; for each what came of it.

    ``imported`` marks the events as brought in later, so that nothing acts on them as on news;
    ``batch`` is the import that can be undone. Raises InvalidInput when there is no shop, Held.
    """
    shop = load_shop(tx.connection)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    work = _Orders(tx, source, shop, imported=imported, batch=batch)
    work.look(orders)
    answers = [work.take(order) for order in orders]
    work.finish()
    return answers


class _Orders:
    """One transaction's orders of one source."""

    def __init__(
        self, tx: Tx, source: Source, shop: Shop, *, imported: bool, batch: str | None
    ) -> None:
        self._tx = tx
        self._source = source
        self._shop = shop
        self._imported = imported
        self._batch = batch
        self._local = LocalTimes(zone(shop.timezone))
        self._region = phone_region(shop.timezone)
        self._customers: dict[str, str] = {}
        self._erased: dict[str, int] = {}
        self._keys: dict[str, str | None] = {}
        self._new: dict[str, dict[str, str | int | None]] = {}
        self._persons: dict[str, str] = {}
        self._orders: dict[str, Row] = {}
        self._lines: dict[str, list[Row]] = {}
        self._before: dict[str, Row | None] = {}
        self._carts: dict[str, int] = {}
        self._contacts: dict[tuple[str, str, str], Row] = {}
        self._changed: dict[str, Row] = {}
        self._changed_lines: set[str] = set()
        self._events: list[tuple[Row, EventData, int]] = []

    def look(self, orders: Sequence[Order]) -> None:
        """Reads what is known of some orders, and keeps other processes from their customers."""
        connection = self._tx.connection
        wanted = {order.customer for order in orders if order.customer is not None}
        self._customers = customers_of_source(connection, self._source, wanted)
        self._erased = self._who_was_erased(orders)
        ids = {order.external_id for order in orders}
        self._orders = stored.stored_orders(connection, self._source.name, ids)
        owners = {row["customer_id"] for row in self._orders.values()} - {None}
        self._persons = persons_of(connection, owners | set(self._customers.values()))
        shop_customers.lock_persons(connection, set(self._persons.values()))
        if connection.dialect.name != "sqlite" and self._orders:
            # What another process has written before it let go of them.
            self._orders = stored.stored_orders(connection, self._source.name, ids)
        self._lines = stored.stored_lines(connection, [row["id"] for row in self._orders.values()])

    def take(self, order: Order) -> Taken:
        """Decides what becomes of one order."""
        order = self._without_erased(order)
        before = self._orders.get(order.external_id)
        if before is not None and _older(order, before):
            return "unchanged"
        row = self._row(order, before)
        old_lines = [] if before is None else self._lines.get(before["id"], [])
        lines = _lines(row["id"], order.lines)
        if not lines and order.updated_at_ms is None:
            lines = old_lines
        if before is not None and lines == old_lines and _same(row, before):
            return "unchanged"
        if order.external_id not in self._before:
            self._before[order.external_id] = (
                None if before is None else {"row": before, "lines": old_lines}
            )
        self._note_contacts(order, row["customer_id"])
        self._orders[order.external_id] = self._changed[order.external_id] = row
        if lines != old_lines:
            self._lines[row["id"]] = lines
            self._changed_lines.add(row["id"])
        if order.cart_token is not None:
            self._carts[order.cart_token] = order.created_at_ms
        if not order.test:
            skus = tuple(dict.fromkeys(line["sku"] for line in lines if line["sku"]))
            told = _events(row, before, skus[:MAX_SKUS])
            self._events += [(row, data, at_ms) for data, at_ms in told]
        return "accepted"

    def finish(self) -> None:
        """Writes everything; nothing may be refused from here on."""
        tx = self._tx
        if not self._changed:
            return
        shop_customers.add_customers(tx, self._source, self._new)
        shop_customers.add_contacts(tx, list(self._contacts.values()))
        rows = list(self._changed.values())
        stored.save_orders(
            tx,
            rows,
            lines=[line for key in self._changed_lines for line in self._lines[key]],
            changed_lines=self._changed_lines,
        )
        if self._batch is not None:
            self._keep_before(self._batch)
        touched = {row["customer_id"] for row in rows}
        touched |= {b["row"]["customer_id"] for b in self._before.values() if b is not None}
        touched.discard(None)
        recompute(
            tx,
            sorted({self._persons[customer_id] for customer_id in touched}),
            imported=self._imported,
        )
        carts_ordered(tx, self._carts)
        tx.expect_events(len(self._events))
        for row, data, at_ms in self._events:
            tx.record(
                SYSTEM,
                data,
                customer_id=row["customer_id"],
                at_ms=at_ms if self._imported else None,
                imported=self._imported,
            )
        for customer_id in sorted(touched):
            tx.notice(CustomerChanged(customer_id))

    def _keep_before(self, batch: str) -> None:
        changed = {
            self._changed[key]["id"]: before
            for key, before in self._before.items()
            if before is not None
        }
        keep_before(self._tx, batch, "orders", changed)
        made = {str(values["id"]): None for values in self._new.values()}
        keep_before(self._tx, batch, "customers", made)

    def _row(self, order: Order, before: Row | None) -> Row:
        customer_id = self._customer(order)
        row: Row = {
            "id": self._tx.new_id() if before is None else before["id"],
            "source": self._source.name,
            "external_id": order.external_id,
            "number": order.number,
            "customer_id": customer_id,
            "email": order.email,
            "email_key": self._key(order.email),
            "phone": order.phone,
            "postcode": order.postcode,
            "created_at_ms": order.created_at_ms,
            "day": date.fromisoformat(self._local(order.created_at_ms).day).toordinal() - _EPOCH,
            "paid_at_ms": order.paid_at_ms,
            "cancelled_at_ms": order.cancelled_at_ms,
            "shipped_at_ms": order.shipped_at_ms,
            "promised_at_ms": order.promised_at_ms,
            "delivered_at_ms": order.delivered_at_ms,
            "refunded_at_ms": order.refunded_at_ms,
            "updated_at_ms": order.updated_at_ms,
            "currency": order.currency,
            "total_minor": order.total_minor,
            "refunded_minor": order.refunded_minor,
            "net_minor": order.net_minor,
            "discount_minor": order.discount_minor,
            "shipping_minor": order.shipping_minor,
            "tax_minor": order.tax_minor,
            "counted": counts(order, currency=self._shop.currency),
            "status": order.status,
            "fulfilment": order.fulfilment,
            "carrier": order.carrier,
            "tracking_number": order.tracking_number,
            "tracking_url": order.tracking_url,
            "coupon": order.coupon,
            "test": order.test,
            "batch": self._batch,
            "written_at_ms": self._tx.at_ms,
        }
        if before is not None and order.updated_at_ms is None:
            for name in _KEPT:
                if row[name] is None:
                    row[name] = before[name]
        return row

    def _customer(self, order: Order) -> str | None:
        """The id of the customer's row, which is made when the source names a new one."""
        if order.customer is None:
            return None
        known = self._customers.get(order.customer)
        if known is None:
            customer_id = self._tx.new_id()
            known = self._customers[order.customer] = customer_id
            self._persons[customer_id] = customer_id
            self._new[order.customer] = {"id": customer_id, "created_at_ms": order.created_at_ms}
        return known

    def _note_contacts(self, order: Order, customer_id: str | None) -> None:
        """Remembers what an order says of its customer: it proves nothing, but may be asked for."""
        if customer_id is None:
            return
        found = [("email", key, order.email) for key in (self._key(order.email),) if key]
        found += [("phone", key, key) for key in phone_keys(order.phone, self._region)]
        for kind, key, value in found:
            self._contacts[customer_id, kind, key] = {
                "customer_id": customer_id,
                "kind": kind,
                "key": key,
                "value": value,
                "level": "claimed",
                "source": self._source.name,
                "created_at_ms": self._tx.at_ms,
                "verified_at_ms": None,
            }

    def _key(self, email: str | None) -> str | None:
        if email is None:
            return None
        if email not in self._keys:
            self._keys[email] = email_key(email)
        return self._keys[email]

    def _who_was_erased(self, orders: Sequence[Order]) -> dict[str, int]:
        ids = {order.customer for order in orders if order.customer is not None}
        keys = {self._tombstone(external_id) for external_id in ids}
        emails = {self._key(order.email) for order in orders}
        keys |= {tombstones.email_key(email) for email in emails if email is not None}
        return tombstones.erased_since(self._tx.connection, keys)

    def _tombstone(self, external_id: str) -> str:
        shop = self._source.customer_ids == "shop"
        return tombstones.shop_key("shop" if shop else self._source.name, external_id)

    def _without_erased(self, order: Order) -> Order:
        """The order without what an erasure took away; what came after one is new."""
        if not self._erased:
            return order
        email = self._key(order.email)
        by_id = None if order.customer is None else self._tombstone(order.customer)
        by_email = None if email is None else tombstones.email_key(email)
        gone = [
            key is not None and self._erased.get(key, -1) >= order.created_at_ms
            for key in (by_id, by_email)
        ]
        if gone[0] or (gone[1] and order.customer is None):
            # Where a parcel is says where its receiver lives.
            order = replace(order, tracking_number=None, tracking_url=None)
            return replace(order, customer=None, email=None, phone=None, postcode=None)
        return replace(order, email=None) if gone[1] else order


def _older(order: Order, before: Row) -> bool:
    """Whether what is told is older than what is stored.

    A file that does not say when its orders were last changed corrects other files, but not what
    the shop's own events say.
    """
    known = before["updated_at_ms"]
    return known is not None and (order.updated_at_ms is None or order.updated_at_ms < known)


def _same(row: Row, before: Row) -> bool:
    return all(value == before[name] for name, value in row.items() if name not in _ASIDE)


def _lines(order_id: str, lines: Sequence[Line]) -> list[Row]:
    return [
        {"order_id": order_id, "line_no": number}
        | {name: getattr(line, name) for name in _LINE_FIELDS}
        for number, line in enumerate(lines, 1)
    ]


def _events(
    row: Mapping[str, Any], before: Row | None, skus: tuple[str, ...]
) -> list[tuple[EventData, int]]:
    """What happened to an order since it was last told of, and when."""
    order_id, currency, total = row["id"], row["currency"], row["total_minor"]
    found: list[tuple[EventData, int]] = []
    if before is None:
        data = OrderCreated(order_id=order_id, amount_minor=total, currency=currency)
        found.append((data, row["created_at_ms"]))
    paid = row["paid_at_ms"]
    if paid is not None and (before is None or before["paid_at_ms"] is None):
        found.append(
            (
                OrderPaid(
                    order_id=order_id,
                    amount_minor=total,
                    currency=currency,
                    paid_at_ms=paid,
                    skus=skus,
                ),
                paid,
            )
        )
    refunded = row["refunded_minor"] - (0 if before is None else before["refunded_minor"])
    if refunded > 0:
        at_ms = row["refunded_at_ms"] or row["updated_at_ms"] or paid or row["created_at_ms"]
        found.append(
            (OrderRefunded(order_id=order_id, amount_minor=refunded, currency=currency), at_ms)
        )
    cancelled = row["cancelled_at_ms"]
    if cancelled is not None and (before is None or before["cancelled_at_ms"] is None):
        found.append((OrderCancelled(order_id=order_id), cancelled))
    return found
