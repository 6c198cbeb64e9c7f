"""Product quality: how often what was sold had a defect, and when that is more than chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.domain.survival import wilson

# Types of ticket that say that something is wrong with a product.
TYPES = ("defect", "complaint", "return")
# Of fewer orders no rate is shown.
FEW_ORDERS = 30
# An alarm needs so many defects, whatever chance says.
LEAST_DEFECTS = 3
# How sure an alarm is: of all products together one week in a hundred has a false one.
LEVEL = 0.01
WEEKS_BEFORE = 12
# Defects come after the order: a week is measured by the orders of the four weeks up to its end.
EXPOSED_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Sign:
    """A ticket that says that a product has a defect; ``week`` counts from the first, 0 upwards."""

    ticket_id: str
    type: str
    sku: str
    batch: str
    week: int


@dataclass(frozen=True, slots=True)
class Quality:
    """A product, or one batch of it, in a period; ``orders`` are those of the whole product."""

    sku: str
    batch: str | None
    defects: int
    complaints: int
    returns: int
    orders: int
    weeks: tuple[int, ...]

    @property
    def tickets(self) -> int:
        """All that say that something is wrong."""
        return self.defects + self.complaints + self.returns

    @property
    def rate(self) -> float | None:
        """Tickets per order; None when there are too few orders."""
        return self.tickets / self.orders if self.orders >= FEW_ORDERS else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval of the rate, 95 %."""
        if self.rate is None or self.tickets > self.orders:
            return None
        return wilson(self.tickets, self.orders)


@dataclass(frozen=True, slots=True)
class Spike:
    """More defects of a product in the last week than its own past explains."""

    sku: str
    batch: str
    defects: int
    expected: float
    orders: int


def by_product(signs: Iterable[Sign], orders: Mapping[str, int], weeks: int) -> list[Quality]:
    """Each product with defects, the highest rate first; those with few orders come last."""
    return _sorted(_quality(signs, orders, weeks, batches=False))


def by_batch(signs: Iterable[Sign], orders: Mapping[str, int], weeks: int) -> list[Quality]:
    """As ``by_product``, each batch of a product on its own."""
    return _sorted(_quality(signs, orders, weeks, batches=True))


def _quality(
    signs: Iterable[Sign], orders: Mapping[str, int], weeks: int, *, batches: bool
) -> list[Quality]:
    groups: dict[tuple[str, str | None], list[Sign]] = {}
    for sign in signs:
        groups.setdefault((sign.sku, sign.batch if batches else None), []).append(sign)
    found = []
    for (sku, batch), group in groups.items():
        types = Counter(one.type for one in group)
        by_week = Counter(one.week for one in group)
        found.append(
            Quality(
                sku=sku,
                batch=batch,
                defects=types["defect"],
                complaints=types["complaint"],
                returns=types["return"],
                orders=orders.get(sku, 0),
                weeks=tuple(by_week[week] for week in range(weeks)),
            )
        )
    return found


def _sorted(rows: list[Quality]) -> list[Quality]:
    return sorted(rows, key=lambda one: (-(one.rate or 0.0), -one.tickets, one.sku, one.batch))


def poisson_tail(count: int, mean: float) -> float:
    """How likely ``count`` and more are where ``mean`` is expected (Poisson).

    >>> round(poisson_tail(3, 1.0), 4), poisson_tail(0, 2.0), poisson_tail(1, 0.0)
    (0.0803, 1.0, 0.0)
    """
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if count <= mean:
        return 1.0 - sum(_likely(k, mean) for k in range(count))
    # The tail itself instead of one minus the rest, of which nothing would be left when small.
    term, total, k = _likely(count, mean), 0.0, count
    while term > total * 1e-12:
        total += term
        k += 1
        term *= mean / k
    return min(1.0, total)


def _likely(count: int, mean: float) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def spikes(
    defects: Mapping[str, Sequence[int]],
    orders: Mapping[str, Sequence[int]],
    batches: Mapping[str, Mapping[str, int]],
) -> list[Spike]:
    """Products whose defects of the last week are more than chance, the least likely first.

    ``defects`` and ``orders`` are counts by week, the last one at the end; orders begin
    EXPOSED_WEEKS - 1 weeks earlier. What is expected is the product's own earlier rate times the
    orders that could lead to a defect now, or its usual ones if those were more; of a product that
    is new, the rate of all products.
    Half a defect is added to what was seen, so that a spotless past expects a little. The level is
    shared among all products that were sold. ``batches`` are the last week's defects by batch.
    """
    exposed = {sku: _exposed(weeks) for sku, weeks in orders.items()}
    sold = sum(1 for weeks in exposed.values() if weeks and weeks[-1])
    level = LEVEL / max(1, sold)
    seen = sum(sum(weeks[:-1]) for weeks in defects.values())
    shop = (seen + 0.5) / max(1, sum(sum(weeks[:-1]) for weeks in exposed.values()))
    found = []
    for sku, weeks in defects.items():
        now = weeks[-1] if weeks else 0
        if now < LEAST_DEFECTS:
            continue
        at_risk = exposed.get(sku, [0])
        before = sum(at_risk[:-1])
        rate = (sum(weeks[:-1]) + 0.5) / before if before >= FEW_ORDERS else shop
        # Of one that hardly sells any more, what was sold before comes back still.
        usual = before / max(1, len(at_risk) - 1)
        expected = rate * max(1.0, at_risk[-1], usual)
        likely = poisson_tail(now, expected)
        if likely < level:
            own = batches.get(sku, {})
            batch = next((b for b, n in own.items() if b and 3 * n >= 2 * now), "")
            found.append((likely, Spike(sku, batch, now, expected, at_risk[-1])))
    return [spike for _, spike in sorted(found, key=lambda one: (one[0], one[1].sku))]


def _exposed(orders: Sequence[int]) -> list[int]:
    """The orders of the weeks up to the end of each."""
    return [
        sum(orders[at - EXPOSED_WEEKS + 1 : at + 1]) for at in range(EXPOSED_WEEKS - 1, len(orders))
    ]
