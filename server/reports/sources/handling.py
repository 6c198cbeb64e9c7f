"""Who worked on a session and for how long, as rows of metrics: one for each session and agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from server.reports.frames import Frame
from server.reports.scope import Scope
from server.reports.sources.visits import (
    Logged,
    Visit,
    Visits,
    framed,
    load_events_around,
)

# An agent who did nothing for longer than this in a conversation was not at work in it.
IDLE_CAP_MS = 120_000
FOCUS = ("agent.focus_recorded",)
OWNING = (
    "assignment.accepted",
    "assignment.changed",
    "assignment.ended",
    "queue.entered",
    "bot.handed_off",
    "conversation.status_changed",
)
_ENDED = frozenset({"resolved", "closed", "spam"})


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which an agent owned a session, from ``start_ms`` to ``end_ms``, exclusive."""

    agent_id: str
    start_ms: int
    end_ms: int


def load_handlings(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope by each agent who worked on or owned them, with both times."""
    visits = sessions.started(scope, turns=False)
    focused = focus_ms(load_events_around(connection, scope, FOCUS, visits))
    owned = owning(load_events_around(connection, scope, OWNING, visits), visits, scope.as_of_ms)
    rows = []
    for visit in visits:
        held: dict[str, int] = {}
        for span in owned.get(visit.key, ()):
            held[span.agent_id] = held.get(span.agent_id, 0) + span.end_ms - span.start_ms
        worked = focused.get(visit.key, {})
        rows += [
            {
                "conversation_id": visit.conversation_id,
                "session_no": visit.session_no,
                "session": visit.key,
                "at_ms": visit.started_at_ms,
                "agent_id": agent_id,
                "team_id": visit.team_id,
                "channel": visit.channel,
                "labels": visit.labels,
                "handle_ms": worked.get(agent_id, 0),
                "owned_ms": held.get(agent_id, 0),
                "waiting": visit.ended_at_ms is None,
            }
            for agent_id in sorted({*worked, *held})
        ]
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id", "session"),
        numbers=("session_no", "handle_ms", "owned_ms", "waiting"),
    )


def focus_ms(events: Iterable[Logged]) -> dict[str, dict[str, int]]:
    """How long each agent had each session in front of them, by its key.

    What is recorded says that it was so for the time just before. At most the idle cap counts of
    one record, and what two records tell of the same moment counts once.
    """
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for event in events:
        if event.actor_id is not None:
            length = min(int(event.data["focused_ms"]), IDLE_CAP_MS)
            session = f"{event.conversation_id}:{event.session_no}"
            own = spans.setdefault((session, event.actor_id), [])
            own.append((event.at_ms - length, event.at_ms))
    found: dict[str, dict[str, int]] = {}
    for (session, agent_id), own in spans.items():
        found.setdefault(session, {})[agent_id] = covered_ms(own)
    return found


def covered_ms(spans: Iterable[tuple[int, int]]) -> int:
    """How much time spans cover together.

    >>> covered_ms([(0, 10), (5, 20), (30, 31)])
    21
    """
    total, until = 0, -1
    for start, end in sorted(spans):
        total += max(0, end - max(start, until))
        until = max(until, end)
    return total


def owning(
    events: Iterable[Logged], visits: Sequence[Visit], as_of_ms: int
) -> dict[str, list[Span]]:
    """Who owned each session when, by its key: from accepting it until passing it on or its end."""
    changes: dict[str, list[tuple[int, int, str | None]]] = {}
    for event in sorted(events, key=lambda event: event.seq):
        if event.kind == "conversation.status_changed" and event.data["status"] not in _ENDED:
            continue
        owner = None
        if event.kind in ("assignment.accepted", "assignment.changed"):
            owner = event.data.get("to") or event.actor_id
        changes.setdefault(event.conversation_id or "", []).append((event.at_ms, event.seq, owner))
    found: dict[str, list[Span]] = {}
    for visit in visits:
        end_ms = as_of_ms if visit.ended_at_ms is None else visit.ended_at_ms
        own = _cut(changes.get(visit.conversation_id, ()), visit.started_at_ms, end_ms)
        if own:
            found[visit.key] = own
    return found


def _cut(changes: Iterable[tuple[int, int, str | None]], start_ms: int, end_ms: int) -> list[Span]:
    """The spans of agents within a time, by the changes of a conversation's owner in order."""
    spans: list[Span] = []
    owner: str | None = None
    since = start_ms
    for at_ms, _, to in [*changes, (end_ms, 0, None)]:
        until = min(max(at_ms, start_ms), end_ms)
        if owner is not None and until > since:
            spans.append(Span(owner, since, until))
        owner, since = to, max(since, until)
        if at_ms >= end_ms:
            break
    return spans


def by_agent(spans: Mapping[str, Iterable[Span]]) -> dict[str, list[tuple[int, int]]]:
    """The spans of all sessions by agent: (start, end)."""
    found: dict[str, list[tuple[int, int]]] = {}
    for own in spans.values():
        for span in own:
            found.setdefault(span.agent_id, []).append((span.start_ms, span.end_ms))
    return found
