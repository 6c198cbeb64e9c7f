"""Which products are bought together: counted in the orders, kept for the cards.

A product at a time, so that memory holds one product's companions however large the shop is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # Any: conditions and column values

from sqlalchemy import Connection, delete, func, insert, select, update

from server.domain.offers import Pair
from server.storage import log_readers
from server.storage.log_readers import LOG_READER
from server.storage.offers import LINE, ORDER, PAIR
from server.storage.unit import Tx

PAIRS = "product_pairs"


def turn_at_ms(connection: Connection) -> int:
    """When the pairs are worked out next; 0 before the first time."""
    return log_readers.place(connection, PAIRS) or 0


def take_turn(tx: Tx, *, next_at_ms: int) -> None:
    """Makes the answer of the job True for the one process that works out the pairs now."""
    log_readers.begin(tx, PAIRS, seq=0)

    def taken(_: object) -> bool:
        due = (LOG_READER.c.name == PAIRS) & (LOG_READER.c.seq <= tx.at_ms)
        done = tx.connection.execute(update(LOG_READER).where(due).values(seq=next_at_ms))
        return done.rowcount == 1

    tx.finish_with(taken)


def set_turn(tx: Tx, *, next_at_ms: int) -> None:
    """Says when the pairs are worked out next."""
    tx.later(update(LOG_READER).where(LOG_READER.c.name == PAIRS).values(seq=next_at_ms))


def line_orders(connection: Connection, *, since_ms: int) -> int:
    """How many counted orders since then have lines with a sku."""
    statement = select(func.count(func.distinct(LINE.c.order_id))).join_from(
        LINE, ORDER, ORDER.c.id == LINE.c.order_id
    )
    return int(connection.execute(statement.where(*_counted(since_ms))).scalar_one())


def common_skus(connection: Connection, *, since_ms: int, least: int, limit: int) -> dict[str, int]:
    """In how many counted orders each of the ``limit`` most sold products was."""
    times = func.count(func.distinct(LINE.c.order_id))
    statement = (
        select(LINE.c.sku, times)
        .join_from(LINE, ORDER, ORDER.c.id == LINE.c.order_id)
        .where(*_counted(since_ms))
        .group_by(LINE.c.sku)
        .having(times >= least)
        .order_by(times.desc(), LINE.c.sku)
        .limit(limit)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def companions(
    connection: Connection, sku: str, *, since_ms: int, least: int, limit: int
) -> dict[str, int]:
    """In how many counted orders with ``sku`` each other product was, the most common ones."""
    other = LINE.alias("other")
    times = func.count(func.distinct(LINE.c.order_id))
    statement = (
        select(other.c.sku, times)
        .select_from(
            LINE.join(ORDER, ORDER.c.id == LINE.c.order_id).join(
                other, other.c.order_id == LINE.c.order_id
            )
        )
        .where(LINE.c.sku == sku, other.c.sku != sku, *_counted(since_ms))
        .group_by(other.c.sku)
        .having(times >= least)
        .order_by(times.desc(), other.c.sku)
        .limit(limit)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _counted(since_ms: int) -> tuple[Any, ...]:  # Any: conditions
    return (
        LINE.c.sku.is_not(None),
        ORDER.c.counted,
        ORDER.c.created_at_ms > since_ms,
        LINE.c.quantity > LINE.c.refunded_quantity,
    )


def replace_pairs(tx: Tx, pairs: Mapping[str, Sequence[Pair]]) -> None:
    """Writes the partners of some products over those they had."""
    tx.later(delete(PAIR).where(PAIR.c.sku.in_(list(pairs))))
    rows: list[Mapping[str, Any]] = [  # Any: column values
        {name: getattr(pair, name) for name in Pair.__dataclass_fields__}
        | {"lift": pair.lift, "computed_at_ms": tx.at_ms}
        for found in pairs.values()
        for pair in found
    ]
    if rows:
        tx.later(insert(PAIR), rows)


def forget_pairs(tx: Tx, *, before_ms: int) -> None:
    """Removes pairs that were not found any more."""
    tx.later(delete(PAIR).where(PAIR.c.computed_at_ms < before_ms))
