"""A person's orders as their card shows them: what is late first, then what is on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values and rows

from sqlalchemy import Connection, RowMapping, bindparam, func, select

from server.domain.order_state import is_late, is_open, order_state
from server.storage.orders import ORDER_LINE, SHOP_ORDER, lines_of
from server.storage.thresholds import day_of

Json = dict[str, Any]  # Any: JSON values
SHOWN = 5
# Of somebody who orders every day: an order that is late is among the latest of these.
LOOKED_AT = 40
MOST_LINES = 8

OWN_ORDERS = (
    select(SHOP_ORDER)
    .where(SHOP_ORDER.c.customer_id.in_(bindparam("ids", expanding=True)))
    .order_by(SHOP_ORDER.c.created_at_ms.desc(), SHOP_ORDER.c.id.desc())
    .limit(LOOKED_AT)
)
OWN_LINES = (
    select(ORDER_LINE)
    .where(ORDER_LINE.c.order_id.in_(OWN_ORDERS.with_only_columns(SHOP_ORDER.c.id)))
    .order_by(ORDER_LINE.c.order_id, ORDER_LINE.c.line_no)
)
_COUNT = select(func.count()).where(
    SHOP_ORDER.c.customer_id.in_(bindparam("ids", expanding=True)), SHOP_ORDER.c.test.is_(False)
)
_GUEST = (
    select(SHOP_ORDER)
    .where(
        SHOP_ORDER.c.email_key.in_(bindparam("keys", expanding=True)),
        SHOP_ORDER.c.customer_id.is_(None),
    )
    .order_by(SHOP_ORDER.c.created_at_ms.desc())
    .limit(SHOWN)
)


@dataclass(frozen=True, slots=True)
class Latest:
    """A person's latest orders, newest first and tests among them, with the lines of each.

    ``complete`` when there are no others.
    """

    orders: Sequence[RowMapping]
    lines: Mapping[str, Sequence[Json]]
    complete: bool


def latest_orders(connection: Connection, customer_ids: Sequence[str]) -> Latest:
    """The latest orders of all rows of a person: one look for all that a card tells of them."""
    values = {"ids": list(customer_ids)}
    found = connection.execute(OWN_ORDERS, values).mappings().all()
    lines: dict[str, list[Json]] = {}
    if found:
        for line in connection.execute(OWN_LINES, values).mappings():
            lines.setdefault(line["order_id"], []).append(dict(line))
    return Latest(found, lines, complete=len(found) < LOOKED_AT)


def orders_view(
    connection: Connection,
    customer_ids: Sequence[str],
    *,
    email_keys: Sequence[str],
    timezone: str,
    at_ms: int,
    latest: Latest | None = None,
) -> Json:
    """How many orders a person has, and the five that matter now, with their lines.

    ``email_keys`` are the addresses that were proved to be theirs: what guests ordered with one of
    them is shown beside, marked ``guest``, and counts nowhere.
    """
    latest = latest or latest_orders(connection, customer_ids)
    own = [row for row in latest.orders if not row["test"]]
    count = len(own)
    if not latest.complete:
        count = int(connection.execute(_COUNT, {"ids": list(customer_ids)}).scalar_one())
    guests: list[RowMapping] = []
    if email_keys:
        rows = connection.execute(_GUEST, {"keys": list(email_keys)}).mappings()
        guests = [row for row in rows if not row["test"]]
    today = day_of(at_ms, timezone)
    placed = [_Placed(row, timezone=timezone, today=today, at_ms=at_ms) for row in (*own, *guests)]
    placed.sort(key=lambda p: (not p.late, not p.open, -p.row["created_at_ms"]))
    shown = [_order(one) for one in placed[:SHOWN]]
    guests_shown = [order["id"] for order in shown if order["guest"]]
    lines = {**latest.lines, **lines_of(connection, guests_shown)}
    for order in shown:
        order["lines"] = [_line(line) for line in lines.get(order["id"], [])[:MOST_LINES]]
    return {"count": count, "items": shown}


class _Placed:
    """An order's row, and what decides about its place."""

    __slots__ = ("late", "open", "row", "state")

    def __init__(self, row: RowMapping, *, timezone: str, today: int, at_ms: int) -> None:
        promised = row["promised_at_ms"]
        self.row = row
        self.state = order_state(row)
        self.open = is_open(self.state, created_at_ms=row["created_at_ms"], at_ms=at_ms)
        self.late = promised is not None and is_late(
            self.state,
            promised_day=day_of(promised, timezone),
            promised_at_ms=promised,
            today=today,
            at_ms=at_ms,
        )


_SHOWN_COLUMNS = (
    "id",
    "number",
    "source",
    "created_at_ms",
    "total_minor",
    "net_minor",
    "refunded_minor",
    "currency",
    "status",
    "promised_at_ms",
    "shipped_at_ms",
    "delivered_at_ms",
    "carrier",
    "tracking_number",
    "tracking_url",
)


def _order(placed: _Placed) -> Json:
    row = placed.row
    told = {"state": placed.state, "late": placed.late, "guest": row["customer_id"] is None}
    return {name: row[name] for name in _SHOWN_COLUMNS} | told


def _line(row: Mapping[str, Any]) -> Json:  # Any: a row
    names = ("title", "sku", "quantity", "price_minor")
    return {name: row[name] for name in names}
