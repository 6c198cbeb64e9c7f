"""Working out which products go together, from the shop's own orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from server.domain.offers import MIN_TOGETHER, Pair, best_pairs
from server.domain.spans import DAY_MS, HOUR_MS
from server.storage import pairs
from server.storage.connection import Connection
from server.storage.unit import Tx

SINCE_MS = 365 * DAY_MS
# A shop with fewer orders is counted every hour: that takes no time, and its pairs still change.
SMALL_SHOP = 20_000
# The most sold products are looked at; of each so many partners are kept.
PRODUCTS = 5_000
PARTNERS = 12
AT_ONCE = 25


def due(connection: Connection, *, at_ms: int) -> bool:
    """Whether it is time to work out the pairs."""
    return pairs.turn_at_ms(connection) <= at_ms


def take_turn(tx: Tx) -> bool:
    """True for the one process that works out the pairs now."""
    pairs.take_turn(tx, next_at_ms=tx.at_ms + DAY_MS)
    return False


def end_turn(tx: Tx, *, orders: int) -> None:
    """Says when the next turn is, from how many orders there are."""
    if orders < SMALL_SHOP:
        pairs.set_turn(tx, next_at_ms=tx.at_ms + HOUR_MS)


def common_products(connection: Connection, *, at_ms: int) -> tuple[int, dict[str, int]]:
    """How many orders there are to count in, and how many of them hold each common product."""
    since_ms = at_ms - SINCE_MS
    common = pairs.common_skus(connection, since_ms=since_ms, least=MIN_TOGETHER, limit=PRODUCTS)
    return pairs.line_orders(connection, since_ms=since_ms), common


def partners_of(
    connection: Connection,
    skus: Sequence[str],
    *,
    orders: int,
    common: Mapping[str, int],
    at_ms: int,
) -> dict[str, list[Pair]]:
    """What goes well with each of these products; empty where nothing does often enough."""
    found: dict[str, list[Pair]] = {}
    for sku in skus:
        beside = pairs.companions(
            connection,
            sku,
            since_ms=at_ms - SINCE_MS,
            least=MIN_TOGETHER,
            limit=10 * PARTNERS,
        )
        candidates = [
            Pair(sku, other, together, common[sku], common[other], orders)
            for other, together in beside.items()
            if other in common
        ]
        found[sku] = best_pairs(candidates, limit=PARTNERS)
    return found


def keep(tx: Tx, found: Mapping[str, Sequence[Pair]]) -> None:
    """Writes pairs over those that were found before."""
    pairs.replace_pairs(tx, found)


def forget(tx: Tx, *, before_ms: int) -> None:
    """Removes what no longer goes together."""
    pairs.forget_pairs(tx, before_ms=before_ms)
