"""What a person likes to buy, and when, from the lines of their latest orders."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select

from server.domain.preferences import Bought, Preferences, preferences
from server.storage.card_orders import Latest
from server.storage.orders import ORDER_LINE, SHOP_ORDER

# Older orders say little of what somebody likes now, and all of many would take too long.
LATEST_ORDERS = 100

_LATEST = (
    select(SHOP_ORDER.c.id, SHOP_ORDER.c.created_at_ms)
    .where(SHOP_ORDER.c.customer_id.in_(bindparam("ids", expanding=True)), SHOP_ORDER.c.counted)
    .order_by(SHOP_ORDER.c.created_at_ms.desc(), SHOP_ORDER.c.id)
    .limit(LATEST_ORDERS)
)
_LINES = select(
    ORDER_LINE.c.category,
    ORDER_LINE.c.brand,
    ORDER_LINE.c.quantity - ORDER_LINE.c.refunded_quantity,
    ORDER_LINE.c.price_minor,
).where(ORDER_LINE.c.order_id.in_(bindparam("ids", expanding=True)))


def preferences_of(
    connection: Connection,
    customer_ids: Collection[str],
    *,
    timezone: str,
    latest: Latest | None = None,
) -> Preferences | None:
    """The preferences of a person, all of whose ids are given; None without a counted order.

    Who has their orders at hand gives them as ``latest``.
    """
    if latest is not None and latest.complete:
        return _from_latest(latest, timezone=timezone)
    orders = connection.execute(_LATEST, {"ids": list(customer_ids)}).all()
    if not orders:
        return None
    lines = connection.execute(_LINES, {"ids": [order[0] for order in orders]})
    bought = [Bought(*line) for line in lines]
    return preferences(bought, [order[1] for order in orders], timezone=timezone)


def _from_latest(latest: Latest, *, timezone: str) -> Preferences | None:
    orders = [row for row in latest.orders if row["counted"]]
    if not orders:
        return None
    bought = [
        Bought(
            line["category"],
            line["brand"],
            line["quantity"] - line["refunded_quantity"],
            line["price_minor"],
        )
        for row in orders
        for line in latest.lines.get(row["id"], ())
    ]
    return preferences(bought, [row["created_at_ms"] for row in orders], timezone=timezone)
