"""Replaying the log and comparing every derived row with what the log says it must be.

Differences are told in words, one sentence each. Memory is bounded: a few hundred conversations are
looked at at a time, on one consistent state of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: column values

import orjson
from sqlalchemy import Connection, RowMapping, Table, exists, func, select

from server.domain.errors import InvalidInput
from server.domain.events import AgentPresenceChanged, Event, MessagePosted, seen_by_shopper
from server.domain.replay import Replayed, replay
from server.domain.ticket import replay as replay_ticket
from server.reports.reviews_verify import review_differences
from server.reports.verify_figures import KeptFigures
from server.storage import segment_columns
from server.storage.hours import HoursBook, load_book
from server.storage.people import AGENT
from server.storage.rescoring import drift
from server.storage.rows import (
    CONVERSATION,
    EVENT,
    MESSAGE,
    SESSION,
    TURN,
    conversation_values,
    dumps,
    event_from_row,
    message_frame,
    session_values,
    turn_values,
)
from server.storage.ticket_rows import DERIVED, TICKET, ticket_values

_CHUNK = 300
# Not derived from the log: the name in another desk's file, and words of a message.
_CONVERSATION_COLUMNS = [
    column.name for column in CONVERSATION.columns if column.name not in ("external_id", "preview")
]
Values = Mapping[str, Any]  # Any: column values


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be; what is named can be made anew."""

    text: str
    conversation_id: str | None = None
    person_id: str | None = None
    of_segments: bool = False

    def __str__(self) -> str:
        """The sentence."""
        return self.text


@dataclass(slots=True)
class _Chunk:
    """Some conversations' log and rows."""

    events: dict[str, list[Event]] = field(default_factory=dict)
    unreadable: list[Difference] = field(default_factory=list)
    conversations: dict[str, RowMapping] = field(default_factory=dict)
    sessions: dict[str, dict[int, RowMapping]] = field(default_factory=dict)
    turns: dict[str, dict[int, RowMapping]] = field(default_factory=dict)
    messages: dict[str, dict[str, RowMapping]] = field(default_factory=dict)
    tickets: dict[str, RowMapping] = field(default_factory=dict)


def verify(
    connection: Connection,
    *,
    at_ms: int | None = None,
    looked_at: Callable[[int], None] | None = None,
) -> Iterator[Difference]:
    """Every difference between the log and what is derived from it; nothing when all is well.

    With ``at_ms``, which is now, also between orders and the profiles that are made of them.
    ``looked_at`` is told how many more conversations have been compared.
    """
    book = load_book(connection)
    figures = KeptFigures(connection, book)
    after = ""
    while ids := _next_ids(connection, after):
        chunk = _load(connection, ids)
        yield from chunk.unreadable
        for conversation_id in ids:
            yield from _compare(chunk, conversation_id, book)
            figures.add(chunk.events.get(conversation_id, []))
        if looked_at is not None:
            looked_at(len(ids))
        after = ids[-1]
    yield from map(Difference, figures.differences())
    for wrong in segment_columns.differences(connection):
        yield Difference(wrong, of_segments=True)
    yield from map(Difference, review_differences(connection))
    yield from _presence(connection)
    if at_ms is not None:
        for person_id, wrong in drift(connection, at_ms=at_ms):
            yield Difference(f"Profile {person_id}: {wrong}.", person_id=person_id)


def sizes(connection: Connection) -> tuple[int, int]:
    """How many events and conversations there are."""
    events = connection.execute(select(func.count()).select_from(EVENT)).scalar_one()
    conversations = connection.execute(select(func.count()).select_from(CONVERSATION)).scalar_one()
    return int(events), int(conversations)


def _next_ids(connection: Connection, after: str) -> list[str]:
    """The next ids in order, of conversations that are in the log or have a row, or both."""
    c = EVENT.c.conversation_id
    logged = select(c).where(c > after).distinct().order_by(c).limit(_CHUNK)
    stored = (
        select(CONVERSATION.c.id)
        .where(
            CONVERSATION.c.id > after, ~exists().where(EVENT.c.conversation_id == CONVERSATION.c.id)
        )
        .order_by(CONVERSATION.c.id)
        .limit(_CHUNK)
    )
    found = {*connection.execute(logged).scalars(), *connection.execute(stored).scalars()}
    return sorted(found)[:_CHUNK]


def _load(connection: Connection, ids: list[str]) -> _Chunk:
    chunk = _Chunk()
    statement = select(EVENT).where(EVENT.c.conversation_id.in_(ids)).order_by(EVENT.c.seq)
    for row in connection.execute(statement).mappings():
        try:
            event = event_from_row(row)
        except (InvalidInput, orjson.JSONDecodeError, TypeError, AttributeError):
            text = f"Event {row['seq']} of conversation {row['conversation_id']} cannot be read."
            chunk.unreadable.append(Difference(text))
            continue
        chunk.events.setdefault(row["conversation_id"], []).append(event)
    for row in _rows(connection, CONVERSATION, "id", ids):
        chunk.conversations[row["id"]] = row
    for row in _rows(connection, TICKET, "id", ids):
        chunk.tickets[row["id"]] = row
    for row in _rows(connection, SESSION, "conversation_id", ids):
        chunk.sessions.setdefault(row["conversation_id"], {})[row["session_no"]] = row
    for row in _rows(connection, TURN, "conversation_id", ids):
        chunk.turns.setdefault(row["conversation_id"], {})[row["turn_no"]] = row
    for row in _rows(connection, MESSAGE, "conversation_id", ids):
        chunk.messages.setdefault(row["conversation_id"], {})[row["id"]] = row
    return chunk


def _rows(connection: Connection, target: Table, key: str, ids: list[str]) -> Iterable[RowMapping]:
    return connection.execute(select(target).where(target.c[key].in_(ids))).mappings()


def _compare(chunk: _Chunk, conversation_id: str, book: HoursBook) -> Iterator[Difference]:
    where = f"Conversation {conversation_id}"
    events = chunk.events.get(conversation_id, [])
    if not events:
        yield Difference(f"{where}: has a row but no events in the log.")
        return
    replayed = replay(events)
    if replayed is None:
        yield Difference(f"{where}: the log does not begin with conversation.opened.")
        return
    biz_ms = book.waits(replayed.turns.values(), events)
    found = (
        *_sequences(events),
        *_conversation(chunk.conversations.get(conversation_id), replayed),
        *_numbered(
            "session",
            chunk.sessions.get(conversation_id, {}),
            {no: session_values(session) for no, session in replayed.sessions.items()},
        ),
        *_numbered(
            "turn",
            chunk.turns.get(conversation_id, {}),
            {no: turn_values(turn, biz_ms[no]) for no, turn in replayed.turns.items()},
        ),
        *_messages(chunk.messages.get(conversation_id, {}), events),
        *_ticket(chunk.tickets.get(conversation_id), events),
    )
    for text in found:
        yield Difference(f"{where}: {text}", conversation_id)


def _sequences(events: list[Event]) -> Iterator[str]:
    """Both sequences count from 1 without gaps, and the shopper's only what the shopper may see."""
    visitor = 0
    for staff, event in enumerate(events, 1):
        if event.staff_seq != staff:
            yield f"event {event.seq} has staff_seq {event.staff_seq}, the log says {staff}."
        expected = None
        if seen_by_shopper(event.data):
            visitor += 1
            expected = visitor
        if event.visitor_seq != expected:
            yield f"event {event.seq} has visitor_seq {event.visitor_seq}, the log says {expected}."


def _conversation(row: RowMapping | None, replayed: Replayed) -> Iterator[str]:
    if row is None:
        yield "the row is missing."
        return
    expected = conversation_values(replayed.conversation)
    yield from _differences("", row, expected, _CONVERSATION_COLUMNS)


def _ticket(row: RowMapping | None, events: list[Event]) -> Iterator[str]:
    ticket = replay_ticket(events)
    if ticket is None or row is None:
        if (ticket is None) != (row is None):
            yield "its ticket is missing." if row is None else "its ticket is not in the log."
        return
    expected = ticket_values(ticket)
    for column in DERIVED:
        stored, right = row[column], expected[column]
        if stored != right:
            yield f"ticket: {column} is {stored!r}, the log says {right!r}."


def _numbered(
    noun: str, rows: Mapping[int, RowMapping], expected: Mapping[int, Values]
) -> Iterator[str]:
    for number in sorted(rows.keys() | expected.keys()):
        if number not in rows:
            yield f"{noun} {number} is missing."
        elif number not in expected:
            yield f"{noun} {number} is not in the log."
        else:
            values = expected[number]
            yield from _differences(f"{noun} {number}: ", rows[number], values, values)


def _messages(rows: Mapping[str, RowMapping], events: Iterable[Event]) -> Iterator[str]:
    expected = {
        event.data.message_id: message_frame(event, event.data)
        for event in events
        if isinstance(event.data, MessagePosted)
    }
    for message_id in sorted(rows.keys() | expected.keys()):
        if message_id not in rows:
            yield f"message {message_id} is missing."
        elif message_id not in expected:
            yield f"message {message_id} is not in the log."
        else:
            name = f"message {message_id}: "
            yield from _differences(
                name, rows[message_id], expected[message_id], expected[message_id]
            )


def _differences(
    prefix: str, row: RowMapping, expected: Values, columns: Iterable[str]
) -> Iterator[str]:
    for column in columns:
        stored, right = row[column], expected[column]
        if column == "state":
            yield from _state(prefix, stored, right)
        elif column == "shares":
            if _loads(stored) != orjson.loads(right):
                yield f"{prefix}shares is {stored}, the log says {right}."
        elif stored != right:
            yield f"{prefix}{column} is {stored!r}, the log says {right!r}."


def _state(prefix: str, stored: str, right: str) -> Iterator[str]:
    values, expected = _loads(stored), orjson.loads(right)
    if not isinstance(values, dict):
        yield f"{prefix}state cannot be read."
        return
    for key in sorted(values.keys() | expected.keys()):
        if values.get(key) != expected.get(key):
            yield (
                f"{prefix}state.{key} is {dumps(values.get(key))},"
                f" the log says {dumps(expected.get(key))}."
            )


def _loads(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _presence(connection: Connection) -> Iterator[Difference]:
    """Every agent is in the state that the last event of this desk, not of an import, says."""
    c = EVENT.c
    last = (
        select(func.max(c.seq))
        .where(c.kind == AgentPresenceChanged.kind, ~c.imported, c.actor_id.is_not(None))
        .group_by(c.actor_id)
    )
    expected: dict[str, str] = {}
    for row in connection.execute(select(EVENT).where(c.seq.in_(last))).mappings():
        data = event_from_row(row).data
        if isinstance(data, AgentPresenceChanged):
            expected[row["actor_id"]] = data.status
    for row in connection.execute(select(AGENT.c.id, AGENT.c.status)).mappings():
        right = expected.get(row["id"], "offline")
        if row["status"] != right:
            yield Difference(
                f"Agent {row['id']}: status is {row['status']!r}, the log says {right!r}."
            )
