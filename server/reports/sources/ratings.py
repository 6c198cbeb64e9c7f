"""Sessions with what their shoppers said of them, as rows of metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from server.reports.frames import Frame, Texts
from server.reports.scope import Scope
from server.reports.sources.visits import (
    NEVER_MS,
    Visit,
    Visits,
    framed,
    is_reply,
    load_events_of,
)

MATURE_MS = 72 * 60 * 60 * 1000


def load_ratings(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, each with the agent who replied most in it."""
    visits = sessions.started(scope, turns=False)

    def agents() -> Texts:
        # Who replied needs all turns, which a figure of the whole shop does not.
        found = repliers(connection, scope, sessions.started(scope))
        return Texts.of(found.get(visit.key) for visit in visits)

    rows = [
        {
            "conversation_id": visit.conversation_id,
            "session_no": visit.session_no,
            "at_ms": visit.started_at_ms,
            "team_id": visit.team_id,
            "channel": visit.channel,
            "labels": visit.labels,
            "resolved": visit.resolved_by is not None,
            "asked": visit.asked_at_ms is not None,
            "asked_at_ms": NEVER_MS if visit.asked_at_ms is None else visit.asked_at_ms,
            "rated": visit.rating is not None,
            "score": visit.rating or 0,
            "maturing": visit.asked_at_ms is not None
            and visit.asked_at_ms > scope.as_of_ms - MATURE_MS,
            "waiting": False,
        }
        for visit in visits
    ]
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id",),
        numbers=(
            *("session_no", "resolved", "asked", "asked_at_ms", "rated", "score"),
            *("maturing", "waiting"),
        ),
        makers={"agent_id": agents},
    )


def repliers(
    connection: Connection, scope: Scope, visits: Sequence[Visit]
) -> Mapping[str, str | None]:
    """The agent with the most replies of each session, by its key; None where nobody replied.

    Replies are counted by runs. Of agents with as many, who wrote more public messages; then who
    replied last.
    """
    found: dict[str, str | None] = {}
    tied: list[tuple[Visit, set[str]]] = []
    for visit in visits:
        runs = Counter(reply.agent_id for reply in visit.replies)
        most = max(runs.values(), default=0)
        best = {agent for agent, count in runs.items() if count == most}
        if len(best) > 1:
            tied.append((visit, best))
        else:
            found[visit.key] = next(iter(best), None)
    if tied:
        written = _messages(connection, scope, [visit for visit, _ in tied])
        for visit, best in tied:
            last = {reply.agent_id: reply.at_ms for reply in visit.replies}
            own = written.get(visit.key, Counter())
            found[visit.key] = max(best, key=lambda agent: (own[agent], last[agent], agent))
    return found


def _messages(
    connection: Connection, scope: Scope, visits: Sequence[Visit]
) -> dict[str, Counter[str]]:
    """How many public messages each agent wrote in the sessions of these conversations."""
    ids = {visit.conversation_id for visit in visits}
    written: dict[str, Counter[str]] = {}
    for event in load_events_of(connection, scope, ("message.posted",), ids):
        if is_reply(event) and event.actor_id is not None:
            key = f"{event.conversation_id}:{event.session_no}"
            written.setdefault(key, Counter())[event.actor_id] += 1
    return written
