"""What programs read page by page: conversations, messages, customers, colleagues, the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from server.actions.access import read_conversation
from server.actions.desk import Look, sees_customer, the_shop, turn_view
from server.actions.payload import ConversationRef, Id, NoPayload, Payload
from server.domain.cursors import MAX_CHARS, cursor_of, place_of
from server.domain.errors import InvalidInput, NotFound
from server.domain.events import EVENT_KINDS
from server.domain.permissions import require
from server.storage import articles, conversations, customers, lists, people, views
from server.storage.articles import Article
from server.storage.conversations import Found
from server.storage.customers import Customer
from server.storage.lists import Wanted
from server.storage.messages import load_message
from server.storage.rows import Message
from server.storage.views import Json

Row = TypeVar("Row")
MAX_LIMIT = 200
Instant = Annotated[int, Field(ge=0, le=2**53)]
Status = Literal["open", "snoozed", "resolved", "closed", "spam"]


class Page(Payload):
    """Which page of a list: behind ``cursor``, at most ``limit`` items."""

    cursor: Annotated[str, Field(max_length=MAX_CHARS, pattern="^[A-Za-z0-9_-]+$")] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50


class ListConversations(Page):
    """Conversations, the newest first; with ``updated_after_ms`` in the order of change."""

    status: Status | None = None
    team_id: Id | None = None
    assignee_id: Id | None = None
    customer_id: Id | None = None
    updated_after_ms: Instant | None = None


class ListMessages(Page):
    """The messages of one conversation, the earliest first."""

    conversation_id: Id


class ListCustomers(Page):
    """Customers, the newest first, perhaps those with one address or id of the shop."""

    email: Annotated[str, Field(min_length=1, max_length=254)] | None = None
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class CustomerRef(Payload):
    """For one customer."""

    customer_id: Id


class AgentRef(Payload):
    """For one colleague."""

    agent_id: Id


class ListArticles(Page):
    """Articles, the newest first, perhaps those of one language or state."""

    locale: Annotated[str, Field(max_length=20, pattern="^[A-Za-z0-9_-]+$")] | None = None
    status: Annotated[str, Field(max_length=20, pattern="^[a-z_]+$")] | None = None


class ArticleRef(Payload):
    """For one article."""

    article_id: Id


class ListEvents(Page):
    """The log behind a cursor, or behind a number of it; ``kinds`` separated by commas."""

    after_seq: Instant | None = None
    kinds: Annotated[str, Field(max_length=1000, pattern="^[a-z_., ]+$")] | None = None


def page_of(
    found: Sequence[Row],
    payload: Page,
    name: str,
    filters: Mapping[str, object],
    *,
    place: Callable[[Row], tuple[int, str]],
) -> tuple[Sequence[Row], str | None]:
    """What is shown of rows of which one more was looked for than asked, and what comes next.

    The cursor is None where nothing does. ``place`` is where a row stands in the order.
    """
    shown = found[: payload.limit]
    more = len(found) > payload.limit
    return shown, cursor_of(name, filters, place(shown[-1])) if more else None


def list_conversations(look: Look, payload: ListConversations) -> Json:
    """A page of the conversations that the actor may see."""
    wanted = Wanted(
        status=payload.status,
        team_id=payload.team_id,
        assignee_id=payload.assignee_id,
        customer_id=payload.customer_id,
        updated_after_ms=payload.updated_after_ms,
    )
    filters = _filters(payload)
    after = place_of(payload.cursor, "conversations", filters)
    found = lists.conversations_page(
        look.connection,
        look.actor,
        wanted,
        settled_seq=look.settled_seq,
        after=after,
        limit=payload.limit + 1,
    )
    by_change = wanted.updated_after_ms is not None

    def place(row: Found) -> tuple[int, str]:
        one = row.conversation
        return one.last_seq if by_change else one.opened_at_ms, one.id

    shown, cursor = page_of(found, payload, "conversations", filters, place=place)
    return {"items": views.summaries(look.connection, shown), "next_cursor": cursor}


def get_conversation(look: Look, payload: ConversationRef) -> Json:
    """One conversation as lists show it. Raises NotFound, also when it is hidden."""
    conversation = read_conversation(look.connection, look.actor, payload.conversation_id)
    return views.one_summary(look.connection, conversation.id)


def list_turns(look: Look, payload: ConversationRef) -> Json:
    """The waits of one conversation in order. Raises NotFound, also when it is hidden."""
    conversation = read_conversation(look.connection, look.actor, payload.conversation_id)
    turns = conversations.turns_of(look.connection, conversation.id)
    return {"items": [turn_view(turn) for turn in turns], "next_cursor": None}


def list_messages(look: Look, payload: ListMessages) -> Json:
    """A page of a conversation's messages, notes among them. Raises NotFound."""
    conversation = read_conversation(look.connection, look.actor, payload.conversation_id)
    name = f"messages of {conversation.id}"
    after = place_of(payload.cursor, name, {})
    found = lists.messages_page(
        look.connection,
        conversation.id,
        after_seq=after[0] if after else 0,
        limit=payload.limit + 1,
    )
    shown, cursor = page_of(found, payload, name, {}, place=lambda row: (row.seq, ""))
    customer = customers.load_customer(look.connection, conversation.customer_id)
    return {"items": _messages(look, shown, customer), "next_cursor": cursor}


def one_message(look: Look, message_id: str) -> Json:
    """A message that was just written, as lists show it. Raises NotFound."""
    message = load_message(look.connection, message_id)
    if message is None:
        raise NotFound("There is no such message.")
    return _messages(look, [message], None)[0]


def list_customers(look: Look, payload: ListCustomers) -> Json:
    """A page of the customers that the actor may see."""
    filters = _filters(payload)
    found = lists.customers_page(
        look.connection,
        look.actor,
        email=payload.email,
        external_id=payload.external_id,
        after=place_of(payload.cursor, "customers", filters),
        limit=payload.limit + 1,
    )
    shown, cursor = page_of(
        found, payload, "customers", filters, place=lambda row: (row.created_at_ms, row.id)
    )
    return {
        "items": views.customer_views(look.connection, shown, look.actor),
        "next_cursor": cursor,
    }


def get_customer(look: Look, payload: CustomerRef) -> Json:
    """A customer with their conversations. Raises NotFound, also when they are hidden."""
    customer = customers.load_customer(look.connection, payload.customer_id)
    if customer is None or not sees_customer(look, customer.id):
        raise NotFound("There is no such customer.")
    return views.card(look.connection, customer, look.actor)


def list_agents(look: Look, _: NoPayload) -> Json:
    """Everybody of the shop who has access, by name."""
    found = [views.person_view(person) for person in people.load_people(look.connection)]
    return {"items": found, "next_cursor": None}


def get_agent(look: Look, payload: AgentRef) -> Json:
    """One colleague. Raises NotFound, also for somebody who has left."""
    person = people.load_person(look.connection, payload.agent_id)
    if person is None or not person.active:
        raise NotFound("There is no such agent.")
    return views.person_view(person)


def get_me(look: Look, _: NoPayload) -> Json:
    """The person whose token this is."""
    return get_agent(look, AgentRef(agent_id=look.actor.id or "-"))


def list_teams(look: Look, _: NoPayload) -> Json:
    """All teams by name."""
    found = [
        {"id": team.id, "name": team.name, "name_zh": team.name_zh}
        for team in people.load_teams(look.connection)
    ]
    return {"items": found, "next_cursor": None}


def get_shop(look: Look, _: NoPayload) -> Json:
    """The shop as staff see it."""
    return views.shop_view(the_shop(look.connection))


def list_events(look: Look, payload: ListEvents) -> Json:
    """The log behind a place, as far as nothing below is still being written.

    ``next_cursor`` is always there: ask again with it later for what has happened since.
    """
    require(look.actor, "event.read")
    if payload.cursor is not None and payload.after_seq is not None:
        raise InvalidInput("Give either cursor or after_seq.", field="after_seq")
    kinds = {kind.strip() for kind in (payload.kinds or "").split(",") if kind.strip()}
    unknown = kinds - EVENT_KINDS.keys()
    if unknown:
        raise InvalidInput("There is no such kind of event; docs/events.md has all.", field="kinds")
    filters = {"kinds": ",".join(sorted(kinds)) or None}
    place = place_of(payload.cursor, "events", filters)
    after_seq = place[0] if place else payload.after_seq or 0
    found = lists.events_page(
        look.connection,
        after_seq=after_seq,
        up_to_seq=look.settled_seq,
        kinds=kinds,
        limit=payload.limit + 1,
    )
    shown, more = found[: payload.limit], len(found) > payload.limit
    told = views.envelopes(look.connection, shown, audience="agent")
    end = shown[-1].seq if more else max(after_seq, look.settled_seq)
    return {
        "items": [
            envelope | {"customer_id": event.customer_id}
            for envelope, event in zip(told, shown, strict=True)
        ],
        "next_cursor": cursor_of("events", filters, (end, "")),
        "more": more,
    }


def list_articles(look: Look, payload: ListArticles) -> Json:
    """A page of the knowledge base."""
    filters = _filters(payload)
    found = lists.articles_page(
        look.connection,
        locale=payload.locale,
        status=payload.status,
        after=place_of(payload.cursor, "articles", filters),
        limit=payload.limit + 1,
    )
    shown, cursor = page_of(
        found, payload, "articles", filters, place=lambda row: (row.created_at_ms, row.id)
    )
    return {"items": _articles(look, shown), "next_cursor": cursor}


def get_article(look: Look, payload: ArticleRef) -> Json:
    """One article of the knowledge base. Raises NotFound."""
    article = articles.load_article(look.connection, payload.article_id)
    if article is None:
        raise NotFound("There is no such article.")
    return _articles(look, [article])[0]


def _articles(look: Look, found: Sequence[Article]) -> list[Json]:
    ids = [article.id for article in found]
    texts = articles.texts_of(look.connection, ids)
    phrasings = articles.phrasings_of(look.connection, ids)
    return [
        {
            "id": article.id,
            "source": article.source,
            "external_id": article.external_id,
            "audience": article.audience,
            "status": article.status,
            "category": article.category,
            "kind": article.kind,
            "shortcut": article.shortcut,
            "valid_from_ms": article.valid_from_ms,
            "valid_to_ms": article.valid_to_ms,
            "version": article.version,
            "created_at_ms": article.created_at_ms,
            "updated_at_ms": article.updated_at_ms,
            "texts": [
                {
                    "locale": text.locale,
                    "title": text.title,
                    "body": text.body,
                    "phrasings": [
                        phrasing.text
                        for phrasing in phrasings.get((article.id, text.locale), ())
                        if phrasing.state == "active"
                    ],
                    "updated_at_ms": text.updated_at_ms,
                }
                for key, text in sorted(texts.items())
                if key[0] == article.id
            ],
        }
        for article in found
    ]


def _messages(look: Look, found: Iterable[Message], customer: Customer | None) -> list[Json]:
    names = people.names(look.connection)
    return [
        {
            "id": message.id,
            "conversation_id": message.conversation_id,
            "conversation_seq": message.staff_seq,
            "client_id": message.client_id,
            "body": message.body,
            "blocks": message.blocks or [],
            "visibility": message.visibility,
            "origin": message.origin,
            "author": {
                "kind": message.sender_kind,
                "id": message.sender_id,
                "name": customer.name
                if customer is not None and message.sender_kind == "customer"
                else names.get(message.sender_id or ""),
            },
            "at_ms": message.at_ms,
        }
        for message in found
    ]


def _filters(payload: Page) -> dict[str, object]:
    """What the list was narrowed to, which its cursors are bound to."""
    return payload.model_dump(exclude={"cursor", "limit"}, exclude_none=True)
