"""What a metric says about rows, one at a time: the plain way, for few rows and for comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar  # Any: a row of any source

from server.domain import survival
from server.domain.metrics.model import Aside, Figures, Metric

Row = TypeVar("Row")


def counted(metric: Metric, rows: Iterable[Row], *, as_of_ms: int) -> list[Row]:
    """The rows that the metric counts: exactly those behind its number."""
    kept = [row for row in rows if metric.counts(row, as_of_ms)]
    if metric.distinct is None:
        return kept
    first: dict[object, Row] = {}
    for row in kept:
        first.setdefault(getattr(row, metric.distinct), row)
    return list(first.values())


def measure(metric: Metric, rows: Iterable[Any], *, as_of_ms: int) -> Figures:
    """What the metric says about the rows at the instant of the report."""
    every = list(rows)
    kept = counted(metric, every, as_of_ms=as_of_ms)
    figures = Figures(
        n=len(kept),
        n_open=sum(bool(getattr(row, metric.still)) for row in kept),
        asides={aside.id: _beside(aside, every, as_of_ms) for aside in metric.asides},
    )
    return finished(metric, _figures(metric, kept, figures))


def finished(metric: Metric, figures: Figures) -> Figures:
    """The figures with what follows from what was counted beside them."""
    return figures if metric.finish is None else metric.finish(figures)


def _beside(aside: Aside, rows: Iterable[Any], as_of_ms: int) -> int:
    succeeds = aside.succeeds or (lambda _row: True)
    found = [row for row in rows if aside.counts(row, as_of_ms) and succeeds(row)]
    if aside.amount is None:
        return len(found)
    amounts = [int(getattr(row, aside.amount)) for row in found]
    return max(amounts, default=0) if aside.largest else sum(amounts)


def _figures(metric: Metric, kept: Sequence[Any], figures: Figures) -> Figures:
    match metric.kind:
        case "rate":
            succeeds = metric.succeeds or (lambda _row: True)
            return rate(figures, sum(bool(succeeds(row)) for row in kept))
        case "time":
            spans = [(getattr(row, metric.span), bool(getattr(row, metric.done))) for row in kept]
            return time(figures, spans)
        case "duration":
            return duration(figures, [getattr(row, metric.span) for row in kept])
        case "count":
            amount = metric.amount
            return replace(figures, value=_total(kept, amount))
        case "money":
            by_currency: dict[str, list[Any]] = {}
            for row in kept:
                by_currency.setdefault(row.currency, []).append(row)
            return in_currencies(
                [
                    money(figures, currency, len(rows), *_totals(metric, rows))
                    for currency, rows in by_currency.items()
                ],
                figures,
            )
    return quotient(figures, metric, *_totals(metric, kept))


def _totals(metric: Metric, rows: Sequence[Any]) -> tuple[int, int]:
    return _total(rows, metric.amount), _total(rows, metric.per)


def _total(rows: Sequence[Any], column: str | None) -> int:
    """The sum of a column, of texts how many different; without one the number of rows."""
    if column is None:
        return len(rows)
    values = [getattr(row, column) for row in rows]
    texts = any(isinstance(value, str) for value in values)
    return len(set(values)) if texts else sum(values)


def money(figures: Figures, currency: str, n: int, amount: int, per: int) -> Figures:
    """An amount of money by a count, in the smallest unit of its currency."""
    value = rounded_mean(amount, per) if per else None
    return replace(figures, n=n, value=value, numerator=amount, denominator=per, currency=currency)


def in_currencies(found: Sequence[Figures], none: Figures) -> Figures:
    """The figures of the currency with the most rows, beside it the others; ``none`` without."""
    ordered = sorted(found, key=lambda figures: (-figures.n, figures.currency or ""))
    return replace(ordered[0], others=tuple(ordered[1:])) if ordered else none


def rate(figures: Figures, successes: int) -> Figures:
    """The share of successes, with Wilson's interval."""
    return replace(
        figures,
        value=successes / figures.n if figures.n else None,
        numerator=successes,
        denominator=figures.n,
        interval=survival.wilson(successes, figures.n),
        answered=successes,
    )


def quotient(figures: Figures, metric: Metric, amount: int, per: int) -> Figures:
    """A sum by another one; a mean of spans in whole milliseconds."""
    value: float | int | None = None
    mean_ms = None
    if per:
        value = amount / per
        if metric.unit == "ms":
            value = mean_ms = rounded_mean(amount, per)
    return replace(figures, value=value, numerator=amount, denominator=per, mean_ms=mean_ms)


def rounded_mean(total: int, count: int) -> int:
    """A mean of whole numbers as a whole number, halves up.

    >>> rounded_mean(5, 2)
    3
    """
    return (2 * total + count) // (2 * count)


def time(figures: Figures, spans: list[tuple[int, bool]]) -> Figures:
    """Median and percentiles by Kaplan-Meier; pairs are (milliseconds, reached its end)."""
    if not spans:
        return figures
    found = survival.quantiles_ms(spans, (0.5, 0.9, 0.95))
    done = [span for span, reached in spans if reached]
    return _of_quantiles(figures, found, done, max(span for span, _ in spans))


def duration(figures: Figures, spans: list[int]) -> Figures:
    """Median and percentiles of spans as they are so far, none censored."""
    if not spans:
        return figures
    ordered = sorted(spans)
    found = tuple(ordered[rank - 1] for rank in quantile_ranks(len(spans)))
    return _of_quantiles(figures, found, spans, ordered[-1])


def quantile_ranks(n: int) -> tuple[int, int, int]:
    """Which of ``n`` values in order, from 1, are the median, P90 and P95.

    >>> quantile_ranks(10)
    (5, 9, 10)
    """
    return (n + 1) // 2, (9 * n + 9) // 10, (19 * n + 19) // 20


def _of_quantiles(
    figures: Figures, found: tuple[int | None, ...], done: list[int], longest_ms: int
) -> Figures:
    median, p90, p95 = found
    return replace(
        figures,
        value=median,
        median_ms=median,
        p90_ms=p90 if figures.n >= survival.MIN_N_P90 else None,
        p95_ms=p95 if figures.n >= survival.MIN_N_P95 else None,
        mean_ms=rounded_mean(sum(done), len(done)) if done else None,
        answered=len(done),
        longest_ms=longest_ms,
    )
