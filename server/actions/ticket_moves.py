"""What happens to a ticket whoever asks for it: it begins, changes its state, is written in.

Used inside other actions' transactions. Every change of state goes through ``set_state``, so what
the table of the domain forbids cannot happen, and no ticket ends without an answer or a reason.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any  # Any: JSON values

from server.domain.actors import SYSTEM, Actor
from server.domain.conversation import REOPEN_WINDOW_MS, Conversation
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    ConversationOpened,
    ConversationStatusChanged,
    Event,
    SessionEnded,
    TicketCreated,
    TicketLinked,
    TicketMoved,
    TicketStateChanged,
    TicketTookIn,
    TurnDismissed,
)
from server.domain.ticket import (
    CHANNEL,
    OVER,
    REASONS,
    THREAD_STATUS,
    Ticket,
    Who,
    may_become,
    needs_reason,
)
from server.domain.ticket_number import number_of
from server.storage import people, tickets
from server.storage.tickets import TicketWords
from server.storage.unit import Tx

MISSING = "There is no such ticket."
MAX_REASON_CHARS = 500
# Reasons with which an open question needs no answer any more.
_SETTLED: Mapping[str, str] = {
    "duplicate": "duplicate",
    "confirmed": "courtesy",
    "withdrawn": "courtesy",
    "not_needed": "courtesy",
}


def needless(reason: str) -> str | None:
    """As what an open question is set aside when something ends for a reason; None if it is not."""
    return _SETTLED.get(reason)


def access_ticket(tx: Tx, actor: Actor, ticket_id: str) -> Ticket:
    """The ticket, locked for this transaction. Raises NotFound, also when it is hidden."""
    ticket = tx.ticket(ticket_id)
    if ticket is None or not tickets.sees(tx.connection, actor, ticket):
        raise NotFound(MISSING)
    return ticket


def current(tx: Tx, ticket: Ticket) -> Ticket:
    """The newest state of a ticket that this job has worked on."""
    return tx.ticket(ticket.id) or ticket


def thread_of(tx: Tx, ticket: Ticket) -> Conversation:
    """The conversation that the ticket owns."""
    thread = tx.conversation(ticket.id)
    assert thread is not None  # its row refers to it
    return thread


def who_of(actor: Actor) -> Who:
    """On which side of the table of transitions somebody stands."""
    if actor.kind == "agent":
        return "lead" if actor.leads else "agent"
    return "shopper" if actor.kind == "customer" else "system"


def begin(
    tx: Tx,
    actor: Actor,
    *,
    customer_id: str,
    kind: str,
    words: TicketWords,
    searched: str,
    source: str,
    priority: str,
    priority_source: str = "default",
    team_id: str | None = None,
    assignee_id: str | None = None,
    parent_id: str | None = None,
    locale: str | None = None,
    client_key: str | None = None,
) -> Ticket:
    """A new ticket with its thread, in its first state, on the desk of its team."""
    number = _free_number(tx)
    initiator = "customer" if actor.kind == "customer" else "agent"
    thread = tx.open_conversation(
        actor,
        ConversationOpened(channel=CHANNEL, initiator=initiator, locale=locale),
        customer_id=customer_id,
    )
    created = TicketCreated(
        number=number,
        type=kind,
        priority=priority,
        priority_source=priority_source,
        source=source,
        parent=parent_id,
    )
    tx.record(actor, created, conversation=thread)
    if client_key is not None:
        tx.name_ticket(thread.id, client_key)
    tx.record(
        actor, TicketStateChanged(ticket_id=thread.id, to="new"), conversation=tx.current(thread)
    )
    if team_id is not None:
        tx.record(actor, TicketMoved(team_id=team_id), conversation=tx.current(thread))
    if assignee_id is not None:
        tx.record(
            actor,
            AssignmentAccepted(to=assignee_id, reason="claim"),
            conversation=tx.current(thread),
        )
    tickets.add_words(tx, thread.id, words, searched=f"{number} {searched}")
    ticket = tx.ticket(thread.id)
    assert ticket is not None  # it was begun above
    return ticket


def set_state(
    tx: Tx,
    actor: Actor,
    ticket: Ticket,
    to: str,
    *,
    status: str | None = None,
    reason: str | None = None,
    words: str | None = None,
    until_ms: int | None = None,
) -> Ticket:
    """The ticket in the state, with what follows for its thread.

    ``reason`` is one of REASONS, ``words`` says more of it. Raises Conflict for what the table
    forbids, and InvalidInput for an end without an answer or a reason.
    """
    ticket = current(tx, ticket)
    same = to == ticket.state
    if same and (status, until_ms) == (ticket.status, ticket.wake_at_ms):
        return ticket
    if not same and not may_become(ticket, to, who_of(actor)):
        raise Conflict(
            f"A ticket that is {ticket.state.replace('_', ' ')} cannot become"
            f" {to.replace('_', ' ')} this way.",
            state=ticket.state,
            to=to,
        )
    if to == "pending_customer" and ticket.last_reply_id is None:
        raise InvalidInput(
            "Write to the shopper first: nobody has asked them anything yet.", field="state"
        )
    ends = to in OVER and not same
    if ends and reason is None and needs_reason(ticket, to):
        raise InvalidInput(
            "Answer first, or say why this ends without an answer.",
            field="reason",
            needs="reason",
            reasons=list(REASONS),
        )
    thread = thread_of(tx, ticket)
    if ends and thread.turn is not None and reason is not None and reason in _SETTLED:
        tx.record(actor, TurnDismissed(reason=_SETTLED[reason]), conversation=tx.current(thread))
    event = tx.record(
        actor,
        TicketStateChanged(
            ticket_id=ticket.id,
            from_=ticket.state,
            to=to,
            status=status,
            reason=reason if ends else None,
            until_ms=until_ms if to == "on_hold" else None,
        ),
        conversation=tx.current(thread),
    )
    if words:
        note(tx, ticket, event, {"reason": words})
    _follow(tx, actor, ticket.id, THREAD_STATUS[to])
    return current(tx, ticket)


def note(tx: Tx, ticket: Ticket, event: Event, words: Mapping[str, Any]) -> None:  # Any: JSON
    """Keeps the words of an event beside it and lets the ticket be found by them."""
    tickets.add_note(tx, ticket.id, event.seq, words)
    said = " ".join(str(value) for value in words.values() if isinstance(value, str))
    tickets.find_by(tx, ticket.id, said)


def give(tx: Tx, actor: Actor, ticket: Ticket, agent_id: str | None, *, reason: str) -> None:
    """Makes somebody the owner, or nobody; nothing when it is so already."""
    ticket = current(tx, ticket)
    if agent_id == ticket.assignee_id:
        return
    thread = thread_of(tx, ticket)
    data: AssignmentAccepted | AssignmentChanged | AssignmentEnded
    if agent_id is None:
        data = AssignmentEnded(from_=ticket.assignee_id, reason=reason)
    elif ticket.assignee_id is None:
        data = AssignmentAccepted(to=agent_id, reason=reason)
    else:
        data = AssignmentChanged(from_=ticket.assignee_id, to=agent_id, reason=reason)
    tx.record(actor, data, conversation=tx.current(thread))


def agent_writes(tx: Tx, actor: Actor, ticket: Ticket) -> Conversation:
    """The thread for a public reply: a new ticket is taken up, questions joined to it are met.

    Raises Conflict where nothing can be written any more.
    """
    ticket = current(tx, ticket)
    if ticket.state in ("closed", "merged", "spam"):
        raise Conflict(
            "This ticket is over. Write in the one that goes on, or make a follow-up.",
            state=ticket.state,
            merged_into=ticket.merged_into,
        )
    if ticket.assignee_id is None:
        give(tx, actor, ticket, actor.id, reason="reply")
    if ticket.state == "new":
        set_state(tx, actor, ticket, "open")
    for other_id in ticket.owed:
        other = tx.conversation(other_id)
        if other is not None and other.turn is not None:
            # The answer stands in this thread: there the question waits no longer.
            tx.record(actor, TurnDismissed(reason="duplicate"), conversation=other)
    return thread_of(tx, ticket)


def shopper_writes(tx: Tx, actor: Actor, thread: Conversation) -> Conversation | None:
    """The thread in which a shopper's message to a ticket goes, opened again where need be.

    What was joined goes on in the other; what is over too long has a follow-up. None when their
    words belong in no ticket.
    """
    ticket = tx.ticket(thread.id)
    if ticket is None or ticket.state == "spam":
        return None
    own = ticket
    seen = {ticket.id}
    while ticket.merged_into is not None and ticket.merged_into not in seen:
        seen.add(ticket.merged_into)
        onward = tx.ticket(ticket.merged_into)
        if onward is None:
            break
        ticket = onward
    if ticket.id != own.id and not actor.is_shopper(ticket.customer_id):
        # Another row of the person: what they may not read they do not write in either.
        thread = thread_of(tx, ticket)
        tx.record(actor, TicketTookIn(ticket_id=own.id, unanswered=True), conversation=thread)
        if current(tx, ticket).state in ("pending_customer", "on_hold", "resolved"):
            wake(tx, SYSTEM, ticket)
        return thread_of(tx, own)
    if ticket.state == "closed" or _too_late(ticket, at_ms=tx.at_ms):
        ticket = follow_up(tx, actor, ticket)
    elif ticket.state in ("pending_customer", "on_hold", "resolved"):
        wake(tx, actor, ticket)
    return thread_of(tx, ticket)


def wake(tx: Tx, actor: Actor, ticket: Ticket) -> None:
    """Opens a ticket again that waited, rested or was resolved; its owner has it back if there."""
    was_over = current(tx, ticket).over
    set_state(tx, actor, ticket, "open")
    if not was_over:
        return
    ticket = current(tx, ticket)
    owner = ticket.assignee_id and people.load_person(tx.connection, ticket.assignee_id)
    thread = thread_of(tx, ticket)
    if owner and owner.active:
        tx.record(SYSTEM, AssignmentAccepted(to=owner.id, reason="reopen"), conversation=thread)
    else:
        ended = AssignmentEnded(from_=ticket.assignee_id, reason="reopen")
        tx.record(SYSTEM, ended, conversation=thread)


def follow_up(tx: Tx, actor: Actor, parent: Ticket) -> Ticket:
    """A new ticket that goes on where one ended too long ago, with its type, fields and links."""
    known = tickets.words_of(tx.connection, [parent.id]).get(parent.id, TicketWords("", {}))
    words = TicketWords(known.subject, known.fields, known.contact)
    thread = thread_of(tx, parent)
    ticket = begin(
        tx,
        actor,
        customer_id=parent.customer_id,
        kind=parent.type,
        words=words,
        searched=f"{known.subject} {parent.number}",
        source="follow_up",
        priority=parent.priority,
        priority_source=parent.priority_source,
        team_id=parent.team_id,
        parent_id=parent.id,
        locale=thread.locale,
    )
    for link in tickets.links_of(tx.connection, parent.id):
        connect(tx, actor, ticket, link.kind, link.target)
    connect(tx, actor, ticket, "ticket", parent.id)
    return ticket


def connect(tx: Tx, actor: Actor, ticket: Ticket, kind: str, target: str) -> None:
    """Lets a ticket point to something that was found to be there and may be seen."""
    tx.record(actor, TicketLinked(link=kind, target=target), conversation=thread_of(tx, ticket))
    tickets.add_link(tx, ticket.id, kind, target, by_id=actor.id)


def _too_late(ticket: Ticket, *, at_ms: int) -> bool:
    resolved = ticket.resolved_at_ms
    return (
        ticket.state == "resolved" and resolved is not None and at_ms - resolved > REOPEN_WINDOW_MS
    )


def _follow(tx: Tx, actor: Actor, ticket_id: str, status: str) -> None:
    """Brings the thread into the state that fits the ticket's."""
    thread = tx.conversation(ticket_id)
    assert thread is not None  # its row refers to it
    if thread.status == status:
        return
    tx.record(
        actor,
        ConversationStatusChanged(status=status, previous=thread.status),
        conversation=thread,
    )
    if thread.in_session and status != "open":
        tx.record(actor, SessionEnded(cause=status), conversation=tx.current(thread))


def _free_number(tx: Tx) -> str:
    """A number that no ticket has; two in a row that are taken are as good as impossible."""
    while True:
        number = number_of(secrets.randbelow)
        if tickets.id_of_number(tx.connection, number) is None:
            return number
