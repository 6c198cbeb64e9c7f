"""What people look at: the desk, a list, a conversation, what was missed. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal  # Any: JSON values

from pydantic import Field

from server.actions.access import read_conversation
from server.actions.payload import ConversationRef, Id, NoPayload, Payload
from server.domain.actors import Actor
from server.domain.errors import NotFound, Unavailable
from server.domain.spans import DAY_MS
from server.domain.text import clean
from server.domain.turns import Turn
from server.storage import (
    article_lists,
    cards,
    conversations,
    customers,
    messages,
    people,
    requests,
    views,
)
from server.storage.connection import Connection
from server.storage.consents import analytics_states
from server.storage.conversations import Found
from server.storage.hours import load_book
from server.storage.persons import members, person_of, sessions_of
from server.storage.privacy import policy_of
from server.storage.shop import Shop, load_shop
from server.storage.views import Json

# Of the conversations that a shopper's widget is told at its arrival.
MOST_HEADS = 20


class SearchConversations(Payload):
    """A page of conversations, latest activity first."""

    view: Literal["resolved", "all"] = "all"
    query: Annotated[str, Field(max_length=200)] | None = None
    before_ms: int | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class CatchUp(Payload):
    """The events after ``after_seq``, or the page before ``before_seq``."""

    conversation_id: Id
    after_seq: Annotated[int, Field(ge=0, le=2**53)] = 0
    before_seq: Annotated[int, Field(ge=1, le=2**53)] | None = None


class ReadCard(Payload):
    """A customer; ``conversation_id`` is the chat beside which their card is shown."""

    customer_id: Id
    conversation_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, when (ms UTC), and through which connection.

    ``settled_seq`` is how far the log may be read, for queries that ask for it.
    """

    connection: Connection
    actor: Actor
    at_ms: int
    settled_seq: int = 0


def the_shop(connection: Connection) -> Shop:
    """The shop. Raises Unavailable before it is set up."""
    shop = load_shop(connection)
    if shop is None:
        raise Unavailable("This shop is not set up yet. Open the set-up page first.")
    return shop


def load_desk(look: Look, _: NoPayload) -> Json:
    """Everything the console shows at its start."""
    connection, actor = look.connection, look.actor
    staff = people.load_people(connection)
    me = next((person for person in staff if person.id == actor.id), None)
    if me is None:
        raise NotFound("There is no such agent.")
    found = conversations.on_desk(connection, actor)
    mine = [f for f in found if f.conversation.assignee_id == me.id]
    waiting = [f for f in found if f.conversation.queued_at_ms is not None]
    return {
        "me": views.person_view(me),
        "shop": views.shop_view(the_shop(connection)),
        "agents": [views.person_view(person) for person in staff],
        "teams": [
            {"id": t.id, "name": t.name, "name_zh": t.name_zh}
            for t in people.load_teams(connection)
        ],
        "conversations": views.summaries(connection, found),
        "counts": {
            "mine": len(mine),
            "queue": len(waiting),
            "open": len(found),
            "resolved_today": conversations.resolved_since(
                connection, actor, since_ms=look.at_ms - DAY_MS
            ),
        },
        "server_at_ms": look.at_ms,
    }


def search_conversations(look: Look, payload: SearchConversations) -> Json:
    """A page of the conversations the actor may see."""
    connection, actor = look.connection, look.actor
    query = clean(payload.query, limit=200, name="query", empty=True) if payload.query else None
    found = conversations.search(
        connection,
        actor,
        view=payload.view,
        query=query,
        before_ms=payload.before_ms,
        limit=payload.limit,
    )
    full = len(found) == payload.limit
    return {
        "conversations": views.summaries(connection, found),
        "next_before_ms": found[-1].conversation.last_activity_at_ms if full else None,
    }


def open_conversation(look: Look, payload: ConversationRef) -> Json:
    """A conversation with its latest events, its customer, what was read, and the agent's draft."""
    connection, actor = look.connection, look.actor
    conversation = read_conversation(connection, actor, payload.conversation_id)
    head = conversation.staff_seq
    after = max(0, head - views.PAGE)
    events, _ = views.thread(connection, conversation.id, audience="agent", after_seq=after)
    customer = customers.load_customer(connection, conversation.customer_id)
    if customer is None:
        raise NotFound("There is no such customer.")
    names = people.names(connection)
    marks = messages.read_marks(connection, conversation.id)
    return {
        "conversation": views.one_summary(connection, conversation.id),
        "events": views.envelopes(connection, events, audience="agent"),
        "complete": after == 0,
        "customer": cards.card(
            connection, customer, actor, look.at_ms, conversation_id=conversation.id
        ),
        "read_marks": [
            {
                "reader": {
                    "kind": mark["reader_kind"],
                    "id": mark["reader_id"],
                    "name": names.get(mark["reader_id"], customer.name),
                },
                "message_id": mark["message_id"],
                "at_ms": mark["at_ms"],
            }
            for mark in marks
        ],
        "draft": messages.load_draft(connection, conversation.id, actor.id or ""),
        "turns": [turn_view(t) for t in conversations.turns_of(connection, conversation.id)],
    }


def read_card(look: Look, payload: ReadCard) -> Json:
    """The card of a customer, with the price asked for in a conversation that is named too.

    Hidden is who has only talked with other teams, as on every other way to a customer.
    """
    customer = customers.load_customer(look.connection, payload.customer_id)
    if customer is None or look.actor.kind != "agent" or not sees_customer(look, customer.id):
        raise NotFound("There is no such customer.")
    if payload.conversation_id is not None:
        read_conversation(look.connection, look.actor, payload.conversation_id)
    return {
        "customer": cards.card(
            look.connection,
            customer,
            look.actor,
            look.at_ms,
            conversation_id=payload.conversation_id,
        )
    }


def sees_customer(look: Look, customer_id: str) -> bool:
    """Whether staff may see a customer: any conversation of the person is enough."""
    if look.actor.leads:
        return True
    rows = members(look.connection, person_of(look.connection, customer_id))
    return conversations.sees_customer(look.connection, look.actor, rows)


def turn_view(turn: Turn) -> Json:
    """A turn as the thread shows it."""
    return {
        "turn_no": turn.turn_no,
        "session_no": turn.session_no,
        "is_first_in_session": turn.is_first_in_session,
        "ask_at_ms": turn.ask_at_ms,
        "ask_message_id": turn.ask_message_id,
        "reply_message_id": turn.reply_message_id,
        "outcome": turn.outcome,
        "elapsed_ms": turn.elapsed_ms,
        "answered_by": turn.answered_by,
    }


def catch_up(look: Look, payload: CatchUp) -> Json:
    """Events of a conversation that the actor may see; ``complete`` is False when more follow."""
    connection, actor = look.connection, look.actor
    conversation = read_conversation(connection, actor, payload.conversation_id)
    audience: views.Audience = "agent" if actor.kind == "agent" else "visitor"
    events, complete = views.thread(
        connection,
        conversation.id,
        audience=audience,
        after_seq=payload.after_seq,
        before_seq=payload.before_seq,
    )
    answer: Json = {
        "events": views.envelopes(connection, events, audience=audience),
        "complete": complete,
    }
    if audience == "agent":
        answer["conversation"] = views.one_summary(connection, conversation.id)
    else:
        answer["read_marks"] = [
            {
                "reader": {"kind": mark["reader_kind"], "id": mark["reader_id"]},
                "message_id": mark["message_id"],
                "at_ms": mark["at_ms"],
            }
            for mark in messages.read_marks(connection, conversation.id)
        ]
    return answer


@dataclass(frozen=True, slots=True)
class Arrival:
    """A shopper who connects: what the widget learns, the visitor token aside.

    ``left`` says that the log still counts them as gone from some conversation.
    """

    welcome: Json
    left: bool


def arrivals(
    connection: Connection, customer_ids: Sequence[str], *, at_ms: int
) -> dict[str, Arrival]:
    """The shoppers who connect at one moment; one who was erased meanwhile is absent."""
    shop = _shop_for_shoppers(connection, at_ms=at_ms)
    known = customers.load_customers(connection, customer_ids)
    found = _own_conversations(connection, list(known))
    talks = {
        key: [f for f in each if f.conversation.status != "spam"] for key, each in found.items()
    }
    unread = messages.unread_by_customer(
        connection, [f.conversation.id for each in talks.values() for f in each]
    )
    said = analytics_states(connection, list(known))
    news = requests.news_of(connection, list(known))
    return {
        key: Arrival(
            {
                "customer_id": key,
                "customer": {
                    "id": key,
                    "name": customer.name,
                    "email": customer.email,
                    "verified": customer.verified,
                },
                "conversations": [
                    head | {"unread": unread.get(head["id"], 0)} for head in views.heads(talks[key])
                ],
                "requests": news[key],
                "shop": shop,
                "consents": {"analytics": said[key]} if key in said else {},
                "server_at_ms": at_ms,
            },
            left=any(not f.conversation.customer_present for f in found[key]),
        )
        for key, customer in known.items()
    }


def _own_conversations(
    connection: Connection, customer_ids: Sequence[str]
) -> dict[str, list[Found]]:
    """What each shopper has written, also from a browser before they signed in in it."""
    sessions = sessions_of(connection, customer_ids)
    rows = {row: owner for owner in customer_ids for row in (owner, *sessions.get(owner, ()))}
    found: dict[str, list[Found]] = {owner: [] for owner in customer_ids}
    for row, talks in conversations.of_customers(connection, list(rows)).items():
        found[rows[row]] += talks
    for talks in found.values():
        talks.sort(key=lambda f: f.conversation.last_activity_at_ms, reverse=True)
        del talks[MOST_HEADS:]
    return found


def _shop_for_shoppers(connection: Connection, *, at_ms: int) -> Json:
    """The shop as a shopper's widget shows it."""
    shop = the_shop(connection)
    policy = policy_of(shop)
    hours = load_book(connection).of_team(None)
    return {
        "name": shop.name,
        "locale": shop.locale,
        "timezone": shop.timezone,
        "agents_online": people.online_count(connection),
        "queue_length": conversations.queue_length(connection),
        "typical_first_response_ms": conversations.typical_first_response_ms(
            connection, since_ms=at_ms - 7 * DAY_MS
        ),
        "retention_months": policy.of("conversations") or None,
        "privacy_url": shop.settings.get("privacy_url"),
        "accent": shop.settings.get("accent"),
        "page_events": policy.page_events,
        "articles": article_lists.any_for_shoppers(connection),
        "opens_at_ms": None if hours.open_at(at_ms) else hours.next_opening(at_ms),
    }


def agent_welcome(connection: Connection, actor: Actor, *, at_ms: int) -> Json:
    """What a console or program learns when it connects as a person of the shop."""
    me = people.load_person(connection, actor.id or "")
    if me is None or not me.active:
        raise NotFound("There is no such agent.")
    heads = conversations.heads_on_desk(connection, actor)
    return {
        "agent": views.person_view(me),
        "conversations": [
            {"id": key, "status": status, "conversation_seq": seq} for key, status, seq in heads
        ],
        "shop": views.shop_view(the_shop(connection)),
        "server_at_ms": at_ms,
    }
