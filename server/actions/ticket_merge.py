"""Joining tickets and taking that back, and making one of some messages. Nothing is moved.

A merge points from one ticket to another; its messages are shown there, in their own thread all the
same. So taking it back restores every row, and what was written since stays where it was written.
"""

from __future__ import annotations

from typing import Annotated, Any  # Any: JSON values

from pydantic import Field

from server.actions import ticket_moves
from server.actions.payload import Id, Payload
from server.actions.ticket_moves import access_ticket, connect, thread_of
from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.events import TicketMerged, TicketSplit, TicketStateChanged, TicketTookIn
from server.domain.permissions import require
from server.domain.text import clean
from server.domain.ticket import FINAL, may_become
from server.domain.ticket_number import read_number
from server.storage import tickets
from server.storage.persons import person_of
from server.storage.ticket_types import load_types
from server.storage.tickets import TicketWords
from server.storage.unit import Tx

Answer = dict[str, Any]  # Any: JSON values


class MergeTicket(Payload):
    """The ticket that ends, and the one that goes on for both."""

    ticket_id: Id
    into: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class UnmergeTicket(Payload):
    """A ticket that was joined to another and is to go on by itself again."""

    ticket_id: Id


class SplitTicket(Payload):
    """The message with which the new ticket begins: it and what follows it go there."""

    ticket_id: Id
    message_id: Id
    subject: Annotated[str, Field(max_length=200)]
    type: Annotated[str, Field(max_length=40)] | None = None


def merge(tx: Tx, actor: Actor, payload: MergeTicket) -> Answer:
    """Joins a ticket to another of the same person. Raises Conflict, InvalidInput, NotFound."""
    require(actor, "ticket.write")
    source = access_ticket(tx, actor, payload.ticket_id)
    target = access_ticket(tx, actor, named(tx, payload.into))
    if source.id == target.id:
        raise InvalidInput("A ticket cannot be joined to itself.", field="into")
    if not may_become(source, "merged", ticket_moves.who_of(actor)):
        raise Conflict("This ticket cannot be joined to another any more.", state=source.state)
    if target.state in FINAL:
        raise Conflict("That ticket is over. Choose one that goes on.", state=target.state)
    people = {person_of(tx.connection, one.customer_id) for one in (source, target)}
    if len(people) > 1:
        # Else one of the two would read what was written to the other.
        raise Conflict("These are two people's tickets. Link them instead.", reason="two_people")
    waits = source.waiting_since_ms is not None or bool(source.owed)
    tx.record(actor, TicketMerged(into=target.id), conversation=thread_of(tx, source))
    tx.record(
        actor,
        TicketStateChanged(ticket_id=source.id, from_=source.state, to="merged"),
        conversation=thread_of(tx, source),
    )
    tx.record(
        actor,
        TicketTookIn(ticket_id=source.id, unanswered=waits),
        conversation=thread_of(tx, target),
    )
    if waits and target.state in ("pending_customer", "resolved"):
        ticket_moves.wake(tx, actor, target)
    return {"ticket_id": target.id}


def unmerge(tx: Tx, actor: Actor, payload: UnmergeTicket) -> Answer:
    """Lets a joined ticket go on by itself, as it was. Raises Conflict, NotFound."""
    require(actor, "ticket.write")
    source = access_ticket(tx, actor, payload.ticket_id)
    if source.merged_into is None:
        raise Conflict("This ticket is not joined to another.", state=source.state)
    target = access_ticket(tx, actor, source.merged_into)
    tx.record(
        actor,
        TicketMerged(into=target.id, undone=True),
        conversation=thread_of(tx, source),
    )
    tx.record(
        actor,
        TicketStateChanged(ticket_id=source.id, from_="merged", to=source.before_merge or "open"),
        conversation=thread_of(tx, source),
    )
    tx.record(
        actor,
        TicketTookIn(ticket_id=source.id, undone=True),
        conversation=thread_of(tx, target),
    )
    return {"ticket_id": source.id}


def split(tx: Tx, actor: Actor, payload: SplitTicket) -> Answer:
    """Makes a ticket of a message and what follows it. Raises Conflict, InvalidInput, NotFound."""
    require(actor, "ticket.write")
    ticket = access_ticket(tx, actor, payload.ticket_id)
    if ticket.state in FINAL:
        raise Conflict("This ticket is over.", state=ticket.state)
    message = tx.message(payload.message_id)
    if message is None or message.conversation_id != ticket.id:
        raise NotFound("There is no such message.")
    taken = tickets.parts_from(tx.connection, ticket.id)
    if any(part.first_seq <= message.seq for part in taken):
        raise Conflict("This message is in another ticket already.")
    kinds = load_types(tx.connection)
    kind = payload.type or ticket.type
    if kind not in kinds:
        raise InvalidInput("There is no such type of ticket.", field="type")
    subject = clean(payload.subject, limit=200, name="subject")
    moved = tickets.messages_between(tx.connection, ticket.id, message.seq, ticket.last_seq)
    said = " ".join(one.body for one in moved)
    thread = thread_of(tx, ticket)
    new = ticket_moves.begin(
        tx,
        actor,
        customer_id=ticket.customer_id,
        kind=kind,
        words=TicketWords(subject, {}),
        searched=f"{subject} {said}",
        source="split",
        priority=ticket.priority,
        priority_source=ticket.priority_source,
        team_id=ticket.team_id,
        assignee_id=ticket.assignee_id,
        parent_id=ticket.id,
        locale=thread.locale,
    )
    connect(tx, actor, new, "ticket", ticket.id)
    last_seq = moved[-1].seq if moved else message.seq
    tickets.add_part(tx, new.id, ticket.id, first_seq=message.seq, last_seq=last_seq)
    tx.record(
        actor, TicketSplit(into=new.id, messages=len(moved)), conversation=thread_of(tx, ticket)
    )
    asked = any(one.sender_kind == "customer" for one in moved)
    if asked and ticket.waiting_since_ms is not None:
        # Who asked waits for an answer here now.
        took = TicketTookIn(ticket_id=ticket.id, unanswered=True)
        tx.record(actor, took, conversation=thread_of(tx, new))
    return {"ticket_id": new.id, "number": new.number}


def named(tx: Tx, name: str) -> str:
    """The id of the ticket of this id or number."""
    number = read_number(name)
    found = tickets.id_of_number(tx.connection, number) if number else name
    return found or name
