"""Articles suggested to agents, and sessions that a bot answered, as rows of metrics."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from server.domain.metrics.people import CONTAINED_MS
from server.domain.spans import DAY_MS
from server.reports.frames import Frame, Texts
from server.reports.scope import TICKET_CHANNEL, Scope, held
from server.reports.sources.time_line import TimeLine, following
from server.reports.sources.visits import (
    Visits,
    framed,
    is_spam,
    load_events,
    within,
)

# What is used of a suggestion is used soon; later than this is another time.
USED_WITHIN_MS = 35 * DAY_MS


def load_suggestions(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
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
        sessions,
        scope,
        rows,
        texts=("conversation_id",),
        numbers=("session_no", "shown", "taken", "rank", "waiting"),
    )


def load_bots(_connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, with what a bot did in them and whether that was enough."""
    until = None if scope.to_ms is None else scope.to_ms + 2 * CONTAINED_MS
    visits = within(sessions.around("visit"), scope.from_ms, until)
    started, ended = visits.numbers("at_ms"), visits.numbers("ended_at_ms")
    persons = sessions.persons(visits.numbers("customer"))
    line = TimeLine(persons, int(started.min(initial=scope.as_of_ms)), scope.as_of_ms)
    ranks = line.ranks(persons)
    own = line.of(ranks, started)
    keys = np.sort(own)
    # The next session of the same shopper; everybody else's are farther away.
    last = np.where(ended < 0, scope.as_of_ms, ended)
    then = following(keys, np.searchsorted(keys, own, side="right"))
    again = then <= line.of(ranks, last + CONTAINED_MS)
    over = ended >= 0
    frame = visits.having(
        agent_id=Texts(np.zeros(visits.n, np.int32), (None,)),
        contained=over & visits.numbers("unserved") & ~again,
        ripe_at_ms=np.where(over, ended, started) + CONTAINED_MS,
    )
    return held(within(frame, scope.from_ms, scope.to_ms), scope)
