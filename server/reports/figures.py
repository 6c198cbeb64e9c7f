"""What a metric says about a frame: the same as ``domain.metrics.measure``, column by column."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from server.domain import statistics, survival
from server.domain.errors import InvalidInput
from server.domain.metrics import DIMENSIONS, Aside, Figures, Metric
from server.domain.metrics.measure import (
    finished,
    in_currencies,
    money,
    quantile_ranks,
    quotient,
    rate,
    rounded_mean,
)
from server.reports.frames import Column, Frame, Texts
from server.reports.scope import NOBODY, has_label

Spans = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Key = str | int | None
_SHARES = (0.5, 0.9, 0.95)
_CLOSE = 1e-9
_FEW = 2**15


def counted(metric: Metric, frame: Frame, *, as_of_ms: int) -> Frame:
    """The rows that the metric counts: exactly those behind its number."""
    kept = frame.select(np.asarray(metric.counts(frame, as_of_ms), bool))
    if metric.distinct is None or not kept.n:
        return kept
    column = kept.columns[metric.distinct]
    keys = column.codes if isinstance(column, Texts) else column
    return kept.select(np.sort(np.unique(keys, return_index=True)[1]))


def figures_of(metric: Metric, frame: Frame, *, as_of_ms: int) -> Figures:
    """What the metric says about all rows of a frame, at the instant of the report."""
    kept = counted(metric, frame, as_of_ms=as_of_ms)
    figures = Figures(
        n=kept.n,
        n_open=int(np.count_nonzero(kept.numbers(metric.still))),
        asides={aside.id: _beside(aside, frame, as_of_ms) for aside in metric.asides},
    )
    return finished(metric, KINDS[metric.kind](metric, kept, figures))


def _beside(aside: Aside, frame: Frame, as_of_ms: int) -> int:
    found = np.asarray(aside.counts(frame, as_of_ms), bool)
    if aside.succeeds is not None:
        chosen = frame.select(np.flatnonzero(found))
        return int(np.count_nonzero(aside.succeeds(chosen))) if chosen.n else 0
    if aside.amount is None:
        return int(np.count_nonzero(found))
    amounts = frame.numbers(aside.amount)[found]
    return int(amounts.max(initial=0) if aside.largest else amounts.sum())


def grouped(metric: Metric, frame: Frame, dimension: str | None) -> Iterator[tuple[Key, Frame]]:
    """The rows of each group in order, the nameless group last; without a dimension all rows.

    Raises InvalidInput for no dimension.
    """
    if dimension is None:
        yield None, frame
        return
    if dimension == "label":
        yield from _by_label(frame)
        return
    name = column_of(metric, dimension)
    if name not in frame.groups:
        # Metrics of one source share the rows of its groups.
        frame.groups[name] = list(_divided(frame, frame.columns[name]))
    yield from frame.groups[name]


def _divided(frame: Frame, column: Column) -> Iterator[tuple[Key, Frame]]:
    if isinstance(column, Texts):
        codes, values = column.codes.astype(np.intp), list[Key](column.values)
    elif column.size and int(column.min()) >= 0 and int(column.max()) < _FEW:
        codes, values = column.astype(np.intp), list[Key](range(int(column.max()) + 1))
    else:
        found, codes = np.unique(column, return_inverse=True)
        values = found.tolist()
    # Of 16 bits, codes are sorted by counting.
    small = codes.astype(np.int16) if len(values) < _FEW else codes
    order = np.argsort(small, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(values))) if len(values) else np.empty(0, int)
    for place in sorted(
        range(len(values)), key=lambda n: (values[n] is None, str(type(values[n])), values[n] or 0)
    ):
        start = int(ends[place - 1]) if place else 0
        if ends[place] > start:
            yield values[place], frame.select(order[start : int(ends[place])])


def _by_label(frame: Frame) -> Iterator[tuple[Key, Frame]]:
    """A row with several labels is in the group of each."""
    values = frame.texts("labels").values if "labels" in frame.columns else ()
    for label in sorted({one for value in values for one in (value or "").split("\n") if one}):
        yield label, frame.select(has_label(frame, label))
    rest = frame.select(has_label(frame, NOBODY)) if values else frame
    if rest.n:
        yield None, rest


def column_of(metric: Metric, dimension: str) -> str:
    """The column that a metric is grouped by. Raises InvalidInput for no dimension."""
    if dimension not in DIMENSIONS:
        raise InvalidInput(
            f"Cannot group by {dimension!r}. There are: {', '.join(DIMENSIONS)}.", by=dimension
        )
    return {"agent": metric.agent, "team": metric.team}.get(dimension, dimension)


def _rate(metric: Metric, kept: Frame, figures: Figures) -> Figures:
    succeeds = metric.succeeds
    return rate(figures, kept.n if succeeds is None else int(np.count_nonzero(succeeds(kept))))


def _time(metric: Metric, kept: Frame, figures: Figures) -> Figures:
    spans, done = kept.numbers(metric.span), kept.numbers(metric.done)
    found = _of_spans(figures, spans, done)
    if metric.goal_ms is not None and kept.n:
        lasts = kept.numbers(metric.still)
        share = within(spans, done, lasts, metric.goal_ms)
        found = replace(found, within_goal=share)
    if metric.business is None:
        return found
    business = kept.numbers(metric.business)
    known = business >= 0
    if not known.any():
        return found
    part = Figures(
        n=int(np.count_nonzero(known)),
        n_open=int(np.count_nonzero(kept.numbers(metric.still)[known])),
    )
    return replace(found, business=_of_spans(part, business[known], done[known]))


def _duration(metric: Metric, kept: Frame, figures: Figures) -> Figures:
    spans = np.sort(kept.numbers(metric.span))
    if not kept.n:
        return figures
    ranks = np.array(quantile_ranks(kept.n)) - 1
    return _told(figures, tuple(spans[ranks].tolist()), spans, int(spans[-1]))


def _of_spans(figures: Figures, spans: Spans, done: Mask) -> Figures:
    if not len(spans):
        return figures
    ordered, ends = in_order(spans, done)
    found = _told(figures, quantiles_ms(ordered, ends), ordered[ends], int(ordered[-1]))
    return replace(found, median_interval_ms=bounds_ms(ordered, ends))


def _told(
    figures: Figures, found: tuple[int | None, ...], reached: Spans, longest_ms: int
) -> Figures:
    median, p90, p95 = found
    return replace(
        figures,
        value=median,
        median_ms=median,
        p90_ms=p90 if figures.n >= survival.MIN_N_P90 else None,
        p95_ms=p95 if figures.n >= survival.MIN_N_P95 else None,
        mean_ms=rounded_mean(int(reached.sum()), len(reached)) if len(reached) else None,
        answered=len(reached),
        longest_ms=longest_ms,
    )


def _count(metric: Metric, kept: Frame, figures: Figures) -> Figures:
    return replace(figures, value=_sum(kept, metric.amount))


def _quotient(metric: Metric, kept: Frame, figures: Figures) -> Figures:
    return quotient(figures, metric, _sum(kept, metric.amount), _sum(kept, metric.per))


def _money(metric: Metric, kept: Frame, figures: Figures) -> Figures:
    found = []
    for currency in kept.texts("currency").values:
        part = kept.select(kept.currency == currency)
        if part.n and currency is not None:
            amount, per = _sum(part, metric.amount), _sum(part, metric.per)
            found.append(money(figures, currency, part.n, amount, per))
    return in_currencies(found, figures)


def _sum(kept: Frame, name: str | None) -> int:
    """The sum of a column, of texts how many different; without one the number of rows."""
    if name is None:
        return kept.n
    column = kept.columns[name]
    return len(np.unique(column.codes)) if isinstance(column, Texts) else int(np.sum(column))


# How each kind of metric is worked out: (metric, counted rows, figures so far) -> figures.
KINDS: dict[str, Callable[[Metric, Frame, Figures], Figures]] = {
    "time": _time,
    "duration": _duration,
    "rate": _rate,
    "count": _count,
    "mean": _quotient,
    "ratio": _quotient,
    "money": _money,
}


def within(spans: Spans, done: Mask, lasts: Mask, goal_ms: int) -> float:
    """The share that reached its end within a time, with those who ended otherwise as failures.

    As ``statistics.incidence_at``: what lasts is censored, everything else that is not ``done`` is
    a competing risk (Aalen and Johansen 1978).
    """
    if not np.any(lasts & (spans < goal_ms)):
        return int(np.count_nonzero(done & (spans <= goal_ms))) / len(spans)
    order = np.argsort(spans, kind="stable")
    ordered = spans[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
    at_risk = len(spans) - starts
    reached = np.add.reduceat(done[order].astype(np.int64), starts)
    ended = np.add.reduceat((done | ~lasts)[order].astype(np.int64), starts)
    going_on = np.concatenate([[1.0], np.cumprod(1 - ended / at_risk)[:-1]])
    soon = ordered[starts] <= goal_ms
    return float(np.sum((going_on * reached / at_risk)[soon]))


def bounds_ms(ordered: Spans, ends: Mask, share: float = 0.5) -> tuple[int | None, int | None]:
    """Bounds of a quantile by order statistics, as ``statistics.quantile_bounds`` has them."""
    each = (1 + statistics.WARN) / 2
    low = statistics.lower_rank(len(ordered), share, confidence=each)
    high = statistics.upper_rank(len(ordered), share, confidence=each)
    reached = ordered[ends]
    return (
        None if low is None else int(ordered[low - 1]),
        None if high is None or high > len(reached) else int(reached[high - 1]),
    )


def in_order(spans: Spans, done: Mask) -> tuple[Spans, Mask]:
    """The spans in order, and which of them reached their end.

    Sorted as one number, the end in its last bit: a tenth of the time of sorting places.
    """
    keys = np.sort(spans * 2 + ~done)
    return keys >> 1, (keys & 1) == 0


def quantiles_ms(ordered: Spans, ends: Mask) -> tuple[int | None, ...]:
    """Kaplan-Meier median, P90 and P95 of spans in order, as ``survival.quantiles_ms`` has them."""
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
    answers = np.add.reduceat(ends.astype(np.int64), starts)
    at_risk = len(ordered) - starts
    some = answers > 0
    times, answers, at_risk = ordered[starts][some], answers[some], at_risk[some]
    left = at_risk - answers
    with np.errstate(divide="ignore"):
        waiting = np.exp(np.cumsum(np.log(left) - np.log(at_risk)))
    marks = [round(1 - share, 12) for share in _SHARES]
    # A share that meets a mark exactly hangs on the last bit of a logarithm, in which numpy differs
    # from the plain way for one whole number of 20,000; there the plain way's logarithms decide.
    if any(np.any(np.abs(waiting - mark) < _CLOSE) for mark in marks):
        logs = np.cumsum(_logs(left) - _logs(at_risk))
        for mark in marks:
            for place in np.flatnonzero(np.abs(waiting - mark) < _CLOSE).tolist():
                waiting[place] = math.exp(logs[place])
    found: list[int | None] = []
    for mark in marks:
        reached = np.flatnonzero(waiting <= mark)
        found.append(int(times[reached[0]]) if len(reached) else None)
    return tuple(found)


def _logs(numbers: Spans) -> npt.NDArray[np.float64]:
    most = int(numbers.max(initial=0))
    if most >= len(_LOGS.known):
        if most >= _MOST_LOGS:
            return np.array([math.log(one) if one else -math.inf for one in numbers.tolist()])
        _LOGS.grow(2 * most)
    return _LOGS.known[numbers]


class _Logarithms:
    """The plain way's logarithms of the whole numbers from 0 on, as far as they were needed."""

    def __init__(self) -> None:
        self.known = np.array([-math.inf])

    def grow(self, most: int) -> None:
        """Makes them known up to a number."""
        more = [math.log(one) for one in range(len(self.known), most + 1)]
        self.known = np.concatenate([self.known, np.array(more)])


_LOGS = _Logarithms()
# Eight megabytes of them.
_MOST_LOGS = 2**19
