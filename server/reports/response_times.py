"""The page of response times: its figures for a period, all from one list of turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from server.domain.metrics import (
    GOAL_MS,
    METRICS,
    Figures,
    Wait,
    groups,
    measure,
)
from server.reports.turns import Scope, load_waits, without_period
from server.storage.event_log import last_seq
from server.storage.people import AGENT, TEAM
from server.storage.rows import CONVERSATION

STEP_MS = 15_000
LAST_STEP_MS = 8 * 60_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers that took ``from_ms`` to ``to_ms`` (exclusive, None for the open end)."""

    from_ms: int
    to_ms: int | None
    count: int

    @property
    def missed(self) -> bool:
        """True when these answers came after the goal; one exactly at the goal is in time."""
        return self.from_ms >= GOAL_MS + 1


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one group: first replies, all replies, share within the goal."""

    key: str | int | None
    frt: Figures
    rt: Figures
    r3m: Figures


@dataclass(frozen=True, slots=True)
class Choices:
    """What the page can be narrowed to: names by id."""

    agents: Mapping[str, str]
    teams: Mapping[str, tuple[str, str | None]]
    channels: Sequence[str]


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Everything the page shows. ``previous`` is the period of the same length before."""

    scope: Scope
    whole: Line
    previous: Line | None
    waiting_now: int
    answered_first: int
    bins: Sequence[Bin]
    days: Sequence[Line]
    hours: Sequence[Line]
    agents: Sequence[Line]
    heat: Mapping[tuple[int, int], Figures]
    choices: Choices


def response_times(connection: Connection, scope: Scope) -> ResponseTimes:
    """The page's figures. A scope without ``as_of_seq`` gets the end of the log as it is now."""
    if scope.as_of_seq is None:
        scope = replace(scope, as_of_seq=last_seq(connection))
    waits, before = _with_previous(connection, scope)
    first = [wait for wait in waits if wait.is_first_in_session]
    open_ones = load_waits(connection, replace(without_period(scope), outcome="waiting"))
    return ResponseTimes(
        scope=scope,
        whole=_line(None, waits, scope),
        previous=_line(None, before, scope) if before else None,
        waiting_now=len(open_ones),
        answered_first=sum(wait.answered for wait in first),
        bins=bins_of(wait.wait_ms for wait in first if wait.answered),
        days=[_line(key, rows, scope) for key, rows in groups(waits, "day").items()],
        hours=[_line(key, rows, scope) for key, rows in groups(waits, "hour").items()],
        agents=_by_agent(waits, scope),
        heat=_heat(first, scope),
        choices=load_choices(connection),
    )


def load_choices(connection: Connection) -> Choices:
    """Names of people and teams by id, and the channels that conversations have come by."""
    agents = connection.execute(select(AGENT.c.id, AGENT.c.name).order_by(AGENT.c.name))
    teams = connection.execute(select(TEAM.c.id, TEAM.c.name, TEAM.c.name_zh).order_by(TEAM.c.name))
    channels = connection.execute(
        select(CONVERSATION.c.channel).distinct().order_by(CONVERSATION.c.channel)
    )
    return Choices(
        {row.id: row.name for row in agents},
        {row.id: (row.name, row.name_zh) for row in teams},
        list(channels.scalars()),
    )


def bins_of(waits_ms: Iterable[int]) -> list[Bin]:
    """Answers counted in steps of 15 seconds up to 8 minutes; the last bin is open.

    A step holds the waits above its start up to and including its end, so that an answer at exactly
    3:00 stands left of the line of the goal, as in the rate.
    """
    last = LAST_STEP_MS // STEP_MS
    counts = [0] * (last + 1)
    for wait_ms in waits_ms:
        counts[min(last, max(0, wait_ms - 1) // STEP_MS)] += 1
    return [
        Bin(
            number * STEP_MS + (1 if number else 0),
            (number + 1) * STEP_MS + 1 if number < last else None,
            count,
        )
        for number, count in enumerate(counts)
    ]


def _with_previous(connection: Connection, scope: Scope) -> tuple[list[Wait], list[Wait]]:
    if scope.from_ms is None or scope.to_ms is None:
        return load_waits(connection, scope), []
    start = scope.from_ms - (scope.to_ms - scope.from_ms)
    both = load_waits(connection, replace(scope, from_ms=start))
    split = scope.from_ms
    return [w for w in both if w.ask_at_ms >= split], [w for w in both if w.ask_at_ms < split]


def _line(key: str | int | None, waits: Sequence[Wait], scope: Scope) -> Line:
    frt, rt, r3m = (
        measure(METRICS[name], waits, as_of_ms=scope.as_of_ms) for name in ("frt", "rt", "r3m_turn")
    )
    return Line(key, frt, rt, r3m)


def _by_agent(waits: Sequence[Wait], scope: Scope) -> list[Line]:
    """Agents by how many turns they had, those of nobody last: no ranking by a share of a few."""
    lines = [_line(key, rows, scope) for key, rows in groups(waits, "agent").items()]
    lines.sort(key=lambda line: (line.key is None, -line.rt.n))
    return lines


def _heat(first: Sequence[Wait], scope: Scope) -> dict[tuple[int, int], Figures]:
    cells: dict[tuple[int, int], list[Wait]] = {}
    for wait in first:
        cells.setdefault((wait.weekday, wait.hour), []).append(wait)
    return {
        cell: measure(METRICS["frt"], rows, as_of_ms=scope.as_of_ms) for cell, rows in cells.items()
    }
