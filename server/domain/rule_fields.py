"""What rules are made of, as tables: when they look, what they may ask, what they may do.

An event trigger names kinds of the log; a time trigger an instant that objects have, behind which
so much time has passed. A field is asked of a chat, ticket, order or cart, or of the customer
behind it. Words in both languages stand in the locale files under the same names; those of the
fields that a type of ticket has are the shop's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from server.domain import conditions
from server.domain.events import (
    ConversationStatusChanged,
    ConversationTagged,
    Event,
    MessagePosted,
    TicketStateChanged,
)
from server.domain.ticket import CHANNEL, PRIORITIES, REASONS, STATES
from server.domain.ticket_types import FieldKind, TicketType

Subject = Literal["chat", "ticket", "order", "cart"]
TALKS: frozenset[Subject] = frozenset({"chat", "ticket"})
ALL: frozenset[Subject] = frozenset({"chat", "ticket", "order", "cart"})
_CHAT: frozenset[Subject] = frozenset({"chat"})
_TICKET: frozenset[Subject] = frozenset({"ticket"})
_ORDER: frozenset[Subject] = frozenset({"order"})
_CART: frozenset[Subject] = frozenset({"cart"})

DAY_MINUTES = 24 * 60
MAX_MINUTES = 366 * DAY_MINUTES


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """Kinds of the log, of which those count that ``fits`` says; on what the rule then acts."""

    kinds: tuple[str, ...]
    on: frozenset[Subject] = TALKS
    fits: Callable[[Event], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class TimeTrigger:
    """So much time has passed since an instant of an object; ``usual`` minutes to begin with."""

    on: frozenset[Subject]
    usual: int


def _by(kind: str, visibility: str = "public") -> Callable[[Event], bool]:
    def fits(event: Event) -> bool:
        data = event.data
        said = isinstance(data, MessagePosted) and data.visibility == visibility
        # What a machine answered for somebody is not their word: two of them would never end.
        return said and event.actor_kind == kind and getattr(data, "origin", "") != "auto"

    return fits


def _became(*statuses: str) -> Callable[[Event], bool]:
    def fits(event: Event) -> bool:
        data = event.data
        return isinstance(data, ConversationStatusChanged) and data.status in statuses

    return lambda event: event.channel != CHANNEL and fits(event)


def _reopened(event: Event) -> bool:
    data = event.data
    if isinstance(data, TicketStateChanged):
        return data.from_ == "resolved" and data.to == "open"
    return _became("open")(event) and getattr(data, "previous", None) != "snoozed"


def _new_state(event: Event) -> bool:
    return isinstance(event.data, TicketStateChanged) and event.data.from_ is not None


# By the name that a rule has for it, in the order of the page.
EVENTS: Mapping[str, EventTrigger] = {
    "chat_begins": EventTrigger(
        ("conversation.opened",), _CHAT, lambda event: event.channel != CHANNEL
    ),
    "customer_wrote": EventTrigger(("message.posted",), TALKS, _by("customer")),
    "agent_wrote": EventTrigger(("message.posted",), TALKS, _by("agent")),
    "note_written": EventTrigger(("message.posted",), TALKS, _by("agent", "private")),
    "queued": EventTrigger(("queue.entered",), _CHAT),
    "assigned": EventTrigger(("assignment.accepted", "assignment.changed")),
    "customer_left": EventTrigger(("customer.left",), _CHAT),
    "tagged": EventTrigger(
        ("conversation.tagged",),
        TALKS,
        lambda event: isinstance(event.data, ConversationTagged) and bool(event.data.add),
    ),
    "chat_ended": EventTrigger(
        ("conversation.status_changed",), _CHAT, _became("resolved", "closed")
    ),
    "reopened": EventTrigger(
        ("conversation.status_changed", "ticket.state_changed"), TALKS, _reopened
    ),
    "rated": EventTrigger(("rating.given", "rating.revised")),
    "ticket_created": EventTrigger(("ticket.created",), _TICKET),
    "ticket_state": EventTrigger(("ticket.state_changed",), _TICKET, _new_state),
    "ticket_priority": EventTrigger(("ticket.priority_changed",), _TICKET),
    "ticket_changed": EventTrigger(("ticket.changed", "ticket.moved"), _TICKET),
    "task_changed": EventTrigger(("ticket.task_changed",), _TICKET),
    "target_warned": EventTrigger(("sla.warned",)),
    "target_missed": EventTrigger(("sla.breached",)),
    "order_placed": EventTrigger(("order.created",), _ORDER),
    "order_paid": EventTrigger(("order.paid",), _ORDER),
    "order_refunded": EventTrigger(("order.refunded",), _ORDER),
    "order_cancelled": EventTrigger(("order.cancelled",), _ORDER),
}
TIMES: Mapping[str, TimeTrigger] = {
    "waiting": TimeTrigger(TALKS, 2 * 60),
    "silent": TimeTrigger(_CHAT, 60),
    "in_queue": TimeTrigger(_CHAT, 10),
    "ticket_new": TimeTrigger(_TICKET, 4 * 60),
    "ticket_pending": TimeTrigger(_TICKET, 2 * DAY_MINUTES),
    "ticket_on_hold": TimeTrigger(_TICKET, 3 * DAY_MINUTES),
    "ticket_resolved": TimeTrigger(_TICKET, DAY_MINUTES),
    "cart_abandoned": TimeTrigger(_CART, 30),
    "after_delivery": TimeTrigger(_ORDER, 7 * DAY_MINUTES),
    "parcel_late": TimeTrigger(_ORDER, DAY_MINUTES),
}

Kind = Literal["choice", "words", "text", "number", "money", "flag", "day", "line", "own"]
Op = Literal[
    "in",
    "not_in",
    "has",
    "has_not",
    "min",
    "max",
    "is",
    "days_max",
    "days_min",
    "until",
    "since",
    "filled",
    "empty",
]
# What may be asked of each kind of field, the usual first.
OPS: Mapping[Kind, tuple[Op, ...]] = {
    "choice": ("in", "not_in"),
    "words": ("in", "not_in"),
    "text": ("has", "has_not"),
    "number": ("min", "max"),
    "money": ("min", "max"),
    "flag": ("is",),
    # So many days from today, which may be past; or a day of the calendar.
    "day": ("days_max", "days_min", "until", "since"),
    "line": (),
    # A field of some type before it is known which: all that may be asked of any.
    "own": (
        *("in", "not_in", "has", "has_not", "min", "max"),
        *("days_max", "days_min", "until", "since", "filled", "empty"),
    ),
}
# What may be asked besides of what a type of ticket asks for.
_OF_OWN: tuple[Op, ...] = ("filled", "empty")
# Lists that are in the database; the page offers what is there.
Options = Literal["team", "agent", "type", "saved", "webhook"]


@dataclass(frozen=True, slots=True)
class Field:
    """What may be asked; ``choices`` are all values of a choice, ``options`` where they stand.

    What has no such field, as a chat has no priority, meets nothing that is asked of it, nor the
    opposite. Money is in the smallest unit of the shop's currency. ``own`` is what a type of ticket
    asks for.
    """

    kind: Kind
    on: frozenset[Subject] = TALKS
    choices: tuple[str, ...] = ()
    options: Options | None = None
    own: bool = False

    @property
    def ops(self) -> tuple[Op, ...]:
        """What may be asked of it, the usual first."""
        return OPS[self.kind] + (_OF_OWN if self.own else ())


_KINDS: Mapping[str, Kind] = {
    "choice": "choice",
    "words": "words",
    "number": "number",
    "flag": "flag",
}
# Whether there is a cart or a chat at all is what those fields are for.
_CUSTOMER = {
    f"customer.{name}": Field(
        "money" if name == "net_minor" else _KINDS[field.kind],
        ALL,
        field.choices,
        "saved" if name == "saved" else None,
    )
    for name, field in conditions.FIELDS.items()
}
FIELDS: Mapping[str, Field] = {
    "message.text": Field("text"),
    "conversation.channel": Field("choice", TALKS, ("chat", "ticket")),
    "conversation.status": Field("choice", _CHAT, ("open", "snoozed", "resolved", "closed")),
    "conversation.team": Field("choice", options="team"),
    "conversation.owner": Field("choice", options="agent"),
    "conversation.owned": Field("flag"),
    "conversation.tag": Field("words"),
    "conversation.language": Field("choice", TALKS, ("en", "zh")),
    "conversation.page": Field("text", _CHAT),
    "conversation.unanswered": Field("number"),
    "conversation.waiting_minutes": Field("number"),
    "conversation.messages": Field("number"),
    "conversation.answered": Field("flag"),
    "conversation.customer_there": Field("flag", _CHAT),
    "conversation.reopened": Field("flag"),
    "conversation.rating": Field("number"),
    "conversation.ticket": Field("flag", _CHAT),
    "shop.open": Field("flag", ALL),
    "ticket.type": Field("choice", _TICKET, options="type"),
    "ticket.state": Field("choice", _TICKET, STATES),
    "ticket.priority": Field("choice", _TICKET, PRIORITIES),
    "ticket.source": Field(
        "choice",
        _TICKET,
        ("chat", "offline", "agent", "api", "mail", "portal", "rule", "split", "follow_up"),
    ),
    "ticket.subject": Field("text", _TICKET),
    "ticket.age_hours": Field("number", _TICKET),
    "ticket.reopens": Field("number", _TICKET),
    "ticket.missed": Field("flag", _TICKET),
    **_CUSTOMER,
    "order.total_minor": Field("money", ALL),
    "order.refunded_minor": Field("money", ALL),
    "order.refunded_percent": Field("number", ALL),
    "order.age_days": Field("number", ALL),
    "order.paid": Field("flag", ALL),
    "order.cancelled": Field("flag", ALL),
    "order.shipped": Field("flag", ALL),
    "order.delivered": Field("flag", ALL),
    "order.late": Field("flag", ALL),
    "order.coupon": Field("flag", ALL),
    "order.sku": Field("words", ALL),
    "order.source": Field("words", ALL),
    "cart.total_minor": Field("money", ALL),
    "cart.pieces": Field("number", ALL),
    "cart.sku": Field("words", ALL),
}

_OWN = re.compile(r"ticket\.field\.([a-z][a-z0-9_]{0,39})\.([a-z][a-z0-9_]{0,39})")
_OWN_KINDS: Mapping[FieldKind, Kind] = {
    "text": "text",
    "long": "text",
    "choice": "choice",
    "number": "number",
    "money": "money",
    "date": "day",
    "sku": "words",
    "line": "line",
}
_ANY_OWN = Field("own", _TICKET)


def own_field(name: str) -> tuple[str, str] | None:
    """The type of ticket and the key of the field that a name stands for, None for other names.

    >>> own_field("ticket.field.return.reason"), own_field("ticket.type")
    (('return', 'reason'), None)
    """
    found = _OWN.fullmatch(name)
    return (found[1], found[2]) if found else None


def known_field(name: str) -> Field | None:
    """What may be asked under a name; of a type's field everything, until the type is known."""
    return _ANY_OWN if own_field(name) else FIELDS.get(name)


def fields_with(types: Iterable[TicketType]) -> dict[str, Field]:
    """All that may be asked where a shop has these types of ticket."""
    own = {
        f"ticket.field.{kind.id}.{one.key}": Field(
            _OWN_KINDS[one.kind],
            _TICKET,
            tuple(value for value, _ in one.choices),
            own=True,
        )
        for kind in types
        for one in kind.fields
    }
    return {**FIELDS, **own}


ParamKind = Literal[
    "choice", "agent", "team", "type", "webhook", "tags", "line", "text", "minutes", "money"
]
# Who is told: the owner of what it is about, or a person.
OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Param:
    """What an action has to be told."""

    kind: ParamKind
    choices: tuple[str, ...] = ()
    required: bool = True
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Action:
    """What a rule may do; on what, and what it has to be told for it."""

    on: frozenset[Subject]
    params: Mapping[str, Param]


MAX_TEXT = 2000
ACTIONS: Mapping[str, Action] = {
    "set_priority": Action(_TICKET, {"priority": Param("choice", PRIORITIES)}),
    "assign_agent": Action(TALKS, {"agent": Param("agent")}),
    "assign_team": Action(TALKS, {"team": Param("team")}),
    "add_tag": Action(TALKS, {"tags": Param("tags")}),
    "remove_tag": Action(TALKS, {"tags": Param("tags")}),
    "set_type": Action(_TICKET, {"type": Param("type")}),
    "set_field": Action(_TICKET, {"key": Param("line", limit=40), "value": Param("line")}),
    "make_ticket": Action(
        ALL,
        {
            "type": Param("type"),
            "subject": Param("line"),
            "priority": Param("choice", PRIORITIES, required=False),
            "team": Param("team", required=False),
            "text": Param("text", required=False, limit=MAX_TEXT),
        },
    ),
    "post_message": Action(
        ALL,
        {
            "en": Param("text", required=False, limit=MAX_TEXT),
            "zh": Param("text", required=False, limit=MAX_TEXT),
        },
    ),
    "note": Action(TALKS, {"text": Param("text", limit=MAX_TEXT)}),
    "notify": Action(
        TALKS, {"who": Param("agent", (OWNER,)), "text": Param("line", required=False)}
    ),
    "send_webhook": Action(ALL, {"webhook": Param("webhook")}),
    "snooze": Action(TALKS, {"minutes": Param("minutes")}),
    "close": Action(
        TALKS, {"reason": Param("choice", REASONS), "text": Param("line", required=False)}
    ),
}


def kinds_of(events: tuple[str, ...]) -> frozenset[str]:
    """The kinds of the log that any of these triggers looks at."""
    return frozenset(kind for name in events for kind in EVENTS[name].kinds)
