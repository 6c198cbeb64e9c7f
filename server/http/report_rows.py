"""A list of rows as its page shows it: the columns that the rows have, and where each leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: a row of any source

from agent_ui.render import Locale, duration, has_sentence, local_time, number, percent, sentence
from server.domain.metrics import Metric
from server.domain.review_card import FULL
from server.http.report_figures import Teller
from server.http.report_words import Names
from server.reports.row_list import FoundRows

_LOOKS: Mapping[str, str] = {
    "answered": "ok",
    "waiting": "warn",
    "abandoned": "danger",
    "closed_unanswered": "danger",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its words, whether they are a number, and the look of a state."""

    text: str
    numeric: bool = False
    look: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the list: what it is called, where it leads (empty: nowhere), its cells."""

    name: str
    href: str
    label: str
    good: bool | None
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """The list of rows: heads are (words, numeric)."""

    heads: Sequence[tuple[str, bool]]
    lines: Sequence[Line]


def table(found: FoundRows, metric: Metric, names: Names, teller: Teller, timezone: str) -> Table:
    """The rows with the columns that their source has."""
    columns = [one for one in _columns(metric) if one.name in found.columns]
    heads = [(sentence(names.locale, f"reports.col.{one.key}"), one.numeric) for one in columns]
    lines = []
    for row, good in zip(found.rows, found.good, strict=True):
        at = local_time(names.locale, row.at_ms, timezone) if hasattr(row, "at_ms") else "–"
        who = _customer(row, found, names)
        label = sentence(names.locale, "reports.rows.open", customer=who, at=at)
        cells = [one.cell(row, _Told(names, teller, metric, who)) for one in columns]
        lines.append(Line(at, _address(row, teller), label, good, cells))
    return Table(heads, lines)


@dataclass(frozen=True, slots=True)
class _Told:
    names: Names
    teller: Teller
    metric: Metric
    customer: str

    @property
    def locale(self) -> Locale:
        return self.names.locale


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    key: str
    cell: Callable[[Any, _Told], Cell]  # Any: as above
    numeric: bool = False


def _columns(metric: Metric) -> list[_Column]:
    """The columns a list may have, in order; those that its rows lack are left out."""
    found: list[_Column] = []
    if metric.kind in ("time", "duration"):
        found.append(_Column(metric.span, "wait", _span, numeric=True))
    elif metric.source in ("turn", "share"):
        found.append(_Column("wait_ms", "wait", _wait, numeric=True))
    if metric.source == "review":
        found.append(_Column("points", "points", _points, numeric=True))
    elif metric.amount is not None:
        found.append(_Column(metric.amount, "amount", _amount, numeric=True))
    found += [
        _Column("outcome", "outcome", _outcome),
        _Column("score", "score", lambda row, _: Cell("★" * int(row.score or 0)), numeric=True),
        _Column("status", "status", _status),
        _Column("conversation_id", "customer", lambda _, told: Cell(told.customer)),
        _Column(metric.agent, "agent", _agent),
        _Column(
            "reviewer_id", "reviewer", lambda row, told: Cell(told.names.agent(row.reviewer_id))
        ),
        _Column(metric.team, "team", _team),
        _Column("segment", "segment", _segment),
        _Column("channel", "channel", _channel),
    ]
    return found


def _span(row: Any, told: _Told) -> Cell:  # Any: as above
    span = getattr(row, told.metric.span)
    if span is None:
        return Cell("–", numeric=True)
    text = duration(span)
    if told.metric.kind == "time" and not getattr(row, told.metric.done, True):
        text = sentence(told.locale, "reports.not_reached", span=text)
    return Cell(text, numeric=True)


def _wait(row: Any, told: _Told) -> Cell:  # Any: as above
    text = duration(row.wait_ms)
    if getattr(row, "outcome", "answered") != "answered":
        text = sentence(told.locale, "reports.not_reached", span=text)
    return Cell(text, numeric=True)


def _amount(row: Any, told: _Told) -> Cell:  # Any: as above
    value = getattr(row, told.metric.amount or "")
    if told.metric.unit == "money":
        return Cell(told.teller.money(int(value)), numeric=True)
    if told.metric.unit == "ms":
        return Cell(duration(value), numeric=True)
    return Cell(number(float(value), 0 if value == int(value) else 2), numeric=True)


def _points(row: Any, _told: _Told) -> Cell:  # Any: as above
    return Cell(percent(row.points / FULL), numeric=True)


def _outcome(row: Any, told: _Told) -> Cell:  # Any: as above
    key = f"reports.outcome.{row.outcome}"
    text = sentence(told.locale, key) if has_sentence(told.locale, key) else str(row.outcome)
    return Cell(text, look=_LOOKS.get(row.outcome, ""))


def _status(row: Any, told: _Told) -> Cell:  # Any: as above
    key = f"reports.status.{row.status}"
    return Cell(
        sentence(told.locale, key) if has_sentence(told.locale, key) else str(row.status or "–")
    )


def _agent(row: Any, told: _Told) -> Cell:  # Any: as above
    return Cell(told.names.agent(getattr(row, told.metric.agent)))


def _team(row: Any, told: _Told) -> Cell:  # Any: as above
    return Cell(told.names.of("team", getattr(row, told.metric.team)))


def _segment(row: Any, told: _Told) -> Cell:  # Any: as above
    return Cell("–" if row.segment is None else told.names.segment(row.segment))


def _channel(row: Any, told: _Told) -> Cell:  # Any: as above
    return Cell("–" if row.channel is None else told.names.channel(row.channel))


def _customer(row: Any, found: FoundRows, names: Names) -> str:  # Any: as above
    for key in (getattr(row, "conversation_id", None), getattr(row, "customer_id", None)):
        if key and key in found.customers:
            return names.customer(*found.customers[key])
    return "–"


def _address(row: Any, teller: Teller) -> str:  # Any: as above
    """Where the messages of a row are: its review, its turn, its session, or nowhere."""
    if review := getattr(row, "review_id", None):
        return f"/reports/reviews/given/{review}"
    chat = getattr(row, "conversation_id", None)
    if not chat:
        return ""
    turn, session = getattr(row, "turn_no", None), getattr(row, "session_no", None)
    if turn:
        return teller.pinned.address(f"/reports/turns/{chat}/{turn}")
    return teller.pinned.address(f"/reports/sessions/{chat}/{session or 1}")
