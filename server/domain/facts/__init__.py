"""What figures need to know of a conversation: rows of turns, shares, sessions, messages, of it.

A second fold of the same log: the reducer decides what a turn is, this one notes beside it what
only figures ask for. A conversation that figures leave out (spam, a test) has no rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.conversation import passed
from server.domain.events import ConversationOpened, Event, MessageFailed
from server.domain.facts.fold import Fold
from server.domain.facts.rows import Business, RowMaker
from server.domain.facts.shapes import (
    AnswerRow,
    CaseRow,
    Facts,
    HandlingRow,
    MarkRow,
    MessageRow,
    OwnedRow,
    Row,
    SessionRow,
    ShareRow,
    TurnRow,
    VisitRow,
)
from server.domain.replay import voided
from server.domain.spans import DAY_MS

__all__ = [
    "AnswerRow",
    "Business",
    "CaseRow",
    "Facts",
    "HandlingRow",
    "MarkRow",
    "MessageRow",
    "OwnedRow",
    "Row",
    "SessionRow",
    "ShareRow",
    "TurnRow",
    "VisitRow",
    "facts_of",
]

TEST_TAG = "test"


def facts_of(
    events: Sequence[Event], *, as_of_ms: int | None = None, business: Business | None = None
) -> Facts | None:
    """The rows of a conversation from its events in the order of the log.

    Of what happened after ``as_of_ms`` nothing is known, corrections aside. None when the events do
    not begin with an opening, or that came later.
    """
    skipped = voided(events)
    if as_of_ms is not None:
        events = [event for event in events if event.at_ms <= as_of_ms]
    if not events or not isinstance(events[0].data, ConversationOpened):
        return None
    failed = frozenset(
        event.data.message_id
        for event in events
        if isinstance(event.data, MessageFailed) and event.seq not in skipped
    )
    fold = Fold(events[0], failed)
    teams = {}
    for event in events[1:]:
        teams[event.seq] = event.team_id
        if event.seq in skipped:
            fold.state = passed(fold.state, event)
        else:
            fold.take(event)
    instants = frozenset(event.at_ms for event in events)
    found = Facts(
        conversation=fold.key,
        conversation_id=fold.state.id,
        last_seq=events[-1].seq,
        last_at_ms=max(instants),
        instants=instants,
    )
    first: dict[int, int] = {}
    for at_ms in sorted(instants, reverse=True):
        first[at_ms // DAY_MS] = at_ms
    found.marks = [MarkRow(conversation=fold.key, at_ms=at_ms) for at_ms in first.values()]
    if fold.state.status == "spam" or TEST_TAG in fold.state.tags:
        return found
    RowMaker(fold, found, teams, business).write()
    return found
