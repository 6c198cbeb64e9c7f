"""Writing and reading messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal  # Any: JSON blocks
from urllib.parse import urlsplit

from pydantic import Field

from server.actions import files, routing, ticket_moves
from server.actions.access import access_conversation, access_message
from server.actions.payload import Id, Payload
from server.domain.actors import Actor
from server.domain.conversation import REOPEN_WINDOW_MS, Conversation, needs_session
from server.domain.errors import InvalidInput, NotAllowed, NotFound
from server.domain.events import (
    AssignmentAccepted,
    ConversationOpened,
    ConversationStatusChanged,
    CustomerReturned,
    Event,
    MessagePosted,
    SessionEnded,
    SessionStarted,
)
from server.domain.text import MAX_BODY_CHARS, clean
from server.domain.ticket import CHANNEL as TICKETS
from server.storage import conversations, customers, messages, tickets
from server.storage import files as stored_files
from server.storage.files import File
from server.storage.rows import Message, dumps
from server.storage.unit import Tx

PREVIEW_CHARS = 140
MAX_TITLE_CHARS = 300
MAX_URL_CHARS = 2000
MAX_BLOCKS = 10
MAX_BLOCKS_CHARS = 8000
Answer = dict[str, Any]  # Any: JSON values

BLOCK_KEYS: dict[str, frozenset[str]] = {
    "product": frozenset({"sku", "title", "price_minor", "currency", "price", "url", "image_url"}),
    "link": frozenset({"url", "title"}),
    "image": frozenset({"url", "alt"}),
}
_REQUIRED = {"product": ("title",), "link": ("url",), "image": ("url",)}


class ShopPage(Payload):
    """The shop page from which a shopper writes; a long one never costs the message."""

    url: str
    title: str | None = None


class PostMessage(Payload):
    """A message; ``client_id`` is the sender's own id for it, so that a resend changes nothing."""

    client_id: Annotated[str, Field(min_length=1, max_length=64)]
    body: str = ""
    conversation_id: Id | None = None
    visibility: Literal["public", "private"] = "public"
    origin: Literal["typed", "macro", "kb"] = "typed"
    blocks: list[dict[str, Any]] | None = None  # Any: checked by ``clean_blocks``
    # Sent before, see server/actions/files.py; a block of the type "file" says the same.
    files: list[Id] | None = None
    page: ShopPage | None = None


class MarkRead(Payload):
    """Everything up to this message has been seen."""

    conversation_id: Id
    message_id: Id


class SetDraft(Payload):
    """What an agent has begun to write; an empty body forgets it."""

    conversation_id: Id
    body: str
    visibility: Literal["public", "private"] = "public"


class ReadNotice(Payload):
    """Told to the other parties after the commit: how far somebody has read."""

    conversation_id: Id
    customer_id: Id
    reader_kind: str
    reader_id: str
    reader_name: str | None
    message_id: Id
    at_ms: int


def post_message(
    tx: Tx,
    actor: Actor,
    payload: PostMessage,
    enclosed: Sequence[File] = (),
    cards: Sequence[dict[str, Any]] = (),  # Any: JSON blocks
) -> Answer:
    """Writes a message and what follows from it; the answer names it and its place.

    ``enclosed`` are files that did not come by the actor's own hand, but with a mail, and ``cards``
    are blocks that nobody can send.

    The same ``client_id`` again gives the first answer and changes nothing. A shopper without
    ``conversation_id`` continues the latest conversation, reopens it within the reopening window,
    or opens a new one. Raises InvalidInput, NotFound.
    """
    if actor.id is None:
        raise InvalidInput("Only a person can write a message.")
    client_id = clean(payload.client_id, limit=64, name="client_id")
    if client_id != payload.client_id:
        # Two ids must not become one, and the sender must find its own again in the event.
        raise InvalidInput("client_id has unusual characters.", field="client_id")
    known = _posted(tx, actor, client_id)
    if known is not None:
        return _answer(known, actor)
    if actor.kind == "customer" and any(tx.blocked(row) for row in (actor.id, *actor.also)):
        raise NotAllowed("The shop takes no messages from you here.", reason="blocked")
    named = files.wanted_ids(payload.files, payload.blocks)
    blocks = clean_blocks([b for b in payload.blocks or () if b.get("type") != "file"])
    blocks += cards
    sent = [*(files.take(tx, actor, named) if named else ()), *enclosed]
    body = clean(payload.body, limit=MAX_BODY_CHARS, empty=bool(blocks or sent))
    if actor.kind == "customer":
        conversation = _customer_conversation(tx, actor, payload)
        visibility = "public"
    else:
        if payload.conversation_id is None:
            raise InvalidInput("conversation_id is missing.", field="conversation_id")
        conversation = access_conversation(tx, actor, payload.conversation_id)
        visibility = payload.visibility
        if visibility == "public":
            conversation = _agent_takes(tx, actor, conversation)
        messages.set_draft(
            tx,
            conversation_id=conversation.id,
            agent_id=actor.id,
            body="",
            visibility=visibility,
        )
    event = put(
        tx,
        actor,
        conversation,
        client_id=client_id,
        body=body,
        blocks=blocks,
        visibility=visibility,
        origin=payload.origin if actor.kind == "agent" else "typed",
        files=sent,
    )
    if actor.kind == "customer":
        current = tx.current(conversation)
        woken = any(isinstance(e.data, ConversationStatusChanged) for e in tx.events)
        # Who waits for nobody in particular and is in no queue came from another desk.
        if woken or current.owner.kind != "queue" or current.queued_at_ms is None:
            routing.attend(tx, current)
    message = event.data
    assert isinstance(message, MessagePosted)  # for the type checker
    return {
        "message_id": message.message_id,
        "conversation_id": conversation.id,
        "conversation_seq": event.visitor_seq if actor.kind == "customer" else event.staff_seq,
        "at_ms": event.at_ms,
    }


def put(
    tx: Tx,
    actor: Actor,
    conversation: Conversation,
    *,
    client_id: str | None,
    body: str,
    blocks: list[dict[str, Any]] | None = None,  # Any: JSON
    visibility: str = "public",
    origin: str = "typed",
    files: Sequence[File] = (),
) -> Event:
    """The event of a message that is written as it is, where and by whom it may be."""
    blocks = [*(blocks or []), *(file.block for file in files)]
    event = tx.record(
        actor,
        MessagePosted(
            message_id=tx.new_id(),
            visibility=visibility,
            origin=origin,
            chars=len(body),
            attachment=any(block["type"] in ("image", "file") for block in blocks),
        ),
        conversation=tx.current(conversation),
    )
    tx.add_message(
        event,
        client_id=client_id,
        body=body,
        blocks=blocks or None,
        preview=preview_of(body, blocks),
    )
    if files:
        stored_files.use(
            tx,
            [file.id for file in files],
            conversation_id=conversation.id,
            message_id=str(event.data.message_id),  # type: ignore[attr-defined]  # recorded above
        )
    if conversation.channel == TICKETS:
        tickets.find_by(tx, conversation.id, " ".join([body, *(file.name for file in files)]))
    return event


def mark_read(tx: Tx, actor: Actor, payload: MarkRead) -> Answer:
    """Remembers how far the actor has read and tells the others. Raises NotFound.

    Shoppers hear of it, so who has read a note has read what stands before it.
    """
    conversation = access_conversation(tx, actor, payload.conversation_id)
    seen = access_message(tx, actor, conversation, payload.message_id)
    if actor.id is None:
        raise NotFound("There is no such reader.")
    message = messages.last_public(tx, seen)
    if message is None:
        return {}
    messages.mark_read(tx, message, reader_kind=actor.kind, reader_id=actor.id)
    tx.notice(
        ReadNotice(
            conversation_id=conversation.id,
            customer_id=conversation.customer_id,
            reader_kind=actor.kind,
            reader_id=actor.id,
            reader_name=actor.name,
            message_id=message.id,
            at_ms=tx.at_ms,
        )
    )
    return {}


def set_draft(tx: Tx, actor: Actor, payload: SetDraft) -> Answer:
    """Keeps what the agent has begun to write. Raises InvalidInput, NotFound."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    body = clean(payload.body, limit=MAX_BODY_CHARS, empty=True)
    messages.set_draft(
        tx,
        conversation_id=conversation.id,
        agent_id=actor.id or "",
        body=body,
        visibility=payload.visibility,
    )
    return {"updated_at_ms": tx.at_ms}


def clean_blocks(blocks: list[dict[str, Any]] | None) -> list[dict[str, Any]]:  # Any: JSON
    """The cards of a message with known keys only. Raises InvalidInput for anything unexpected."""
    if not blocks:
        return []
    if len(blocks) > MAX_BLOCKS:
        raise InvalidInput(f"At most {MAX_BLOCKS} blocks.", field="blocks", limit=MAX_BLOCKS)
    cleaned = [_clean_block(block) for block in blocks]
    if len(dumps(cleaned)) > MAX_BLOCKS_CHARS:
        raise InvalidInput("The blocks are too large.", field="blocks", limit=MAX_BLOCKS_CHARS)
    return cleaned


def _clean_block(block: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in BLOCK_KEYS:
        raise InvalidInput("Unknown type of block.", field="blocks", known=sorted(BLOCK_KEYS))
    cleaned: dict[str, Any] = {"type": kind}  # Any: JSON
    for key in BLOCK_KEYS[kind] & block.keys():
        value = block[key]
        if value is None:
            continue
        if key == "price_minor":
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**53:
                raise InvalidInput("price_minor must be a whole number.", field="blocks")
            cleaned[key] = value
            continue
        if not isinstance(value, str):
            raise InvalidInput(f"{key} must be text.", field="blocks")
        cleaned[key] = clean(value, limit=2000, name=key, empty=True)
        if key in ("url", "image_url") and not is_web_address(cleaned[key]):
            raise InvalidInput(f"{key} must be an http or https address.", field="blocks")
    for key in _REQUIRED[kind]:
        if not cleaned.get(key):
            raise InvalidInput(f"A {kind} block needs {key}.", field="blocks")
    return cleaned


def is_web_address(url: str) -> bool:
    """True for an absolute http or https address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def preview_of(body: str, blocks: list[dict[str, Any]]) -> str:  # Any: JSON
    """The first words of a message in one line, or the title of its first card."""
    titles = (b.get("title") or b.get("alt") or b.get("name") or b.get("url") for b in blocks)
    text = body or next((str(title) for title in titles if title), "")
    return " ".join(text.split())[:PREVIEW_CHARS]


def _posted(tx: Tx, actor: Actor, client_id: str) -> Message | None:
    """What the sender has posted under this id: also before a sign-in, and again after it."""
    for row in (actor.id or "", *sorted(actor.also)):
        known = tx.posted((actor.kind, row, client_id))
        if known is not None:
            return known
    return None


def _answer(message: Message, actor: Actor) -> Answer:
    return {
        "message_id": message.id,
        "conversation_id": message.conversation_id,
        "conversation_seq": message.visitor_seq if actor.kind == "customer" else message.staff_seq,
        "at_ms": message.at_ms,
    }


def _customer_conversation(tx: Tx, actor: Actor, payload: PostMessage) -> Conversation:
    """The conversation in which a shopper's message goes, open and with a session running."""
    assert actor.id is not None  # for the type checker
    conversation = None
    if payload.conversation_id is not None:
        conversation = access_conversation(tx, actor, payload.conversation_id)
        if conversation.channel == TICKETS:
            thread = ticket_moves.shopper_writes(tx, actor, conversation)
            if thread is not None:
                start_session(tx, actor, thread)
                return tx.current(thread)
            conversation = None
    if conversation is None or not _can_continue(conversation, at_ms=tx.at_ms):
        conversation = _latest_or_new(tx, actor, actor.id, payload.page)
    if conversation.status != "open":
        tx.record(
            actor,
            ConversationStatusChanged(status="open", previous=conversation.status),
            conversation=conversation,
        )
    start_session(tx, actor, tx.current(conversation))
    conversation = tx.current(conversation)
    if not conversation.customer_present:
        tx.record(actor, CustomerReturned(), conversation=conversation)
    return tx.current(conversation)


def _latest_or_new(tx: Tx, actor: Actor, customer_id: str, page: ShopPage | None) -> Conversation:
    """The shopper's latest conversation when it can go on, else a new one."""
    found = [tx.latest_chat(row) for row in (customer_id, *sorted(actor.also))]
    talks = [talk for key in found if key is not None and (talk := tx.conversation(key))]
    going_on = [talk for talk in talks if _can_continue(talk, at_ms=tx.at_ms)]
    if going_on:
        return max(going_on, key=lambda talk: talk.last_activity_at_ms)
    # The customer's row is locked so that two first messages cannot open two conversations.
    customer = customers.load_customer(tx.connection, customer_id, lock=True)
    if customer is None:
        raise NotFound("There is no such customer.")
    latest = conversations.latest_of_customer(tx.connection, customer_id)
    conversation = tx.conversation(latest) if latest else None
    if conversation is not None and _can_continue(conversation, at_ms=tx.at_ms):
        return conversation
    title = (page.title or "")[:MAX_TITLE_CHARS] if page else ""
    title = clean(title, limit=MAX_TITLE_CHARS, name="title", empty=True)
    url = page.url if page and len(page.url) <= MAX_URL_CHARS else ""
    opened = ConversationOpened(
        locale=customer.locale,
        page_url=url if is_web_address(url) else None,
        page_title=title or None,
    )
    return tx.open_conversation(actor, opened, customer_id=customer_id)


def start_session(tx: Tx, actor: Actor, conversation: Conversation) -> None:
    """Starts a session when the conversation needs one, ending one that fell silent."""
    cause = needs_session(conversation, at_ms=tx.at_ms)
    if cause is None:
        return
    if cause == "gap":
        tx.record(actor, SessionEnded(cause="gap"), conversation=conversation)
    tx.record(actor, SessionStarted(cause=cause), conversation=tx.current(conversation))


def _can_continue(conversation: Conversation, *, at_ms: int) -> bool:
    if conversation.status in ("open", "snoozed"):
        return True
    if conversation.status != "resolved" or conversation.resolved_at_ms is None:
        return False
    return at_ms - conversation.resolved_at_ms <= REOPEN_WINDOW_MS


def _agent_takes(tx: Tx, actor: Actor, conversation: Conversation) -> Conversation:
    """A public reply opens what was resolved and makes the writer the owner where there is none.

    A ticket that was resolved stays so: who answers in it says what it is to be then.
    """
    ticket = tx.ticket(conversation.id) if conversation.channel == TICKETS else None
    if ticket is not None:
        thread = ticket_moves.agent_writes(tx, actor, ticket)
        if not thread.in_session:
            start_session(tx, actor, thread)
        return tx.current(thread)
    if conversation.status in ("resolved", "closed", "spam"):
        tx.record(
            actor,
            ConversationStatusChanged(status="open", previous=conversation.status),
            conversation=conversation,
        )
        start_session(tx, actor, tx.current(conversation))
    current = tx.current(conversation)
    if current.owner.kind != "agent":
        routing.leave_queue(tx, current)
        tx.record(
            actor,
            AssignmentAccepted(to=actor.id, reason="reply"),
            conversation=tx.current(conversation),
        )
    return tx.current(conversation)
