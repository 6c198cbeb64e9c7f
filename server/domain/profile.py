"""What the orders of a person add up to, and what that makes of them within frozen limits."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from server.domain.lifecycle import PROSPECT, median_gap, stage_and_flip
from server.domain.segment import (
    Population,
    Thresholds,
    cell_of,
    f_score,
    m_score,
    r_score,
    segment_of,
)


class Sums(NamedTuple):
    """The counted orders of a person; ``days`` are their distinct local days, ascending.

    ``gross_minor`` and ``refunded_minor`` are of all orders that were paid, also of those that were
    given back whole and count no more.
    """

    orders: int = 0
    net_minor: int = 0
    gross_minor: int = 0
    refunded_minor: int = 0
    coupon_orders: int = 0
    first_order_at_ms: int | None = None
    last_order_at_ms: int | None = None
    days: tuple[int, ...] = ()


NOTHING = Sums()


def joined(parts: Iterable[Sums]) -> Sums:
    """The sums of a person whose orders are in several records."""
    known = list(parts)
    if len(known) == 1:
        return known[0]
    firsts = [s.first_order_at_ms for s in known if s.first_order_at_ms is not None]
    lasts = [s.last_order_at_ms for s in known if s.last_order_at_ms is not None]
    return Sums(
        orders=sum(s.orders for s in known),
        net_minor=sum(s.net_minor for s in known),
        gross_minor=sum(s.gross_minor for s in known),
        refunded_minor=sum(s.refunded_minor for s in known),
        coupon_orders=sum(s.coupon_orders for s in known),
        first_order_at_ms=min(firsts, default=None),
        last_order_at_ms=max(lasts, default=None),
        days=tuple(sorted({day for s in known for day in s.days})),
    )


class Labels(NamedTuple):
    """What a person is on a day. Scores and cell are None for who has not bought."""

    median_gap_days: float | None
    r: int | None
    f: int | None
    m: int | None
    segment: str
    value_cell: str | None
    activity_stage: str
    relationship_stage: str
    quiet: bool
    declining: bool
    trend: str
    top20: bool
    next_flip_day: int | None


NO_BUYER = Labels(
    r=None,
    f=None,
    m=None,
    segment="prospects",
    value_cell=None,
    activity_stage=PROSPECT.activity,
    relationship_stage=PROSPECT.relationship,
    quiet=False,
    declining=False,
    trend=PROSPECT.trend,
    top20=False,
    median_gap_days=None,
    next_flip_day=None,
)


def labels(sums: Sums, limits: Thresholds, today: int, *, key: str) -> Labels:
    """What a person is on a day; ``key`` is the id that decides among those who spent the same.

    Scores and cell are those of the day on which the limits were frozen: they move with an order or
    with new limits, and by the passing of time only stages do.
    """
    days = sums.days
    if not days:
        return NO_BUYER
    ago = max(0, limits.day - days[-1])
    gap = median_gap(days)
    stage, flip = stage_and_flip(today, days, gap, d1=limits.d1, d2=limits.d2)
    r, f = r_score(ago, limits), f_score(sums.orders, limits.rules)
    return Labels(
        gap,
        r,
        f,
        m_score(sums.net_minor, limits),
        segment_of(r, f),
        cell_of(ago, sums.orders, sums.net_minor, limits),
        stage.activity,
        stage.relationship,
        stage.quiet,
        stage.declining,
        stage.trend,
        limits.in_top(sums.net_minor, key),
        flip,
    )


def population(every: Iterable[Sums], *, median_order_minor: int = 0) -> Population:
    """Those who are scored among persons."""
    net, last = array("q"), array("q")
    gaps: Counter[int] = Counter()
    first_day = 2**31
    for sums in every:
        if sums.days:
            net.append(sums.net_minor)
            last.append(sums.days[-1])
            first_day = min(first_day, sums.days[0])
            gaps.update([after - before for before, after in pairwise(sums.days)])
    return Population(net, last, first_day, gaps, median_order_minor)


def top_key(keys: Iterable[str], *, above: int, size: int) -> str:
    """The id of the last of the top 20 % among those who all spent the least that belongs to it.

    ``above`` of the ``size`` spent more.
    """
    return sorted(keys)[size - above - 1]


_NEVER = -(2**63)
_TOGETHER = 500


class Names:
    """Many short texts in the order in which they were added, 500 of them kept as one.

    A million texts of their own take thrice the memory, and letting go of them keeps every other
    thread waiting for a tenth of a second. None may hold a NUL.
    """

    def __init__(self) -> None:
        self._full: list[str] = []
        self._latest: list[str] = []

    def append(self, name: str) -> None:
        """Adds a text at the end."""
        self._latest.append(name)
        if len(self._latest) == _TOGETHER:
            self._full.append("\0".join(self._latest))
            self._latest = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._full) * _TOGETHER + len(self._latest)

    def __iter__(self) -> Iterator[str]:
        """All of them, in order."""
        return chain(chain.from_iterable(t.split("\0") for t in self._full), self._latest)

    def between(self, start: int, stop: int) -> list[str]:
        """Those from one place to before another."""
        first, last = start // _TOGETHER, -(-stop // _TOGETHER)
        some = [*chain.from_iterable(t.split("\0") for t in self._full[first:last])]
        if last > len(self._full):
            some += self._latest
        return some[start - first * _TOGETHER : stop - first * _TOGETHER]


class Ledger:
    """The sums of all persons of a shop in little memory: about 120 bytes a person.

    ``revision`` is the number of the stored row that the sums were read beside, 0 without one.
    """

    def __init__(self) -> None:
        self.persons = Names()
        self._numbers = array("q")
        self._days = array("i")
        self._ends = array("q", [0])

    def add(self, person_id: str, sums: Sums, *, revision: int = 0) -> None:
        """Adds a person, who must not be there yet."""
        self.persons.append(person_id)
        first, last = sums.first_order_at_ms, sums.last_order_at_ms
        self._numbers.extend(
            (
                *sums[:5],
                _NEVER if first is None else first,
                _NEVER if last is None else last,
                revision,
            )
        )
        self._days.extend(sums.days)
        self._ends.append(len(self._days))

    def __len__(self) -> int:
        """How many persons there are."""
        return len(self.persons)

    def __iter__(self) -> Iterator[tuple[str, Sums]]:
        """Every person with their sums, in the order in which they were added."""
        return ((person, self.sums(place)) for place, person in enumerate(self.persons))

    def every(self) -> Iterator[Sums]:
        """The sums of all persons, in the same order."""
        return map(self.sums, range(len(self.persons)))

    def sums(self, place: int) -> Sums:
        """The sums of the person at a place."""
        orders, net, gross, refunded, coupons, first, last = self._numbers[
            8 * place : 8 * place + 7
        ]
        return Sums(
            orders,
            net,
            gross,
            refunded,
            coupons,
            None if first == _NEVER else first,
            None if last == _NEVER else last,
            tuple(self._days[self._ends[place] : self._ends[place + 1]]),
        )

    def spent(self, net_minor: int) -> list[str]:
        """The persons with a counted order of whom just so much is left."""
        return [
            person
            for place, person in enumerate(self.persons)
            if self._numbers[8 * place + 1] == net_minor
            and self._ends[place + 1] > self._ends[place]
        ]

    def net_minor(self, place: int) -> int:
        """What is left of the counted orders of the person at a place."""
        return self._numbers[8 * place + 1]

    def revision(self, place: int) -> int:
        """The number of the stored row of the person at a place."""
        return self._numbers[8 * place + 7]
