"""What a metric is: a row of METRICS, the words it is told in, and the figures that it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal  # Any: a row or a whole frame of any source

Kind = Literal["time", "duration", "rate", "count", "mean", "ratio", "money"]
Unit = Literal["ms", "ratio", "n", "money"]

# What a predicate takes is one row, or a frame of columns: both have the same names, and
# ``& | == != < <= > >=`` mean the same for a truth value and for an array of them. ``and``, ``or``
# and ``not`` do not; where one is wanted, there is a column for the opposite.
Rows = Any
Truth = Any


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    en: str
    zh: str

    def of(self, locale: str) -> str:
        """The text in the language of a locale such as en or zh-CN."""
        return self.zh if locale.startswith("zh") else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Something that is counted beside a metric, and not in it.

    ``counts(rows, as_of_ms)`` looks at all rows of the metric's source, not only the counted ones.
    With ``succeeds`` only those of them count that are a success, with ``amount`` that column of
    these rows is added up, or its ``largest`` taken.
    """

    id: str
    name: Words
    counts: Callable[[Rows, int], Truth]
    succeeds: Callable[[Rows], Truth] | None = None
    amount: str | None = None
    largest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of METRICS.

    ``counts(rows, as_of_ms)`` says which rows of the source are in the number; exactly these stand
    behind it. ``version`` rises when the meaning changes, never otherwise. What else is needed
    depends on the kind:

    - time: ``span`` is the column of the wait, ``done`` that of those which reached their end; the
      others are censored (Kaplan-Meier). ``business`` is the span on the shop's calendar, if any.
    - duration: ``span`` as it is so far, quantiles without censoring.
    - rate: ``succeeds`` says which of the counted rows were a success.
    - count: how many rows, or the sum of ``amount``.
    - mean, ratio, money: the sum of ``amount`` by the sum of ``per`` (None: by the rows; a column
      of texts: by how many different there are). Money is told apart by the column ``currency``.

    ``still`` is the column of what lasts and can still change the number. ``distinct`` names a
    column: of the rows with the same value in it only the first counts. ``agent`` and ``team`` name
    the columns of whose number it is. Of a time, ``goal_ms`` is what the share of those who were
    answered by then is told for. ``per_cent`` is False of a ratio that people say as a number.
    ``finish`` adds what follows from the asides.
    """

    id: str
    version: int
    kind: Kind
    unit: Unit
    name: Words
    short: Words
    definition: Words
    formula: Words
    attribution: Words
    counts: Callable[[Rows, int], Truth]
    source: str = "turn"
    succeeds: Callable[[Rows], Truth] | None = None
    span: str = "wait_ms"
    business: str | None = None
    done: str = "answered"
    still: str = "waiting"
    amount: str | None = None
    per: str | None = None
    distinct: str | None = None
    agent: str = "agent_id"
    team: str = "team_id"
    asides: tuple[Aside, ...] = ()
    goal_ms: int | None = 180_000
    per_cent: bool = True
    finish: Callable[[Figures], Figures] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one metric says about a set of rows; what does not apply is None.

    ``n`` is how many rows are in it and ``n_open`` how many of those still last. ``value`` is the
    median of a time in ms, the ratio of a rate, the count, the mean; of money the smallest unit of
    ``currency``.
    P90 and P95 are None when n is too small. ``longest_ms`` is the longest wait: a median that was
    not reached is greater than that. ``asides`` are counts beside the number, by the ids of the
    metric's asides. ``bounds`` are what a rate could be at worst and at best where not everybody
    answered, ``score`` a mean beside it; ``baseline`` is the rate of who was not served, and
    ``within_goal`` is the share that reached its end within the metric's goal, with those who ended
    otherwise as failures (competing risks); ``difference`` from the baseline has bounds; ``others``
    are the same in other currencies.
    """

    n: int
    n_open: int
    value: float | int | None = None
    numerator: int | None = None
    denominator: int | None = None
    interval: tuple[float, float] | None = None
    median_ms: int | None = None
    p90_ms: int | None = None
    p95_ms: int | None = None
    mean_ms: int | None = None
    answered: int = 0
    longest_ms: int | None = None
    median_interval_ms: tuple[int | None, int | None] | None = None
    currency: str | None = None
    business: Figures | None = None
    asides: Mapping[str, int] = field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    score: float | None = None
    baseline: Figures | None = None
    within_goal: float | None = None
    difference: tuple[float, float, float] | None = None
    others: tuple[Figures, ...] = ()


def still_maturing(figures: Figures) -> Figures:
    """The figures with those beside them that are too young yet as open."""
    return replace(figures, n_open=figures.asides["maturing"])
