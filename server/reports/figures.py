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
from server.reports.ordering import first_places
from server.reports.scope import SEVERAL

Spans = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
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
    firsts = first_places(keys)
    return kept if len(firsts) == kept.n else kept.select(np.sort(firsts))


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


def grouped(
    metric: Metric, frame: Frame, dimension: str | None, *, most: int | None = None
) -> Iterator[tuple[Key, Frame]]:
    """The rows of each group in order, the nameless group last; without a dimension all rows.

    With ``most`` only so many groups, those with the most rows. Raises InvalidInput for no
    dimension.
    """
    if dimension is None:
        yield None, frame
        return
    name = SEVERAL.get(dimension) or column_of(metric, dimension)
    if (name, most) not in frame.groups:
        # Metrics of one source share the rows of its groups.
        divide = _by_each if dimension in SEVERAL else _by_one
        frame.groups[name, most] = list(divide(frame, name, most))
    yield from frame.groups[name, most]


def _by_one(frame: Frame, name: str, most: int | None) -> Iterator[tuple[Key, Frame]]:
    order, groups = _divided(frame.columns[name], most)
    # Group behind group: each is a stretch of columns that are put in order once.
    ordered = frame.select(order)
    for key, stretch in groups:
        yield key, ordered.select(stretch)


def _divided(column: Column, most: int | None) -> tuple[Places, list[tuple[Key, slice]]]:
    """The places of a column by its values, and which of them each value has.

    Of at most so many values, those that have the most.
    """
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
    counts = np.bincount(codes, minlength=len(values))
    ends, filled = np.cumsum(counts), np.flatnonzero(counts)
    if most is not None:
        filled = filled[np.argsort(-counts[filled], kind="stable")[:most]]
    in_order = sorted(
        filled.tolist(), key=lambda n: (values[n] is None, str(type(values[n])), values[n] or 0)
    )
    starts = ends - counts
    return order, [(values[n], slice(int(starts[n]), int(ends[n]))) for n in in_order]


def _by_each(frame: Frame, name: str, most: int | None) -> Iterator[tuple[Key, Frame]]:
    """A row with several labels, or SKUs, is in the group of each."""
    if name not in frame.columns:
        yield from [(None, frame)] if frame.n else []
        return
    column = frame.texts(name)
    several = [list(dict.fromkeys((value or "").split("\n"))) for value in column.values]
    known: dict[str, int] = {}
    each = [known.setdefault(one, len(known)) for ones in several for one in ones]
    counts = np.array([*map(len, several), 0])[column.codes]
    # Where those of a row begin, and then one after the other.
    starts = np.cumsum([0, *map(len, several)])[column.codes]
    ends = np.cumsum(counts)
    places = np.arange(int(counts.sum())) - np.repeat(ends - counts, counts)
    codes = np.array([*each, 0], np.int32)[np.repeat(starts, counts) + places]
    rows = np.repeat(np.arange(frame.n), counts)
    order, groups = _divided(Texts(codes, tuple(one or None for one in known)), most)
    ordered = frame.select(rows[order])
    for key, stretch in groups:
        yield key, ordered.select(stretch)


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
    if isinstance(column, Texts):
        return int(np.count_nonzero(np.bincount(column.codes)))
    return int(np.sum(column))


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


def bounds_ms(ordered: Spans, ends: Mask) -> tuple[int | None, int | None]:
    """Bounds of the median by order statistics, as ``statistics.quantile_bounds`` has them."""
    high = statistics.upper_rank(len(ordered), 0.5, confidence=(1 + statistics.WARN) / 2)
    if high is None:
        return None, None
    reached = ordered[ends]
    # Of a median, the lower rank is as far from the one end as the upper from the other.
    return int(ordered[-high]), int(reached[high - 1]) if high <= len(reached) else None


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
