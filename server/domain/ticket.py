"""The ticket and its reducer: a promise of work, what may become of it, and what follows from it.

A ticket's thread is a conversation of channel ``ticket`` with the same id. The same ``apply`` runs
in the transaction that writes an event of that conversation and when the log is replayed. What the
table TRANSITIONS does not name cannot happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal  # Any: each step takes the data of its own kind

from server.domain.changing import changed
from server.domain.conversation import is_counted_reply
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    Event,
    EventData,
    MessageFailed,
    MessagePosted,
    TicketChanged,
    TicketClosing,
    TicketCreated,
    TicketMerged,
    TicketMoved,
    TicketPriorityChanged,
    TicketStateChanged,
    TicketTookIn,
    TurnDismissed,
)

CHANNEL = "ticket"
State = Literal[
    "new", "open", "pending_customer", "on_hold", "resolved", "closed", "merged", "spam"
]
STATES: tuple[State, ...] = (
    "new",
    "open",
    "pending_customer",
    "on_hold",
    "resolved",
    "closed",
    "merged",
    "spam",
)
# Those a shop may give names of its own to.
NAMED_STATES = ("open", "pending_customer", "on_hold", "resolved", "closed")
OVER = frozenset({"resolved", "closed", "merged", "spam"})
# Nothing leads out of these but, for what was merged or taken for spam, taking that back.
FINAL = frozenset({"closed", "merged", "spam"})

Who = Literal["agent", "lead", "shopper", "system"]
_STAFF: frozenset[Who] = frozenset({"agent", "lead", "system"})
_ALL: frozenset[Who] = frozenset({"agent", "lead", "shopper", "system"})
_LEADS: frozenset[Who] = frozenset({"lead", "system"})
# From which state to which, and who may. An agent may do nothing that is not here for agents; a
# shopper's part is what follows from their messages and what they confirm.
TRANSITIONS: Mapping[str, Mapping[str, frozenset[Who]]] = {
    "new": {
        "open": _STAFF,
        "pending_customer": _STAFF,
        "on_hold": _STAFF,
        "resolved": _ALL,
        "closed": _LEADS,
        "merged": _STAFF,
        "spam": _STAFF,
    },
    "open": {
        "pending_customer": _STAFF,
        "on_hold": _STAFF,
        "resolved": _ALL,
        "closed": _LEADS,
        "merged": _STAFF,
        "spam": _STAFF,
    },
    "pending_customer": {
        "open": _ALL,
        "on_hold": _STAFF,
        "resolved": _ALL,
        "closed": _LEADS,
        "merged": _STAFF,
        "spam": _STAFF,
    },
    "on_hold": {
        "open": _ALL,
        "pending_customer": _STAFF,
        "resolved": _ALL,
        "closed": _LEADS,
        "merged": _STAFF,
        "spam": _STAFF,
    },
    "resolved": {
        "open": _ALL,
        "closed": _LEADS,
        "merged": _STAFF,
        "spam": _STAFF,
    },
    "closed": {},
    "merged": {},
    "spam": {"open": _STAFF},
}
# Why a ticket may end though nobody answered; ``text`` in a note says more.
REASONS = ("duplicate", "no_reply", "not_needed", "elsewhere", "withdrawn", "confirmed", "other")

Priority = Literal["low", "normal", "high", "urgent"]
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "urgent")

Lane = Literal["us", "customer", "done"]
LANES: tuple[Lane, ...] = ("us", "customer", "done")
_LANE: Mapping[str, Lane] = {
    "new": "us",
    "open": "us",
    "on_hold": "us",
    "pending_customer": "customer",
    "resolved": "done",
    "closed": "done",
    "merged": "done",
    "spam": "done",
}
# What the thread's conversation is while the ticket is in a state.
THREAD_STATUS: Mapping[str, str] = {
    "new": "open",
    "open": "open",
    "pending_customer": "open",
    "on_hold": "open",
    "resolved": "resolved",
    "closed": "closed",
    "merged": "open",
    "spam": "spam",
}
# Without a due time a ticket stands behind all that have one, the longest wait first (year 5138).
NO_DUE_MS = 10**14


@dataclass(frozen=True)
class Ticket:
    """What decisions about a ticket depend on: the fold of its thread's events.

    ``answered`` is True while the shopper's last word has been answered by a person; ``owed`` are
    tickets that were joined to this one and still wait for an answer. ``state_at_ms`` is when the
    state began, ``wake_at_ms`` when a ticket put aside comes back. ``held`` means that somebody
    has stopped the automatic closing. The last two fields are no part of the log: when it is due
    next, and by which target (``domain/targets`` works that out).
    """

    id: str
    number: str
    customer_id: str
    created_at_ms: int
    type: str = "other"
    source: str = "agent"
    state: str = "new"
    status: str | None = None
    reason: str | None = None
    priority: str = "normal"
    priority_source: str = "default"
    team_id: str | None = None
    assignee_id: str | None = None
    parent_id: str | None = None
    merged_into: str | None = None
    before_merge: str | None = None
    updated_at_ms: int = 0
    state_at_ms: int = 0
    wake_at_ms: int | None = None
    waiting_since_ms: int | None = None
    replied_at_ms: int | None = None
    first_resolved_at_ms: int | None = None
    resolved_at_ms: int | None = None
    reopens: int = 0
    answered: bool = False
    last_reply_id: str | None = None
    owed: tuple[str, ...] = ()
    reminded_at_ms: int | None = None
    held: bool = False
    seq: int = 0
    last_seq: int = 0
    next_due_at_ms: int | None = None
    next_due: str | None = None

    @property
    def lane(self) -> Lane:
        """Who is to act: us, the customer, or nobody any more."""
        return _LANE[self.state]

    @property
    def over(self) -> bool:
        """True in a state in which nothing is promised any more."""
        return self.state in OVER

    @property
    def may_rest(self) -> bool:
        """True when it may end without a stated reason: a person has answered everything."""
        return self.answered and not self.owed

    @property
    def sort_ms(self) -> int:
        """By what lists are sorted, ascending: what is due first, then who has waited longest.

        What is done comes the latest first.
        """
        if self.lane == "done":
            return -self.state_at_ms
        if self.next_due_at_ms is not None:
            return self.next_due_at_ms
        if self.wake_at_ms is not None:
            return NO_DUE_MS + self.wake_at_ms
        return NO_DUE_MS + (self.waiting_since_ms or self.state_at_ms or self.created_at_ms)


def may_become(ticket: Ticket, to: str, who: Who) -> bool:
    """True when the table lets this party bring the ticket into the state."""
    return who in TRANSITIONS.get(ticket.state, {}).get(to, frozenset())


def next_states(ticket: Ticket, who: Who) -> tuple[str, ...]:
    """The states into which this party may bring the ticket, in the order of the table."""
    return tuple(to for to, allowed in TRANSITIONS[ticket.state].items() if who in allowed)


def needs_reason(ticket: Ticket, to: str) -> bool:
    """True when ending so asks for a stated reason, since not everything was answered.

    Being joined to another ticket and being spam are reasons of their own.
    """
    if to not in ("resolved", "closed") or ticket.may_rest:
        return False
    return ticket.reason is None or ticket.state not in OVER


def may_set_priority(current: str, source: str) -> bool:
    """True when a priority from this source may replace one from ``current``.

    What a person has set stays until a person changes it.
    """
    return source == "manual" or current != "manual"


def raised(priority: str, steps: int = 1) -> str:
    """The priority so many steps up.

    >>> raised("normal"), raised("urgent")
    ('high', 'urgent')
    """
    at = PRIORITIES.index(priority)
    return PRIORITIES[max(0, min(len(PRIORITIES) - 1, at + steps))]


def created(event: Event) -> Ticket:
    """The ticket that a ``ticket.created`` event begins."""
    data = event.data
    if not isinstance(data, TicketCreated):
        raise TypeError(f"{event.kind} does not begin a ticket")
    if event.conversation_id is None or event.customer_id is None:
        raise TypeError("ticket.created needs a thread and a customer")
    return Ticket(
        id=event.conversation_id,
        number=data.number,
        customer_id=event.customer_id,
        created_at_ms=event.at_ms,
        type=data.type,
        source=data.source,
        priority=data.priority,
        priority_source=data.priority_source,
        team_id=event.team_id,
        parent_id=data.parent,
        updated_at_ms=event.at_ms,
        state_at_ms=event.at_ms,
        seq=event.staff_seq or 0,
        last_seq=event.seq,
    )


def apply(ticket: Ticket, event: Event) -> Ticket:
    """The ticket after an event of its thread; pure, total over all kinds, constant time."""
    moved = changed(
        ticket,
        updated_at_ms=max(ticket.updated_at_ms, event.at_ms),
        seq=event.staff_seq or ticket.seq,
        last_seq=event.seq,
    )
    step = _STEPS.get(type(event.data))
    return moved if step is None else step(moved, event, event.data)


def replay(events: Iterable[Event]) -> Ticket | None:
    """The fold of a thread's events in the order of the log; None when no ticket begins there."""
    ticket: Ticket | None = None
    for event in events:
        if ticket is not None:
            ticket = apply(ticket, event)
        elif isinstance(event.data, TicketCreated):
            ticket = created(event)
    return ticket


def _posted(ticket: Ticket, event: Event, data: MessagePosted) -> Ticket:
    if data.visibility != "public":
        return ticket
    if event.actor_kind == "customer" and data.origin != "auto":
        waiting = ticket.waiting_since_ms
        return changed(
            ticket,
            answered=False,
            waiting_since_ms=event.at_ms if waiting is None else waiting,
            reminded_at_ms=None,
        )
    if not is_counted_reply(event, data):
        return ticket
    return changed(
        ticket,
        answered=True,
        owed=(),
        waiting_since_ms=None,
        last_reply_id=data.message_id,
        replied_at_ms=ticket.replied_at_ms or event.at_ms,
    )


def _failed(ticket: Ticket, event: Event, data: MessageFailed) -> Ticket:
    """A reply that did not arrive has answered nothing."""
    if ticket.last_reply_id != data.message_id:
        return ticket
    since = ticket.waiting_since_ms or event.at_ms
    return changed(ticket, answered=False, last_reply_id=None, waiting_since_ms=since)


def _dismissed(ticket: Ticket, _: Event, __: TurnDismissed) -> Ticket:
    """Words that need no answer, such as thanks, leave what was answered before answered."""
    answered = ticket.answered or ticket.last_reply_id is not None
    return changed(ticket, answered=answered, waiting_since_ms=None)


def _state(ticket: Ticket, event: Event, data: TicketStateChanged) -> Ticket:
    # What joining changes is told by ticket.merged, which can be taken back.
    if data.to not in STATES or "merged" in (data.to, data.from_):
        return ticket
    back = ticket.state in OVER and data.to not in OVER
    over = data.to in OVER
    resolved = data.to == "resolved"
    return changed(
        ticket,
        state=data.to,
        status=data.status,
        reason=data.reason if over and data.reason else (ticket.reason if over else None),
        state_at_ms=event.at_ms if data.to != ticket.state else ticket.state_at_ms,
        wake_at_ms=data.until_ms if data.to == "on_hold" else None,
        waiting_since_ms=None if over else ticket.waiting_since_ms,
        first_resolved_at_ms=ticket.first_resolved_at_ms or (event.at_ms if resolved else None),
        resolved_at_ms=event.at_ms if resolved else (ticket.resolved_at_ms if over else None),
        reopens=ticket.reopens + (back and ticket.state == "resolved"),
        reminded_at_ms=ticket.reminded_at_ms if data.to == "pending_customer" else None,
        held=ticket.held and data.to == ticket.state,
    )


def _priority(ticket: Ticket, _: Event, data: TicketPriorityChanged) -> Ticket:
    if data.to not in PRIORITIES or not may_set_priority(ticket.priority_source, data.source):
        return ticket
    return changed(ticket, priority=data.to, priority_source=data.source)


def _changed(ticket: Ticket, _: Event, data: TicketChanged) -> Ticket:
    return changed(ticket, type=data.type or ticket.type)


def _moved(ticket: Ticket, _: Event, data: TicketMoved) -> Ticket:
    return changed(ticket, team_id=data.team_id)


def _assigned(ticket: Ticket, event: Event, data: AssignmentAccepted | AssignmentChanged) -> Ticket:
    return changed(ticket, assignee_id=data.to or event.actor_id)


def _unassigned(ticket: Ticket, _: Event, __: AssignmentEnded) -> Ticket:
    return changed(ticket, assignee_id=None)


def _merged(ticket: Ticket, _: Event, data: TicketMerged) -> Ticket:
    """The state before is kept, so that taking it back restores it as it was."""
    if data.undone:
        if ticket.merged_into is None:
            return ticket
        state = ticket.before_merge or "open"
        return changed(ticket, merged_into=None, before_merge=None, state=state)
    if ticket.merged_into is not None:
        return changed(ticket, merged_into=data.into)
    return changed(ticket, merged_into=data.into, before_merge=ticket.state, state="merged")


def _took_in(ticket: Ticket, _: Event, data: TicketTookIn) -> Ticket:
    owed = tuple(one for one in ticket.owed if one != data.ticket_id)
    if data.unanswered and not data.undone:
        owed = (*owed, data.ticket_id)
    return changed(ticket, owed=owed)


def _closing(ticket: Ticket, event: Event, data: TicketClosing) -> Ticket:
    if data.step == "reminded":
        return changed(ticket, reminded_at_ms=event.at_ms)
    return changed(ticket, held=data.step == "held")


# What each kind of event does; kinds that are not here change nothing but the sequence.
_STEPS: dict[type[EventData], Callable[[Ticket, Event, Any], Ticket]] = {  # Any: own data
    MessagePosted: _posted,
    MessageFailed: _failed,
    TurnDismissed: _dismissed,
    AssignmentAccepted: _assigned,
    AssignmentChanged: _assigned,
    AssignmentEnded: _unassigned,
    TicketStateChanged: _state,
    TicketPriorityChanged: _priority,
    TicketChanged: _changed,
    TicketMoved: _moved,
    TicketMerged: _merged,
    TicketTookIn: _took_in,
    TicketClosing: _closing,
}
