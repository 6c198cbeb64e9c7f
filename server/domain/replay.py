"""Replaying a conversation: everything derived from its events, from nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from server.domain.conversation import Conversation, Session, apply, opened
from server.domain.events import ConversationOpened, Event
from server.domain.turns import Turn


@dataclass(frozen=True, slots=True)
class Replayed:
    """The fold of a conversation's events: its state, and its turns and sessions by number."""

    conversation: Conversation
    turns: dict[int, Turn] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)


def replay(events: Iterable[Event]) -> Replayed | None:
    """The fold of events in the order of the log; None when they do not begin with an opening."""
    turns: dict[int, Turn] = {}
    sessions: dict[int, Session] = {}
    conversation: Conversation | None = None
    for event in events:
        if conversation is None:
            if not isinstance(event.data, ConversationOpened):
                return None
            conversation = opened(event)
            continue
        applied = apply(conversation, event)
        conversation = applied.conversation
        turns |= {turn.turn_no: turn for turn in applied.turns}
        sessions |= {session.session_no: session for session in applied.sessions}
    return None if conversation is None else Replayed(conversation, turns, sessions)
