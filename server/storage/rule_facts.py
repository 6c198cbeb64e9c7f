"""What rules ask of chats, tickets, orders, carts and their customers, read when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property

import orjson
from sqlalchemy import Connection, RowMapping, select

from server.domain.conversation import Conversation
from server.domain.errors import InvalidInput
from server.domain.money import to_minor
from server.domain.order_state import OPEN_MS
from server.domain.rule_fields import known_field, own_field
from server.domain.rules import (
    Clause,
    Thing,
    Value,
    Verdict,
    When,
    about_customer,
    customer_condition,
    holds,
    judge,
    narrowed,
)
from server.domain.spans import DAY_MS, HOUR_MS, MINUTE_MS
from server.domain.ticket import Ticket
from server.domain.ticket_types import TicketType
from server.domain.variables import LatestOrder, known_values
from server.storage import conversations, directory, orders, persons, targets, tickets
from server.storage.hours import HoursBook, load_book
from server.storage.replies import values_for
from server.storage.rows import MESSAGE, load_conversation
from server.storage.rules import CART, ORDER
from server.storage.shop import load_shop
from server.storage.thresholds import day_of
from server.storage.ticket_rows import load_ticket
from server.storage.ticket_types import load_types
from server.storage.tickets import TicketWords

EPOCH = date(1970, 1, 1)
# Of the latest orders that are looked at for one that is no test.
ORDERS = 5
# Of a shopper's latest messages, where no single one is told of.
MESSAGES = 20


class Ground:
    """What is known about some objects at an instant. Each fact is read once, when it is asked.

    What is asked of customers goes through the same table as lists and saved segments, for all the
    objects at once.
    """

    def __init__(self, connection: Connection, things: Sequence[Thing], *, at_ms: int) -> None:
        self._connection = connection
        self._things = list(things)
        self._at_ms = at_ms
        self._customers: dict[Clause, set[str]] = {}
        self._values: dict[tuple[str, str], Value] = {}
        self._talks: dict[str, Conversation | None] = {}
        self._tickets: dict[str, Ticket | None] = {}
        self._orders: dict[str, RowMapping | None] = {}
        self._carts: dict[str, RowMapping | None] = {}
        self._words: dict[str, TicketWords] | None = None
        self._persons: dict[str, str] | None = None

    def verdict(self, thing: Thing, when: When) -> Verdict:
        """Whether conditions hold of an object, and which of them."""
        verdict = judge(when, lambda clause: self.holds(thing, clause))
        because = tuple(
            one if about_customer(one) else narrowed(one, self.value(thing, one.field))
            for one in verdict.because
        )
        return replace(verdict, because=because)

    def holds(self, thing: Thing, clause: Clause) -> bool:
        """Whether one clause holds of an object; False where it has no such field."""
        if about_customer(clause):
            return self._person(thing) in self._who(clause)
        known = known_field(clause.field)
        if known is None or thing.kind not in known.on:
            return False
        value = self.value(thing, clause.field)
        if clause.op in ("filled", "empty"):
            return self._has_field(thing, clause.field) and holds(clause, value is not None)
        if clause.op in ("days_min", "days_max") and value is not None:
            value = _day(value) - self._today
        return holds(clause, value)

    def value(self, thing: Thing, name: str) -> Value:
        """What a field says of an object, None when it says nothing."""
        if (thing.id, name) not in self._values:
            group, _, key = name.partition(".")
            self._values[thing.id, name] = _GROUPS[group](self, thing, key)
        return self._values[thing.id, name]

    # whose it is

    def _person(self, thing: Thing) -> str | None:
        if self._persons is None:
            ids = {one.customer_id for one in self._things if one.customer_id}
            self._persons = persons.persons_of(self._connection, sorted(ids))
        return self._persons.get(thing.customer_id or "")

    def _who(self, clause: Clause) -> set[str]:
        """The persons behind the objects for whom a clause holds."""
        if clause not in self._customers:
            everybody = sorted({p for one in self._things if (p := self._person(one))})
            condition = directory.expanded(self._connection, customer_condition(clause))
            found = directory.page(
                self._connection,
                condition,
                now=directory.today(self._connection, self._at_ms),
                sort="newest",
                among=everybody,
                after=None,
                limit=len(everybody),
            )
            self._customers[clause] = {one.customer.id for one in found}
        return self._customers[clause]

    # talks

    @cached_property
    def _book(self) -> HoursBook:
        return load_book(self._connection)

    @cached_property
    def _language(self) -> str:
        shop = load_shop(self._connection)
        return shop.locale if shop else "en"

    @cached_property
    def _types(self) -> dict[str, TicketType]:
        return load_types(self._connection)

    @cached_property
    def _today(self) -> int:
        shop = load_shop(self._connection)
        return day_of(self._at_ms, shop.timezone if shop else "UTC")

    @cached_property
    def _currency(self) -> str:
        shop = load_shop(self._connection)
        return shop.currency if shop else "EUR"

    def _talk(self, thing: Thing) -> Conversation | None:
        key = thing.conversation_id
        if key is None:
            return None
        if not self._talks:
            ids = [one.id for one in self._things if one.conversation_id]
            if len(ids) > 1:
                found = conversations.by_ids(self._connection, ids)
                self._talks = {talk: one.conversation for talk, one in found.items()}
        if key not in self._talks:
            self._talks[key] = load_conversation(self._connection, key)
        return self._talks[key]

    def _ticket(self, thing: Thing) -> Ticket | None:
        if thing.kind != "ticket":
            return None
        if thing.id not in self._tickets:
            self._tickets[thing.id] = load_ticket(self._connection, thing.id)
        return self._tickets[thing.id]

    def message(self, thing: Thing, key: str) -> Value:
        """The message told of, else the shopper's latest ones."""
        if key != "text" or thing.conversation_id is None:
            return None
        c = MESSAGE.c
        statement = select(c.body)
        if thing.message_id is not None:
            statement = statement.where(c.id == thing.message_id)
        else:
            statement = (
                statement.where(
                    c.conversation_id == thing.id,
                    c.sender_kind == "customer",
                    c.visibility == "public",
                )
                .order_by(c.seq.desc())
                .limit(MESSAGES)
            )
        return tuple(map(str, self._connection.execute(statement).scalars())) or None

    def conversation(self, thing: Thing, key: str) -> Value:
        """What a chat, or the thread of a ticket, is like."""
        talk = self._talk(thing)
        if talk is None:
            return None
        if key == "channel":
            return thing.kind
        if key == "language":
            return "zh" if (talk.locale or self._language).startswith("zh") else "en"
        if key == "answered":
            ticket = self._ticket(thing)
            return ticket.answered if ticket else bool(talk.session and talk.session.replies)
        if key == "ticket":
            return bool(tickets.linked_to(self._connection, "conversation", [talk.id]))
        return _OF_TALK[key](talk, self._at_ms)

    def ticket(self, thing: Thing, key: str) -> Value:
        """What a ticket is like."""
        ticket = self._ticket(thing)
        if ticket is None:
            return None
        match key:
            case "subject":
                known = self._said(ticket.id)
                return known.subject if known else None
            case "missed":
                watch = targets.load_watch(self._connection, ticket.id)
                return watch is not None and watch.missed
            case "age_hours":
                return (self._at_ms - ticket.created_at_ms) // HOUR_MS
            case _ if key.startswith("field."):
                return self._own(ticket, f"ticket.{key}")
            case _:
                value: Value = getattr(ticket, key)
                return value

    def _said(self, ticket_id: str) -> TicketWords | None:
        """The words of a ticket; those of all that are looked at are read at once."""
        if self._words is None:
            ids = [one.id for one in self._things if one.kind == "ticket"]
            self._words = tickets.words_of(self._connection, ids)
        return self._words.get(ticket_id)

    def _has_field(self, thing: Thing, name: str) -> bool:
        """True for a ticket of the type that has a field."""
        ticket, own = self._ticket(thing), own_field(name)
        if ticket is None or own is None or ticket.type != own[0]:
            return False
        kind = self._types.get(own[0])
        return kind is not None and kind.field_of(own[1]) is not None

    def _own(self, ticket: Ticket, name: str) -> Value:
        """What stands in a field of the ticket's type; None when nothing does, or it has none."""
        own = own_field(name)
        if own is None or ticket.type != own[0] or ticket.type not in self._types:
            return None
        field, said = self._types[own[0]].field_of(own[1]), self._said(ticket.id)
        value = said.fields.get(own[1]) if field and said else None
        if field is None or value is None:
            return None
        try:
            if field.kind == "money":
                return to_minor(str(value), self._currency)
            if field.kind == "date":
                return date.fromisoformat(str(value)).isoformat()
            return int(value) if field.kind == "number" else str(value)
        except (ValueError, InvalidInput):
            # It was written when the field was of another kind.
            return None

    def shop(self, thing: Thing, _: str) -> Value:
        """Whether the team's desk is open now."""
        talk = self._talk(thing)
        return self._book.of_team(talk.team_id if talk else None).open_at(self._at_ms)

    # what was bought, or nearly

    def order(self, thing: Thing, key: str) -> Value:
        """What the order is like: itself, the one that a ticket is about, else the latest."""
        row = self._order(thing)
        if row is None:
            return None
        if key == "sku":
            lines = orders.lines_of(self._connection, [row["id"]]).get(row["id"], [])
            return tuple(str(line["sku"]) for line in lines if line["sku"])
        return _OF_ORDER[key](row, self._at_ms)

    def _order(self, thing: Thing) -> RowMapping | None:
        if thing.id not in self._orders:
            self._orders[thing.id] = self._find_order(thing)
        return self._orders[thing.id]

    def _find_order(self, thing: Thing) -> RowMapping | None:
        if thing.kind == "order":
            statement = select(ORDER).where(ORDER.c.id == thing.id)
            return self._connection.execute(statement).mappings().first()
        if thing.kind == "ticket":
            links = tickets.links_of(self._connection, thing.id)
            about = next((one.target for one in links if one.kind == "order"), None)
            if about is not None:
                return orders.order_by_id(self._connection, about)
        found = orders.orders_of(self._connection, self._rows(thing), ORDERS)
        return next((row for row in found if not row["test"]), None)

    def cart(self, thing: Thing, key: str) -> Value:
        """What the cart holds: itself, else the one left that was changed last."""
        if thing.id not in self._carts:
            c = CART.c
            statement = select(CART)
            if thing.kind == "cart":
                statement = statement.where(c.id == thing.id)
            else:
                statement = (
                    statement.where(c.customer_id.in_(self._rows(thing)), c.ordered_at_ms.is_(None))
                    .order_by(c.updated_at_ms.desc(), c.id.desc())
                    .limit(1)
                )
            self._carts[thing.id] = self._connection.execute(statement).mappings().first()
        row = self._carts[thing.id]
        if row is None:
            return None
        if key == "total_minor":
            return int(row["total_minor"])
        lines = orjson.loads(row["lines"])
        if key == "sku":
            return tuple(str(line["sku"]) for line in lines if line.get("sku"))
        return sum(int(line.get("quantity") or 1) for line in lines)

    def _rows(self, thing: Thing) -> tuple[str, ...]:
        person = self._person(thing)
        return persons.members(self._connection, person) if person else ()


def words_for(connection: Connection, thing: Thing, *, locale: str) -> dict[str, str]:
    """What the variables of a text to a customer stand for; of an order's rule, that order.

    Nobody reads it before it is sent, so it knows only what is the shopper's own: what staff join
    adds nothing.
    """
    if thing.customer_id is None:
        return {}
    own = persons.rows_seen_with(connection, thing.customer_id)
    values = values_for(connection, thing.customer_id, agent=None, locale=locale, among=own)
    row = orders.order_by_id(connection, thing.id) if thing.kind == "order" else None
    shop = load_shop(connection)
    if row is None or shop is None:
        return values
    known = {name: row[name] for name in LatestOrder.__dataclass_fields__ if name != "items"}
    lines = orders.lines_of(connection, [thing.id]).get(thing.id, [])
    items = [(str(line["title"]), int(line["quantity"])) for line in lines]
    mine = known_values(
        customer=values.get("customer.name"),
        agent=None,
        shop=shop.name,
        order=LatestOrder(**known, items=items),
        locale=locale,
        timezone=shop.timezone,
    )
    return {key: value for key, value in values.items() if not key.startswith("order.")} | mine


_GROUPS: Mapping[str, Callable[[Ground, Thing, str], Value]] = {
    "message": Ground.message,
    "conversation": Ground.conversation,
    "ticket": Ground.ticket,
    "shop": Ground.shop,
    "order": Ground.order,
    "cart": Ground.cart,
}
_OF_TALK: Mapping[str, Callable[[Conversation, int], Value]] = {
    "status": lambda talk, _: talk.status,
    "team": lambda talk, _: talk.team_id or "",
    "owner": lambda talk, _: _owner(talk),
    "owned": lambda talk, _: bool(_owner(talk)),
    "tag": lambda talk, _: talk.tags,
    "page": lambda talk, _: f"{talk.page_url or ''} {talk.page_title or ''}".strip() or None,
    "unanswered": lambda talk, _: talk.unanswered,
    "waiting_minutes": lambda talk, at_ms: (
        None if talk.waiting_since_ms is None else (at_ms - talk.waiting_since_ms) // MINUTE_MS
    ),
    "messages": lambda talk, _: talk.messages,
    "customer_there": lambda talk, _: talk.customer_present,
    "reopened": lambda talk, _: talk.reopened,
    "rating": lambda talk, _: talk.session.rating if talk.session else None,
}


def _owner(talk: Conversation) -> str:
    return (talk.owner.id or "") if talk.owner.kind == "agent" else ""


def _day(value: Value) -> int:
    """A day of the calendar as the number that ``day_of`` gives."""
    return (date.fromisoformat(str(value)) - EPOCH).days


def _late(row: RowMapping, at_ms: int) -> bool:
    promised = row["promised_at_ms"]
    over = row["delivered_at_ms"] is not None or row["cancelled_at_ms"] is not None
    return promised is not None and not over and 0 < at_ms - promised < OPEN_MS


_OF_ORDER: Mapping[str, Callable[[RowMapping, int], Value]] = {
    "total_minor": lambda row, _: int(row["total_minor"]),
    "refunded_minor": lambda row, _: int(row["refunded_minor"]),
    "refunded_percent": lambda row, _: (
        100 * int(row["refunded_minor"]) // int(row["total_minor"]) if row["total_minor"] else 0
    ),
    "age_days": lambda row, at_ms: (at_ms - row["created_at_ms"]) // DAY_MS,
    "paid": lambda row, _: row["paid_at_ms"] is not None,
    "cancelled": lambda row, _: row["cancelled_at_ms"] is not None,
    "shipped": lambda row, _: row["shipped_at_ms"] is not None,
    "delivered": lambda row, _: row["delivered_at_ms"] is not None,
    "late": _late,
    "coupon": lambda row, _: bool(row["coupon"]),
    "source": lambda row, _: str(row["source"]),
}
