"""What reviews say together: an estimate for all chats, and whether two reviewers agree."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from server.domain import statistics

# With fewer pairs, chance alone moves kappa from nothing to perfect.
MIN_PAIRS = 10
# With fewer reviews of a person nothing is compared.
MIN_REVIEWS = 5


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two reviewers agree: the share, what chance would give, and Cohen's kappa.

    ``kappa`` is None where chance alone would have them agree always; ``interval`` at 95 %, None
    without kappa, with fewer than MIN_PAIRS pairs, or where it has no width.
    """

    n: int
    observed: float
    expected: float
    kappa: float | None
    interval: tuple[float, float] | None

    @property
    def enough(self) -> bool:
        """Whether there are pairs enough to say anything."""
        return self.n >= MIN_PAIRS


def agreement(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement | None:
    """Cohen's kappa of pairs of verdicts on the same thing; None without any.

    Cohen 1960 (Educ. Psychol. Meas. 20); its large-sample deviation by Fleiss, Cohen and Everitt
    1969 (Psychol. Bull. 72).

    >>> found = agreement([(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15)
    >>> found.observed, found.expected, round(found.kappa, 4)
    (0.7, 0.5, 0.4)
    """
    n = len(pairs)
    if not n:
        return None
    cells = {pair: count / n for pair, count in Counter(pairs).items()}
    first: defaultdict[Hashable, float] = defaultdict(float)
    second: defaultdict[Hashable, float] = defaultdict(float)
    for (one, other), share in cells.items():
        first[one] += share
        second[other] += share
    observed = sum(share for (one, other), share in cells.items() if one == other)
    expected = sum(first[one] * second[one] for one in list(first))
    if math.isclose(expected, 1):
        return Agreement(n, observed, expected, None, None)
    kappa = (observed - expected) / (1 - expected)
    variance = -((kappa - expected * (1 - kappa)) ** 2)
    for (one, other), share in cells.items():
        if one == other:
            variance += share * (1 - (first[one] + second[one]) * (1 - kappa)) ** 2
        else:
            variance += share * ((second[one] + first[other]) * (1 - kappa)) ** 2
    error = math.sqrt(max(0.0, variance) / n) / (1 - expected)
    spread = NormalDist().inv_cdf((1 + statistics.WARN) / 2) * error
    # Where all agree, the deviation is nothing and says nothing.
    told = n >= MIN_PAIRS and variance > 1e-12
    interval = (max(-1.0, kappa - spread), min(1.0, kappa + spread)) if told else None
    return Agreement(n, observed, expected, kappa, interval)


@dataclass(frozen=True, slots=True)
class Stratum:
    """An agent's chats: how many there were, and the scores of those that were reviewed."""

    size: int
    scores: Sequence[float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean over all chats that were drawn from, each agent counted by the chats they had.

    ``interval`` at 95 %, None where it cannot be told. ``size`` of ``whole`` chats are of agents
    with a review; of the others nothing is known.
    """

    mean: float
    interval: tuple[float, float] | None
    n: int
    size: int
    whole: int


def estimate(strata: Sequence[Stratum]) -> Estimate | None:
    """The stratified estimate of the mean score; None without a review.

    Cochran 1977, Sampling Techniques, 5.3 to 5.4: each agent's mean counts by the chats they had,
    and what was drawn is no longer uncertain. No interval where an agent has a single review out of
    several chats, or all scores of everybody are the same.
    """
    known = [one for one in strata if one.scores]
    size = sum(one.size for one in known)
    if not size:
        return None
    n = sum(len(one.scores) for one in known)
    mean, variance, certain = 0.0, 0.0, True
    for one in known:
        drawn, share = len(one.scores), one.size / size
        own = sum(one.scores) / drawn
        mean += share * own
        if drawn == one.size:
            continue
        if drawn < 2:
            certain = False
            continue
        spread = sum((score - own) ** 2 for score in one.scores) / (drawn - 1)
        variance += share**2 * (1 - drawn / one.size) * spread / drawn
    interval = None
    exhausted = all(len(one.scores) == one.size for one in known)
    if exhausted:
        interval = (mean, mean)
    elif certain and variance > 0:
        degrees = n - len(known)
        spread = statistics.student_quantile((1 + statistics.WARN) / 2, degrees)
        error = spread * math.sqrt(variance)
        interval = (max(0.0, mean - error), min(1.0, mean + error))
    return Estimate(mean, interval, n, size, sum(one.size for one in strata))
