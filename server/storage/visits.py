"""What shoppers who agreed to it look at: the latest of it, their cart, sums of old days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal  # Any: JSON values

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, text

from server.domain.spans import HOUR_MS, MINUTE_MS
from server.storage.consents import allowed
from server.storage.customers import CustomerChanged
from server.storage.tables import Cart, PageEvent, ShopOrder, table
from server.storage.unit import Tx

PAGE_EVENT = table(PageEvent)
CART = table(Cart)
SHOP_ORDER = table(ShopOrder)

Kind = Literal["page", "product", "search", "cart", "checkout"]
Json = dict[str, Any]  # Any: JSON values

WIDGET_SOURCE = "widget"
"""The source of carts that the widget tells of."""
NOW_MS = 30 * MINUTE_MS
"""For how long after their last sign a shopper counts as looking at a page."""
ABANDONED_MS = HOUR_MS
"""After how long a cart that was not bought counts as left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One thing that a shopper did on a page; ``url`` has neither query nor fragment."""

    customer_id: str
    kind: Kind
    at_ms: int
    url: str | None = None
    title: str | None = None
    sku: str | None = None
    product: Json | None = None
    term: str | None = None


def add_visit(tx: Tx, visit: Visit) -> None:
    """Writes down what a shopper did, for whom their card may be open just now."""
    values = {name: getattr(visit, name) for name in Visit.__dataclass_fields__}
    values["product"] = orjson.dumps(visit.product).decode() if visit.product else None
    tx.later(insert(PAGE_EVENT), values | {"id": tx.new_id()})
    tx.notice(CustomerChanged(visit.customer_id))


_COUNT = (
    select(func.count())
    .select_from(PAGE_EVENT)
    .where(PAGE_EVENT.c.customer_id == bindparam("id"), PAGE_EVENT.c.at_ms > bindparam("since"))
)


def visits_since(connection: Connection, customer_id: str, *, since_ms: int) -> int:
    """How many things a shopper's browser has told since an instant."""
    values = {"id": customer_id, "since": since_ms}
    return int(connection.execute(_COUNT, values).scalar_one())


LAST_SIGNS = (
    select(PAGE_EVENT)
    .where(
        PAGE_EVENT.c.customer_id.in_(bindparam("ids", expanding=True)),
        PAGE_EVENT.c.at_ms > bindparam("since"),
    )
    .order_by(PAGE_EVENT.c.at_ms.desc(), PAGE_EVENT.c.id.desc())
    .limit(12)
)


def now_of(connection: Connection, customer_ids: Sequence[str], *, at_ms: int) -> Json | None:
    """What a person looks at now: ``{url, title, product, term, at_ms}``, None when they are away.

    Their last sign is at most half an hour old; the page is the last one they opened. None also
    when any of their records refuses it.
    """
    values = {"ids": list(customer_ids), "since": at_ms - NOW_MS}
    rows = connection.execute(LAST_SIGNS, values).mappings().all()
    if not rows or not allowed(connection, customer_ids, "analytics"):
        return None
    page = next((row for row in rows if row["kind"] in ("page", "product")), rows[0])
    search = rows[0]["term"] if rows[0]["kind"] == "search" else None
    return {
        "url": page["url"],
        "title": page["title"],
        "product": orjson.loads(page["product"]) if page["product"] else None,
        "term": search,
        "at_ms": rows[0]["at_ms"],
    }


_LATEST = (
    select(PAGE_EVENT)
    .where(PAGE_EVENT.c.customer_id.in_(bindparam("ids", expanding=True)))
    .order_by(PAGE_EVENT.c.at_ms.desc(), PAGE_EVENT.c.id.desc())
    .limit(bindparam("limit"))
)


def visits_of(connection: Connection, customer_ids: Sequence[str], limit: int) -> list[Json]:
    """What a person did on pages, newest first: kind, at_ms, url, title, sku, product, term."""
    values = {"ids": list(customer_ids), "limit": limit}
    return [visit_view(row) for row in connection.execute(_LATEST, values).mappings()]


def visit_view(row: RowMapping) -> Json:
    """A row as programs are shown it."""
    names = ("id", "customer_id", "kind", "at_ms", "url", "title", "sku", "term")
    product = orjson.loads(row["product"]) if row["product"] else None
    return {name: row[name] for name in names} | {"product": product}


_SAVE_CART = text(
    "INSERT INTO cart (id, source, token, customer_id, currency, total_minor, lines, checkout_url,"
    " created_at_ms, updated_at_ms)"
    " VALUES (:id, :source, :token, :customer_id, :currency, :total_minor, :lines, :checkout_url,"
    " :at_ms, :at_ms)"
    " ON CONFLICT (source, token) DO UPDATE SET currency = excluded.currency,"
    " total_minor = excluded.total_minor, lines = excluded.lines,"
    " checkout_url = coalesce(excluded.checkout_url, cart.checkout_url),"
    " updated_at_ms = excluded.updated_at_ms, ordered_at_ms = NULL"
    # A token is no proof of who one is: nobody takes over or reads another's cart by naming it.
    " WHERE cart.customer_id = excluded.customer_id"
)


def save_cart(
    tx: Tx,
    customer_id: str,
    *,
    token: str,
    currency: str,
    total_minor: int,
    lines: Sequence[Json],
    checkout_url: str | None = None,
) -> None:
    """Writes a shopper's cart as it is now; one without lines is forgotten."""
    key = {"source": WIDGET_SOURCE, "token": token, "customer_id": customer_id}
    tx.notice(CustomerChanged(customer_id))
    if not lines:
        tx.later(delete(CART).where(*(CART.c[name] == value for name, value in key.items())))
        return
    tx.later(
        _SAVE_CART,
        key
        | {
            "id": tx.new_id(),
            "currency": currency,
            "total_minor": total_minor,
            "lines": orjson.dumps(lines).decode(),
            "checkout_url": checkout_url,
            "at_ms": tx.at_ms,
        },
    )


LATEST_CART = (
    select(CART)
    .where(
        CART.c.customer_id.in_(bindparam("ids", expanding=True)),
        CART.c.ordered_at_ms.is_(None),
    )
    .order_by(CART.c.updated_at_ms.desc())
    .limit(1)
)
_BOUGHT = (
    select(SHOP_ORDER.c.id)
    .where(
        SHOP_ORDER.c.customer_id.in_(bindparam("ids", expanding=True)),
        SHOP_ORDER.c.created_at_ms >= bindparam("since"),
        SHOP_ORDER.c.cancelled_at_ms.is_(None),
    )
    .limit(1)
)


def latest_cart(connection: Connection, customer_ids: Sequence[str]) -> RowMapping | None:
    """The row of the cart of a person that was changed last and never ordered by its name."""
    return connection.execute(LATEST_CART, {"ids": list(customer_ids)}).mappings().first()


def cart_view(
    connection: Connection, customer_ids: Sequence[str], row: RowMapping, *, at_ms: int
) -> Json | None:
    """The cart that a person has not bought yet, of the row of their latest cart; else None.

    ``{currency, total_minor, updated_at_ms, abandoned, lines, checkout_url}``; ``abandoned`` once
    it has been left alone for an hour. An order placed after the cart's last change is taken for
    it, whether or not the shop says which cart an order came from.
    """
    values: Json = {"ids": list(customer_ids)}
    if connection.execute(_BOUGHT, values | {"since": row["updated_at_ms"]}).first():
        return None
    return {
        "currency": row["currency"],
        "total_minor": row["total_minor"],
        "updated_at_ms": row["updated_at_ms"],
        "abandoned": at_ms - row["updated_at_ms"] >= ABANDONED_MS,
        "lines": orjson.loads(row["lines"]),
        "checkout_url": row["checkout_url"],
    }


def forget_visits(tx: Tx, customer_ids: Iterable[str]) -> None:
    """Removes what some shoppers did on pages, and the carts that their browsers told of."""
    ids = list(customer_ids)
    tx.later(delete(PAGE_EVENT).where(PAGE_EVENT.c.customer_id.in_(ids)))
    tx.later(delete(CART).where(CART.c.customer_id.in_(ids), CART.c.source == WIDGET_SOURCE))


_OLD = (
    select(PAGE_EVENT)
    .where(PAGE_EVENT.c.at_ms < bindparam("before"))
    .order_by(PAGE_EVENT.c.at_ms)
    .limit(bindparam("limit"))
)
_ADD_DAY = text(
    "INSERT INTO page_day (day, kind, key, events, visitors)"
    " VALUES (:day, :kind, :key, :events, :visitors)"
    " ON CONFLICT (day, kind, key) DO UPDATE SET events = page_day.events + excluded.events,"
    " visitors = page_day.visitors + excluded.visitors"
)


def old_visits(connection: Connection, *, before_ms: int, limit: int) -> list[RowMapping]:
    """The oldest of what was done on pages before an instant."""
    values = {"before": before_ms, "limit": limit}
    return list(connection.execute(_OLD, values).mappings())


def fold_visits(tx: Tx, ids: Sequence[str], sums: Sequence[Json]) -> None:
    """Adds sums to their days and removes the rows that they were made of."""
    if sums:
        tx.later(_ADD_DAY, list(sums))
    tx.later(delete(PAGE_EVENT).where(PAGE_EVENT.c.id.in_(list(ids))))
