"""The kinds of event in the append-only log: one frozen dataclass each, registered in EVENT_KINDS.

An event's data never carries message text or other personal data: texts live in their own rows, so
that a text can be erased while the skeleton of what happened stays and the figures do not move.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar  # Any: JSON from the database and the wire

from server.domain.actors import ActorKind
from server.domain.errors import InvalidInput

VISIBILITIES = ("public", "private")
ORIGINS = ("typed", "macro", "kb", "bot", "auto", "campaign", "system")
STATUSES = ("open", "snoozed", "resolved", "closed", "spam")
PRESENCE_STATUSES = ("online", "busy", "away", "offline")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventData:
    """Base of all event data; ``kind`` is the name in log, wire and docs."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationOpened(EventData):
    """A conversation begins; ``initiator`` is customer, agent or campaign."""

    kind: ClassVar[str] = "conversation.opened"
    channel: str = "chat"
    initiator: str = "customer"
    locale: str | None = None
    page_url: str | None = None
    page_title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(EventData):
    """A session (one visit's talk) begins: cause new, gap (24 h of silence) or reopen."""

    kind: ClassVar[str] = "session.started"
    cause: str = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(EventData):
    """The running session ends: cause resolved, gap or closed."""

    kind: ClassVar[str] = "session.ended"
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePosted(EventData):
    """A message was written. The text is in the message row; ``chars`` is its length."""

    kind: ClassVar[str] = "message.posted"
    message_id: str
    visibility: str = "public"
    origin: str = "typed"
    chars: int = 0
    attachment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFailed(EventData):
    """A message could not be delivered; the turn it had answered is open again."""

    kind: ClassVar[str] = "message.failed"
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited(EventData):
    """The text of a message was changed; moves no clock."""

    kind: ClassVar[str] = "message.edited"
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRedacted(EventData):
    """The text of a message was taken away; moves no clock."""

    kind: ClassVar[str] = "message.redacted"
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntered(EventData):
    """The conversation waits for an agent; ``ahead`` counts those waiting before it."""

    kind: ClassVar[str] = "queue.entered"
    team_id: str | None = None
    ahead: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeft(EventData):
    """The wait for an agent ended: reason assigned, abandoned, overflow or closed."""

    kind: ClassVar[str] = "queue.left"
    reason: str = "assigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class BotHandedOff(EventData):
    """A bot gave the conversation to people."""

    kind: ClassVar[str] = "bot.handed_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentOffered(EventData):
    """The conversation was offered to an agent."""

    kind: ClassVar[str] = "assignment.offered"
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentAccepted(EventData):
    """An agent owns the conversation now: reason auto, pull, claim or reply.

    ``why`` keeps the facts of an automatic choice so that it can be told in words in any language:
    load, capacity, candidates, served_before_at_ms, speaks.
    """

    kind: ClassVar[str] = "assignment.accepted"
    to: str | None = None
    reason: str = "claim"
    why: dict[str, Any] | None = None  # Any: facts of the choice as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentMissed(EventData):
    """An offer was not taken in time."""

    kind: ClassVar[str] = "assignment.missed"
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentChanged(EventData):
    """The conversation passed from one agent to another."""

    kind: ClassVar[str] = "assignment.changed"
    from_: str | None = None
    to: str | None = None
    reason: str = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentEnded(EventData):
    """Nobody owns it now: reason transfer, grace, offline, shift_end or import."""

    kind: ClassVar[str] = "assignment.ended"
    from_: str | None = None
    reason: str = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationStatusChanged(EventData):
    """The conversation is open, snoozed, resolved, closed or spam now."""

    kind: ClassVar[str] = "conversation.status_changed"
    status: str
    previous: str | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationTagged(EventData):
    """Tags were put on or taken off."""

    kind: ClassVar[str] = "conversation.tagged"
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDismissed(EventData):
    """The open turn needs no answer: reason courtesy, spam or duplicate."""

    kind: ClassVar[str] = "turn.dismissed"
    reason: str = "courtesy"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLeft(EventData):
    """The shopper's widget has been away for more than a minute."""

    kind: ClassVar[str] = "customer.left"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReturned(EventData):
    """A shopper who had left is back."""

    kind: ClassVar[str] = "customer.returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerIdentified(EventData):
    """A shopper became known.

    Method signed (the shop proved it), order (its number and postcode did), code (one that was
    mailed to the address) or claimed (said so).
    """

    kind: ClassVar[str] = "customer.identified"
    method: str = "claimed"
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMerged(EventData):
    """Two customers are one person for staff: how auto, proof or staff; ``link_id`` undoes it."""

    kind: ClassVar[str] = "customer.merged"
    link_id: str
    how: str = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUnmerged(EventData):
    """A link between two customers was undone."""

    kind: ClassVar[str] = "customer.unmerged"
    link_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRevealed(EventData):
    """Somebody looked at a masked contact of a customer: an e-mail address or a number."""

    kind: ClassVar[str] = "contact.revealed"
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerNoted(EventData):
    """Staff wrote the note on a customer anew; ``chars`` is its length, 0 when it was removed."""

    kind: ClassVar[str] = "customer.noted"
    chars: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTagged(EventData):
    """So many tags were put on a customer and taken off; the words are with the customer."""

    kind: ClassVar[str] = "customer.tagged"
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPreferred(EventData):
    """How a customer wants to be reached was set: which of channel and quiet_hours."""

    kind: ClassVar[str] = "customer.preferred"
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerBlocked(EventData):
    """Messages of a customer are refused from now on; the reason is kept with the customer."""

    kind: ClassVar[str] = "customer.blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUnblocked(EventData):
    """Messages of a customer are taken again."""

    kind: ClassVar[str] = "customer.unblocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerErased(EventData):
    """A customer was erased: their id in this log leads to nobody from here on."""

    kind: ClassVar[str] = "customer.erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersExported(EventData):
    """Somebody took a list of customers away; ``masked`` when addresses were covered."""

    kind: ClassVar[str] = "customers.exported"
    rows: int = 0
    masked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionVoided(EventData):
    """An event of the log counts no more, from here on; a void of a void lets it count again."""

    kind: ClassVar[str] = "correction.voided"
    target_seq: int
    reason: str = ""
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChanged(EventData):
    """Other business hours hold: of a team, or without ``team_id`` of everybody else."""

    kind: ClassVar[str] = "calendar.changed"
    version: int
    effective_from: int
    team_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionActivated(EventData):
    """Another version of something that figures rest on holds, such as the targets."""

    kind: ClassVar[str] = "definition.activated"
    definition: str
    version: int
    effective_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaApplied(EventData):
    """A policy's targets hold for the conversation: its name in a version of the list."""

    kind: ClassVar[str] = "sla.applied"
    policy: str
    version: int
    effective_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaMet(EventData):
    """A target was met in time; ``number`` counts the clocks of a target in a conversation."""

    kind: ClassVar[str] = "sla.met"
    target: str
    number: int = 1
    due_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaWarned(EventData):
    """Most of the time of a target has passed."""

    kind: ClassVar[str] = "sla.warned"
    target: str
    number: int = 1
    due_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaBreached(EventData):
    """The time of a target has passed, once for each clock; ``owner_id`` owned it then."""

    kind: ClassVar[str] = "sla.breached"
    target: str
    number: int = 1
    due_at_ms: int | None = None
    owner_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPresenceChanged(EventData):
    """An agent is online, busy, away or offline, with room for ``capacity`` conversations."""

    kind: ClassVar[str] = "agent.presence_changed"
    status: str
    capacity: int = 8
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFocusRecorded(EventData):
    """An agent had the conversation in the foreground, with input, for ``focused_ms`` just now."""

    kind: ClassVar[str] = "agent.focus_recorded"
    focused_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingAsked(EventData):
    """The shopper was asked to rate the session."""

    kind: ClassVar[str] = "rating.asked"
    session_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingGiven(EventData):
    """The shopper rated the session, 1 to 5; a comment is kept apart."""

    kind: ClassVar[str] = "rating.given"
    score: int
    session_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRevised(EventData):
    """The shopper changed the rating of the session."""

    kind: ClassVar[str] = "rating.revised"
    score: int
    session_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionShown(EventData):
    """Articles were offered for what the customer wrote; ``articles`` are ids, best first."""

    kind: ClassVar[str] = "suggestion.shown"
    suggestion_id: str
    message_id: str | None = None
    articles: tuple[str, ...] = ()
    band: str = "suggest"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionAccepted(EventData):
    """An offered article was used for an answer; ``rank`` counts from 1."""

    kind: ClassVar[str] = "suggestion.accepted"
    suggestion_id: str
    article: str
    rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionDismissed(EventData):
    """None of the offered articles fitted, or the named one did not."""

    kind: ClassVar[str] = "suggestion.dismissed"
    suggestion_id: str
    article: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated(EventData):
    """The shopper placed an order; money in the smallest unit of its currency."""

    kind: ClassVar[str] = "order.created"
    order_id: str
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPaid(EventData):
    """An order was paid, at ``paid_at_ms`` by the shop's clock; ``skus`` are what was ordered.

    Each SKU once, as the lines of the order were when this was told.
    """

    kind: ClassVar[str] = "order.paid"
    order_id: str
    amount_minor: int | None = None
    currency: str | None = None
    paid_at_ms: int | None = None
    skus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefunded(EventData):
    """Money of an order was given back."""

    kind: ClassVar[str] = "order.refunded"
    order_id: str
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(EventData):
    """An order was called off."""

    kind: ClassVar[str] = "order.cancelled"
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCreated(EventData):
    """A ticket begins; its thread is this conversation. ``source`` says where it came from."""

    kind: ClassVar[str] = "ticket.created"
    number: str
    type: str = "other"
    priority: str = "normal"
    priority_source: str = "default"
    source: str = "agent"
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStateChanged(EventData):
    """A ticket is in another state; ``from_`` is absent for its first.

    ``status`` is the shop's own name of the state, ``reason`` why it ended without an answer, and
    ``until_ms`` when it comes back by itself.
    """

    kind: ClassVar[str] = "ticket.state_changed"
    to: str
    from_: str | None = None
    ticket_id: str | None = None
    status: str | None = None
    reason: str | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPriorityChanged(EventData):
    """A ticket is more or less urgent; ``source`` is manual, rule, segment or escalation."""

    kind: ClassVar[str] = "ticket.priority_changed"
    to: str
    from_: str | None = None
    source: str = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketChanged(EventData):
    """What a ticket says was changed: names of fields; ``type`` is the new type if that was."""

    kind: ClassVar[str] = "ticket.changed"
    fields: tuple[str, ...] = ()
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMoved(EventData):
    """A ticket is another team's now, or no team's."""

    kind: ClassVar[str] = "ticket.moved"
    team_id: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLinked(EventData):
    """A ticket points to something: link is conversation, order, line, product or ticket."""

    kind: ClassVar[str] = "ticket.linked"
    link: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketUnlinked(EventData):
    """A ticket points to something no longer."""

    kind: ClassVar[str] = "ticket.unlinked"
    link: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMerged(EventData):
    """The ticket was joined to another, which goes on for both; or was separated again."""

    kind: ClassVar[str] = "ticket.merged"
    into: str
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTookIn(EventData):
    """The ticket goes on for another as well, which may still wait for an answer."""

    kind: ClassVar[str] = "ticket.took_in"
    ticket_id: str
    unanswered: bool = False
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSplit(EventData):
    """Some messages of the ticket became a ticket of their own."""

    kind: ClassVar[str] = "ticket.split"
    into: str
    messages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTaskChanged(EventData):
    """A piece of work for another desk is open, done or cancelled."""

    kind: ClassVar[str] = "ticket.task_changed"
    task_id: str
    state: str = "open"
    team_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketWatched(EventData):
    """Somebody wants to hear of the ticket, or no longer."""

    kind: ClassVar[str] = "ticket.watched"
    agent_id: str
    watching: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketClosing(EventData):
    """A step of automatic closing: reminded, held (by somebody) or let_go (on again)."""

    kind: ClassVar[str] = "ticket.closing"
    step: str = "reminded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewGiven(EventData):
    """A supervisor judged how a chat was handled; marks and words are elsewhere.

    It stands outside the conversation, whose staff have no business with it. ``score`` is in
    ten-thousandths; ``second`` when somebody else had judged the same chat before.
    """

    kind: ClassVar[str] = "review.given"
    review_id: str
    agent_id: str
    conversation_id: str
    score: int
    session_no: int = 1
    started_at_ms: int = 0
    team_id: str | None = None
    channel: str = "chat"
    stratum: str = "random"
    card: int = 1
    passed: bool = False
    critical: bool = False
    second: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRevised(EventData):
    """The reviewer judges otherwise now, after an objection or on second thoughts."""

    kind: ClassVar[str] = "review.revised"
    review_id: str
    agent_id: str
    score: int
    passed: bool = False
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswered(EventData):
    """The reviewed agent has seen the review: ``acknowledged`` or ``objected``."""

    kind: ClassVar[str] = "review.answered"
    review_id: str
    agent_id: str
    answer: str = "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleApplied(EventData):
    """A rule acted by itself: its name then, and what it did and why in English and Chinese.

    The words are made of the shop's own rule, never of what somebody wrote, and name nobody.
    """

    kind: ClassVar[str] = "rule.applied"
    rule_id: str
    version: int
    run_id: str
    rule: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectSpiked(EventData):
    """A product had more defects in seven days than its own past explains.

    ``expected_milli`` is how many chance would have brought, in thousandths; ``orders`` those of
    the four weeks before, ``batch`` the one that most of the defects are of.
    """

    kind: ClassVar[str] = "defect.spiked"
    sku: str
    batch: str | None = None
    defects: int = 0
    expected_milli: int = 0
    orders: int = 0


EVENT_KINDS: dict[str, type[EventData]] = {
    data.kind: data
    for data in (
        ConversationOpened,
        SessionStarted,
        SessionEnded,
        MessagePosted,
        MessageFailed,
        MessageEdited,
        MessageRedacted,
        QueueEntered,
        QueueLeft,
        BotHandedOff,
        AssignmentOffered,
        AssignmentAccepted,
        AssignmentMissed,
        AssignmentChanged,
        AssignmentEnded,
        ConversationStatusChanged,
        ConversationTagged,
        TurnDismissed,
        CustomerLeft,
        CustomerReturned,
        CustomerIdentified,
        CustomerMerged,
        CustomerUnmerged,
        ContactRevealed,
        CustomerNoted,
        CustomerTagged,
        CustomerPreferred,
        CustomerBlocked,
        CustomerUnblocked,
        CustomerErased,
        CustomersExported,
        CorrectionVoided,
        CalendarChanged,
        DefinitionActivated,
        SlaApplied,
        SlaMet,
        SlaWarned,
        SlaBreached,
        AgentPresenceChanged,
        AgentFocusRecorded,
        RatingAsked,
        RatingGiven,
        RatingRevised,
        SuggestionShown,
        SuggestionAccepted,
        SuggestionDismissed,
        OrderCreated,
        OrderPaid,
        OrderRefunded,
        OrderCancelled,
        TicketCreated,
        TicketStateChanged,
        TicketPriorityChanged,
        TicketChanged,
        TicketMoved,
        TicketLinked,
        TicketUnlinked,
        TicketMerged,
        TicketTookIn,
        TicketSplit,
        TicketTaskChanged,
        TicketWatched,
        TicketClosing,
        ReviewGiven,
        ReviewRevised,
        ReviewAnswered,
        RuleApplied,
        DefectSpiked,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of the log. ``seq`` is the only order; ``at_ms`` is the server's clock.

    ``staff_seq`` and ``visitor_seq`` count what each audience of the conversation may see, without
    gaps, from 1; ``visitor_seq`` is None for what the shopper may not see. Both are None for events
    outside a conversation.
    """

    seq: int
    event_id: str
    at_ms: int
    data: EventData
    actor_kind: ActorKind
    actor_id: str | None
    conversation_id: str | None = None
    customer_id: str | None = None
    session_no: int | None = None
    channel: str | None = None
    team_id: str | None = None
    staff_seq: int | None = None
    visitor_seq: int | None = None
    imported: bool = False

    @property
    def kind(self) -> str:
        """The name of the event in log, wire and docs."""
        return self.data.kind


# Pairs (attribute, JSON key) of each kind of data; a trailing underscore is for Python only.
_NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    kind: tuple((f.name, f.name.rstrip("_")) for f in fields(data_type))
    for kind, data_type in EVENT_KINDS.items()
}


def to_json(data: EventData) -> dict[str, Any]:  # Any: JSON values
    """The data as a JSON object; absent values are left out."""
    pairs = ((key, getattr(data, name)) for name, key in _NAMES[data.kind])
    return {key: value for key, value in pairs if value is not None}


def from_json(kind: str, values: dict[str, Any]) -> EventData:  # Any: JSON values
    """The data of one event of the log. Raises InvalidInput for an unknown kind or missing keys."""
    data_type = EVENT_KINDS.get(kind)
    if data_type is None:
        raise InvalidInput(f"Unknown event kind {kind!r}.", kind=kind)
    known = {
        name: tuple(values[key]) if isinstance(values[key], list) else values[key]
        for name, key in _NAMES[kind]
        if key in values
    }
    try:
        return data_type(**known)
    except TypeError as error:
        raise InvalidInput(f"Data of {kind} is incomplete.", kind=kind) from error


def seen_by_shopper(data: EventData) -> bool:
    """True when the shopper of the conversation may know of the event; private notes never."""
    if isinstance(data, MessagePosted):
        return data.visibility == "public"
    if isinstance(data, ConversationStatusChanged):
        # Who is taken for a spammer is not told so, or would know to come back otherwise.
        return data.status != "spam"
    if isinstance(data, TicketStateChanged):
        return data.to != "spam"
    return isinstance(
        data,
        ConversationOpened
        | QueueEntered
        | AssignmentAccepted
        | AssignmentChanged
        | RatingAsked
        | RatingGiven
        | RatingRevised
        | TicketCreated,
    )
