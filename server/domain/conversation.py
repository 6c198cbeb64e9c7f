"""The conversation and its reducer: the state after an event, the turns and sessions it touched.

The same ``apply`` runs in the transaction that writes the event and when the log is replayed, so a
derived row is right exactly when it equals the fold of the log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any  # Any: each step takes the data of its own kind

from server.domain import turns
from server.domain.actors import ActorKind
from server.domain.changing import changed
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    BotHandedOff,
    ConversationOpened,
    ConversationStatusChanged,
    ConversationTagged,
    CustomerLeft,
    CustomerReturned,
    Event,
    EventData,
    MessageFailed,
    MessagePosted,
    QueueEntered,
    QueueLeft,
    RatingAsked,
    RatingGiven,
    RatingRevised,
    SessionEnded,
    SessionStarted,
    TicketCreated,
    TicketMoved,
    TurnDismissed,
)
from server.domain.spans import DAY_MS
from server.domain.turns import Owner, Turn

ENDED = frozenset({"resolved", "closed", "spam"})
SESSION_GAP_MS = DAY_MS
REOPEN_WINDOW_MS = 7 * DAY_MS


@dataclass(frozen=True)
class Session:
    """One visit's talk inside a conversation; times in ms UTC, None while it has not happened."""

    conversation_id: str
    session_no: int
    cause: str
    started_at_ms: int
    ended_at_ms: int | None = None
    resolved_by: str | None = None
    rating_asked_at_ms: int | None = None
    rating: int | None = None
    rated_at_ms: int | None = None
    replies: int = 0
    first_turn_no: int | None = None


@dataclass(frozen=True, slots=True)
class LastMessage:
    """Which message came last and whose it was."""

    id: str
    author_kind: ActorKind
    author_id: str | None
    visibility: str
    at_ms: int


@dataclass(frozen=True)
class Conversation:
    """What decisions about a conversation depend on; stored whole beside its columns.

    ``staff_seq`` and ``visitor_seq`` are the heads of its two sequences, ``last_seq`` the log row
    it stands at. ``turn`` is the open turn, ``last_turn`` the one that ended last.
    ``given_away_by`` are the agents who passed it on; while it waits, routing does not return it.
    ``left`` is the wait of a shopper who left, as it goes on in case they come back.
    """

    id: str
    customer_id: str
    opened_at_ms: int
    channel: str = "chat"
    initiator: str = "customer"
    locale: str | None = None
    page_url: str | None = None
    page_title: str | None = None
    status: str = "open"
    team_id: str | None = None
    assignee_id: str | None = None
    queued_at_ms: int | None = None
    snoozed_until_ms: int | None = None
    resolved_at_ms: int | None = None
    reopened: bool = False
    staff_seq: int = 0
    visitor_seq: int = 0
    last_seq: int = 0
    last_activity_at_ms: int = 0
    customer_present: bool = True
    owner: Owner = field(default_factory=lambda: Owner("bot", None, 0))
    session: Session | None = None
    turn_no: int = 0
    turn: Turn | None = None
    last_turn: Turn | None = None
    left: Turn | None = None
    given_away_by: tuple[str, ...] = ()
    unanswered: int = 0
    messages: int = 0
    last_message: LastMessage | None = None
    tags: tuple[str, ...] = ()

    @property
    def session_no(self) -> int:
        """Number of the latest session, 0 before the first."""
        return self.session.session_no if self.session else 0

    @property
    def waiting_since_ms(self) -> int | None:
        """When the shopper's wait began, None when nobody waits."""
        return self.turn.ask_at_ms if self.turn else None

    @property
    def in_session(self) -> bool:
        """True while a session is running."""
        return self.session is not None and self.session.ended_at_ms is None


@dataclass(frozen=True, slots=True)
class Applied:
    """A conversation after an event, with the turns and sessions that are new or changed."""

    conversation: Conversation
    turns: tuple[Turn, ...] = ()
    sessions: tuple[Session, ...] = ()


def needs_session(conversation: Conversation, *, at_ms: int) -> str | None:
    """Why a customer message at ``at_ms`` starts a session, None when one goes on."""
    if conversation.session is None:
        return "new"
    if not conversation.in_session:
        return "reopen"
    # A ticket is answered in days: its session lasts until it is resolved.
    if conversation.channel != "ticket" and (
        at_ms - conversation.last_activity_at_ms > SESSION_GAP_MS
    ):
        return "gap"
    return None


def opened(event: Event) -> Conversation:
    """The conversation that a ``conversation.opened`` event begins."""
    data = event.data
    if not isinstance(data, ConversationOpened):
        raise TypeError(f"{event.kind} does not open a conversation")
    if event.conversation_id is None or event.customer_id is None:
        raise TypeError("conversation.opened needs a conversation and a customer")
    return Conversation(
        id=event.conversation_id,
        customer_id=event.customer_id,
        opened_at_ms=event.at_ms,
        channel=data.channel,
        initiator=data.initiator,
        locale=data.locale,
        page_url=data.page_url,
        page_title=data.page_title,
        staff_seq=event.staff_seq or 0,
        visitor_seq=event.visitor_seq or 0,
        last_seq=event.seq,
        last_activity_at_ms=event.at_ms,
        customer_present=not event.imported,
        owner=Owner("bot", None, event.at_ms),
    )


def apply(conversation: Conversation, event: Event) -> Applied:
    """The conversation after ``event``; pure, total over all kinds, constant time."""
    moved = passed(conversation, event)
    step = _STEPS.get(type(event.data))
    return Applied(moved) if step is None else step(moved, event, event.data)


def passed(conversation: Conversation, event: Event) -> Conversation:
    """The conversation past ``event`` as if it had done nothing: only the sequences move."""
    return changed(
        conversation,
        staff_seq=event.staff_seq or conversation.staff_seq,
        visitor_seq=event.visitor_seq or conversation.visitor_seq,
        last_seq=event.seq,
    )


def is_counted_reply(event: Event, data: MessagePosted) -> bool:
    """True for what ends a wait: public, by a person, typed or from a macro or an article."""
    return (
        event.actor_kind == "agent"
        and data.visibility == "public"
        and data.origin in turns.COUNTED_ORIGINS
    )


def _posted(conversation: Conversation, event: Event, data: MessagePosted) -> Applied:
    at_ms = event.at_ms
    conversation = changed(
        conversation,
        messages=conversation.messages + 1,
        last_message=LastMessage(
            data.message_id, event.actor_kind, event.actor_id, data.visibility, at_ms
        ),
    )
    if data.visibility == "public":
        conversation = changed(conversation, last_activity_at_ms=at_ms)
    if event.actor_kind == "customer" and data.visibility == "public":
        return _asked(conversation, event, data)
    if event.actor_kind == "bot" and data.origin == "bot" and conversation.turn is not None:
        if conversation.turn.bot_reply_at_ms is not None:
            return Applied(conversation)
        turn = changed(conversation.turn, bot_reply_at_ms=at_ms)
        return Applied(changed(conversation, turn=turn), turns=(turn,))
    if is_counted_reply(event, data):
        return _replied(conversation, event, data)
    return Applied(conversation)


def _asked(conversation: Conversation, event: Event, data: MessagePosted) -> Applied:
    conversation = changed(
        conversation,
        unanswered=conversation.unanswered + 1,
        customer_present=not event.imported,
        left=None,
    )
    if conversation.turn is not None:
        return Applied(conversation)
    session = conversation.session
    first = session is not None and session.first_turn_no is None
    turn = Turn(
        conversation_id=conversation.id,
        turn_no=conversation.turn_no + 1,
        session_no=conversation.session_no,
        is_first_in_session=first,
        ask_seq=event.seq,
        ask_at_ms=event.at_ms,
        ask_message_id=data.message_id,
        owner_id=conversation.owner.id if conversation.owner.kind == "agent" else None,
    )
    conversation = changed(conversation, turn=turn, turn_no=turn.turn_no)
    if not first:
        return Applied(conversation, turns=(turn,))
    result = _session_changed(conversation, first_turn_no=turn.turn_no)
    return Applied(result.conversation, turns=(turn,), sessions=result.sessions)


def _replied(conversation: Conversation, event: Event, data: MessagePosted) -> Applied:
    conversation = changed(conversation, unanswered=0)
    turn, left = conversation.turn, conversation.left
    waiting = turn or (left if left is not None and left.outcome == "waiting" else None)
    if waiting is None:
        return Applied(conversation)
    answered = turns.end(
        waiting,
        conversation.owner,
        outcome="answered",
        seq=event.seq,
        at_ms=event.at_ms,
        reply_message_id=data.message_id,
        answered_by=event.actor_id,
    )
    if turn is None:
        # The shopper is away: the wait counts as given up until they come back and see the reply.
        return Applied(changed(conversation, left=answered))
    return _with_replies(changed(conversation, turn=None, last_turn=answered), answered, 1)


def _with_replies(conversation: Conversation, turn: Turn, change: int) -> Applied:
    """The changed turn, its session counting ``change`` more replies."""
    session = conversation.session
    if session is None or session.session_no != turn.session_no:
        return Applied(conversation, turns=(turn,))
    result = _session_changed(conversation, replies=max(0, session.replies + change))
    return Applied(result.conversation, turns=(turn,), sessions=result.sessions)


def _failed(conversation: Conversation, event: Event, data: MessageFailed) -> Applied:
    """The wait goes on as if the message had not been; in what has ended nobody answered it."""
    last, left = conversation.last_turn, conversation.left
    if left is not None and left.reply_message_id == data.message_id:
        return Applied(changed(conversation, left=turns.reopen(left)))
    if conversation.turn is not None or last is None or last.reply_message_id != data.message_id:
        return Applied(conversation)
    turn = turns.reopen(last)
    if conversation.status not in ENDED or conversation.resolved_at_ms is None:
        unanswered = max(1, conversation.unanswered)
        reopened = changed(conversation, turn=turn, last_turn=None, unanswered=unanswered)
        return _with_replies(reopened, turn, -1)
    owner = Owner("agent", turn.owner_id, turn.ask_at_ms) if turn.owner_id else conversation.owner
    turn = turns.end(
        turn,
        owner,
        outcome="dismissed" if conversation.status == "spam" else "closed_unanswered",
        seq=event.seq,
        at_ms=conversation.resolved_at_ms,
    )
    return _with_replies(changed(conversation, last_turn=turn), turn, -1)


def _returned(conversation: Conversation, _: Event, __: CustomerReturned) -> Applied:
    """A shopper who is back still has the question, unless a reply came meanwhile."""
    left = conversation.left
    conversation = changed(conversation, customer_present=True, left=None)
    if left is None:
        return Applied(conversation)
    if left.outcome == "waiting":
        return Applied(changed(conversation, turn=left, last_turn=None), turns=(left,))
    return _with_replies(changed(conversation, last_turn=left), left, 1)


def _ended(conversation: Conversation, event: Event, *, outcome: turns.Outcome) -> Applied:
    if conversation.turn is None:
        return Applied(conversation)
    turn = turns.end(
        conversation.turn,
        conversation.owner,
        outcome=outcome,
        seq=event.seq,
        at_ms=event.at_ms,
    )
    unanswered = conversation.unanswered if outcome == "abandoned" else 0
    return Applied(
        changed(conversation, turn=None, last_turn=turn, unanswered=unanswered), turns=(turn,)
    )


def _owned(conversation: Conversation, owner: Owner) -> Applied:
    """The conversation owned by ``owner`` from now; an open wait is cut here."""
    turn, left = conversation.turn, conversation.left
    if left is not None and left.outcome == "waiting":
        left = turns.hand_over(left, conversation.owner, owner)
    if turn is None:
        return Applied(changed(conversation, owner=owner, left=left))
    turn = turns.hand_over(turn, conversation.owner, owner)
    return Applied(changed(conversation, owner=owner, turn=turn, left=left), turns=(turn,))


def _assigned(
    conversation: Conversation, event: Event, data: AssignmentAccepted | AssignmentChanged
) -> Applied:
    agent_id = data.to or event.actor_id
    conversation = changed(conversation, assignee_id=agent_id, queued_at_ms=None, given_away_by=())
    return _owned(conversation, Owner("agent", agent_id, event.at_ms))


def _unassigned(conversation: Conversation, event: Event, data: AssignmentEnded) -> Applied:
    agents = {data.from_, event.actor_id} - {None} if data.reason == "transfer" else set()
    conversation = changed(
        conversation, assignee_id=None, given_away_by=tuple(sorted(map(str, agents)))
    )
    return _owned(conversation, Owner("queue", conversation.team_id, event.at_ms))


def _status(conversation: Conversation, event: Event, data: ConversationStatusChanged) -> Applied:
    conversation = changed(
        conversation,
        status=data.status,
        snoozed_until_ms=data.until_ms if data.status == "snoozed" else None,
        reopened=conversation.reopened or (data.status == "open" and conversation.status in ENDED),
    )
    if data.status in ("open", "snoozed"):
        return Applied(changed(conversation, resolved_at_ms=None))
    outcome: turns.Outcome = "dismissed" if data.status == "spam" else "closed_unanswered"
    ended = _ended(conversation, event, outcome=outcome)
    conversation = changed(
        ended.conversation,
        resolved_at_ms=event.at_ms,
        queued_at_ms=None,
        unanswered=0,
        left=None,
        given_away_by=(),
        owner=Owner("bot", None, event.at_ms),
    )
    if not conversation.in_session:
        return Applied(conversation, turns=ended.turns)
    result = _session_changed(
        conversation,
        ended_at_ms=event.at_ms,
        resolved_by=event.actor_id if event.actor_kind == "agent" else None,
    )
    return Applied(result.conversation, turns=ended.turns, sessions=result.sessions)


def _session_started(conversation: Conversation, event: Event, data: SessionStarted) -> Applied:
    current = conversation.session
    ended: tuple[Session, ...] = ()
    if current is not None and current.ended_at_ms is None:
        # Told twice in one instant, as by a log that names a session after its first message.
        if current.started_at_ms == event.at_ms:
            return Applied(conversation)
        ended = (changed(current, ended_at_ms=event.at_ms),)
    session = Session(
        conversation_id=conversation.id,
        session_no=conversation.session_no + 1,
        cause=data.cause,
        started_at_ms=event.at_ms,
    )
    return Applied(changed(conversation, session=session), sessions=(*ended, session))


def _session_ended(conversation: Conversation, event: Event, _: SessionEnded) -> Applied:
    if not conversation.in_session:
        return Applied(conversation)
    return _session_changed(conversation, ended_at_ms=event.at_ms)


def _queued(conversation: Conversation, event: Event, data: QueueEntered) -> Applied:
    conversation = changed(
        conversation,
        # A queue of another desk is part of the wait that is measured, and nobody's work here.
        queued_at_ms=None if event.imported else event.at_ms,
        team_id=data.team_id if data.team_id is not None else conversation.team_id,
        assignee_id=None,
    )
    return _owned(conversation, Owner("queue", conversation.team_id, event.at_ms))


def _ticket_begun(conversation: Conversation, event: Event, _: TicketCreated) -> Applied:
    return _owned(conversation, Owner("queue", conversation.team_id, event.at_ms))


def _ticket_moved(conversation: Conversation, event: Event, data: TicketMoved) -> Applied:
    """Who owns it keeps it; what nobody owns waits with the other team from now."""
    conversation = changed(conversation, team_id=data.team_id)
    if conversation.owner.kind == "agent":
        return Applied(conversation)
    return _owned(conversation, Owner("queue", data.team_id, event.at_ms))


def _unqueued(conversation: Conversation, _: Event, __: QueueLeft) -> Applied:
    return Applied(changed(conversation, queued_at_ms=None))


def _handed_off(conversation: Conversation, event: Event, _: BotHandedOff) -> Applied:
    return _owned(conversation, Owner("queue", conversation.team_id, event.at_ms))


def _tagged(conversation: Conversation, _: Event, data: ConversationTagged) -> Applied:
    kept = [tag for tag in conversation.tags if tag not in data.remove]
    added = [tag for tag in data.add if tag not in kept]
    return Applied(changed(conversation, tags=(*kept, *added)))


def _dismissed(conversation: Conversation, event: Event, _: TurnDismissed) -> Applied:
    return _ended(conversation, event, outcome="dismissed")


def _left(conversation: Conversation, event: Event, _: CustomerLeft) -> Applied:
    away = changed(
        conversation, customer_present=False, left=conversation.turn or conversation.left
    )
    return _ended(away, event, outcome="abandoned")


def _rating_asked(conversation: Conversation, event: Event, _: RatingAsked) -> Applied:
    return _session_changed(conversation, rating_asked_at_ms=event.at_ms)


def _rated(conversation: Conversation, event: Event, data: RatingGiven | RatingRevised) -> Applied:
    return _session_changed(conversation, rating=data.score, rated_at_ms=event.at_ms)


def _session_changed(conversation: Conversation, **changes: int | str | None) -> Applied:
    if conversation.session is None:
        return Applied(conversation)
    session = changed(conversation.session, **changes)  # type: ignore[arg-type]  # field by field
    return Applied(changed(conversation, session=session), sessions=(session,))


# What each kind of event does; kinds that are not here change nothing but the sequence.
_STEPS: dict[type[EventData], Callable[[Conversation, Event, Any], Applied]] = {  # Any: own data
    MessagePosted: _posted,
    MessageFailed: _failed,
    SessionStarted: _session_started,
    SessionEnded: _session_ended,
    QueueEntered: _queued,
    QueueLeft: _unqueued,
    BotHandedOff: _handed_off,
    AssignmentAccepted: _assigned,
    AssignmentChanged: _assigned,
    AssignmentEnded: _unassigned,
    ConversationStatusChanged: _status,
    ConversationTagged: _tagged,
    TurnDismissed: _dismissed,
    CustomerLeft: _left,
    CustomerReturned: _returned,
    RatingAsked: _rating_asked,
    RatingGiven: _rated,
    RatingRevised: _rated,
    TicketCreated: _ticket_begun,
    TicketMoved: _ticket_moved,
}
