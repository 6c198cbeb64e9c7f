"""Articles suggested to agents, and sessions that a bot answered, as rows of metrics."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from sqlalchemy import Connection

from server.domain.metrics.people import CONTAINED_MS
from server.reports.frames import Frame
from server.reports.scope import TICKET_CHANNEL, Scope
from server.reports.sources.visits import (
    DAY_MS,
    Visits,
    framed,
    is_spam,
    load_events,
    load_events_around,
    started_in,
)

# What is used of a suggestion is used soon; later than this is another time.
USED_WITHIN_MS = 35 * DAY_MS


def load_suggestions(connection: Connection, scope: Scope, _sessions: Visits) -> Frame:
    """The suggestions made to agents in the period of a scope, and which of them were used."""
    shown = [
        event
        for event in load_events(
            connection, scope, ("suggestion.shown",), from_ms=scope.from_ms, to_ms=scope.to_ms
        )
        if event.actor_kind == "agent"
        and (event.channel == TICKET_CHANNEL) == (scope.channel == TICKET_CHANNEL)
    ]
    until = None if scope.to_ms is None else scope.to_ms + USED_WITHIN_MS
    accepted = {
        event.data["suggestion_id"]: int(event.data.get("rank") or 0)
        for event in load_events(
            connection, scope, ("suggestion.accepted",), from_ms=scope.from_ms, to_ms=until
        )
    }
    spam = is_spam(connection, scope, {event.conversation_id or "" for event in shown})
    rows = [
        {
            "conversation_id": event.conversation_id,
            "session_no": event.session_no or 0,
            "at_ms": event.at_ms,
            "agent_id": event.actor_id,
            "team_id": event.team_id,
            "channel": event.channel,
            "labels": "",
            "shown": True,
            "taken": event.data["suggestion_id"] in accepted,
            "rank": accepted.get(event.data["suggestion_id"], 0),
            "waiting": False,
        }
        for event in shown
        if event.conversation_id not in spam
    ]
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id",),
        numbers=("session_no", "shown", "taken", "rank", "waiting"),
    )


def load_bots(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, with what a bot did in them and whether that was enough."""
    until = None if scope.to_ms is None else scope.to_ms + 2 * CONTAINED_MS
    visits = sessions.started(replace(scope, to_ms=until))
    starts: dict[str, list[int]] = {}
    for visit in visits:
        starts.setdefault(visit.person_id, []).append(visit.started_at_ms)
    inside = [visit for visit in visits if started_in(scope, visit.started_at_ms)]
    # The hand-over to people may come with the very message that begins a session.
    handed: dict[str, list[int]] = {}
    for event in load_events_around(connection, scope, ("bot.handed_off",), inside):
        handed.setdefault(event.conversation_id or "", []).append(event.at_ms)
    rows = []
    for visit in inside:
        end = visit.ended_at_ms
        last = scope.as_of_ms if end is None else end
        handed_off = any(
            visit.started_at_ms <= at_ms <= last for at_ms in handed.get(visit.conversation_id, ())
        )
        times = starts[visit.person_id]
        place = bisect_right(times, visit.started_at_ms)
        again = place < len(times) and times[place] <= last + CONTAINED_MS
        rows.append(
            {
                "conversation_id": visit.conversation_id,
                "session_no": visit.session_no,
                "at_ms": visit.started_at_ms,
                "agent_id": None,
                "team_id": visit.team_id,
                "channel": visit.channel,
                "labels": visit.labels,
                "bot": visit.bot_answered or handed_off,
                "handed_off": handed_off,
                "contained": end is not None and not visit.replies and not again,
                "ripe_at_ms": (visit.started_at_ms if end is None else end) + CONTAINED_MS,
                "waiting": False,
            }
        )
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id",),
        numbers=("session_no", "bot", "handed_off", "contained", "ripe_at_ms", "waiting"),
    )
