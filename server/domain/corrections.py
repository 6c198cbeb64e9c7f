"""Corrections: what of the log may be voided, why, and when that would do more than correct."""

from __future__ import annotations

from server.domain.conversation import ENDED, Conversation
from server.domain.events import (
    AgentFocusRecorded,
    AgentPresenceChanged,
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    AssignmentMissed,
    AssignmentOffered,
    BotHandedOff,
    ConversationStatusChanged,
    ConversationTagged,
    CorrectionVoided,
    CustomerLeft,
    CustomerReturned,
    MessageFailed,
    MessagePosted,
    OrderCancelled,
    OrderCreated,
    OrderPaid,
    OrderRefunded,
    QueueEntered,
    QueueLeft,
    RatingAsked,
    RatingGiven,
    RatingRevised,
    SlaBreached,
    SlaMet,
    SlaWarned,
    SuggestionAccepted,
    SuggestionDismissed,
    SuggestionShown,
    TurnDismissed,
)

# Names of people have no place in the log, so a reason is one of these.
REASONS = ("test", "duplicate", "misplaced", "machine", "clock", "mistake", "other")
# What figures are made of. What a conversation is made of (its opening, its sessions), people,
# privacy, hours and definitions stay as they are.
VOIDABLE = frozenset(
    data.kind
    for data in (
        AgentFocusRecorded,
        AgentPresenceChanged,
        AssignmentAccepted,
        AssignmentChanged,
        AssignmentEnded,
        AssignmentMissed,
        AssignmentOffered,
        BotHandedOff,
        ConversationStatusChanged,
        ConversationTagged,
        CorrectionVoided,
        CustomerLeft,
        CustomerReturned,
        MessageFailed,
        MessagePosted,
        OrderCancelled,
        OrderCreated,
        OrderPaid,
        OrderRefunded,
        QueueEntered,
        QueueLeft,
        RatingAsked,
        RatingGiven,
        RatingRevised,
        SlaBreached,
        SlaMet,
        SlaWarned,
        SuggestionAccepted,
        SuggestionDismissed,
        SuggestionShown,
        TurnDismissed,
    )
)


def moves_work(before: Conversation, after: Conversation) -> bool:
    """True when the conversation would be in another state, or with other people, than it is.

    A correction is for figures; what people work on is changed by working on it.
    """
    if before.status != after.status:
        return True
    work = ("team_id", "assignee_id", "queued_at_ms", "snoozed_until_ms")
    return before.status not in ENDED and any(
        getattr(before, name) != getattr(after, name) for name in work
    )
