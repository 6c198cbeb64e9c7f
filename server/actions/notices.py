"""Telling people of the desk what happened to the tickets that are theirs or that they watch."""

from __future__ import annotations

from server.domain.actors import Actor
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    Event,
    MessagePosted,
    SlaBreached,
    SlaWarned,
    TicketMerged,
    TicketTaskChanged,
)
from server.domain.permissions import require
from server.domain.spans import DAY_MS
from server.domain.ticket import Ticket
from server.storage import log_readers, notices, tickets
from server.storage.connection import Connection
from server.storage.unit import Tx

READ = "ticket.read"
AT_ONCE = 200
FORGET_AT_ONCE = 500
KEEP_MS = 90 * DAY_MS
# Up to here the log may run ahead of a reader that has nothing to tell of it.
_AHEAD = 1_000


def waits(connection: Connection, *, up_to: int) -> bool:
    """Whether there is something to tell, or the log has run far ahead."""
    place = log_readers.place(connection, notices.READER)
    if place is None or place >= up_to:
        return False
    found = notices.news(connection, after=place, up_to=up_to, limit=1)
    return bool(found) or up_to - place > _AHEAD


def tell(tx: Tx, up_to: int) -> bool:
    """Tells the next of what has happened; true when there is more.

    Place and notices are written together, so nothing is told twice or left out.
    """
    place = log_readers.take_place(tx, notices.READER)
    if place is None or place >= up_to:
        return False
    events = notices.news(tx.connection, after=place, up_to=up_to, limit=AT_ONCE)
    for event in events:
        _tell(tx, event)
    more = len(events) == AT_ONCE
    log_readers.move_place(tx, notices.READER, events[-1].seq if more else up_to)
    return more


def mark_read(tx: Tx, actor: Actor, *, seq: int | None = None, up_to: int | None = None) -> None:
    """Marks one of the person's notices as read, or all up to a number."""
    require(actor, READ)
    if actor.id is not None and (seq is not None or up_to is not None):
        notices.mark_read(tx, actor.id, seq=seq, up_to=up_to)


def mark_seen(tx: Tx, actor: Actor, ticket_id: str) -> None:
    """Marks what the person was told of a ticket as read: they have it before them."""
    if actor.id is not None:
        notices.mark_read(tx, actor.id, ticket_id=ticket_id)


def forget_old(tx: Tx) -> int:
    """How many notices of more than 90 days ago were removed, a few at a time."""
    return notices.forget(tx, before_ms=tx.at_ms - KEEP_MS, limit=FORGET_AT_ONCE)


def _tell(tx: Tx, event: Event) -> None:
    if event.conversation_id is None:
        return
    ticket = tickets.load_ticket(tx.connection, event.conversation_id)
    if ticket is None:
        return
    data = event.data
    if isinstance(data, AssignmentAccepted | AssignmentChanged):
        _add(tx, event, {data.to} if data.to else set(), "handed")
    elif isinstance(data, MessagePosted):
        # The words with which a ticket begins answer nothing.
        if data.visibility == "public" and event.at_ms > ticket.created_at_ms:
            _add(tx, event, _theirs(tx, ticket), "reply")
    elif isinstance(data, TicketMerged):
        into = tickets.load_ticket(tx.connection, data.into)
        if not data.undone:
            both = _theirs(tx, ticket) | (_theirs(tx, into) if into else set())
            _add(tx, event, both, "merged")
    elif isinstance(data, TicketTaskChanged):
        _tell_of_task(tx, event, data)
    elif isinstance(data, SlaWarned | SlaBreached):
        kind = "warned" if isinstance(data, SlaWarned) else "missed"
        _add(tx, event, _theirs(tx, ticket), kind, target=data.target)


def _tell_of_task(tx: Tx, event: Event, data: TicketTaskChanged) -> None:
    """Who is asked hears of it, and in the end who asked."""
    task = tickets.load_task(tx.connection, data.task_id)
    if task is None:
        return
    begun = data.state == "open"
    to = task.assignee_id if begun else task.by_id
    _add(tx, event, {to} if to else set(), "asked" if begun else "task_ended")


def _theirs(tx: Tx, ticket: Ticket) -> set[str]:
    """Who is told of a ticket: its owner and those who watch it."""
    owner = {ticket.assignee_id} if ticket.assignee_id else set()
    return owner | set(tickets.watchers_of(tx.connection, ticket.id))


def _add(tx: Tx, event: Event, to: set[str], kind: str, *, target: str | None = None) -> None:
    """Nobody is told of what they did themselves."""
    mine = {event.actor_id} if event.actor_kind == "agent" else set()
    notices.add(tx, sorted(to - mine), event, kind=kind, target=target)
