"""Where a customer stands between the first order and the last, in two models.

Activity: prospect, new, active, dormant, lost. Relationship: none, exploring, building, stable,
declining, ended. Both follow from the days on which somebody ordered, the shop's two clocks (D1,
D2: how long regular customers pause) and, with four order days, clocks of their own. Days are local
days since 1970-01-01, ascending and distinct.

Between two orders only time passes, so for every customer the day of the next change is known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

ACTIVITY_STAGES = ("prospect", "new", "active", "dormant", "lost")
RELATIONSHIP_STAGES = ("none", "exploring", "building", "stable", "declining", "ended")

# While a shop has fewer gaps than MIN_GAPS.
FALLBACK_D1 = 60
FALLBACK_D2 = 180
MIN_GAPS = 100
_SHORTEST_D1 = 7
# From so many order days on a customer has clocks of their own.
OWN_CLOCK_DAYS = 4


class Stage(NamedTuple):
    """Where a customer stands on a day.

    ``quiet`` is the silent end of exploring. ``declining`` says that they order at most half as
    often as before; ``trend`` is up, flat or down.
    """

    activity: str
    relationship: str
    quiet: bool
    declining: bool
    trend: str


PROSPECT = Stage("prospect", "none", quiet=False, declining=False, trend="flat")


def shop_clocks(gaps: Mapping[int, int], *, fallback: tuple[int, int]) -> tuple[int, int]:
    """D1 and D2 in days, from how many gaps of each length there are between order days.

    D1 is the gap that 80 % do not exceed, at least a week; D2 that of 95 %, at least twice D1.
    """
    p80, p95 = gap_percentile(gaps, 80), gap_percentile(gaps, 95)
    if p80 is None or p95 is None or sum(gaps.values()) < MIN_GAPS:
        return fallback
    d1 = max(p80, _SHORTEST_D1)
    return d1, max(p95, 2 * d1)


def gap_percentile(gaps: Mapping[int, int], percent: int) -> int | None:
    """The shortest gap that at least this share of the gaps do not exceed; None without gaps.

    Nearest rank, as PostgreSQL's ``percentile_disc``: every answer is a gap that was seen.
    """
    needed = -(-sum(gaps.values()) * percent // 100)
    for gap in sorted(gaps):
        needed -= gaps[gap]
        if needed <= 0:
            return gap
    return None


def median_gap(days: Sequence[int]) -> float | None:
    """The median of the days between successive order days, None with fewer than two of them."""
    if len(days) < 2:
        return None
    gaps = sorted([b - a for a, b in pairwise(days)])
    middle = len(gaps) // 2
    return float(gaps[middle]) if len(gaps) % 2 else (gaps[middle - 1] + gaps[middle]) / 2


def clocks(days: Sequence[int], own_gap: float | None, d1: int, d2: int) -> tuple[float, float]:
    """Until when a customer is active and until when they are dormant, in days without an order.

    From four order days on three and six times their own usual gap, within half and one and a half
    of the shop's D1 and D2.
    """
    if own_gap is None or len(days) < OWN_CLOCK_DAYS:
        return d1, d2
    active = min(max(3 * own_gap, 0.5 * d1), 1.5 * d1)
    dormant = min(max(6 * own_gap, 0.5 * d2), 1.5 * d2)
    return active, max(dormant, 1.5 * active)


def _stage(today: int, days: Sequence[int], own: tuple[float, float], d1: int, d2: int) -> Stage:
    count = len(days)
    silent = max(0, today - days[-1])
    active, dormant = own
    if silent > dormant:
        return Stage("lost", "ended", quiet=False, declining=False, trend="down")
    if count == 1:
        quiet = silent > d1
        return Stage("dormant" if quiet else "new", "exploring", quiet, False, "flat")  # noqa: FBT003  # a tuple
    # Orders of the latest window are 0 to D2 - 1 days old, of the one before D2 to 2 * D2 - 1.
    newer = bisect_right(days, today - d2)
    latest = count - newer
    previous = newer - bisect_right(days, today - 2 * d2, 0, newer)
    declining = previous >= 3 and 2 * latest <= previous
    if silent > active or declining:
        activity = "dormant" if silent > active else "active"
        return Stage(activity, "declining", False, declining, "down")  # noqa: FBT003  # a tuple
    trend = "up" if latest > previous else "flat"
    relationship = "stable" if count >= 4 else "building"
    return Stage("active", relationship, False, False, trend)  # noqa: FBT003  # a tuple


def stage_and_flip(
    today: int, days: Sequence[int], own_gap: float | None, *, d1: int, d2: int
) -> tuple[Stage, int | None]:
    """Where a customer stands, and the day on which that changes if they do not order before.

    None when nothing will change any more. Cost grows with the orders of the last two windows.
    """
    if not days:
        return PROSPECT, None
    own = clocks(days, own_gap, d1, d2)
    now = _stage(today, days, own, d1, d2)
    if now.activity == "lost":
        return now, None
    for day in _candidates(today, days, own, d1, d2):
        if _stage(day, days, own, d1, d2) != now:
            return now, day
    return now, None


def _candidates(
    today: int, days: Sequence[int], own: tuple[float, float], d1: int, d2: int
) -> list[int]:
    """The days after ``today`` on which anything that a stage looks at becomes another."""
    last = days[-1]
    found = {last + int(own[0]) + 1, last + int(own[1]) + 1}
    if len(days) == 1:
        found.add(last + d1 + 1)
    else:
        for window in (d2, 2 * d2):
            found.update([day + window for day in days[bisect_left(days, today - window) :]])
    return sorted(day for day in found if day > today)
