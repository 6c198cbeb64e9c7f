"""Everything that happened between a customer and the shop, as one line of time.

Each kind of entry is a strand: a query that is asked for the next few of its own, newest first. A
page merges the strands, so it costs the same however long the history is before it.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal  # Any: columns and JSON

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    String,
    and_,
    cast,
    func,
    literal_column,
    or_,
    select,
    text,
)

from server.domain.actors import Actor
from server.storage import orders, people, tickets
from server.storage.consents import CONSENT, allowed
from server.storage.conversations import IS_CHAT, visible_to
from server.storage.links import LINK
from server.storage.orders import SHOP_ORDER
from server.storage.ratings import rating_comments
from server.storage.rows import CONVERSATION, EVENT, SESSION
from server.storage.tables import OF_CUSTOMER, SegmentChange, table
from server.storage.ticket_rows import TICKET, TICKET_TEXT
from server.storage.visits import PAGE_EVENT

CHANGE = table(SegmentChange)
Lane = Literal["orders", "visits", "conversations", "tickets", "ratings", "consents", "record"]
LANES: tuple[Lane, ...] = (
    "conversations",
    "tickets",
    "orders",
    "visits",
    "ratings",
    "consents",
    "record",
)
# Text that sorts as the numbers do.
_WIDTH = 19
_MAX_LINES = 3
# Shown from the links themselves, which say so on both sides.
_IN_LINKS = ("customer.merged", "customer.unmerged")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened; ``kind`` says what ``data`` holds. ``key`` tells it from all others.

    ``by`` is the name of the person of the shop who did it.
    """

    at_ms: int
    key: str
    lane: Lane
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)  # Any: columns
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and the place behind which older ones are, None at the end."""

    entries: tuple[Entry, ...]
    older: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class _Strand:
    """Where one kind of entry comes from: when, under which id, and with which columns."""

    kind: str
    lane: Lane
    at_ms: Column[Any]  # Any: a whole number
    key: ColumnElement[Any]  # Any: text
    of: Callable[[Sequence[str]], ColumnElement[bool]]
    columns: tuple[ColumnElement[Any], ...]  # Any: columns
    also: ColumnElement[bool] | None = None
    joined: tuple[Any, ColumnElement[bool]] | None = None  # Any: a table
    seen: Callable[[Actor], ColumnElement[bool]] | None = None


def page(
    connection: Connection,
    actor: Actor,
    rows: Sequence[str],
    *,
    lanes: Sequence[str],
    before: tuple[int, str] | None,
    limit: int,
) -> Page:
    """A page of what happened with the rows of a person, newest first.

    Of conversations and tickets only those that the actor may see; no segments of who refused
    profiling.
    """
    wanted = [s for s in _strands(connection, rows) if s.lane in lanes]
    found = [
        _entries(connection, actor, rows, strand, before=before, limit=limit + 1)
        for strand in wanted
    ]
    merged = heapq.merge(*found, key=lambda e: (e.at_ms, e.key), reverse=True)
    first = [entry for entry, _ in zip(merged, range(limit + 1), strict=False)]
    shown, more = first[:limit], len(first) > limit
    older = (shown[-1].at_ms, shown[-1].key) if more else None
    return Page(tuple(_told(connection, shown)), older)


def counts(connection: Connection, actor: Actor, rows: Sequence[str]) -> dict[str, int]:
    """How many entries each lane has for the actor."""
    found: dict[str, int] = dict.fromkeys(LANES, 0)
    for strand in _strands(connection, rows):
        statement = _select(actor, rows, strand, (func.count(),))
        found[strand.lane] += int(connection.execute(statement).scalar_one())
    return found


def _strands(connection: Connection, rows: Sequence[str]) -> tuple[_Strand, ...]:
    if allowed(connection, rows, "profiling"):
        return _STRANDS
    return tuple(strand for strand in _STRANDS if strand.kind != "segment.changed")


def _select(
    actor: Actor,
    rows: Sequence[str],
    strand: _Strand,
    columns: Sequence[ColumnElement[Any]],  # Any: columns
) -> Select[Any]:  # Any: columns
    source: FromClause = strand.at_ms.table
    if strand.joined is not None:
        source = source.join(*strand.joined)
    statement = (
        select(*columns).select_from(source).where(strand.of(rows), strand.at_ms.is_not(None))
    )
    if strand.also is not None:
        statement = statement.where(strand.also)
    return statement if strand.seen is None else statement.where(strand.seen(actor))


def _entries(
    connection: Connection,
    actor: Actor,
    rows: Sequence[str],
    strand: _Strand,
    *,
    before: tuple[int, str] | None,
    limit: int,
) -> list[Entry]:
    prefix = f"{strand.kind} "
    statement = _select(
        actor, rows, strand, (strand.at_ms.label("at_ms"), strand.key.label("key"), *strand.columns)
    )
    if before is not None:
        at_ms, key = before
        earlier: ColumnElement[bool] = strand.at_ms < at_ms
        if prefix < key:
            # At the same instant come those that are behind in the order of the keys.
            own = key.removeprefix(prefix) if key.startswith(prefix) else None
            same = strand.at_ms == at_ms
            earlier = or_(earlier, same if own is None else and_(same, strand.key < own))
        statement = statement.where(earlier)
    statement = statement.order_by(strand.at_ms.desc(), strand.key.desc()).limit(limit)
    return [
        Entry(row["at_ms"], f"{prefix}{row['key']}", strand.lane, strand.kind, dict(row))
        for row in connection.execute(statement).mappings()
    ]


def _told(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """The entries with names of people, lines of orders and comments of ratings."""
    names = people.names(connection)
    order_ids = [e.data["order_id"] for e in entries if e.kind == "order.placed"]
    lines = orders.lines_of(connection, order_ids) if order_ids else {}
    rated = {e.data["conversation_id"] for e in entries if e.lane == "ratings"}
    comments = rating_comments(connection, rated) if rated else {}
    told = []
    for entry in entries:
        data = dict(entry.data)
        if entry.kind == "order.placed":
            mine = lines.get(data["order_id"], [])
            data["lines"] = mine[:_MAX_LINES]
            data["more_lines"] = max(0, len(mine) - _MAX_LINES)
        elif entry.lane == "ratings":
            data["comment"] = comments.get((data["conversation_id"], data["session_no"]))
        elif entry.kind == "event":
            data["values"] = json.loads(data.pop("values"))
        by = names.get(data.get("by_id") or "")
        told.append(Entry(entry.at_ms, entry.key, entry.lane, entry.kind, data, by))
    return told


def _of(column: Column[Any]) -> Callable[[Sequence[str]], ColumnElement[bool]]:  # Any: text
    return column.in_


def _either(*columns: Column[Any]) -> Callable[[Sequence[str]], ColumnElement[bool]]:  # Any: text
    return lambda rows: or_(*(column.in_(rows) for column in columns))


_O = SHOP_ORDER.c
_V = CONVERSATION.c
_T = TICKET.c
_S = SESSION.c
_E = EVENT.c
_ORDER_FACTS = (
    _O.id.label("order_id"),
    _O.number,
    _O.source,
    _O.currency,
    _O.total_minor,
    _O.refunded_minor,
    _O.status,
    _O.promised_at_ms,
    _O.carrier,
    _O.tracking_number,
    _O.tracking_url,
)
_CONVERSATION_FACTS = (
    _V.id.label("conversation_id"),
    _V.status,
    _V.channel,
    _V.preview,
    _V.assignee_id.label("by_id"),
)
_SESSION_KEY = _S.conversation_id + literal_column("'.'", String) + cast(_S.session_no, String)


def _order(kind: str, at_ms: Column[Any]) -> _Strand:  # Any: a whole number
    return _Strand(kind, "orders", at_ms, _O.id, _of(_O.customer_id), _ORDER_FACTS)


def _ticket(kind: str, at_ms: Column[Any]) -> _Strand:  # Any: a whole number
    """A ticket's beginning or end; a joined one goes on as another, which has its own."""
    return _Strand(
        kind,
        "tickets",
        at_ms,
        _T.id,
        _of(_T.customer_id),
        (_T.number, _T.state, _T.assignee_id.label("by_id"), TICKET_TEXT.c.subject),
        also=_T.state != "spam",
        joined=(TICKET_TEXT, TICKET_TEXT.c.ticket_id == _T.id),
        seen=tickets.visible_to,
    )


_STRANDS: tuple[_Strand, ...] = (
    _ticket("ticket.made", _T.created_at_ms),
    _ticket("ticket.resolved", _T.resolved_at_ms),
    _order("order.placed", _O.created_at_ms),
    _order("order.shipped", _O.shipped_at_ms),
    _order("order.delivered", _O.delivered_at_ms),
    _order("order.refunded", _O.refunded_at_ms),
    _order("order.cancelled", _O.cancelled_at_ms),
    _Strand(
        "visit",
        "visits",
        PAGE_EVENT.c.at_ms,
        PAGE_EVENT.c.id,
        _of(PAGE_EVENT.c.customer_id),
        (
            PAGE_EVENT.c.kind.label("did"),
            PAGE_EVENT.c.url,
            PAGE_EVENT.c.title,
            PAGE_EVENT.c.sku,
            PAGE_EVENT.c.term,
        ),
    ),
    _Strand(
        "conversation.opened",
        "conversations",
        _V.opened_at_ms,
        _V.id,
        _of(_V.customer_id),
        _CONVERSATION_FACTS,
        also=IS_CHAT,
        seen=visible_to,
    ),
    _Strand(
        "session.started",
        "conversations",
        _S.started_at_ms,
        _SESSION_KEY,
        _of(_V.customer_id),
        _CONVERSATION_FACTS,
        also=and_(_S.session_no > 1, IS_CHAT),
        joined=(CONVERSATION, _V.id == _S.conversation_id),
        seen=visible_to,
    ),
    _Strand(
        "rating",
        "ratings",
        _S.rated_at_ms,
        _SESSION_KEY,
        _of(_V.customer_id),
        (_S.conversation_id, _S.session_no, _S.rating, _S.resolved_by.label("by_id")),
        joined=(CONVERSATION, _V.id == _S.conversation_id),
        seen=visible_to,
    ),
    _Strand(
        "consent",
        "consents",
        CONSENT.c.at_ms,
        CONSENT.c.id,
        _of(CONSENT.c.customer_id),
        (CONSENT.c.purpose, CONSENT.c.state, CONSENT.c.source, CONSENT.c.by.label("by_id")),
    ),
    _Strand(
        "event",
        "record",
        _E.at_ms,
        func.substr(literal_column(f"'{'0' * _WIDTH}'", String) + cast(_E.seq, String), -_WIDTH),
        _of(_E.customer_id),
        (
            _E.kind.label("did"),
            _E.data.label("values"),
            _E.actor_kind,
            _E.actor_id.label("by_id"),
        ),
        also=and_(text(OF_CUSTOMER), _E.kind.not_in(_IN_LINKS)),
    ),
    _Strand(
        "merged",
        "record",
        LINK.c.at_ms,
        LINK.c.id,
        _either(LINK.c.customer_id, LINK.c.other_id),
        (LINK.c.customer_id, LINK.c.other_id, LINK.c.how, LINK.c.agent_id.label("by_id")),
    ),
    _Strand(
        "unmerged",
        "record",
        LINK.c.undone_at_ms,
        LINK.c.id,
        _either(LINK.c.customer_id, LINK.c.other_id),
        (LINK.c.customer_id, LINK.c.other_id, LINK.c.how, LINK.c.undone_by.label("by_id")),
    ),
    _Strand(
        "segment.changed",
        "record",
        CHANGE.c.at_ms,
        CHANGE.c.id,
        _of(CHANGE.c.person_id),
        (
            CHANGE.c.cause,
            CHANGE.c.segment_from,
            CHANGE.c.segment_to,
            CHANGE.c.activity_from,
            CHANGE.c.activity_to,
            CHANGE.c.relationship_from,
            CHANGE.c.relationship_to,
        ),
    ),
)
