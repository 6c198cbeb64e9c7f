"""The figures of a page as CSV for a spreadsheet: in all, then by agent, team, day and so on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any  # Any: whatever stands in a cell

from sqlalchemy import Connection

from server.domain.dimensions import DIMENSIONS
from server.domain.metrics import Metric
from server.reports.rows import LoadedFigures, ReportRow, figures, filed, row_values, safe_cell
from server.reports.scope import Scope

_HEAD = (
    *("by", "group", "metric", "name", "definition_version", "as_of_seq", "n", "n_open"),
    *("value", "unit", "currency", "numerator", "denominator", "interval_low", "interval_high"),
    *("median_ms", "median_low_ms", "median_high_ms", "p90_ms", "p95_ms", "mean_ms"),
    *("business_median_ms", "business_p90_ms", "business_mean_ms", "from", "to", "as_of"),
)


def page_csv(connection: Connection, *, scope: Scope, metrics: Mapping[str, Metric]) -> str:
    """A line for each figure and group, with the numbers of ``shopbell report`` for the same.

    Times are in milliseconds, shares from 0 to 1, money in whole units of the line's currency.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEAD)
    for metric, by, row in _all(figures(connection, scope), metrics):
        cells = _cells(metric, by, row)
        writer.writerow([safe_cell(cells[name]) for name in _HEAD])
    return out.getvalue()


def _all(
    found: LoadedFigures, metrics: Mapping[str, Metric]
) -> Iterator[tuple[Metric, str | None, ReportRow]]:
    for by in (None, *DIMENSIONS):
        for metric in metrics.values():
            if by == "sku" and "skus" not in found.frame(metric.source).columns:
                continue
            for row in found.rows([metric], by=by):
                yield metric, by, row


def _cells(metric: Metric, by: str | None, row: ReportRow) -> dict[str, Any]:  # Any: as above
    low, high = row.interval or (None, None)
    median_low, median_high = row.median_interval or (None, None)
    business = row.business or {}
    return {
        **row.filters,
        **filed(row_values(row)),
        "by": by or "all",
        "name": metric.name.en,
        "interval_low": low,
        "interval_high": high,
        "median_low_ms": median_low,
        "median_high_ms": median_high,
        **{f"business_{name}": business.get(name) for name in ("median_ms", "p90_ms", "mean_ms")},
    }
