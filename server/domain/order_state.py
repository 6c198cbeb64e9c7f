"""Where an order stands on its way to the customer, and whether it is late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal  # Any: names and values of columns

from server.domain.spans import DAY_MS

OrderState = Literal["placed", "paid", "shipped", "delivered", "cancelled", "refunded"]

# Many shops never tell that a parcel came: what is older than this is on its way no more.
OPEN_MS = 60 * DAY_MS
UNDERWAY: frozenset[OrderState] = frozenset({"placed", "paid", "shipped"})


def order_state(row: Mapping[Any, Any]) -> OrderState:  # Any: names and values of columns
    """How far the order of a row has come; what ended it outranks where its parcel is.

    >>> row = {"total_minor": 900, "refunded_minor": 0, "paid_at_ms": 1, "cancelled_at_ms": None}
    >>> order_state(row | {"shipped_at_ms": 2, "delivered_at_ms": None})
    'shipped'
    >>> order_state(row | {"refunded_minor": 900, "shipped_at_ms": 2, "delivered_at_ms": 3})
    'refunded'
    """
    if row["cancelled_at_ms"] is not None:
        return "cancelled"
    if 0 < row["total_minor"] <= row["refunded_minor"]:
        return "refunded"
    if row["delivered_at_ms"] is not None:
        return "delivered"
    if row["shipped_at_ms"] is not None:
        return "shipped"
    return "placed" if row["paid_at_ms"] is None else "paid"


def is_open(state: OrderState, *, created_at_ms: int, at_ms: int) -> bool:
    """True while the customer still waits for an order."""
    return state in UNDERWAY and at_ms - created_at_ms < OPEN_MS


def is_late(
    state: OrderState,
    *,
    promised_day: int | None,
    today: int,
    promised_at_ms: int | None,
    at_ms: int,
) -> bool:
    """True when the day on which an order was to come has passed and it has not come.

    Days are local ones, so that nothing is late before the day is over. A promise of long ago is
    one that nobody reported as kept.
    """
    if promised_day is None or promised_at_ms is None or state not in UNDERWAY:
        return False
    return promised_day < today and at_ms - promised_at_ms < OPEN_MS
