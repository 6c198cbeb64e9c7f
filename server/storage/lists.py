"""Pages of things in an order that does not move while somebody reads on.

A place is what the order goes by, with the id for those that are alike; a page begins behind it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Select, or_, select, tuple_

from server.domain.actors import Actor
from server.domain.events import Event
from server.storage.articles import ARTICLE, TEXT, Article
from server.storage.conversations import Found, by_ids, visible_to
from server.storage.customers import CUSTOMER, Customer, customer_from_row
from server.storage.rows import (
    CONVERSATION,
    EVENT,
    MESSAGE,
    Message,
    event_from_row,
    message_from_row,
)

C = CONVERSATION.c
Place = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which conversations a list is about; None leaves a question open."""

    status: str | None = None
    team_id: str | None = None
    assignee_id: str | None = None
    customer_id: str | None = None
    updated_after_ms: int | None = None


def conversations_page(
    connection: Connection,
    actor: Actor,
    wanted: Wanted,
    *,
    settled_seq: int,
    after: Place | None,
    limit: int,
) -> list[Found]:
    """Conversations the actor may see, the newest opened first.

    With ``updated_after_ms`` those of which something has happened since, in the order of the log
    and up to ``settled_seq`` of it: what changes while somebody reads on comes again later, and
    nothing is passed over.
    """
    statement = select(C.id).where(visible_to(actor))
    for name in ("status", "team_id", "assignee_id", "customer_id"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(C[name] == value)
    if wanted.updated_after_ms is None:
        statement = _behind(statement, C.opened_at_ms, C.id, after, newest_first=True)
    else:
        statement = statement.join(EVENT, EVENT.c.seq == C.last_seq).where(
            EVENT.c.at_ms > wanted.updated_after_ms, C.last_seq <= settled_seq
        )
        statement = _behind(statement, C.last_seq, C.id, after, newest_first=False)
    ids = [str(row[0]) for row in connection.execute(statement.limit(limit))]
    found = by_ids(connection, ids)
    return [found[key] for key in ids]


def customers_page(
    connection: Connection,
    actor: Actor,
    *,
    email: str | None,
    external_id: str | None,
    after: Place | None,
    limit: int,
) -> list[Customer]:
    """Customers the actor may see, the newest first: for agents none of other teams alone."""
    c = CUSTOMER.c
    statement = select(CUSTOMER)
    if not actor.leads:
        talk = select(C.id).where(C.customer_id == c.id)
        statement = statement.where(or_(talk.where(visible_to(actor)).exists(), ~talk.exists()))
    if email is not None:
        statement = statement.where(c.email == email)
    if external_id is not None:
        statement = statement.where(c.external_id == external_id)
    statement = _behind(statement, c.created_at_ms, c.id, after, newest_first=True).limit(limit)
    return [customer_from_row(row) for row in connection.execute(statement).mappings()]


def articles_page(
    connection: Connection,
    *,
    locale: str | None,
    status: str | None,
    after: Place | None,
    limit: int,
) -> list[Article]:
    """Articles, the newest first; with a language those that say something in it."""
    c = ARTICLE.c
    statement = select(ARTICLE)
    if locale is not None:
        spoken = select(TEXT.c.article_id).where(TEXT.c.article_id == c.id, TEXT.c.locale == locale)
        statement = statement.where(spoken.exists())
    if status is not None:
        statement = statement.where(c.status == status)
    statement = _behind(statement, c.created_at_ms, c.id, after, newest_first=True).limit(limit)
    return [Article(**row) for row in connection.execute(statement).mappings()]


def messages_page(
    connection: Connection, conversation_id: str, *, after_seq: int, limit: int
) -> list[Message]:
    """The messages of a conversation behind a number of the log, in order, notes among them."""
    c = MESSAGE.c
    rows = connection.execute(
        select(MESSAGE)
        .where(c.conversation_id == conversation_id, c.seq > after_seq)
        .order_by(c.seq)
        .limit(limit)
    ).mappings()
    return [message_from_row(row) for row in rows]


def events_page(
    connection: Connection,
    *,
    after_seq: int,
    up_to_seq: int,
    kinds: Collection[str],
    limit: int,
) -> list[Event]:
    """The log between two of its numbers, in order; of some kinds only, or of all."""
    statement = select(EVENT).where(EVENT.c.seq > after_seq, EVENT.c.seq <= up_to_seq)
    if kinds:
        statement = statement.where(EVENT.c.kind.in_(sorted(kinds)))
    rows = connection.execute(statement.order_by(EVENT.c.seq).limit(limit)).mappings()
    return [event_from_row(row) for row in rows]


def _behind(
    statement: Select[tuple[str]],
    number: Column[int],
    name: Column[str],
    after: Place | None,
    *,
    newest_first: bool,
) -> Select[tuple[str]]:
    """The statement in its order, from behind a place on."""
    order = (number.desc(), name.desc()) if newest_first else (number, name)
    if after is not None:
        here = tuple_(number, name)
        statement = statement.where(here < after if newest_first else here > after)
    return statement.order_by(*order)
