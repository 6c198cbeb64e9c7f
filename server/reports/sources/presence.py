"""How long agents were there and how busy, as rows of metrics: an agent's hours on the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from server.domain.periods import zone
from server.domain.spans import HOUR_MS
from server.reports.frames import Frame, Numbers, Texts
from server.reports.local import LocalColumns
from server.reports.ordering import places_by
from server.reports.scope import Scope, held
from server.reports.sources.time_line import different
from server.reports.sources.visits import BEFORE_MS, Visits, within

# A session counts as somebody's work for so long from its start at most: what was forgotten open
# is no work.
LONGEST_MS = BEFORE_MS
_SUMS = ("online_ms", "busy_ms", "engaged_ms", "load_ms", "slots_ms", "capacity_ms")


def load_presence(_connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The hours of agents in the period of a scope."""
    until = scope.as_of_ms if scope.to_ms is None else min(scope.to_ms, scope.as_of_ms)
    presence = sessions.log.rows("presence", None, until)
    presence = presence.select(places_by(presence.numbers("at_ms"), presence.numbers("seq")))
    owned = _owned(scope, sessions, until)
    starts = owned.numbers("start_at_ms")
    since = scope.from_ms
    if since is None:
        since = int(min([until, *presence.numbers("at_ms")[:1].tolist(), *starts.tolist()]))
    edges = np.array(list(hour_edges(since, until, zone(scope.timezone))), np.int64)
    agents = Texts.joined([presence.texts("agent_id"), owned.texts("agent_id")])
    of_presence, of_owned = agents.codes[: presence.n], agents.codes[presence.n :]
    ordered = sorted(range(len(agents.values)), key=lambda code: str(agents.values[code]))
    parts = [
        _hours(
            presence.select(np.flatnonzero(of_presence == code)),
            owned.select(np.flatnonzero(of_owned == code)),
            edges,
        )
        for code in ordered
        if agents.values[code] is not None
    ]
    codes = [code for code in ordered if agents.values[code] is not None]
    lengths = [len(part["at_ms"]) for part in parts]
    columns = {
        name: np.concatenate([np.empty(0, np.int64), *(part[name] for part in parts)])
        for name in ("at_ms", *_SUMS, "peak")
    }
    n = sum(lengths)
    none = Texts(np.zeros(n, np.int32), (None,))
    frame = Frame(
        {
            **columns,
            "agent_id": Texts(np.repeat(np.array(codes, np.int32), lengths), agents.values),
            "team_id": none,
            "channel": none,
            "segment": none,
            "labels": Texts(np.zeros(n, np.int32), ("",)),
            "session_no": np.zeros(n, np.int64),
            "waiting": np.zeros(n, bool),
        },
        n=n,
    )
    local = LocalColumns(scope, frame)
    return held(frame.making(day=local.day, hour=local.hour, weekday=local.weekday), scope)


def _owned(scope: Scope, sessions: Visits, until_ms: int) -> Frame:
    """When agents owned sessions that may overlap the period; ends are cut."""
    first = None if scope.from_ms is None else max(0, scope.from_ms - LONGEST_MS)
    frame = within(sessions.around("owned"), first, until_ms)
    ends = frame.numbers("end_at_ms")
    ends = np.where(ends < 0, scope.as_of_ms, ends)
    ends = np.minimum(ends, frame.numbers("at_ms") + LONGEST_MS)
    frame = frame.having(end_at_ms=ends)
    return frame.select(ends > frame.numbers("start_at_ms"))


def _hours(presence: Frame, owned: Frame, edges: Numbers) -> dict[str, Numbers]:
    """What one agent did, by the hours between edges in which they did anything."""
    since, until = int(edges[0]), int(edges[-1])
    times, places = presence.numbers("at_ms"), presence.numbers("capacity")
    there = presence.numbers("there")
    starts, ends = np.sort(owned.numbers("start_at_ms")), np.sort(owned.numbers("end_at_ms"))
    cuts = different(np.concatenate([edges, times, starts, ends]))
    cuts = cuts[(cuts >= since) & (cuts <= until)]
    begins, spans = cuts[:-1], np.diff(cuts)
    count = np.searchsorted(starts, begins, side="right") - np.searchsorted(
        ends, begins, side="right"
    )
    last = np.searchsorted(times, begins, side="right") - 1
    is_there = (last >= 0) & there[last] if len(times) else np.zeros(len(begins), bool)
    room = np.where(is_there, places[last], 0) if len(times) else np.zeros(len(begins), np.int64)
    active = np.flatnonzero((count > 0) | is_there)
    begins, spans, count = begins[active], spans[active], count[active]
    is_there, room = is_there[active], room[active]
    hour = np.searchsorted(edges, begins, side="right") - 1
    first = np.flatnonzero(np.diff(hour, prepend=-1))
    amounts = {
        "online_ms": spans * is_there,
        "busy_ms": spans * (is_there & (count > 0)),
        "engaged_ms": spans * (count > 0),
        "load_ms": spans * count,
        "slots_ms": spans * count * is_there,
        "capacity_ms": spans * room,
    }
    if not len(first):
        return {name: np.empty(0, np.int64) for name in ("at_ms", *_SUMS, "peak")}
    found = {name: np.add.reduceat(amount, first) for name, amount in amounts.items()}
    found["peak"] = np.maximum.reduceat(count, first)
    found["at_ms"] = edges[hour[first]]
    return found


def hour_edges(since_ms: int, until_ms: int, tz: ZoneInfo) -> Iterator[int]:
    """The instants between two at which an hour begins on the shop's clock, and these two."""
    at_ms = since_ms
    while at_ms < until_ms:
        yield at_ms
        at_ms = hour_end_ms(at_ms, tz)
    yield max(since_ms, until_ms)


def hour_end_ms(at_ms: int, tz: ZoneInfo) -> int:
    """When the hour on the shop's clock ends that an instant is in; zones differ by half hours.

    >>> hour_end_ms(0, ZoneInfo("Asia/Kolkata")) // 60_000
    30
    """
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(tz)
    offset = moment.utcoffset()
    shift = 0 if offset is None else int(offset.total_seconds() * 1000)
    return (at_ms + shift) // HOUR_MS * HOUR_MS - shift + HOUR_MS
