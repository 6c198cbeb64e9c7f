"""The only way to a guarded object: it is there and the actor may see it, or it is not found."""

from __future__ import annotations

from server.domain.actors import Actor
from server.domain.conversation import Conversation
from server.domain.errors import NotFound
from server.storage.connection import Connection
from server.storage.conversations import sees_customer
from server.storage.customers import Customer, load_customer
from server.storage.persons import members, person_of
from server.storage.rows import Message, load_conversation
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
