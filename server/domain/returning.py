"""Will they come back, and what may they spend: told from customers who were alike 90 days ago.

A customer is like those who then had as many order days (by class) and had been silent as long (by
band). Of those it is known whether they ordered within the 90 days since. Figures of few are drawn
towards the shop's own by pseudo-customers, and of very few nothing is said.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any  # Any: JSON values

from server.domain.profile import Sums
from server.domain.ranks import Ranked
from server.domain.segment import Thresholds, f_score, r_score

WINDOW_DAYS = 90
PSEUDO_CUSTOMERS = 20
# The shop's mean order counts as so many orders of each customer.
PSEUDO_ORDERS = 5
# Fewer similar customers than pseudo-customers would tell more of the shop than of them.
FEW_SIMILAR = 20
FEW_PEOPLE = 200
BANDS = ("low", "mid", "high")


@dataclass(frozen=True, slots=True)
class Chance:
    """How many of ``similar`` customers ordered again within ``days``, smoothed, 0..1."""

    chance: float
    similar: int
    days: int = WINDOW_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """The look-up table. ``cells`` are 25 (customers, of those came back, order days of those).

    By class of frequency, then band of recency; ``people``, ``back`` and ``orders`` are their
    totals. ``band_limits_minor`` part the spend that is to be
    expected within 12 months into low, mid and high, a third of the customers each.
    """

    day: int
    cells: tuple[tuple[int, int, int], ...]
    people: int
    back: int
    orders: int
    mean_order_minor: int
    band_limits_minor: tuple[int, int]

    def chance(self, order_days: int, days_ago: int, limits: Thresholds) -> Chance | None:
        """How likely a customer is to order within 90 days; None when too few were like them."""
        similar, back, _ = self.cells[_cell(order_days, days_ago, limits)]
        if similar < FEW_SIMILAR:
            return None
        usual = self.back / self.people
        smoothed = (back + PSEUDO_CUSTOMERS * usual) / (similar + PSEUDO_CUSTOMERS)
        return Chance(smoothed, similar)

    def band(
        self, net_minor: int, order_days: int, days_ago: int, limits: Thresholds
    ) -> str | None:
        """Low, mid or high: what a customer may spend in the next 12 months; None if unknown."""
        similar = self.cells[_cell(order_days, days_ago, limits)][0]
        if similar < FEW_SIMILAR:
            return None
        expected = self.expected_minor(net_minor, order_days, days_ago, limits)
        return BANDS[bisect_right(self.band_limits_minor, expected)]

    def expected_minor(
        self, net_minor: int, order_days: int, days_ago: int, limits: Thresholds
    ) -> float:
        """The orders of the like within a year times the customer's mean order, both smoothed."""
        similar, _, orders = self.cells[_cell(order_days, days_ago, limits)]
        usual = self.orders / self.people
        rate = (orders + PSEUDO_CUSTOMERS * usual) / (similar + PSEUDO_CUSTOMERS)
        mean = (net_minor + PSEUDO_ORDERS * self.mean_order_minor) / (order_days + PSEUDO_ORDERS)
        return rate * 365 / WINDOW_DAYS * mean


def look_back(
    persons: Callable[[], Iterable[Sums]], *, day: int, limits: Thresholds
) -> Returns | None:
    """The table as of a day; None while fewer than 200 had ordered 90 days before.

    ``persons`` gives the sums of all of them, and is called twice.
    """
    then = day - WINDOW_DAYS
    cells = [[0, 0, 0] for _ in range(25)]
    money = orders = 0
    for sums in persons():
        money += sums.net_minor
        orders += len(sums.days)
        before = bisect_right(sums.days, then)
        if before:
            later = bisect_right(sums.days, day) - before
            cell = cells[_cell(before, then - sums.days[before - 1], limits)]
            cell[0] += 1
            cell[1] += later > 0
            cell[2] += later
    if sum(cell[0] for cell in cells) < FEW_PEOPLE:
        return None
    people, back, later_orders = map(sum, zip(*cells, strict=True))
    table = Returns(
        day=day,
        cells=tuple((a, b, c) for a, b, c in cells),
        people=people,
        back=back,
        orders=later_orders,
        mean_order_minor=money // orders,
        band_limits_minor=(0, 0),
    )
    expected = array(
        "q",
        (
            int(table.expected_minor(s.net_minor, len(s.days), max(0, day - s.days[-1]), limits))
            for s in persons()
            if s.days
        ),
    )
    ranked = Ranked(expected)
    low, high = ranked[len(ranked) // 3], ranked[2 * len(ranked) // 3]
    return replace(table, band_limits_minor=(low, high))


def _cell(order_days: int, days_ago: int, limits: Thresholds) -> int:
    return 5 * (f_score(order_days, limits.rules) - 1) + r_score(days_ago, limits) - 1


def returns_to_json(table: Returns) -> dict[str, Any]:  # Any: JSON values
    """The table as it is written down."""
    return asdict(table)


def returns_from_json(data: Mapping[str, Any]) -> Returns:  # Any: JSON values
    """The table that was written down."""
    low, high = data["band_limits_minor"]
    return Returns(
        day=data["day"],
        cells=tuple((a, b, c) for a, b, c in data["cells"]),
        people=data["people"],
        back=data["back"],
        orders=data["orders"],
        mean_order_minor=data["mean_order_minor"],
        band_limits_minor=(low, high),
    )
