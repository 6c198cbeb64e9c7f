"""Deliveries of shops: stored when they come, taken over later, tried again, replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from server.actions.identity import Merge, merge
from server.actions.payload import Payload
from server.actions.take_orders import take_carts, take_orders, take_products, take_shop_customers
from server.domain.actors import SYSTEM, Actor
from server.domain.consent import State
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.hooks import Incoming, wait_ms
from server.domain.permissions import require
from server.domain.shop_data import Order, ShopCustomer, ShopProduct
from server.domain.shop_told import Consented, Parts, Told, together, whole
from server.storage import deliveries, order_parts, products
from server.storage.consents import Consent, add_consent, consents_of
from server.storage.contacts import contacts_of, save_contacts
from server.storage.deliveries import Delivery
from server.storage.persons import customers_of_source, person_of
from server.storage.privacy import DUE_MS, Request, add_request, open_request
from server.storage.shop import load_shop
from server.storage.shop_sources import Source, change_source, load_source
from server.storage.unit import Tx

READ = "source.read"
MARKETING: tuple[Literal["marketing_email", "marketing_sms"], ...] = (
    "marketing_email",
    "marketing_sms",
)


# What a shop does with its own customers counts as done by who may.
_SHOP = Actor("system", name=SYSTEM.name, role="admin")


class SourceRef(Payload):
    """A source by its name."""

    source: str


class SourceDeliveryRef(Payload):
    """A delivery of a source."""

    source: str
    delivery_id: str


def receive(tx: Tx, source: str, incoming: Incoming) -> dict[str, object]:
    """Stores a delivery; what the sender is answered. Raises Conflict.

    That is for a key under which something else came before, so that nobody takes the one for the
    other.
    """
    known = deliveries.delivery_of_key(tx.connection, source, incoming.key)
    if known is not None:
        if "idempotency-key" in incoming.headers and known[1] != incoming.body:
            raise Conflict("Something else came under this Idempotency-Key before.")
        return {"ok": True, "delivery_id": known[0], "duplicate": True}
    return {
        "ok": True,
        "delivery_id": deliveries.add_delivery(tx, source, incoming),
        "duplicate": False,
    }


def take_over(tx: Tx, delivery_id: str, told: Told) -> str:
    """Makes of a delivery what it says; its new status. Raises Held.

    Whatever was taken over before changes nothing, so it may be run again.
    """
    found = deliveries.load_delivery(tx.connection, delivery_id)
    if found is None:
        return "gone"
    deliveries.take_turn(tx, found.source)
    delivery = deliveries.load_delivery(tx.connection, delivery_id)
    if delivery is None or delivery.status != "waiting":
        return "gone"
    source = load_source(tx.connection, delivery.source)
    if source is None:
        return _ignore(tx, delivery, "removed")
    if told.nothing is not None:
        _received(tx, source, delivery)
        return _ignore(tx, delivery, told.nothing)
    _take(tx, source, told, delivery)
    _received(tx, source, delivery, applied=True, told=told)
    deliveries.change_delivery(
        tx,
        delivery.id,
        status="applied",
        due_at_ms=None,
        attempts=delivery.attempts + 1,
        applied_at_ms=tx.at_ms,
        reason=None,
        customer=told.about,
    )
    return "applied"


def fail(tx: Tx, delivery_id: str, reason: str, *, permanent: bool) -> str:
    """Notes that a delivery could not be taken over; its new status.

    ``permanent`` is for what no further attempt can mend; the rest waits longer and longer.
    """
    delivery = deliveries.load_delivery(tx.connection, delivery_id)
    if delivery is None or delivery.status != "waiting":
        return "gone"
    attempts = delivery.attempts + 1
    later_ms = None if permanent else wait_ms(attempts)
    status = "dead" if later_ms is None else "waiting"
    deliveries.change_delivery(
        tx,
        delivery.id,
        status=status,
        due_at_ms=None if later_ms is None else tx.at_ms + later_ms,
        attempts=attempts,
        reason=reason[:300],
    )
    source = load_source(tx.connection, delivery.source)
    if source is not None:
        received_at_ms = max(delivery.received_at_ms, source.received_at_ms or 0)
        change_source(tx, source.name, failures=source.failures + 1, received_at_ms=received_at_ms)
    return status


def replay_one(tx: Tx, actor: Actor, asked: SourceDeliveryRef) -> dict[str, object]:
    """Lets a delivery be taken over anew. Raises NotAllowed, NotFound, Conflict."""
    require(actor, READ)
    delivery = deliveries.load_delivery(tx.connection, asked.delivery_id)
    if delivery is None or delivery.source != asked.source:
        raise NotFound("There is no such delivery.")
    if delivery.status == "waiting":
        raise Conflict("This delivery waits for its turn already.", reason="delivery_waits")
    deliveries.replay(tx, delivery.source, delivery.status, ids=[delivery.id])
    return {"ok": True, "replayed": 1}


def replay_dead(tx: Tx, actor: Actor, asked: SourceRef) -> dict[str, object]:
    """Lets all dead deliveries of a source be taken over anew. Raises NotAllowed, NotFound."""
    require(actor, READ)
    if load_source(tx.connection, asked.source) is None:
        raise NotFound("There is no such source.")
    return {"ok": True, "replayed": deliveries.replay(tx, asked.source, "dead")}


def _take(tx: Tx, source: Source, told: Told, delivery: Delivery) -> None:
    if told.customers:
        take_shop_customers(tx, source, told.customers)
    orders = [*_whole_orders(tx, source, told), *_called_off(tx, source, told.cancelled, delivery)]
    if orders:
        take_orders(tx, source, orders, imported=told.backfill)
    if told.products:
        take_products(tx, source, _with_dropped(tx, source, told.products))
    if told.carts:
        take_carts(tx, source, told.carts)
    _part_with(tx, source, [one.external_id for one in told.customers if one.deleted])
    if told.consents:
        # What somebody agreed to may come before they themselves.
        who = sorted({one.customer for one in told.consents})
        take_shop_customers(tx, source, [ShopCustomer(external_id=one) for one in who])
        _consent(tx, source, told.consents)
    _ask(tx, source, told)
    _join_same(tx, source, told.same)


def _whole_orders(tx: Tx, source: Source, told: Told) -> list[Order]:
    """The orders told, and those of which a part was, with all the parts that are known."""
    if not told.parts:
        return list(told.orders)
    ids = {parts.order_id for parts in told.parts}
    known = order_parts.load_parts(tx.connection, source.name, ids)
    stored = order_parts.told_orders(tx.connection, source, ids)
    news = {order.external_id: order for order in told.orders}
    found = [order for key, order in news.items() if key not in ids]
    changed: list[Parts] = []
    for parts in told.parts:
        before = known.get(parts.order_id)
        merged = parts if before is None else together(before, parts)
        if merged != before:
            changed.append(merged)
        base = news.get(parts.order_id)
        if base is None or (
            before is not None
            and before.base_at_ms is not None
            and (parts.base_at_ms or 0) < before.base_at_ms
        ):
            base = stored.get(parts.order_id, base)
        # A part may come before its order; it waits for it then.
        if base is not None:
            found.append(whole(base, merged))
    order_parts.save_parts(tx, source.name, changed)
    return found


def _called_off(
    tx: Tx, source: Source, order_ids: Sequence[str], delivery: Delivery
) -> list[Order]:
    """Orders that were deleted in the shop: they are as good as cancelled."""
    if not order_ids:
        return []
    at_ms = delivery.triggered_at_ms or delivery.received_at_ms
    return [
        replace(
            order,
            cancelled_at_ms=order.cancelled_at_ms or at_ms,
            status="cancelled",
            updated_at_ms=max(order.updated_at_ms or 0, at_ms),
        )
        for order in order_parts.told_orders(tx.connection, source, order_ids).values()
    ]


def _with_dropped(tx: Tx, source: Source, told: Sequence[ShopProduct]) -> list[ShopProduct]:
    """The articles told, and as deleted those of the same products that are no more."""
    ids = {product.product_id for product in told if product.product_id is not None}
    named = {product.sku for product in told}
    gone = products.skus_of(tx.connection, source.name, ids) - named
    dropped = [ShopProduct(sku=sku, title="–", deleted=True) for sku in sorted(gone)]
    return [*(product for product in told if product.sku), *dropped]


def _part_with(tx: Tx, source: Source, customers: Sequence[str]) -> None:
    """Customers whom the shop has deleted: it vouches for them no more and sends them nothing.

    Their orders stay, as they do in the shop's books; erasing a person is another wish.
    """
    if not customers:
        return
    withdrawn = [
        Consented(customer=one, purpose=purpose, given=False, at_ms=tx.at_ms)
        for one in customers
        for purpose in MARKETING
    ]
    _consent(tx, source, withdrawn)
    found = customers_of_source(tx.connection, source, customers)
    save_contacts(
        tx,
        [
            replace(contact, level="claimed", verified_at_ms=None)
            for contact in contacts_of(tx.connection, found.values())
            if contact.source == source.name and contact.level == "verified"
        ],
    )


def _consent(tx: Tx, source: Source, said: Sequence[Consented]) -> None:
    """Writes down what customers said in the shop; a refusal only of who had agreed."""
    shop = load_shop(tx.connection)
    customers = customers_of_source(tx.connection, source, {one.customer for one in said})
    for one in said:
        customer_id = customers.get(one.customer)
        if customer_id is None or shop is None:
            continue
        known = [
            consent
            for consent in consents_of(tx.connection, [customer_id])
            if consent.purpose == one.purpose
        ]
        last = known[-1] if known else None
        state: State = "given" if one.given else "refused"
        if last is not None and (last.state == state or last.at_ms > one.at_ms):
            continue
        add_consent(
            tx,
            Consent(
                customer_id=customer_id,
                purpose=one.purpose,
                state=state,
                text_version="shop",
                language=shop.locale,
                source="shop",
                at_ms=one.at_ms,
            ),
        )


def _ask(tx: Tx, source: Source, told: Told) -> None:
    """Puts wishes about personal data in the list that staff works off."""
    for asked in told.asked:
        if asked.kind == "erase_shop":
            # The shop is gone: nothing that came is kept as it came.
            deliveries.forget_source(tx, source.name)
            order_parts.forget_parts(tx, source.name)
            continue
        found = customers_of_source(tx.connection, source, {asked.customer or ""})
        customer_id = found.get(asked.customer or "")
        if customer_id is None:
            continue
        person_id = person_of(tx.connection, customer_id)
        if open_request(tx.connection, person_id, asked.kind) is None:
            add_request(
                tx,
                Request(
                    id=tx.new_id(),
                    kind=asked.kind,
                    customer_id=person_id,
                    asked_at_ms=tx.at_ms,
                    due_at_ms=tx.at_ms + DUE_MS,
                ),
            )


def _join_same(tx: Tx, source: Source, pairs: Sequence[tuple[str, str]]) -> None:
    """Customers whom the shop has made one: here too, so that it can be undone as any merge."""
    for kept, gone in pairs:
        found = customers_of_source(tx.connection, source, [kept, gone])
        if gone in found and kept not in found:
            take_shop_customers(tx, source, [ShopCustomer(external_id=kept)])
            found = customers_of_source(tx.connection, source, [kept, gone])
        if gone not in found:
            continue
        one, other = found[kept], found[gone]
        if person_of(tx.connection, one) != person_of(tx.connection, other):
            why = f"{source.name}: {gone} → {kept}"[:200]
            merge(tx, _SHOP, Merge(customer_id=one, other_id=other, why=why))


def _received(
    tx: Tx, source: Source, delivery: Delivery, *, applied: bool = False, told: Told | None = None
) -> None:
    """Notes on the source that it told something."""
    at_ms = delivery.triggered_at_ms or delivery.received_at_ms
    values: dict[str, str | int | None] = {
        "received_at_ms": max(delivery.received_at_ms, source.received_at_ms or 0),
        "failures": 0,
    }
    if delivery.received_at_ms > (source.refused_at_ms or 0):
        values["refused"] = 0
    if told is not None and told.uninstalled:
        values["uninstalled_at_ms"] = tx.at_ms
    elif told is not None and not told.asked:
        # What comes after an uninstallation tells of the next installation; wishes about personal
        # data come for weeks.
        values["uninstalled_at_ms"] = None
    if applied:
        values |= {"applied_at_ms": tx.at_ms, "lag_ms": max(0, tx.at_ms - at_ms)}
    change_source(tx, source.name, **values)


def _ignore(tx: Tx, delivery: Delivery, reason: str) -> str:
    deliveries.change_delivery(
        tx,
        delivery.id,
        status="ignored",
        due_at_ms=None,
        attempts=delivery.attempts + 1,
        applied_at_ms=tx.at_ms,
        reason=reason,
    )
    return "ignored"


def reason_of(error: Exception) -> tuple[str, bool]:
    """What a failure is called and whether no further attempt can mend it; nothing personal.

    >>> reason_of(InvalidInput("total is missing.", field="total"))
    ('unreadable total', True)
    """
    if isinstance(error, InvalidInput):
        return f"unreadable {error.details.get('field', '')}".strip(), True
    return f"failed {type(error).__name__}", False
