"""Tickets in the database: who sees them, what they say, their messages and what belongs to them.

Their rows are in ``ticket_rows``, lists of them and the search in ``ticket_lists``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: column values and JSON

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from server.domain.actors import Actor
from server.domain.search_words import search_words
from server.domain.ticket import Ticket
from server.storage.orders import SHOP_ORDER
from server.storage.rows import CONVERSATION, MESSAGE, Message, dumps, message_from_row
from server.storage.tables import Product, table
from server.storage.ticket_rows import (
    FOR_SHOPPERS,
    TICKET,
    TICKET_LINK,
    TICKET_NOTE,
    TICKET_SEARCH,
    TICKET_TASK,
    TICKET_TEXT,
    TICKET_WATCHER,
    is_for_shopper,
    load_ticket,
    ticket_from_row,
)
from server.storage.unit import Tx

__all__ = ["load_ticket", "visible_to"]

T = TICKET.c
PRODUCT = table(Product)
Json = dict[str, Any]  # Any: JSON values
# Words kept for the search of one ticket; a thread that goes on for ever stays findable by these.
MAX_SEARCH_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class TicketWords:
    """What people wrote on a ticket: subject, values of the type's fields, contact as given."""

    subject: str
    fields: Json
    contact: Json | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What a ticket points to."""

    kind: str
    target: str
    at_ms: int
    by_id: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of a ticket's work for another desk; ``result`` is what came of it."""

    id: str
    ticket_id: str
    title: str
    team_id: str | None
    assignee_id: str | None
    state: str
    result: str | None
    created_at_ms: int
    due_at_ms: int | None
    ended_at_ms: int | None
    by_id: str | None
    ended_by_id: str | None


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The condition of the tickets that somebody may see; the rule of ``sees``."""
    if actor.kind == "customer":
        return and_(T.customer_id.in_(sorted({actor.id or "", *actor.also})), FOR_SHOPPERS)
    if actor.kind == "system" or actor.leads:
        return true()
    own: list[ColumnElement[bool]] = [T.assignee_id == actor.id, T.team_id.is_(None)]
    if actor.team_ids:
        own.append(T.team_id.in_(sorted(actor.team_ids)))
    return or_(*own, T.id.in_(shared_with(actor)))


def shared_with(actor: Actor) -> Select[tuple[str]]:
    """Tickets of which the person or a team of theirs has a piece: they see what it is about."""
    mine: list[ColumnElement[bool]] = [TICKET_TASK.c.assignee_id == actor.id]
    if actor.team_ids:
        mine.append(TICKET_TASK.c.team_id.in_(sorted(actor.team_ids)))
    return select(TICKET_TASK.c.ticket_id).where(TICKET_TASK.c.state == "open", or_(*mine))


_TASK_TEAMS = select(TICKET_TASK.c.team_id, TICKET_TASK.c.assignee_id).where(
    TICKET_TASK.c.ticket_id == bindparam("id"), TICKET_TASK.c.state == "open"
)


def sees(connection: Connection, actor: Actor, ticket: Ticket) -> bool:
    """True for the shopper whose ticket it is, and for staff by team, role and open task."""
    if actor.kind == "customer":
        return actor.is_shopper(ticket.customer_id) and is_for_shopper(ticket)
    if actor.kind != "agent":
        return actor.kind == "system"
    if actor.leads or ticket.team_id is None or ticket.assignee_id == actor.id:
        return True
    if ticket.team_id in actor.team_ids:
        return True
    tasks = connection.execute(_TASK_TEAMS, {"id": ticket.id})
    return any(row[1] == actor.id or row[0] in actor.team_ids for row in tasks)


_BY_NUMBER = select(T.id).where(T.number == bindparam("number"))
_BY_CLIENT_KEY = select(T.id).where(T.client_key == bindparam("key"))


def id_of_number(connection: Connection, number: str) -> str | None:
    """The id of the ticket with this number, or None."""
    found = connection.execute(_BY_NUMBER, {"number": number}).scalar_one_or_none()
    return None if found is None else str(found)


def numbers_of(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The public numbers of those of these ids that are tickets'."""
    if not ids:
        return {}
    rows = connection.execute(select(T.id, T.number).where(T.id.in_(list(ids))))
    return {row[0]: row[1] for row in rows}


def id_of_client_key(connection: Connection, key: str) -> str | None:
    """The id of the ticket that somebody made under a key of their own, or None."""
    found = connection.execute(_BY_CLIENT_KEY, {"key": key}).scalar_one_or_none()
    return None if found is None else str(found)


def add_words(tx: Tx, ticket_id: str, words: TicketWords, *, searched: str) -> None:
    """Keeps what a new ticket says, and the text by which it is found."""
    tx.later(
        insert(TICKET_TEXT),
        {
            "ticket_id": ticket_id,
            "subject": words.subject,
            "fields": dumps(words.fields),
            "contact": dumps(words.contact) if words.contact else None,
        },
    )
    values = {"ticket_id": ticket_id, "words": " ".join(search_words(searched))}
    tx.later(insert(TICKET_SEARCH), values)


def change_words(tx: Tx, ticket_id: str, words: TicketWords) -> None:
    """Keeps what a ticket says now."""
    tx.later(
        update(TICKET_TEXT)
        .where(TICKET_TEXT.c.ticket_id == ticket_id)
        .values(subject=words.subject, fields=dumps(words.fields))
    )


_FIND_BY = (
    update(TICKET_SEARCH)
    .where(
        TICKET_SEARCH.c.ticket_id == bindparam("b_id"),
        func.length(TICKET_SEARCH.c.words) < MAX_SEARCH_CHARS,
    )
    .values(words=TICKET_SEARCH.c.words + bindparam("b_more"))
)


def find_by(tx: Tx, ticket_id: str, said: str) -> None:
    """Lets a ticket be found by more words from now on."""
    more = search_words(said)
    if more:
        tx.later(_FIND_BY, {"b_id": ticket_id, "b_more": " " + " ".join(more)})


def words_of(connection: Connection, ticket_ids: Collection[str]) -> dict[str, TicketWords]:
    """What these tickets say; of who was erased nothing is left."""
    rows = connection.execute(
        select(TICKET_TEXT).where(TICKET_TEXT.c.ticket_id.in_(list(ticket_ids)))
    ).mappings()
    return {
        row["ticket_id"]: TicketWords(
            row["subject"],
            orjson.loads(row["fields"]),
            orjson.loads(row["contact"]) if row["contact"] else None,
        )
        for row in rows
    }


def written_since(
    connection: Connection, thread_ids: Sequence[str], *, seen_seq: int, but_by: str | None
) -> list[Json]:
    """What others wrote in these threads after a number of the log, in order; ten at most."""
    c = MESSAGE.c
    rows = connection.execute(
        select(c.id, c.seq, c.sender_kind, c.sender_id, c.visibility, c.body, c.at_ms)
        .where(
            c.conversation_id.in_(list(thread_ids)),
            c.seq > seen_seq,
            or_(c.sender_id.is_(None), c.sender_id != but_by),
        )
        .order_by(c.seq)
        .limit(10)
    ).mappings()
    return [dict(row) for row in rows]


_ORDER_OF = (
    select(SHOP_ORDER.c.id)
    .where(
        SHOP_ORDER.c.number == bindparam("number"),
        SHOP_ORDER.c.customer_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(SHOP_ORDER.c.created_at_ms.desc())
    .limit(1)
)


def order_of_number(connection: Connection, number: str, rows: Sequence[str]) -> str | None:
    """The id of the order with this number when it is one of these customers', or None."""
    values = {"number": number, "ids": list(rows)}
    found = connection.execute(_ORDER_OF, values).scalar_one_or_none()
    return None if found is None else str(found)


@dataclass(frozen=True, slots=True)
class Part:
    """Messages of another ticket's thread that are shown in this one since it was split off."""

    ticket_id: str
    thread_id: str
    first_seq: int
    last_seq: int


def add_part(tx: Tx, ticket_id: str, thread_id: str, *, first_seq: int, last_seq: int) -> None:
    """Shows messages of a thread in a ticket that was split off, no longer in the one before."""
    add_link(tx, ticket_id, "part", f"{thread_id}:{first_seq}:{last_seq}", by_id=None)


def _parts(rows: Sequence[Any]) -> list[Part]:  # Any: rows
    found = []
    for row in rows:
        thread_id, first, last = row.target.split(":")
        found.append(Part(row.ticket_id, thread_id, int(first), int(last)))
    return found


def parts_of(connection: Connection, ticket_id: str) -> list[Part]:
    """The messages of other threads that a ticket shows."""
    c = TICKET_LINK.c
    statement = select(TICKET_LINK).where(c.ticket_id == ticket_id, c.kind == "part")
    return _parts(connection.execute(statement).all())


def parts_from(connection: Connection, thread_id: str) -> list[Part]:
    """The messages of a thread that other tickets show."""
    c = TICKET_LINK.c
    statement = select(TICKET_LINK).where(
        c.kind == "part", c.target >= f"{thread_id}:", c.target < f"{thread_id};"
    )
    return _parts(connection.execute(statement).all())


def parts_beside(connection: Connection, ids: Sequence[str]) -> tuple[list[Part], list[Part]]:
    """What tickets that stand on one page show of other threads, and what others show of theirs.

    What went from one of them to another of them is neither: it stands in its own thread.
    """
    here = [part for one in ids for part in parts_of(connection, one) if part.thread_id not in ids]
    away = [
        part for one in ids for part in parts_from(connection, one) if part.ticket_id not in ids
    ]
    return here, away


def messages_between(
    connection: Connection, thread_id: str, first_seq: int, last_seq: int
) -> list[Message]:
    """The messages of a thread between two numbers of the log, both of them in it."""
    c = MESSAGE.c
    rows = connection.execute(
        select(MESSAGE)
        .where(c.conversation_id == thread_id, c.seq >= first_seq, c.seq <= last_seq)
        .order_by(c.seq)
    ).mappings()
    return [message_from_row(row) for row in rows]


def latest_public_between(
    connection: Connection, thread_id: str, first_seq: int, last_seq: int, *, most: int
) -> list[Message]:
    """As ``messages_between``, of what is public the latest so many, the newest first."""
    c = MESSAGE.c
    rows = connection.execute(
        select(MESSAGE)
        .where(
            c.conversation_id == thread_id,
            c.seq >= first_seq,
            c.seq <= last_seq,
            c.visibility == "public",
        )
        .order_by(c.seq.desc())
        .limit(most)
    ).mappings()
    return [message_from_row(row) for row in rows]


def product_exists(connection: Connection, sku: str) -> bool:
    """True when some source knows a product with this SKU."""
    statement = select(PRODUCT.c.sku).where(PRODUCT.c.sku == sku).limit(1)
    return connection.execute(statement).first() is not None


# -- what belongs to a ticket --------------------------------------------------------------------


def add_link(tx: Tx, ticket_id: str, kind: str, target: str, *, by_id: str | None) -> None:
    """Lets a ticket point to something."""
    tx.later(
        insert(TICKET_LINK),
        {
            "ticket_id": ticket_id,
            "kind": kind,
            "target": target,
            "at_ms": tx.at_ms,
            "by_id": by_id,
        },
    )


def drop_link(tx: Tx, ticket_id: str, kind: str, target: str) -> None:
    """Lets a ticket point to something no longer."""
    c = TICKET_LINK.c
    tx.later(
        delete(TICKET_LINK).where(c.ticket_id == ticket_id, c.kind == kind, c.target == target)
    )


def links_of(connection: Connection, ticket_id: str) -> list[Link]:
    """What a ticket points to, in the order in which it was linked."""
    c = TICKET_LINK.c
    rows = connection.execute(
        select(TICKET_LINK)
        .where(c.ticket_id == ticket_id, c.kind != "part")
        .order_by(c.at_ms, c.kind, c.target)
    ).mappings()
    return [Link(row["kind"], row["target"], row["at_ms"], row["by_id"]) for row in rows]


def linked_to(connection: Connection, kind: str, targets: Sequence[str]) -> list[str]:
    """Ids of the tickets that point to one of these."""
    c = TICKET_LINK.c
    statement = select(c.ticket_id).where(c.kind == kind, c.target.in_(list(targets))).distinct()
    return list(connection.execute(statement).scalars())


def alike(
    connection: Connection,
    customer_ids: Sequence[str],
    *,
    order_id: str | None,
    but: str | None = None,
    for_shopper: bool = False,
) -> list[str]:
    """Ids of a person's tickets that are not over, about the same order if one is named.

    With ``for_shopper`` only those that the shopper may know of.
    """
    statement = select(T.id).where(
        T.customer_id.in_(list(customer_ids)), T.lane != "done", T.merged_into.is_(None)
    )
    if for_shopper:
        statement = statement.where(FOR_SHOPPERS)
    if order_id is not None:
        c = TICKET_LINK.c
        statement = statement.where(
            exists().where(c.ticket_id == T.id, c.kind == "order", c.target == order_id)
        )
    if but is not None:
        statement = statement.where(T.id != but)
    return list(connection.execute(statement.order_by(T.created_at_ms.desc()).limit(20)).scalars())


def merged_into(connection: Connection, ticket_id: str) -> list[Ticket]:
    """The tickets that were joined to this one, directly or through others; the oldest first."""
    found: list[Ticket] = []
    asked = [ticket_id]
    while asked:
        rows = connection.execute(
            select(TICKET).where(T.merged_into.in_(asked)).order_by(T.created_at_ms, T.id)
        ).mappings()
        new = [ticket_from_row(row) for row in rows]
        found += new
        asked = [one.id for one in new]
    return found


def followed_by(connection: Connection, ticket_id: str) -> list[Ticket]:
    """The tickets that begin where this one ended or was split; the oldest first."""
    rows = connection.execute(
        select(TICKET).where(T.parent_id == ticket_id).order_by(T.created_at_ms, T.id)
    )
    return [ticket_from_row(row) for row in rows.mappings()]


def add_task(tx: Tx, task: Task) -> None:
    """Keeps a new piece of work."""
    tx.later(insert(TICKET_TASK), {name: getattr(task, name) for name in Task.__dataclass_fields__})


def end_task(tx: Tx, task_id: str, *, state: str, result: str | None, by_id: str | None) -> None:
    """Keeps how a piece of work ended, or that it goes on."""
    ended = None if state == "open" else tx.at_ms
    tx.later(
        update(TICKET_TASK)
        .where(TICKET_TASK.c.id == task_id)
        .values(state=state, result=result, ended_at_ms=ended, ended_by_id=by_id if ended else None)
    )


def tasks_of(connection: Connection, ticket_id: str) -> list[Task]:
    """The pieces of a ticket's work, the oldest first."""
    c = TICKET_TASK.c
    rows = connection.execute(
        select(TICKET_TASK).where(c.ticket_id == ticket_id).order_by(c.created_at_ms, c.id)
    ).mappings()
    return [Task(**row) for row in rows]


def load_task(connection: Connection, task_id: str) -> Task | None:
    """One piece of work, or None."""
    statement = select(TICKET_TASK).where(TICKET_TASK.c.id == task_id)
    row = connection.execute(statement).mappings().first()
    return None if row is None else Task(**row)


def set_watching(tx: Tx, ticket_id: str, agent_id: str, *, watching: bool) -> None:
    """Keeps whether somebody wants to hear of a ticket."""
    c = TICKET_WATCHER.c
    tx.later(delete(TICKET_WATCHER).where(c.ticket_id == ticket_id, c.agent_id == agent_id))
    if watching:
        tx.later(
            insert(TICKET_WATCHER),
            {"ticket_id": ticket_id, "agent_id": agent_id, "at_ms": tx.at_ms, "seen_seq": 0},
        )


def watchers_of(connection: Connection, ticket_id: str) -> list[str]:
    """Ids of those who watch a ticket, in the order in which they began."""
    c = TICKET_WATCHER.c
    statement = select(c.agent_id).where(c.ticket_id == ticket_id).order_by(c.at_ms, c.agent_id)
    return list(connection.execute(statement).scalars())


def add_note(tx: Tx, ticket_id: str, seq: int, words: Mapping[str, Any]) -> None:  # Any: JSON
    """Keeps the words that belong to an event of a ticket."""
    tx.later(insert(TICKET_NOTE), {"seq": seq, "ticket_id": ticket_id, "words": dumps(words)})


def notes_of(connection: Connection, ticket_id: str) -> dict[int, Json]:
    """The words beside the events of a ticket, by the number of the event."""
    c = TICKET_NOTE.c
    rows = connection.execute(select(c.seq, c.words).where(c.ticket_id == ticket_id))
    return {row[0]: orjson.loads(row[1]) for row in rows}


def due_wakes(connection: Connection, *, at_ms: int, limit: int) -> list[str]:
    """Ids of the tickets put aside whose time has come; their threads are locked now."""
    return _threads_locked(
        connection,
        select(T.id).where(T.state == "on_hold", T.wake_at_ms <= at_ms).order_by(T.wake_at_ms),
        limit,
    )


def closing_soon(connection: Connection, *, before_ms: int, after: str, limit: int) -> list[str]:
    """Ids of tickets behind one, whose state began before an instant and may close by itself.

    Their threads are locked now.
    """
    statement = select(T.id).where(
        T.state.in_(("pending_customer", "resolved")), T.state_at_ms < before_ms, T.id > after
    )
    return _threads_locked(connection, statement.order_by(T.id), limit)


def closing_candidates(connection: Connection, *, limit: int) -> list[Ticket]:
    """The tickets that might close by themselves, those first whose state began first."""
    rows = connection.execute(
        select(TICKET)
        .where(T.state.in_(("pending_customer", "resolved")))
        .order_by(T.state_at_ms)
        .limit(limit)
    ).mappings()
    return [ticket_from_row(row) for row in rows]


def _threads_locked(connection: Connection, statement: Select[tuple[str]], limit: int) -> list[str]:
    """The first of these tickets whose threads no other process has locked, locked now."""
    statement = statement.join(CONVERSATION, CONVERSATION.c.id == T.id).limit(limit)
    locked = statement.with_for_update(of=CONVERSATION, skip_locked=True)
    return [str(row[0]) for row in connection.execute(locked)]
