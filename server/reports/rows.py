"""A report as rows of the contract: one per metric and group, for the command line and the API."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any  # Any: numbers of figures, values of JSON

import orjson
from sqlalchemy import Connection, select

from server.domain.errors import InvalidInput
from server.domain.metrics import DIMENSIONS, Figures, Metric, metric_of
from server.domain.money import decimal_text
from server.domain.text import not_a_formula
from server.reports.figures import counted, figures_of, grouped
from server.reports.frames import Frame
from server.reports.ordering import places_by
from server.reports.scope import FILTERS, Scope, of_metric
from server.reports.sources import SOURCES
from server.reports.sources.conversations import CONVERSATION_SOURCES, Conversations
from server.reports.sources.visits import Visits
from server.storage.event_log import last_seq
from server.storage.people import AGENT, TEAM

Value = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One number of a report; the fields and their order are those of ``report --format json``."""

    metric: str
    definition_version: int
    filters: Mapping[str, Value]
    as_of_seq: int
    group: str | None
    n: int
    n_open: int
    value: float | int | str | None
    unit: str
    numerator: int | None
    denominator: int | None
    interval: tuple[float, float] | None
    median_ms: int | None
    p90_ms: int | None
    p95_ms: int | None
    mean_ms: int | None
    median_interval: tuple[int | None, int | None] | None = None
    goal_ms: int | None = None
    within_goal: float | None = None
    business: Mapping[str, int | None] | None = None
    asides: Mapping[str, int] | None = None
    score: float | None = None
    bounds: tuple[float, float] | None = None
    baseline: Mapping[str, float | int | None] | None = None
    difference: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """How groups are called in a report: e-mail or imported actor, team name, two-digit hour."""

    agents: Mapping[str, str]
    teams: Mapping[str, str]

    def of(self, dimension: str, key: str | int | None) -> str | None:
        """The name of a group; None for the group without one."""
        if key is None:
            return None
        if dimension == "agent":
            return self.agents.get(str(key), str(key))
        if dimension == "team":
            return self.teams.get(str(key), str(key))
        return f"{key:02}" if isinstance(key, int) else key


def load_labels(connection: Connection) -> Labels:
    """The names of all agents and teams."""
    c = AGENT.c
    agents = {
        row.id: row.email or row.imported_as or row.name
        for row in connection.execute(select(c.id, c.email, c.imported_as, c.name))
    }
    teams = {row.id: row.name for row in connection.execute(select(TEAM.c.id, TEAM.c.name))}
    return Labels(agents, teams)


def report(
    connection: Connection, metric_ids: Sequence[str], scope: Scope, *, by: str | None = None
) -> list[ReportRow]:
    """The rows of a report: per metric one row, or with ``by`` one per group that has any turn.

    Raises InvalidInput for a metric or dimension that there is not.
    """
    metrics = [metric_of(metric_id) for metric_id in metric_ids]
    if by is not None and by not in DIMENSIONS:
        raise InvalidInput(f"Cannot group by {by!r}. There are: {', '.join(DIMENSIONS)}.", by=by)
    if scope.as_of_seq is None:
        scope = replace(scope, as_of_seq=last_seq(connection))
    return figures(connection, scope).rows(metrics, by=by)


@dataclass(frozen=True, slots=True)
class LoadedFigures:
    """Many figures of one scope: each source is loaded once, whatever is asked of it."""

    connection: Connection
    scope: Scope
    labels: Labels
    conversations: Conversations
    visits: Visits
    frames: dict[str, Frame]

    def frame(self, source: str) -> Frame:
        """The rows of a source in the scope."""
        if source in CONVERSATION_SOURCES and source not in self.frames:
            self.frames[source] = self.conversations.frame(source)
        if source not in self.frames:
            self.frames[source] = SOURCES[source](self.connection, self.scope, self.visits)
        return self.frames[source]

    def counting(self, metric: Metric) -> Frame:
        """The rows that a metric chooses from: of its source, of the scope's agent and team."""
        return of_metric(self.frame(metric.source), metric, self.scope)

    def behind(self, metric: Metric) -> Frame:
        """The very rows that a metric counts, as many as its ``n``, in the order of their times."""
        rows = counted(metric, self.counting(metric), as_of_ms=self.scope.as_of_ms)
        return rows.select(places_by(rows.numbers("at_ms")))

    def of(self, metric: Metric) -> Figures:
        """What a metric says about the whole scope."""
        return figures_of(metric, self.counting(metric), as_of_ms=self.scope.as_of_ms)

    def by(
        self, metric: Metric, dimension: str, *, most: int | None = None
    ) -> dict[str | int | None, Figures]:
        """What a metric says about each group that has any row of it, by the group's key.

        With ``most`` only about so many groups, those with the most rows of the metric's source.
        """
        frame = self.counting(metric)
        found = {
            key: figures_of(metric, rows, as_of_ms=self.scope.as_of_ms)
            for key, rows in grouped(metric, frame, dimension, most=most)
        }
        # Orders that nobody asked about are as good to know as those that somebody did.
        return {key: one for key, one in found.items() if one.n or one.denominator}

    def rows(self, metrics: Sequence[Metric], *, by: str | None = None) -> list[ReportRow]:
        """The rows of the contract for these metrics, per group with ``by``."""
        filters = filters_of(self.scope, by=by)
        seq = self.scope.as_of_seq or 0
        if by is None:
            return [
                _row(metric, one, filters, seq, None)
                for metric in metrics
                for one in _by_currency(self.of(metric))
            ]
        return [
            _row(metric, one, filters, seq, self.labels.of(by, key))
            for metric in metrics
            for key, figures in self.by(metric, by).items()
            for one in _by_currency(figures)
        ]


def figures(connection: Connection, scope: Scope) -> LoadedFigures:
    """Everything that can be asked about a scope; what is asked for is loaded once.

    A scope without ``as_of_seq`` gets the end of the log as it is now.
    """
    if scope.as_of_seq is None:
        scope = replace(scope, as_of_seq=last_seq(connection))
    return _of(scope, load_labels(connection), Conversations(connection, scope))


def figures_beside(
    connection: Connection, scope: Scope, compared: Scope
) -> tuple[LoadedFigures, LoadedFigures]:
    """The figures of two periods, the second to compare the first with.

    What both need is read once, when one follows the other.
    """
    now = figures(connection, scope)
    compared = replace(compared, as_of_seq=compared.as_of_seq or now.scope.as_of_seq)
    beside = now.conversations.beside(compared)
    if beside is None:
        return now, figures(connection, compared)
    return now, _of(compared, now.labels, beside)


def _of(scope: Scope, labels: Labels, conversations: Conversations) -> LoadedFigures:
    connection = conversations.connection
    return LoadedFigures(
        connection, scope, labels, conversations, Visits(connection, conversations), {}
    )


def rows_behind(connection: Connection, scope: Scope, metric: Metric) -> Frame:
    """The very rows that a metric counts in a scope: as many as its ``n``, in a fixed order."""
    return figures(connection, scope).behind(metric)


def filters_of(scope: Scope, *, by: str | None) -> dict[str, Value]:
    """What makes the report repeatable besides the metric's version and ``as_of_seq``."""
    filters: dict[str, Value] = {
        "from": iso(scope.from_ms),
        "to": iso(scope.to_ms),
        "as_of": iso(scope.as_of_ms),
        "by": by,
        "timezone": scope.timezone,
    }
    chosen = {name: getattr(scope, field) for name, field in FILTERS.items()}
    return filters | {key: value for key, value in chosen.items() if value is not None}


def iso(at_ms: int | None) -> str | None:
    """An instant as ISO 8601 in UTC with milliseconds.

    >>> iso(0)
    '1970-01-01T00:00:00.000Z'
    """
    if at_ms is None:
        return None
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def to_json(rows: Iterable[ReportRow]) -> str:
    """The list of the contract as JSON, one row a line."""
    lines = [orjson.dumps(row_values(row)).decode() for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]" if lines else "[]"


def to_csv(rows: Iterable[ReportRow]) -> str:
    """The rows as CSV with the names of the contract; the interval in two columns.

    Money stands in whole units of the currency, which has a column of its own.
    """
    return csv_of(map(row_values, rows))


def csv_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """As ``to_csv``, of rows as their JSON has them; one that was kept may lack what is new."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = [field.name for field in fields(ReportRow) if field.name != "interval"]
    names.insert(names.index("unit") + 1, "currency")
    writer.writerow([*names, "interval_low", "interval_high"])
    for row in map(filed, rows):
        cells = [_cell(row.get(name)) for name in names]
        writer.writerow([*cells, *(row["interval"] or (None, None))])
    return out.getvalue()


def filed(row: Mapping[str, Any]) -> dict[str, Any]:  # Any: values of JSON
    """A row as files for spreadsheets tell it: of money every amount, and of what currency.

    The value is in whole units already; the numerator, which JSON has in the smallest, becomes so.
    """
    currency, amount = row["filters"].get("currency"), row["numerator"]
    if currency is not None and amount is not None:
        amount = decimal_text(amount, currency)
    return {**row, "currency": currency, "numerator": amount}


def _cell(value: object) -> object:
    """A value for a spreadsheet; several in one cell are JSON."""
    if isinstance(value, Mapping | tuple | list):
        return orjson.dumps(value).decode()
    return safe_cell(value)


def safe_cell(value: object) -> object:
    """The value, a text that a spreadsheet would run as a formula behind an apostrophe."""
    return not_a_formula(value) if isinstance(value, str) else value


def to_table(rows: Sequence[ReportRow]) -> str:
    """The rows for reading on a terminal, columns aligned, times as minutes and seconds."""
    heads = ("metric", "group", "value", "n", "open", "p90", "p95", "mean", "95 % interval")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            text + " " * (width - _width(text))
            if column < 2
            else " " * (width - _width(text)) + text
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: ReportRow) -> tuple[str, ...]:
    p90 = p95 = mean = ""
    if metric_of(row.metric).kind in {"time", "duration"}:
        value = _clock(row.median_ms) if row.median_ms is not None or not row.n else "not reached"
        p90 = _clock(row.p90_ms) if row.p90_ms is not None else _missing(row.n, 29)
        p95 = _clock(row.p95_ms) if row.p95_ms is not None else _missing(row.n, 59)
        mean = _clock(row.mean_ms)
    elif row.value is None:
        value = "-" if row.denominator is None else f"{row.numerator}/{row.denominator}"
    elif row.unit == "ratio":
        share = f"{row.value:.1%}" if metric_of(row.metric).per_cent else f"{row.value:.2f}"
        value = f"{row.numerator}/{row.denominator} {share}"
    elif row.unit == "ms":
        value = _clock(row.value)
        mean = _clock(row.mean_ms) if row.denominator is not None else ""
    else:
        value = " ".join([str(row.value), *_currency(row)])
    interval = f"{row.interval[0]:.1%}-{row.interval[1]:.1%}" if row.interval else ""
    group = row.group or ("" if row.filters["by"] is None else "(none)")
    return (row.metric, group, value, str(row.n), str(row.n_open), p90, p95, mean, interval)


def _currency(row: ReportRow) -> Iterator[str]:
    if "currency" in row.filters:
        yield str(row.filters["currency"])


def _missing(n: int, smallest: int) -> str:
    return "n too small" if n < smallest else "not reached"


def _clock(ms: float | str | None) -> str:
    if ms is None or isinstance(ms, str):
        return "-"
    minutes, seconds = divmod(ms / 1000, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{seconds:04.1f}"
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def row_values(row: ReportRow) -> dict[str, Any]:  # Any: values of JSON
    """A row by the names of its fields."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _by_currency(figures: Figures) -> tuple[Figures, ...]:
    return (figures, *figures.others)


def _row(
    metric: Metric,
    figures: Figures,
    filters: Mapping[str, Value],
    as_of_seq: int,
    group: str | None,
) -> ReportRow:
    value: float | int | str | None = figures.value
    if figures.currency is not None:
        filters = {**filters, "currency": figures.currency}
        value = (
            None if figures.value is None else decimal_text(int(figures.value), figures.currency)
        )
    return ReportRow(
        metric=metric.id,
        definition_version=metric.version,
        filters=filters,
        as_of_seq=as_of_seq,
        group=group,
        n=figures.n,
        n_open=figures.n_open,
        value=value,
        unit=metric.unit,
        numerator=figures.numerator,
        denominator=figures.denominator,
        interval=figures.interval,
        median_ms=figures.median_ms,
        p90_ms=figures.p90_ms,
        p95_ms=figures.p95_ms,
        mean_ms=figures.mean_ms,
        median_interval=figures.median_interval_ms,
        goal_ms=None if figures.within_goal is None else metric.goal_ms,
        within_goal=figures.within_goal,
        business=_part(figures.business, _BUSINESS),
        asides=figures.asides or None,
        score=figures.score,
        bounds=figures.bounds,
        baseline=_part(figures.baseline, _BASELINE),
        difference=figures.difference,
    )


_BUSINESS = ("n", "n_open", "median_ms", "p90_ms", "p95_ms", "mean_ms")
_BASELINE = ("n", "value", "numerator", "denominator")


def _part(figures: Figures | None, names: Sequence[str]) -> dict[str, Any] | None:  # Any: numbers
    """Some fields of figures that stand beside others."""
    return None if figures is None else {name: getattr(figures, name) for name in names}
