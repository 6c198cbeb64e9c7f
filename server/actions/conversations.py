"""What agents and shoppers do with a conversation as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions import messages as message_actions
from server.actions import routing
from server.actions.access import access_conversation
from server.actions.payload import ConversationRef, Id, Payload
from server.domain.actors import SYSTEM, Actor
from server.domain.conversation import Conversation
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.events import (
    AgentFocusRecorded,
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    ConversationStatusChanged,
    ConversationTagged,
    CustomerLeft,
    CustomerReturned,
    RatingAsked,
    SessionEnded,
    TurnDismissed,
)
from server.domain.spans import DAY_MS
from server.domain.text import clean
from server.domain.ticket import CHANNEL
from server.storage import claims, people
from server.storage.unit import Tx

MAX_TAGS = 20
# How many snoozes end in one transaction.
AT_ONCE = 20
MAX_SNOOZE_MS = 366 * DAY_MS
Answer = dict[str, Any]  # Any: JSON values


class Transfer(Payload):
    """To an agent or to a team, with an optional note for the colleague."""

    conversation_id: Id
    agent_id: Id | None = None
    team_id: Id | None = None
    note: str | None = None


class Snooze(Payload):
    """Out of sight until an instant, ms UTC, or until the shopper writes."""

    conversation_id: Id
    until_ms: int


class Tag(Payload):
    """Tags to put on and to take off."""

    conversation_id: Id
    add: Annotated[list[str], Field(max_length=MAX_TAGS, default_factory=list)]
    remove: Annotated[list[str], Field(max_length=MAX_TAGS, default_factory=list)]


class Dismiss(Payload):
    """The open wait needs no answer."""

    conversation_id: Id
    reason: Literal["courtesy", "spam", "duplicate"] = "courtesy"


class Focus(Payload):
    """For how long the agent just had the conversation in the foreground, with input."""

    conversation_id: Id
    focused_ms: Annotated[int, Field(ge=1, le=60_000)]


def _answer(conversation: Conversation) -> Answer:
    return {"conversation_id": conversation.id}


def _access_chat(tx: Tx, actor: Actor, conversation_id: str) -> Conversation:
    """A conversation that is no ticket's thread: that follows what becomes of its ticket.

    Raises Conflict, NotFound.
    """
    conversation = access_conversation(tx, actor, conversation_id)
    if conversation.channel == CHANNEL and tx.ticket(conversation_id) is not None:
        raise Conflict("This is a ticket. Change its state there.", ticket_id=conversation_id)
    return conversation


def claim(tx: Tx, actor: Actor, payload: ConversationRef) -> Answer:
    """Makes the agent the owner. Raises Conflict when a colleague has it; leaders may take it."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    if conversation.status not in ("open", "snoozed"):
        raise Conflict("The conversation is not open. Reopen it first.", status=conversation.status)
    owner = conversation.assignee_id if conversation.owner.kind == "agent" else None
    if owner == actor.id:
        return _answer(conversation)
    if owner is not None:
        if not actor.leads:
            raise Conflict("A colleague has this conversation.", assignee_id=owner)
        tx.record(
            actor,
            AssignmentChanged(from_=owner, to=actor.id, reason="claim"),
            conversation=conversation,
        )
        routing.freed(tx, owner)
        return _answer(conversation)
    _take_on(tx, actor, conversation)
    return _answer(conversation)


def _take_on(tx: Tx, actor: Actor, conversation: Conversation) -> None:
    """Makes the agent the owner of what is nobody's."""
    routing.leave_queue(tx, conversation)
    tx.record(
        actor,
        AssignmentAccepted(to=actor.id, reason="claim"),
        conversation=tx.current(conversation),
    )


def transfer(tx: Tx, actor: Actor, payload: Transfer) -> Answer:
    """Passes it to an agent or a team's queue. Raises NotFound, InvalidInput, Conflict."""
    conversation = _access_chat(tx, actor, payload.conversation_id)
    if (payload.agent_id is None) == (payload.team_id is None):
        raise InvalidInput("Name either an agent or a team.", field="agent_id")
    if conversation.status not in ("open", "snoozed"):
        raise Conflict("The conversation is not open. Reopen it first.", status=conversation.status)
    if payload.note:
        _note(tx, actor, conversation, payload.note)
    owner = conversation.assignee_id if conversation.owner.kind == "agent" else None
    if payload.agent_id is not None:
        target = people.load_person(tx.connection, payload.agent_id)
        if target is None or not target.active:
            raise NotFound("There is no such agent.")
        if owner == target.id:
            raise Conflict("The agent has this conversation already.", assignee_id=owner)
        routing.leave_queue(tx, conversation)
        data = (
            AssignmentChanged(from_=owner, to=target.id, reason="transfer")
            if owner
            else AssignmentAccepted(to=target.id, reason="transfer")
        )
        tx.record(actor, data, conversation=tx.current(conversation))
        routing.freed(tx, owner)
        return _answer(conversation)
    teams = {team.id for team in people.load_teams(tx.connection)}
    if payload.team_id not in teams:
        raise NotFound("There is no such team.")
    if owner is not None:
        tx.record(
            actor,
            AssignmentEnded(from_=owner, reason="transfer"),
            conversation=tx.current(conversation),
        )
    else:
        routing.leave_queue(tx, conversation, reason="overflow")
    routing.enter_queue(tx, conversation, team_id=payload.team_id)
    routing.place(tx, tx.current(conversation))
    routing.freed(tx, owner)
    return _answer(conversation)


def resolve(tx: Tx, actor: Actor, payload: ConversationRef) -> Answer:
    """Ends the conversation; asks the shopper to rate it when a person answered. Idempotent.

    What is spam has ended already and stays spam; only ``reopen`` takes that back.
    """
    conversation = _access_chat(tx, actor, payload.conversation_id)
    if conversation.status not in ("open", "snoozed"):
        return _answer(conversation)
    _end(tx, actor, conversation, status="resolved")
    return _answer(conversation)


def mark_spam(tx: Tx, actor: Actor, payload: ConversationRef) -> Answer:
    """Ends the conversation as spam; it leaves the figures."""
    conversation = _access_chat(tx, actor, payload.conversation_id)
    if conversation.status != "spam":
        _end(tx, actor, conversation, status="spam")
    return _answer(conversation)


def reopen(tx: Tx, actor: Actor, payload: ConversationRef) -> Answer:
    """Opens a conversation again; one without an owner goes to the agent who asks. Idempotent."""
    conversation = _access_chat(tx, actor, payload.conversation_id)
    if conversation.status == "open":
        return _answer(conversation)
    tx.record(
        actor,
        ConversationStatusChanged(status="open", previous=conversation.status),
        conversation=conversation,
    )
    if conversation.status != "snoozed":
        message_actions.start_session(tx, actor, tx.current(conversation))
    if tx.current(conversation).owner.kind != "agent":
        _take_on(tx, actor, conversation)
    return _answer(conversation)


def snooze(tx: Tx, actor: Actor, payload: Snooze) -> Answer:
    """Puts an open conversation aside until ``until_ms``. Raises InvalidInput, Conflict."""
    conversation = _access_chat(tx, actor, payload.conversation_id)
    if not tx.at_ms < payload.until_ms <= tx.at_ms + MAX_SNOOZE_MS:
        raise InvalidInput("Choose a time between now and a year from now.", field="until_ms")
    if conversation.status not in ("open", "snoozed"):
        raise Conflict("The conversation is not open. Reopen it first.", status=conversation.status)
    tx.record(
        actor,
        ConversationStatusChanged(
            status="snoozed", previous=conversation.status, until_ms=payload.until_ms
        ),
        conversation=conversation,
    )
    routing.freed(tx, conversation.assignee_id)
    return _answer(conversation)


def wake(tx: Tx, actor: Actor, payload: ConversationRef) -> Answer:
    """Brings a snoozed conversation back whose time has come; nothing when it has not."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    due = conversation.snoozed_until_ms
    if conversation.status == "snoozed" and due is not None and due <= tx.at_ms:
        tx.record(
            SYSTEM,
            ConversationStatusChanged(status="open", previous="snoozed"),
            conversation=conversation,
        )
        routing.attend(tx, conversation)
    return _answer(conversation)


def wake_due(tx: Tx) -> int:
    """Brings back conversations whose snooze is over; how many, ``AT_ONCE`` when there may be more.

    Several processes may ask at once: each takes conversations that no other has.
    """
    due = claims.take_due_snoozes(tx.connection, at_ms=tx.at_ms, limit=AT_ONCE)
    for conversation_id in due:
        wake(tx, SYSTEM, ConversationRef(conversation_id=conversation_id))
    return len(due)


def tag(tx: Tx, actor: Actor, payload: Tag) -> Answer:
    """Puts tags on and takes them off; what is in both is off. Raises InvalidInput for too many."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    add = [clean(word, limit=40, name="tag") for word in payload.add]
    remove = [clean(word, limit=40, name="tag") for word in payload.remove]
    if len({*conversation.tags, *add} - {*remove}) > MAX_TAGS:
        raise InvalidInput(f"At most {MAX_TAGS} tags.", field="add", limit=MAX_TAGS)
    new = tuple(w for w in dict.fromkeys(add) if w not in conversation.tags and w not in remove)
    old = tuple(word for word in dict.fromkeys(remove) if word in conversation.tags)
    if new or old:
        tx.record(actor, ConversationTagged(add=new, remove=old), conversation=conversation)
    return _answer(conversation)


def dismiss_turn(tx: Tx, actor: Actor, payload: Dismiss) -> Answer:
    """Ends the open wait without an answer. Raises Conflict when nobody waits."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    if conversation.turn is None:
        raise Conflict("Nobody waits for an answer here.")
    tx.record(actor, TurnDismissed(reason=payload.reason), conversation=conversation)
    return _answer(conversation)


def record_focus(tx: Tx, actor: Actor, payload: Focus) -> Answer:
    """Logs handle time."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    tx.record(actor, AgentFocusRecorded(focused_ms=payload.focused_ms), conversation=conversation)
    return {}


def customer_left(tx: Tx, actor: Actor, payload: ConversationRef) -> Answer:
    """Logs that the shopper's widget has been away for more than a minute. Idempotent."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    if conversation.customer_present and conversation.status == "open":
        tx.record(SYSTEM, CustomerLeft(), conversation=conversation)
    return _answer(conversation)


def customer_returned(tx: Tx, actor: Actor, payload: ConversationRef) -> Answer:
    """Logs that a shopper who had left is back. Idempotent."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    if not conversation.customer_present:
        tx.record(SYSTEM, CustomerReturned(), conversation=conversation)
        routing.attend(tx, conversation)
    return _answer(conversation)


def _note(tx: Tx, actor: Actor, conversation: Conversation, note: str) -> None:
    payload = message_actions.PostMessage(
        client_id=tx.new_id(),
        body=note,
        conversation_id=conversation.id,
        visibility="private",
    )
    message_actions.post_message(tx, actor, payload)


def _end(tx: Tx, actor: Actor, conversation: Conversation, *, status: str) -> None:
    owner = conversation.assignee_id if conversation.owner.kind == "agent" else None
    session = conversation.session
    routing.leave_queue(tx, conversation, reason="closed")
    running = tx.current(conversation).in_session
    tx.record(
        actor,
        ConversationStatusChanged(status=status, previous=conversation.status),
        conversation=tx.current(conversation),
    )
    if running:
        tx.record(actor, SessionEnded(cause=status), conversation=tx.current(conversation))
    answered = session is not None and running and session.replies > 0
    asked = session is not None and session.rating_asked_at_ms is not None
    if status == "resolved" and answered and not asked and conversation.channel == "chat":
        tx.record(
            SYSTEM,
            RatingAsked(session_no=conversation.session_no),
            conversation=tx.current(conversation),
        )
    routing.freed(tx, owner)
