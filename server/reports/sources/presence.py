"""How long agents were there and how busy, as rows of metrics: an agent's hours on the clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any  # Any: column values
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.domain.events import AgentPresenceChanged
from server.domain.periods import zone
from server.reports.frames import Frame
from server.reports.scope import Scope
from server.reports.sources.handling import OWNING, by_agent, owning
from server.reports.sources.visits import DAY_MS, Visits, framed, load_events

# A session counts as somebody's work for so long from its start at most: what was forgotten open
# is no work.
LONGEST_MS = 7 * DAY_MS
# Who is busy sits at the desk and answers; who is away does not.
THERE = frozenset({"online", "busy"})
DEFAULT_CAPACITY = 8
HOUR_MS = 60 * 60 * 1000


@dataclass(slots=True)
class Hour:
    """What an agent did in an hour, in milliseconds; times of sessions are added up."""

    online_ms: int = 0
    busy_ms: int = 0
    engaged_ms: int = 0
    load_ms: int = 0
    slots_ms: int = 0
    capacity_ms: int = 0
    peak: int = 0

    def add(self, ms: int, *, sessions: int, places: int | None) -> None:
        """Counts a stretch in; ``places`` is None while the agent was not there."""
        if sessions:
            self.engaged_ms += ms
            self.load_ms += ms * sessions
            self.peak = max(self.peak, sessions)
        if places is not None:
            self.online_ms += ms
            self.busy_ms += ms if sessions else 0
            self.slots_ms += ms * sessions
            self.capacity_ms += ms * places


def load_presence(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The hours of agents in the period of a scope."""
    until = scope.as_of_ms if scope.to_ms is None else min(scope.to_ms, scope.as_of_ms)
    presence = _presence(connection, scope, until)
    spans = _spans(connection, scope, sessions, until)
    starts = [own[0][0] for own in presence.values()]
    starts += [start for own in spans.values() for start, _ in own]
    since = min(starts, default=until) if scope.from_ms is None else scope.from_ms
    tz = zone(scope.timezone)
    rows: list[dict[str, Any]] = []
    for agent_id in sorted({*presence, *spans}):
        changes = _changes(presence.get(agent_id, []), spans.get(agent_id, []))
        for at_ms, hour in hours(changes, since, until, tz):
            rows.append(
                {
                    "at_ms": at_ms,
                    "agent_id": agent_id,
                    "team_id": None,
                    "channel": None,
                    "labels": "",
                    "session_no": 0,
                    "online_ms": hour.online_ms,
                    "busy_ms": hour.busy_ms,
                    "engaged_ms": hour.engaged_ms,
                    "load_ms": hour.load_ms,
                    "slots_ms": hour.slots_ms,
                    "capacity_ms": hour.capacity_ms,
                    "peak": hour.peak,
                    "waiting": False,
                }
            )
    return framed(
        connection,
        scope,
        rows,
        texts=(),
        numbers=(
            *("session_no", "online_ms", "busy_ms", "engaged_ms", "load_ms", "slots_ms"),
            *("capacity_ms", "peak", "waiting"),
        ),
    )


def _presence(
    connection: Connection, scope: Scope, until_ms: int
) -> dict[str, list[tuple[int, int | None]]]:
    """Since when each agent was there with how many places, None for not there; all that is known.

    Whoever came before the period may still be there in it.
    """
    found: dict[str, list[tuple[int, int | None]]] = {}
    events = load_events(connection, scope, (AgentPresenceChanged.kind,), to_ms=until_ms)
    for event in sorted(events, key=lambda event: (event.at_ms, event.seq)):
        if event.actor_id is not None:
            places = int(event.data.get("capacity", DEFAULT_CAPACITY))
            there = event.data["status"] in THERE
            found.setdefault(event.actor_id, []).append((event.at_ms, places if there else None))
    return found


def _spans(
    connection: Connection, scope: Scope, sessions: Visits, until_ms: int
) -> dict[str, list[tuple[int, int]]]:
    """When each agent owned sessions that overlap the period."""
    first = None if scope.from_ms is None else max(0, scope.from_ms - LONGEST_MS)
    wide = replace(scope, from_ms=first, to_ms=until_ms)
    visits = [
        replace(
            visit,
            ended_at_ms=min(
                scope.as_of_ms if visit.ended_at_ms is None else visit.ended_at_ms,
                visit.started_at_ms + LONGEST_MS,
            ),
        )
        for visit in sessions.started(wide, turns=False)
    ]
    events = load_events(connection, scope, OWNING, from_ms=first, to_ms=until_ms)
    return by_agent(owning(events, visits, scope.as_of_ms))


def _changes(
    presence: Iterable[tuple[int, int | None]], spans: Iterable[tuple[int, int]]
) -> list[tuple[int, int, bool, int | None]]:
    """What changed for an agent when, in order: sessions more or less, or (True) their places."""
    found: list[tuple[int, int, bool, int | None]] = [
        (at_ms, 0, True, places) for at_ms, places in presence
    ]
    for start, end in spans:
        found += [(start, 1, False, None), (end, -1, False, None)]
    # An end before a beginning in the same millisecond: one chat passed on is not two at once.
    found.sort(key=lambda change: change[:2])
    return found


def hours(
    changes: Iterable[tuple[int, int, bool, int | None]],
    since_ms: int,
    until_ms: int,
    tz: ZoneInfo,
) -> Iterator[tuple[int, Hour]]:
    """What an agent did between two instants, by local hours in which they did anything."""
    sessions, places = 0, None
    at_ms, hour = since_ms, Hour()
    ends_ms = hour_end_ms(at_ms, tz)
    for change_ms, more, is_presence, new_places in [*changes, (until_ms, 0, False, None)]:
        stop = min(max(change_ms, since_ms), until_ms)
        while at_ms < stop:
            if sessions == 0 and places is None:
                # Nothing happens until the next change: no hours in between.
                step = stop
            else:
                step = min(stop, ends_ms)
                hour.add(step - at_ms, sessions=sessions, places=places)
            at_ms = step
            if at_ms >= ends_ms:
                if hour != Hour():
                    yield max(since_ms, ends_ms - HOUR_MS), hour
                hour, ends_ms = Hour(), hour_end_ms(at_ms, tz)
        sessions += more
        if is_presence:
            places = new_places
    if hour != Hour():
        yield max(since_ms, ends_ms - HOUR_MS), hour


def hour_end_ms(at_ms: int, tz: ZoneInfo) -> int:
    """When the hour on the shop's clock ends that an instant is in; zones differ by half hours.

    >>> hour_end_ms(0, ZoneInfo("Asia/Kolkata")) // 60_000
    30
    """
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(tz)
    offset = moment.utcoffset()
    shift = 0 if offset is None else int(offset.total_seconds() * 1000)
    return (at_ms + shift) // HOUR_MS * HOUR_MS - shift + HOUR_MS
