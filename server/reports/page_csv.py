"""The figures of a page as CSV for a spreadsheet: in all, then by agent, team, day and so on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any  # Any: whatever stands in a cell

from sqlalchemy import Connection

from server.domain.metrics import Figures, Metric
from server.reports.rows import LoadedFigures, figures, iso, safe_cell
from server.reports.scope import Scope

DIVISIONS = ("agent", "team", "channel", "segment", "label", "day", "hour")
_HEAD = (
    *("by", "group", "metric", "name", "definition_version", "as_of_seq", "n", "n_open"),
    *("value", "unit", "numerator", "denominator", "interval_low", "interval_high"),
    *("median_ms", "median_low_ms", "median_high_ms", "p90_ms", "p95_ms", "mean_ms"),
    *("business_median_ms", "business_p90_ms", "business_mean_ms", "from", "to", "as_of"),
)


def page_csv(connection: Connection, *, scope: Scope, metrics: Mapping[str, Metric]) -> str:
    """A line for each figure and group; times in milliseconds, shares from 0 to 1."""
    found = figures(connection, scope)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEAD)
    for by, group, metric, one in _all(found, metrics):
        writer.writerow([safe_cell(cell) for cell in _cells(by, group, metric, one, found)])
    return out.getvalue()


def _all(
    found: LoadedFigures, metrics: Mapping[str, Metric]
) -> Iterator[tuple[str, str | None, Metric, Figures]]:
    for metric in metrics.values():
        yield "all", None, metric, found.of(metric)
    for by in DIVISIONS:
        for metric in metrics.values():
            for key, one in found.by(metric, by).items():
                yield by, found.labels.of(by, key), metric, one


def _cells(
    by: str, group: str | None, metric: Metric, told: Figures, found: LoadedFigures
) -> list[Any]:  # Any: as above
    low, high = told.interval or (None, None)
    median_low, median_high = told.median_interval_ms or (None, None)
    business = told.business
    scope = found.scope
    return [
        *(by, group, metric.id, metric.name.en, metric.version, scope.as_of_seq),
        *(told.n, told.n_open, told.value, metric.unit),
        *(told.numerator, told.denominator, low, high),
        *(told.median_ms, median_low, median_high),
        *(told.p90_ms, told.p95_ms, told.mean_ms),
        *(
            (None, None, None)
            if business is None
            else (business.median_ms, business.p90_ms, business.mean_ms)
        ),
        *(iso(scope.from_ms), iso(scope.to_ms), iso(scope.as_of_ms)),
    ]
