"""Statistics of waits that may still go on, and of shares: Kaplan-Meier and Wilson."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from statistics import NormalDist

# Fewest waits for which the largest of them bounds the percentile from above with 95 % confidence
# whatever the distribution: 0.9 ** 29 < 0.05 and 0.95 ** 59 < 0.05.
MIN_N_P90 = 29
MIN_N_P95 = 59


def quantile_ms(waits: Iterable[tuple[int, bool]], share: float) -> int | None:
    """The wait after which ``share`` of the shoppers had their answer; None when not reached.

    ``waits`` are pairs (milliseconds, answered); one without an answer is censored at its length.
    The Kaplan-Meier estimate (Kaplan and Meier 1958, J. Am. Stat. Assoc. 53): the first instant at
    which the share still waiting is at most ``1 - share``. An answer and a censoring in the same
    millisecond: the answer came first. Summed in logarithms, because lifelines does so and a share
    that meets the mark exactly must fall on the same side of it. Cost: a sort.

    >>> quantile_ms([(30, False), (50, True), (150, True), (600, False)], 0.5)
    150
    >>> quantile_ms([(50, True), (600, False), (600, False)], 0.5) is None
    True
    """
    return quantiles_ms(waits, (share,))[0]


def quantiles_ms(
    waits: Iterable[tuple[int, bool]], shares: Iterable[float]
) -> tuple[int | None, ...]:
    """As ``quantile_ms`` for several shares, which must rise, with one pass over the waits."""
    ordered = sorted(waits)
    marks = [round(1 - share, 12) for share in shares]
    found: list[int | None] = []
    at_risk = len(ordered)
    log_waiting = 0.0
    for wait_ms, group in groupby(ordered, key=lambda wait: wait[0]):
        if len(found) == len(marks):
            break
        outcomes = [answered for _, answered in group]
        answers = sum(outcomes)
        if answers:
            left = at_risk - answers
            log_waiting += math.log(left) - math.log(at_risk) if left else -math.inf
            while len(found) < len(marks) and math.exp(log_waiting) <= marks[len(found)]:
                found.append(wait_ms)
        at_risk -= len(outcomes)
    return (*found, *[None] * (len(marks) - len(found)))


def wilson(successes: int, total: int, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """Lower and upper bound of a share by Wilson's score interval; None for nothing out of nothing.

    Wilson 1927, J. Am. Stat. Assoc. 22; stays inside 0..1 and is honest for small numbers.

    >>> [round(bound, 3) for bound in wilson(1, 1)]
    [0.207, 1.0]
    """
    if total == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / total
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    centre = share + z * z / (2 * total)
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
