"""What a number can and cannot say: bounds of quantiles, funnels, competing risks, silent raters.

Wilson's interval and the Kaplan-Meier estimate are in ``survival``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from server.domain import survival

# A binomial count further than this from its mean, in standard deviations, does not happen.
_FAR = 12
# Two and three standard deviations in effect: the limits that funnel plots are drawn with.
WARN = 0.95
ALARM = 0.998


def binomial_quantile(trials: int, share: float, level: float) -> int:
    """The smallest count k with P(at most k of ``trials``) >= ``level``; the count has ``share``.

    Cost: the square root of ``trials``.

    >>> binomial_quantile(10, 0.5, 0.5)
    5
    """
    return _binomial(trials, share, level)[0]


def _binomial(trials: int, share: float, level: float) -> tuple[int, float, float]:
    """The count of ``binomial_quantile``, P(at most that) and P(exactly that)."""
    if trials == 0 or share <= 0:
        return 0, 1.0, 1.0
    if share >= 1:
        return trials, 1.0, 1.0
    mean, deviation = trials * share, math.sqrt(trials * share * (1 - share))
    count = max(0, math.floor(mean - _FAR * deviation) - _FAR)
    odds = share / (1 - share)
    exactly = math.exp(
        math.lgamma(trials + 1)
        - math.lgamma(count + 1)
        - math.lgamma(trials - count + 1)
        + count * math.log(share)
        + (trials - count) * math.log1p(-share)
    )
    below = exactly
    # A sum of that many terms may fall short of 1 by what rounding took.
    while below < level and count < trials:
        exactly *= odds * (trials - count) / (count + 1)
        count += 1
        below += exactly
    return count, below, exactly


def upper_rank(n: int, share: float, *, confidence: float = WARN) -> int | None:
    """Which of ``n`` values in order, from 1, bounds the quantile from above; None for no such one.

    Whatever the distribution, the quantile is at most that value with the confidence. It exists
    from 29 values on for the 90th percentile and from 59 for the 95th (Wilks 1941, Ann. Math.
    Statist. 12; Conover, Practical Nonparametric Statistics, 3.2).

    >>> upper_rank(28, 0.9), upper_rank(29, 0.9), upper_rank(58, 0.95), upper_rank(59, 0.95)
    (None, 29, None, 59)
    """
    rank = binomial_quantile(n, share, confidence) + 1
    return rank if rank <= n else None


def lower_rank(n: int, share: float, *, confidence: float = WARN) -> int | None:
    """As ``upper_rank``, from below: the quantile is at least that value.

    >>> lower_rank(29, 0.1), lower_rank(28, 0.1)
    (1, None)
    """
    mirrored = upper_rank(n, 1 - share, confidence=confidence)
    return None if mirrored is None else n + 1 - mirrored


def quantile_bounds(
    waits: Iterable[tuple[int, bool]], share: float, *, confidence: float = WARN
) -> tuple[int | None, int | None]:
    """Lower and upper bound of the wait after which ``share`` have their answer, two-sided.

    ``waits`` are pairs (milliseconds, answered). Of one without an answer is known only that it is
    longer than it was so far. The lower bound takes it as it is, the upper as without end, so both
    hold whoever it was that got none; None where the data do not bound it.
    """
    lengths, answers = [], []
    for wait_ms, answered in waits:
        lengths.append(wait_ms)
        if answered:
            answers.append(wait_ms)
    each = (1 + confidence) / 2
    low = lower_rank(len(lengths), share, confidence=each)
    high = upper_rank(len(lengths), share, confidence=each)
    lengths.sort()
    answers.sort()
    return (
        None if low is None else lengths[low - 1],
        None if high is None or high > len(answers) else answers[high - 1],
    )


@dataclass(frozen=True, slots=True)
class Funnel:
    """Between what a figure of ``n`` lies by chance alone: 95 % of the time, and 99.8 %."""

    low: float
    high: float
    far_low: float
    far_high: float

    def place(self, value: float) -> str:
        """Where a value lies: inside, low, high, far_low or far_high."""
        if value < self.far_low:
            return "far_low"
        if value > self.far_high:
            return "far_high"
        if value < self.low:
            return "low"
        return "high" if value > self.high else "inside"


def rate_funnel(share: float, n: int) -> Funnel | None:
    """Limits of a rate out of ``n`` where everybody has the same ``share``; None for n 0.

    Exact binomial limits, interpolated between whole counts (Spiegelhalter 2005, Statistics in
    Medicine 24, appendix A.1.1).
    """
    if n == 0:
        return None
    return Funnel(*(_rate_limit(share, n, level) for level in _levels()))


def _rate_limit(share: float, n: int, level: float) -> float:
    count, at_most, exactly = _binomial(n, share, level)
    over = (at_most - level) / exactly if exactly > 0 else 0.0
    return min(1.0, max(0.0, (count - over) / n))


def _levels() -> tuple[float, float, float, float]:
    return (1 - WARN) / 2, (1 + WARN) / 2, (1 - ALARM) / 2, (1 + ALARM) / 2


def mean_interval(
    n: int, total: float, squares: float, *, confidence: float = WARN
) -> tuple[float, float] | None:
    """An interval for a mean, from how many values there are, their sum and that of their squares.

    Student's t; None for fewer than two values.
    """
    if n < 2:
        return None
    mean = total / n
    variance = max(0.0, (squares - n * mean * mean) / (n - 1))
    spread = student_quantile((1 + confidence) / 2, n - 1) * math.sqrt(variance / n)
    return mean - spread, mean + spread


def student_quantile(level: float, degrees: int) -> float:
    """The quantile of Student's t distribution, for a ``level`` of at least a half.

    >>> round(student_quantile(0.975, 4), 4), round(student_quantile(0.975, 30), 4)
    (2.7764, 2.0423)
    """
    low, high = 0.0, 1.0
    while _student_share(high, degrees) < level:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        if _student_share(middle, degrees) < level:
            low = middle
        else:
            high = middle
    return high


def _student_share(value: float, degrees: int) -> float:
    """P(t <= value) for a value of at least 0.

    The finite sums for whole degrees of freedom: Abramowitz and Stegun 26.7.3 and 26.7.4.
    """
    angle = math.atan(value / math.sqrt(degrees))
    cos = math.cos(angle)
    odd = degrees % 2
    term = cos if odd else 1.0
    total = term if degrees > 1 else 0.0
    for step in range(3 if odd else 2, degrees - 1, 2):
        term *= cos * cos * (step - 1) / step
        total += term
    between = math.sin(angle) * total
    if odd:
        between = 2 / math.pi * (angle + between)
    return (1 + between) / 2


def difference(
    successes: int, total: int, other_successes: int, other_total: int
) -> tuple[float, float, float] | None:
    """One rate less another, with the bounds of that difference at 95 %; None without a total.

    Newcombe 1998 (Statistics in Medicine 17), method 10: from the two Wilson intervals.

    >>> [round(x, 4) for x in difference(56, 70, 48, 80)]
    [0.2, 0.0524, 0.3339]
    """
    one = survival.wilson(successes, total)
    other = survival.wilson(other_successes, other_total)
    if one is None or other is None:
        return None
    p, q = successes / total, other_successes / other_total
    low = p - q - math.hypot(p - one[0], other[1] - q)
    high = p - q + math.hypot(one[1] - p, q - other[0])
    return p - q, low, high


@dataclass(frozen=True, slots=True)
class Step:
    """From ``at_ms`` on, ``share`` of all had come to their end by the cause that was asked for."""

    at_ms: int
    share: float


def incidence(waits: Iterable[tuple[int, str | None]], cause: str) -> list[Step]:
    """How the share that ended by ``cause`` grows while others end otherwise: a curve of steps.

    ``waits`` are pairs (milliseconds, cause of the end, None while it lasts). Ends by another cause
    are failures, not losses to follow-up: somebody who left will never be answered. Aalen and
    Johansen 1978 (Scand. J. Statist. 5). An end and a censoring in the same millisecond: the end
    came first. Cost: a sort.

    >>> incidence([(1, "answered"), (2, "left"), (3, "answered"), (4, None)], "answered")[-1]
    Step(at_ms=3, share=0.5)
    """
    return list(_incidence(waits, cause))


def _incidence(waits: Iterable[tuple[int, str | None]], cause: str) -> Iterator[Step]:
    ordered = sorted(waits, key=lambda wait: wait[0])
    at_risk, going_on, share = len(ordered), 1.0, 0.0
    for at_ms, group in groupby(ordered, key=lambda wait: wait[0]):
        causes = [found for _, found in group]
        wanted = sum(found == cause for found in causes)
        ended = sum(found is not None for found in causes)
        if wanted:
            share += going_on * wanted / at_risk
            yield Step(at_ms, share)
        going_on *= 1 - ended / at_risk
        at_risk -= len(causes)


def incidence_at(waits: Iterable[tuple[int, str | None]], cause: str, at_ms: int) -> float:
    """The share that ended by ``cause`` within ``at_ms``, with those who ended otherwise as failed.

    >>> incidence_at([(1, "answered"), (2, "left"), (3, "answered"), (4, None)], "answered", 2)
    0.25
    """
    share = 0.0
    for step in _incidence(waits, cause):
        if step.at_ms > at_ms:
            break
        share = step.share
    return share


def silent_bounds(good: int, given: int, asked: int) -> tuple[float, float] | None:
    """Between what the share of good ratings would lie had everybody answered who was asked.

    First as if none who kept silent had been content, then as if all had; None when nobody was
    asked. Ratings beyond those asked for count as asked (Manski 1989, J. Human Resources 24).

    >>> silent_bounds(8, 10, 40)
    (0.2, 0.95)
    """
    asked = max(asked, given)
    if asked == 0:
        return None
    return good / asked, (good + asked - given) / asked
