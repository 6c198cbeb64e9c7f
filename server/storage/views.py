"""What programs are shown of conversations, customers and events: plain JSON values.

One place for every edge, so that a socket, a page and an API show the same thing. What a shopper
may not know (reasons of an assignment, notes, addresses of agents) is left out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal  # Any: JSON values

from sqlalchemy import Connection, select

from server.domain.actors import Actor
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    ConversationOpened,
    ConversationStatusChanged,
    Event,
    MessagePosted,
    QueueEntered,
    RatingGiven,
    RatingRevised,
    TicketCreated,
    TicketStateChanged,
    to_json,
)
from server.domain.masking import shown
from server.storage import contacts, conversations, customers, messages, people
from server.storage.conversations import Found
from server.storage.people import Person
from server.storage.ratings import rating_comments
from server.storage.rows import EVENT, Message, event_from_row
from server.storage.shop import Shop

Audience = Literal["visitor", "agent"]
Json = dict[str, Any]  # Any: JSON values
PAGE = 200
TARGETS = {"warn_ms": 100_000, "limit_ms": 180_000}


def shop_view(shop: Shop) -> Json:
    """The shop as staff see it."""
    return {
        "name": shop.name,
        "locale": shop.locale,
        "timezone": shop.timezone,
        "currency": shop.currency,
        "targets": TARGETS,
    }


def person_view(person: Person) -> Json:
    """A colleague as staff see them."""
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "role": person.role,
        "locale": person.locale,
        "status": person.status,
        "capacity": person.capacity,
        "load": person.load,
        "team_ids": sorted(person.team_ids),
    }


def summary(found: Found, *, names: Mapping[str, str], rating: int | None = None) -> Json:
    """A conversation as lists of the console show it."""
    c = found.conversation
    last = c.last_message
    return {
        "id": c.id,
        "status": c.status,
        "channel": c.channel,
        "locale": c.locale,
        "team_id": c.team_id,
        "assignee_id": c.assignee_id,
        "customer": {
            "id": c.customer_id,
            "name": found.customer_name,
            "verified": found.customer_identity == "verified",
            "locale": found.customer_locale,
            "segment": found.segment,
            "top20": found.top20,
        },
        "customer_present": c.customer_present,
        "waiting_since_ms": c.waiting_since_ms,
        "unanswered": c.unanswered,
        "queued_at_ms": c.queued_at_ms,
        "opened_at_ms": c.opened_at_ms,
        "resolved_at_ms": c.resolved_at_ms,
        "snoozed_until_ms": c.snoozed_until_ms,
        "session_no": c.session_no,
        "last_message": last
        and {
            "id": last.id,
            "preview": found.preview or "",
            "author_kind": last.author_kind,
            "author_name": found.customer_name
            if last.author_kind == "customer"
            else names.get(last.author_id or ""),
            "visibility": last.visibility,
            "at_ms": last.at_ms,
        },
        "last_activity_at_ms": c.last_activity_at_ms,
        "tags": list(c.tags),
        "entry_page": {"url": c.page_url, "title": c.page_title} if c.page_url else None,
        "rating": rating if rating is not None else (c.session.rating if c.session else None),
        "conversation_seq": c.staff_seq,
        "reopened": c.reopened,
    }


def summaries(connection: Connection, found: Sequence[Found]) -> list[Json]:
    """Conversations as lists of the console show them, in the given order."""
    names = people.names(connection)
    ratings = conversations.ratings_of(connection, [f.conversation.id for f in found])
    return [summary(f, names=names, rating=ratings.get(f.conversation.id)) for f in found]


def one_summary(connection: Connection, conversation_id: str) -> Json:
    """One conversation as lists of the console show it. Raises KeyError when there is none."""
    found = conversations.by_ids(connection, [conversation_id])[conversation_id]
    return summaries(connection, [found])[0]


def heads(found: Iterable[Found]) -> list[Json]:
    """Ids, states and sequence heads, for a shopper's widget to see what it has missed."""
    return [
        {
            "id": f.conversation.id,
            "status": f.conversation.status,
            "conversation_seq": f.conversation.visitor_seq,
        }
        for f in found
    ]


def customer_views(
    connection: Connection, found: Sequence[customers.Customer], actor: Actor
) -> list[Json]:
    """Customers as lists show them, their contacts masked as they are for this person."""
    standing = contacts.standing(connection, found)

    def contact(customer: customers.Customer, kind: str, value: str | None) -> str | None:
        if value is None:
            return None
        level, source = standing.get((customer.id, kind), ("claimed", "widget"))
        return shown(actor, kind, value, level=level, source=source)

    return [
        _customer_view(
            customer,
            email=contact(customer, "email", customer.email),
            phone=contact(customer, "phone", customer.phone),
        )
        for customer in found
    ]


def customer_view(connection: Connection, customer: customers.Customer, actor: Actor) -> Json:
    """A customer as lists show them."""
    return customer_views(connection, [customer], actor)[0]


def _customer_view(customer: customers.Customer, *, email: str | None, phone: str | None) -> Json:
    return {
        "id": customer.id,
        "name": customer.name,
        "email": email,
        "phone": phone,
        "locale": customer.locale,
        "verified": customer.verified,
        "identity": customer.identity,
        "external_id": customer.external_id,
        "created_at_ms": customer.created_at_ms,
        "last_seen_at_ms": customer.seen_at_ms,
    }


def card(connection: Connection, customer: customers.Customer, actor: Actor) -> Json:
    """A customer as the panel beside a chat shows them, with what the actor may see."""
    past = conversations.of_customer(connection, customer.id)
    names = people.names(connection)
    ratings = conversations.ratings_of(connection, [f.conversation.id for f in past])
    return customer_view(connection, customer, actor) | {
        "conversations": [
            past_conversation(f, names=names, rating=ratings.get(f.conversation.id))
            for f in past
            if sees(actor, f.conversation.team_id, f.conversation.assignee_id)
        ],
        "conversation_count": conversations.count_of_customer(connection, customer.id),
    }


def past_conversation(found: Found, *, names: Mapping[str, str], rating: int | None) -> Json:
    """A conversation as a customer's history shows it."""
    c = found.conversation
    return {
        "id": c.id,
        "status": c.status,
        "opened_at_ms": c.opened_at_ms,
        "last_activity_at_ms": c.last_activity_at_ms,
        "preview": found.preview or "",
        "assignee_name": names.get(c.assignee_id or ""),
        "rating": rating,
        "messages": c.messages,
    }


def sees(actor: Actor, team_id: str | None, assignee_id: str | None) -> bool:
    """True when a person of the shop may see a conversation; the same rule as ``visible_to``."""
    return actor.leads or assignee_id == actor.id or team_id is None or team_id in actor.team_ids


def thread(
    connection: Connection,
    conversation_id: str,
    *,
    audience: Audience,
    after_seq: int = 0,
    before_seq: int | None = None,
) -> tuple[list[Event], bool]:
    """A page of the events that the audience may see, ascending, and whether that is all.

    With ``before_seq`` the page before it; else the page after ``after_seq``.
    """
    column = EVENT.c.staff_seq if audience == "agent" else EVENT.c.visitor_seq
    statement = select(EVENT).where(EVENT.c.conversation_id == conversation_id)
    if before_seq is not None:
        statement = statement.where(column < before_seq).order_by(column.desc())
    else:
        statement = statement.where(column > after_seq).order_by(column)
    rows = connection.execute(statement.limit(PAGE + 1)).mappings().all()
    events = [event_from_row(row) for row in rows[:PAGE]]
    if before_seq is not None:
        events.reverse()
    return events, len(rows) <= PAGE


@dataclass(frozen=True, slots=True)
class Facts:
    """What is told of events besides themselves.

    ``texts`` by message, ``found`` by conversation, ``names`` of people by id, ``teams`` by id,
    ``comments`` beside ratings by the number of the event.
    """

    texts: Mapping[str, Message]
    found: Mapping[str, Found]
    names: Mapping[str, str]
    teams: Mapping[str, str]
    comments: Mapping[int, str]


def facts_of(connection: Connection, events: Sequence[Event]) -> Facts:
    """What is told of the events besides themselves, read from the rows."""
    ids = [e.data.message_id for e in events if isinstance(e.data, MessagePosted)]
    wanted = sorted({e.conversation_id for e in events if e.conversation_id})
    return Facts(
        texts=messages.messages_by_id(connection, ids),
        found=conversations.by_ids(connection, wanted),
        names=people.names(connection),
        teams={team.id: team.name for team in people.load_teams(connection)},
        comments=_comments(connection, events),
    )


def envelopes(connection: Connection, events: Sequence[Event], *, audience: Audience) -> list[Json]:
    """The events as the audience receives them, with texts and names read from the rows."""
    facts = facts_of(connection, events)
    return [envelope(event, facts, audience=audience) for event in events]


def envelope(event: Event, facts: Facts, *, audience: Audience) -> Json:
    """The event as the audience receives it."""
    name = facts.names.get(event.actor_id or "")
    if event.actor_kind == "customer":
        found = facts.found.get(event.conversation_id or "")
        # A shopper is shown what they said themselves: of whom else they may be, staff alone know.
        whose = found and (found.customer_name if audience == "agent" else found.own_name)
        name = whose or None
    data = _data(event, facts, audience=audience, name=name)
    if audience == "agent" and event.seq in facts.comments:
        data["comment"] = facts.comments[event.seq]
    return {
        "seq": event.seq,
        "kind": event.kind,
        "at_ms": event.at_ms,
        "actor": {"kind": event.actor_kind, "id": event.actor_id, "name": name},
        "conversation_id": event.conversation_id,
        "conversation_seq": event.staff_seq if audience == "agent" else event.visitor_seq,
        "data": data,
    }


def _comments(connection: Connection, events: Sequence[Event]) -> dict[int, str]:
    """What was written beside a rating, by the number of its latest event among these."""
    latest = {
        (e.conversation_id, e.data.session_no): e.seq
        for e in events
        if e.conversation_id and isinstance(e.data, RatingGiven | RatingRevised)
    }
    if not latest:
        return {}
    found = rating_comments(connection, {conversation_id for conversation_id, _ in latest})
    return {seq: found[key] for key, seq in latest.items() if key in found}


def message_view(
    message: Message | None, event: Event, data: MessagePosted, *, name: str | None
) -> Json:
    """A message as every client shows it; the body is empty once it was erased."""
    return {
        "id": data.message_id,
        "client_id": message.client_id if message else None,
        "body": message.body if message else "",
        "blocks": (message.blocks if message else None) or [],
        "visibility": data.visibility,
        "origin": data.origin,
        "author": {"kind": event.actor_kind, "id": event.actor_id, "name": name},
        "at_ms": event.at_ms,
    }


def _data(event: Event, facts: Facts, *, audience: Audience, name: str | None) -> Json:
    data = event.data
    if isinstance(data, MessagePosted):
        message = facts.texts.get(data.message_id)
        return {"message": message_view(message, event, data, name=name)}
    if audience == "visitor":
        return _visitor_data(event, facts.names)
    return _staff_data(event, facts.names, facts.teams)


def _person(agent_id: str | None, names: Mapping[str, str]) -> Json | None:
    return {"id": agent_id, "name": names.get(agent_id)} if agent_id else None


def _visitor_data(event: Event, names: Mapping[str, str]) -> Json:
    match event.data:
        case AssignmentAccepted() | AssignmentChanged() as data:
            return {"agent": _person(data.to or event.actor_id, names)}
        case QueueEntered() as data:
            return {"ahead": data.ahead}
        case ConversationStatusChanged() as data:
            return {"status": data.status, "by": event.actor_kind}
        case ConversationOpened() as data:
            return {"channel": data.channel}
        case RatingGiven() | RatingRevised() as data:
            return {"score": data.score}
        case TicketCreated() as data:
            return {"number": data.number}
        case TicketStateChanged() as data:
            # Whom else we wait for is no business of the shopper's.
            return {"state": "open" if data.to == "on_hold" else data.to}
        case data:
            return to_json(data)


def _staff_data(event: Event, names: Mapping[str, str], teams: Mapping[str, str]) -> Json:
    values = to_json(event.data)
    match event.data:
        case AssignmentAccepted() as data:
            return values | {"to": _person(data.to or event.actor_id, names), "why": data.why}
        case AssignmentChanged() as data:
            return values | {"to": _person(data.to, names), "from": _person(data.from_, names)}
        case AssignmentEnded() as data:
            return values | {"from": _person(data.from_, names)}
        case QueueEntered() as data:
            team = {"id": data.team_id, "name": teams.get(data.team_id)} if data.team_id else None
            return values | {"team": team}
        case ConversationStatusChanged():
            return values | {"by": event.actor_kind}
        case _:
            return values
