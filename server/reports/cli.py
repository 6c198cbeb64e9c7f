"""`shopbell report` without its parsing of arguments: from words to rows to text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from server.domain.errors import InvalidInput
from server.domain.periods import instant_ms, zone
from server.reports import rows as report_rows
from server.reports.rows import ReportRow
from server.reports.scope import FILTERS, Scope
from server.storage.shop import load_shop

FORMATTERS = {
    "table": report_rows.to_table,
    "csv": report_rows.to_csv,
    "json": report_rows.to_json,
}


def report_command(
    connection: Connection,
    metric_ids: Sequence[str],
    *,
    now_ms: int,
    from_: str | None = None,
    to: str | None = None,
    by: str | None = None,
    as_of: str | None = None,
    as_of_seq: int | None = None,
    agent_id: str | None = None,
    only: Mapping[str, str] | None = None,
) -> list[ReportRow]:
    """The rows of ``shopbell report``; times are ISO 8601 in the shop's zone.

    ``agent_id`` keeps to the waits of one person, ``only`` to what else FILTERS names.

    Ends are exclusive and a bare date as an end is the end of that day; ``as_of`` is ``now_ms``
    when absent. Raises InvalidInput for no shop, an unknown metric or group, or no such time.
    """
    shop = load_shop(connection)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    if not metric_ids:
        raise InvalidInput("Name at least one metric.")
    if as_of_seq is not None and as_of_seq < 0:
        raise InvalidInput("--as-of-seq must not be negative.")
    tz = zone(shop.timezone)
    scope = Scope(
        timezone=shop.timezone,
        as_of_ms=now_ms if as_of is None else instant_ms(as_of, tz, end=True),
        as_of_seq=as_of_seq,
        from_ms=None if from_ is None else instant_ms(from_, tz),
        to_ms=None if to is None else instant_ms(to, tz, end=True),
        agent_id=agent_id,
    )
    chosen = {FILTERS[name]: value for name, value in (only or {}).items()}
    scope = replace(scope, **chosen)  # type: ignore[arg-type]  # fields that hold texts
    return report_rows.report(connection, metric_ids, scope, by=by)


def formatted(rows: Sequence[ReportRow], form: str) -> str:
    """The rows as text for stdout. Raises InvalidInput for a format that there is not."""
    if form not in FORMATTERS:
        raise InvalidInput(f"There is no format {form!r}. There are: {', '.join(FORMATTERS)}.")
    return FORMATTERS[form](rows).rstrip("\r\n")
