"""Replaying a conversation: everything derived from its events, from nothing.

What a correction has voided is passed over: it keeps its place in both sequences and does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from server.domain.conversation import Conversation, Session, apply, opened, passed
from server.domain.events import ConversationOpened, CorrectionVoided, Event
from server.domain.turns import Turn


@dataclass(frozen=True, slots=True)
class Replayed:
    """The fold of a conversation's events: its state, and its turns and sessions by number."""

    conversation: Conversation
    turns: dict[int, Turn] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)


def voided(events: Iterable[Event]) -> frozenset[int]:
    """The numbers of what the corrections among events, in the order of the log, have voided.

    A correction that was itself voided voids nothing.
    """
    corrections = [
        (event.seq, event.data.target_seq)
        for event in events
        if isinstance(event.data, CorrectionVoided)
    ]
    found: set[int] = set()
    for seq, target in reversed(corrections):
        # A target is always before its correction, so the latest say what holds of the earlier.
        if seq not in found and target < seq:
            found.add(target)
    return frozenset(found)


def replay(events: Iterable[Event]) -> Replayed | None:
    """The fold of events in the order of the log; None when they do not begin with an opening."""
    events = list(events)
    skipped = voided(events)
    turns: dict[int, Turn] = {}
    sessions: dict[int, Session] = {}
    conversation: Conversation | None = None
    for event in events:
        if conversation is None:
            if not isinstance(event.data, ConversationOpened):
                return None
            conversation = opened(event)
            continue
        if event.seq in skipped:
            conversation = passed(conversation, event)
            continue
        applied = apply(conversation, event)
        conversation = applied.conversation
        turns |= {turn.turn_no: turn for turn in applied.turns}
        sessions |= {session.session_no: session for session in applied.sessions}
    return None if conversation is None else Replayed(conversation, turns, sessions)
