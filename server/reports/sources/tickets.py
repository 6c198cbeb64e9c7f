"""Tickets and the targets of conversations, as rows of metrics, from nothing but the log.

So they hold for another desk's history as well, which has events and no tickets.
"""

from __future__ import annotations

from typing import Any  # Any: column values

from sqlalchemy import Connection

from server.reports.frames import Frame
from server.reports.scope import TICKET_CHANNEL, Scope
from server.reports.sources.visits import (
    NEVER_MS,
    Logged,
    Visits,
    framed,
    is_reply,
    is_spam,
    load_events,
    load_events_of,
)

_STATE = "ticket.state_changed"
_GONE = frozenset({"merged", "spam"})
_OWNERS = ("assignment.accepted", "assignment.changed", "assignment.ended", "queue.entered")


def load_tickets(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The tickets that were made in the period of a scope, with their first public reply.

    A conversation is a ticket from its first ticket.created, or ticket.state_changed to new, on.
    Those that were merged into others or were spam are left out.
    """
    made: dict[str, Logged] = {}
    kinds = ("ticket.created", _STATE)
    for event in load_events(connection, scope, kinds, from_ms=scope.from_ms, to_ms=scope.to_ms):
        first = event.kind != _STATE or event.data.get("to") == "new"
        if first and event.conversation_id is not None:
            made.setdefault(event.conversation_id, event)
    history = load_events_of(connection, scope, (*kinds, "message.posted"), made)
    earlier = {
        event.conversation_id
        for event in history
        if event.kind in kinds and event.seq < made[event.conversation_id or ""].seq
    }
    states: dict[str | None, str] = {}
    replies: dict[str | None, Logged] = {}
    for event in history:
        if event.kind == _STATE:
            states[event.conversation_id] = event.data["to"]
        elif is_reply(event) and event.at_ms >= made[event.conversation_id or ""].at_ms:
            replies.setdefault(event.conversation_id, event)
    spam = is_spam(connection, scope, made)
    rows = []
    for key, event in made.items():
        if key in earlier or key in spam or states.get(key) in _GONE:
            continue
        reply = replies.get(key)
        rows.append(
            _row(event, scope, None if reply is None else reply.actor_id)
            | {
                "replied": reply is not None,
                "reply_ms": NEVER_MS if reply is None else reply.at_ms - event.at_ms,
                "waiting": reply is None,
            }
        )
    return framed(
        sessions,
        scope,
        rows,
        texts=("conversation_id",),
        numbers=("session_no", "replied", "reply_ms", "waiting"),
    )


def load_targets(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The targets that were met or missed in the period of a scope, each once.

    A target that was missed stays missed, though what it asked for was done later.
    """
    events = load_events(
        connection, scope, ("sla.met", "sla.breached"), from_ms=scope.from_ms, to_ms=scope.to_ms
    )
    ids = {event.conversation_id or "" for event in events}
    around = load_events_of(connection, scope, ("sla.applied", "sla.breached", *_OWNERS), ids)
    missed = {_clock(event) for event in around if event.kind == "sla.breached"}
    told: dict[tuple[str | None, str, int], Logged] = {}
    for event in events:
        if event.kind == "sla.breached" or _clock(event) not in missed:
            told.setdefault(_clock(event), event)
    versions = _before(around, told.values(), ("sla.applied",))
    owners = _before(around, told.values(), _OWNERS)
    spam = is_spam(connection, scope, ids)
    rows = [
        _row(event, scope, _owner(event, owners.get(event.seq)))
        | {
            "target": event.data.get("target", ""),
            "policy": _policy(versions.get(event.seq)),
            "met": event.kind == "sla.met",
            "waiting": False,
        }
        for event in sorted(told.values(), key=lambda event: (event.at_ms, event.seq))
        if event.conversation_id not in spam
    ]
    return framed(
        sessions,
        scope,
        rows,
        texts=("conversation_id", "target", "policy"),
        numbers=("session_no", "met", "waiting"),
    )


def _row(event: Logged, scope: Scope, agent_id: str | None) -> dict[str, Any]:  # Any: values
    # Threads of tickets are left out of what is said of chats; here they are what is measured.
    hidden = event.channel == TICKET_CHANNEL and scope.channel is None
    return {
        "conversation_id": event.conversation_id,
        "session_no": event.session_no or 0,
        "at_ms": event.at_ms,
        "agent_id": agent_id,
        "team_id": event.team_id,
        "channel": None if hidden else event.channel,
        "labels": "",
    }


def _clock(event: Logged) -> tuple[str | None, str, int]:
    return event.conversation_id, event.data.get("target", ""), int(event.data.get("number", 1))


def _before(
    around: list[Logged],
    told: Any,
    kinds: tuple[str, ...],  # Any: events
) -> dict[int, Logged]:
    """For each event told, by its number, the last one of some kinds before it."""
    by_conversation: dict[str | None, list[Logged]] = {}
    for event in around:
        if event.kind in kinds:
            by_conversation.setdefault(event.conversation_id, []).append(event)
    found: dict[int, Logged] = {}
    for event in told:
        for one in by_conversation.get(event.conversation_id, ()):
            if one.seq < event.seq:
                found[event.seq] = one
    return found


def _owner(event: Logged, last: Logged | None) -> str | None:
    """Who owned the conversation when a target was met or missed."""
    if event.data.get("owner_id") is not None:
        return str(event.data["owner_id"])
    if event.actor_kind == "agent":
        return event.actor_id
    if last is None or last.kind in ("assignment.ended", "queue.entered"):
        return None
    return last.data.get("to") or last.actor_id


def _policy(applied: Logged | None) -> str | None:
    """The policy and version that held when the target was applied."""
    if applied is None:
        return None
    return f"{applied.data.get('policy', '')} v{applied.data.get('version', '')}"
