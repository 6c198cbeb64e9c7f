"""What somebody likes to buy, and when they order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from server.domain.periods import LocalTimes, zone

# One order, or two, are no habit.
HABIT = 3
NAMED = 3


class Bought(NamedTuple):
    """Pieces of one product that were kept, and the price of one."""

    category: str | None
    brand: str | None
    quantity: int
    price_minor: int


@dataclass(frozen=True, slots=True)
class Preferences:
    """At most three categories and brands, by pieces kept; then by name.

    ``price_band_minor`` holds the middle half of what was paid for a piece. ``weekday`` (Monday is
    0) and ``hour`` are local; None while there are too few orders for a habit.
    """

    categories: tuple[str, ...]
    brands: tuple[str, ...]
    price_band_minor: tuple[int, int] | None
    weekday: int | None
    hour: int | None


def preferences(
    lines: Sequence[Bought], ordered_at_ms: Sequence[int], *, timezone: str
) -> Preferences:
    """What these lines and the times of their orders say of who bought them."""
    kept = [line for line in lines if line.quantity > 0]
    categories = Counter[str]()
    brands = Counter[str]()
    prices = Counter[int]()
    for line in kept:
        if line.category:
            categories[line.category] += line.quantity
        if line.brand:
            brands[line.brand] += line.quantity
        if line.price_minor > 0:
            prices[line.price_minor] += line.quantity
    local = LocalTimes(zone(timezone))
    times = [local(at_ms) for at_ms in ordered_at_ms]
    return Preferences(
        categories=_most(categories),
        brands=_most(brands),
        price_band_minor=_middle_half(prices),
        weekday=_usual(time.weekday for time in times),
        hour=_usual(time.hour for time in times),
    )


def _most(counts: Counter[str]) -> tuple[str, ...]:
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(ordered[:NAMED])


def _middle_half(prices: Counter[int]) -> tuple[int, int] | None:
    if not prices:
        return None
    total = sum(prices.values())
    seen, low = 0, None
    for price in sorted(prices):
        seen += prices[price]
        if low is None and 4 * seen >= total:
            low = price
        if 4 * seen >= 3 * total:
            return (price if low is None else low), price
    raise ValueError("no prices")


def _usual(values: Iterable[int]) -> int | None:
    """The value that came most often, the smaller of several; None of fewer than three."""
    counts = Counter(values)
    if sum(counts.values()) < HABIT:
        return None
    return min(counts, key=lambda value: (-counts[value], value))
