"""The only way to a guarded object: it is there and the actor may see it, or it is not found."""

from __future__ import annotations

from server.domain.actors import Actor
from server.domain.conversation import Conversation
from server.domain.errors import NotFound
from server.domain.ticket import CHANNEL
from server.storage import tickets
from server.storage.connection import Connection
from server.storage.conversations import sees_customer
from server.storage.customers import Customer, load_customer
from server.storage.persons import members, person_of
from server.storage.rows import Message, load_conversation
from server.storage.ticket_rows import load_ticket
from server.storage.unit import Tx
from server.storage.views import sees

MISSING = "There is no such conversation."


def may_see(actor: Actor, conversation: Conversation) -> bool:
    """True for the shopper whose conversation it is, and for staff by team and role."""
    if actor.kind == "customer":
        return actor.is_shopper(conversation.customer_id)
    if actor.kind == "agent":
        return sees(actor, conversation.team_id, conversation.assignee_id)
    return actor.kind == "system"


def may_read(connection: Connection, actor: Actor, conversation: Conversation) -> bool:
    """As ``may_see``, and of a ticket's thread True for whom the page of a ticket shows it.

    That is who has an open task of it, or sees the ticket that it was joined to.
    """
    if may_see(actor, conversation):
        return True
    if actor.kind != "agent" or conversation.channel != CHANNEL:
        return False
    return _sees_ticket(connection, actor, conversation.id)


def may_read_message(
    connection: Connection, actor: Actor, conversation: Conversation, message: Message
) -> bool:
    """As ``may_read``, and True for who sees the ticket to which the message went by a split."""
    return may_read(connection, actor, conversation) or any(
        part.first_seq <= message.seq <= part.last_seq
        for part in _parts_seen(connection, actor, conversation)
    )


def may_read_mail(
    connection: Connection, actor: Actor, conversation: Conversation, mail_id: str
) -> bool:
    """As ``may_read_message``, for the message that a mail became in the conversation."""
    if may_read(connection, actor, conversation):
        return True
    moved = (
        message
        for part in _parts_seen(connection, actor, conversation)
        for message in tickets.messages_between(
            connection, part.thread_id, part.first_seq, part.last_seq
        )
    )
    return any(
        (block.get("type"), block.get("id")) == ("mail", mail_id)
        for message in moved
        for block in message.blocks or ()
    )


def _parts_seen(
    connection: Connection, actor: Actor, conversation: Conversation
) -> list[tickets.Part]:
    """The messages of a ticket's thread that stand in other tickets which the agent sees."""
    if actor.kind != "agent" or conversation.channel != CHANNEL:
        return []
    parts = tickets.parts_from(connection, conversation.id)
    return [one for one in parts if _sees_ticket(connection, actor, one.ticket_id)]


def _sees_ticket(connection: Connection, actor: Actor, ticket_id: str) -> bool:
    """True for who sees a ticket or one that it was joined to, directly or through others."""
    asked: set[str] = set()
    further: str | None = ticket_id
    while further is not None and further not in asked:
        asked.add(further)
        ticket = load_ticket(connection, further)
        if ticket is None:
            return False
        if tickets.sees(connection, actor, ticket):
            return True
        further = ticket.merged_into
    return False


def access_conversation(tx: Tx, actor: Actor, conversation_id: str) -> Conversation:
    """The conversation, locked for this transaction. Raises NotFound, also when it is hidden."""
    conversation = tx.conversation(conversation_id)
    if conversation is None or not may_see(actor, conversation):
        raise NotFound(MISSING)
    return conversation


def read_conversation(connection: Connection, actor: Actor, conversation_id: str) -> Conversation:
    """The conversation, for reading. Raises NotFound, also when it is hidden."""
    conversation = load_conversation(connection, conversation_id)
    if conversation is None or not may_see(actor, conversation):
        raise NotFound(MISSING)
    return conversation


def access_message(tx: Tx, actor: Actor, conversation: Conversation, message_id: str) -> Message:
    """A message of the conversation that the actor may read. Raises NotFound."""
    message = tx.message(message_id)
    hidden = actor.kind == "customer" and message is not None and message.visibility != "public"
    if message is None or hidden or message.conversation_id != conversation.id:
        raise NotFound("There is no such message.")
    return message


def access_customer(tx: Tx, actor: Actor, customer_id: str) -> Customer:
    """The customer, locked for this transaction. Raises NotFound, also when it is hidden.

    Shoppers have themselves; agents have everybody but who has only talked with other teams.
    """
    customer = load_customer(tx.connection, customer_id, lock=True)
    if customer is None or not _may_see_customer(tx, actor, customer):
        raise NotFound("There is no such customer.")
    return customer


def _may_see_customer(tx: Tx, actor: Actor, customer: Customer) -> bool:
    if actor.kind == "customer":
        return actor.id == customer.id
    if actor.leads:
        return True
    rows = members(tx.connection, person_of(tx.connection, customer.id))
    return sees_customer(tx.connection, actor, rows)
