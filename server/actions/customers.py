"""What staff keep about a customer, who may not write to the shop, and chats that staff begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions import conversations as conversation_actions
from server.actions import messages as message_actions
from server.actions import reach
from server.actions.access import access_customer
from server.actions.payload import ConversationRef, Id, Payload
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import Conflict, InvalidInput
from server.domain.events import (
    ConversationOpened,
    CustomerBlocked,
    CustomerNoted,
    CustomerPreferred,
    CustomerTagged,
    CustomerUnblocked,
)
from server.domain.periods import zone
from server.domain.permissions import require
from server.domain.quiet import minute_of_day
from server.domain.text import MAX_BODY_CHARS, clean
from server.storage import directory, notes, people, persons
from server.storage.customers import Customer, load_customer
from server.storage.notes import Preference
from server.storage.unit import Tx

MAX_NOTE_CHARS = 8000
MAX_TAGS = 50
MAX_TAG_CHARS = 40
MAX_REASON_CHARS = 200
PERMISSION = "customer.write"
Answer = dict[str, Any]  # Any: JSON values
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Words = Annotated[list[str], Field(max_length=MAX_TAGS)]


class WriteNote(Payload):
    """The note on a customer; ``version`` is that of the text it was made from, 0 for none."""

    customer_id: Id
    body: Annotated[str, Field(max_length=MAX_NOTE_CHARS)]
    version: Annotated[int, Field(ge=0, le=2**53)]


class TagCustomer(Payload):
    """Tags to put on and to take off."""

    customer_id: Id
    add: Words = Field(default_factory=list)
    remove: Words = Field(default_factory=list)


class QuietHours(Payload):
    """From one time of day to another, over midnight when the second is earlier.

    In the customer's time zone; without one in the shop's.
    """

    from_: Annotated[Clock, Field(alias="from")]
    to: Clock
    timezone: Annotated[str, Field(max_length=64)] | None = None


class Prefer(Payload):
    """How a customer wants to be reached; what is left out stays, null takes it away."""

    customer_id: Id
    channel: Literal["chat", "email", "phone", "sms", "none"] | None = None
    quiet_hours: QuietHours | None = None


class BlockCustomer(Payload):
    """Refuse a customer's messages from now on, or take them again.

    ``spam`` also ends as spam what the customer has open.
    """

    customer_id: Id
    blocked: bool
    reason: Annotated[str, Field(max_length=MAX_REASON_CHARS)] | None = None
    spam: bool = False


class StartConversation(Payload):
    """A chat that the agent begins; ``anyway`` also within the customer's quiet hours."""

    customer_id: Id
    client_id: Annotated[str, Field(min_length=1, max_length=64)]
    body: Annotated[str, Field(max_length=MAX_BODY_CHARS)] = ""
    blocks: list[dict[str, Any]] | None = None  # Any: checked by ``clean_blocks``
    origin: Literal["typed", "macro", "kb"] = "typed"
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as staff see them: the row at the top, locked, and all rows, that one first."""

    top: Customer
    rows: tuple[str, ...]


def access_person(tx: Tx, actor: Actor, customer_id: str) -> Person:
    """The person behind any of its rows, locked. Raises NotAllowed, NotFound when hidden, too."""
    require(actor, PERMISSION)
    top = access_customer(tx, actor, persons.person_of(tx.connection, customer_id))
    return Person(top, persons.members(tx.connection, top.id))


def write_note(tx: Tx, actor: Actor, payload: WriteNote) -> Answer:
    """Saves the note. Raises Conflict with both texts when somebody else has saved meanwhile."""
    person = access_person(tx, actor, payload.customer_id)
    body = clean(payload.body, limit=MAX_NOTE_CHARS, empty=True)
    found = notes.notes_of(tx.connection, person.rows)
    current = found[0] if found else None
    if payload.version != (current.version if current else 0):
        if (current.body if current else "") == body:
            return {"customer_id": payload.customer_id}
        raise Conflict(
            "Somebody else has changed this note. Compare both texts and save again.",
            reason="note_changed",
            note=current and note_view(current, people.names(tx.connection)),
            yours=body,
        )
    if body != (current.body if current else ""):
        row = current.customer_id if current else person.top.id
        notes.save_note(tx, row, body, after=current, by_id=actor.id)
        tx.record(actor, CustomerNoted(chars=len(body)), customer_id=row)
    return {"customer_id": payload.customer_id}


def note_view(note: notes.Note, names: dict[str, str]) -> Answer:
    """A note as clients show it; ``by`` is the name of who saved it last."""
    return {
        "body": note.body,
        "version": note.version,
        "at_ms": note.at_ms,
        "by": names.get(note.by_id or ""),
    }


def tag(tx: Tx, actor: Actor, payload: TagCustomer) -> Answer:
    """Puts tags on and takes them off; what is in both is off. Raises InvalidInput for too many."""
    person = access_person(tx, actor, payload.customer_id)
    add = [clean(word, limit=MAX_TAG_CHARS, name="tag") for word in payload.add]
    remove = [clean(word, limit=MAX_TAG_CHARS, name="tag") for word in payload.remove]
    known = notes.tags_of(tx.connection, person.rows)
    new = [w for w in dict.fromkeys(add) if w not in known and w not in remove]
    old = [w for w in dict.fromkeys(remove) if w in known]
    if len(known) + len(new) - len(old) > MAX_TAGS:
        raise InvalidInput(f"At most {MAX_TAGS} tags.", field="add", limit=MAX_TAGS)
    if old:
        notes.remove_tags(tx, person.rows, old)
    if new:
        notes.add_tags(tx, person.top.id, new)
    if new or old:
        data = CustomerTagged(added=len(new), removed=len(old))
        tx.record(actor, data, customer_id=person.top.id)
    return {"customer_id": payload.customer_id}


def prefer(tx: Tx, actor: Actor, payload: Prefer) -> Answer:
    """Keeps how the customer wants to be reached. Raises InvalidInput for an unknown time zone."""
    person = access_person(tx, actor, payload.customer_id)
    known = notes.preference_of(tx.connection, person.rows) or Preference(None, None, None, None)
    made = known
    if "channel" in payload.model_fields_set:
        made = Preference(payload.channel, made.quiet_from, made.quiet_to, made.timezone)
    if "quiet_hours" in payload.model_fields_set:
        made = _with_hours(made.channel, payload.quiet_hours)
    said = (
        *(("channel",) if made.channel != known.channel else ()),
        *(("quiet_hours",) if _hours(made) != _hours(known) else ()),
    )
    if said:
        notes.save_preference(tx, person.top.id, made, by_id=actor.id)
        tx.record(actor, CustomerPreferred(fields=said), customer_id=person.top.id)
    return {"customer_id": payload.customer_id}


def _with_hours(channel: str | None, hours: QuietHours | None) -> Preference:
    if hours is None:
        return Preference(channel, None, None, None)
    if hours.timezone is not None:
        zone(hours.timezone)
    start, end = minute_of_day(hours.from_), minute_of_day(hours.to)
    if start == end:
        raise InvalidInput("Quiet hours begin and end at different times.", field="quiet_hours")
    return Preference(channel, start, end, hours.timezone)


def _hours(preference: Preference) -> tuple[int | None, int | None, str | None]:
    return preference.quiet_from, preference.quiet_to, preference.timezone


def set_block(tx: Tx, actor: Actor, payload: BlockCustomer) -> Answer:
    """Refuses the customer's messages or takes them again; logged. Idempotent."""
    person = access_person(tx, actor, payload.customer_id)
    known = notes.blocked_among(tx.connection, person.rows)
    if payload.blocked:
        reason = clean(payload.reason or "", limit=MAX_REASON_CHARS, name="reason", empty=True)
        fresh = [row for row in person.rows if row not in known]
        if fresh:
            notes.block(tx, fresh, reason=reason or None, by_id=actor.id)
        if not known:
            tx.record(actor, CustomerBlocked(), customer_id=person.top.id)
        if payload.spam:
            for conversation_id in directory.open_conversations(tx.connection, actor, person.rows):
                conversation_actions.mark_spam(
                    tx, actor, ConversationRef(conversation_id=conversation_id)
                )
    elif known:
        notes.unblock(tx, sorted(known))
        tx.record(actor, CustomerUnblocked(), customer_id=person.top.id)
    return {"customer_id": payload.customer_id}


def start_conversation(tx: Tx, actor: Actor, payload: StartConversation) -> Answer:
    """Begins a chat with a known customer and says the first words; it shows in their widget.

    A session and its wait begin with the customer's first message, so figures leave the chat out
    until then. The same ``client_id`` again gives the same answer. Raises Conflict: the customer is
    blocked, has an open chat (``conversation_id`` when the agent may see it), or wants quiet now.
    """
    if actor.id is None:
        raise InvalidInput("Only a person can write a message.")
    client_id = clean(payload.client_id, limit=64, name="client_id")
    said = tx.posted((actor.kind, actor.id, client_id))
    if said is not None:
        return {"conversation_id": said.conversation_id}
    person = access_person(tx, actor, payload.customer_id)
    if notes.blocked_among(tx.connection, person.rows):
        raise Conflict("This customer is blocked. Unblock first.", reason="blocked")
    open_ones = directory.open_conversations(tx.connection, SYSTEM, person.rows)
    if open_ones:
        seen = directory.open_conversations(tx.connection, actor, person.rows)
        raise Conflict(
            "This customer has an open chat. Go on there.",
            reason="open_chat",
            conversation_id=seen[0] if seen else None,
        )
    quiet = reach.quiet_end_ms(tx.connection, person.rows, at_ms=tx.at_ms) is not None
    if quiet and not payload.anyway:
        raise Conflict("It is quiet time for this customer.", reason="quiet_hours")
    row = load_customer(tx.connection, directory.reachable_row(tx.connection, person.rows))
    assert row is not None  # one of the person's rows
    opened = ConversationOpened(initiator="agent", locale=row.locale)
    conversation = tx.open_conversation(actor, opened, customer_id=row.id)
    message_actions.post_message(
        tx,
        actor,
        message_actions.PostMessage(
            client_id=client_id,
            body=payload.body,
            conversation_id=conversation.id,
            blocks=payload.blocks,
            origin=payload.origin,
        ),
    )
    return {"conversation_id": conversation.id}
