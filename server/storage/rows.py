"""Rows and frozen state, both ways: the only place that knows how state is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any  # Any: column values and JSON

import orjson
from sqlalchemy import Connection, RowMapping, Table, bindparam, select

from server.domain.conversation import Conversation, LastMessage, Session
from server.domain.events import Event, MessagePosted, from_json, to_json
from server.domain.turns import Owner, Share, Turn
from server.storage.prepared import delete, insert, upsert
from server.storage.tables import (
    ConversationRow,
    Draft,
    EventRow,
    MessageRow,
    ReadMark,
    SessionRow,
    TurnRow,
    table,
)

CONVERSATION = table(ConversationRow)
DRAFT = table(Draft)
EVENT = table(EventRow)
MESSAGE = table(MessageRow)
READ_MARK = table(ReadMark)
SESSION = table(SessionRow)
TURN = table(TurnRow)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as written; ``blocks`` is a list of cards or None."""

    id: str
    conversation_id: str
    seq: int
    staff_seq: int
    visitor_seq: int | None
    sender_kind: str
    sender_id: str | None
    client_id: str | None
    visibility: str
    origin: str
    body: str
    blocks: list[dict[str, Any]] | None  # Any: JSON
    at_ms: int


def _names(target: Table) -> list[str]:
    return [column.name for column in target.columns]


MESSAGE_NAMES = _names(MESSAGE)
_SESSION_NAMES = _names(SESSION)
# The business clock follows from the shop's hours, which the turn itself does not know.
_TURN_NAMES = [name for name in _names(TURN) if name != "biz_ms"]
_message_columns = attrgetter(*MESSAGE_NAMES)
_session_columns = attrgetter(*_SESSION_NAMES)
_turn_columns = attrgetter(*_TURN_NAMES)
# What never changes is left out: a column that is written again has its index written again.
SAVE_CONVERSATION = upsert(
    CONVERSATION,
    fixed=("external_id", "customer_id", "channel", "opened_at_ms"),
    kept_if_null=("preview",),
)
INSERT_EVENT = insert(EVENT)
INSERT_MESSAGE = insert(MESSAGE)
SAVE_SESSION = upsert(SESSION, fixed=("cause", "started_at_ms"))
SAVE_TURN = upsert(
    TURN, fixed=("session_no", "is_first_in_session", "ask_seq", "ask_at_ms", "ask_message_id")
)
SAVE_DRAFT = upsert(DRAFT)
DELETE_DRAFT = delete(DRAFT)
# A mark never goes back.
SAVE_MARK = upsert(READ_MARK, where="read_mark.message_seq < excluded.message_seq")
_SELECT_STATE = select(CONVERSATION.c.state).where(CONVERSATION.c.id == bindparam("id"))


def dumps(value: object) -> str:
    """Compact JSON of dataclasses, mappings and plain values."""
    return orjson.dumps(value).decode()


def load_conversation(connection: Connection, conversation_id: str) -> Conversation | None:
    """The stored state of a conversation, for reading, or None."""
    state = connection.execute(_SELECT_STATE, {"id": conversation_id}).scalar_one_or_none()
    return None if state is None else conversation_from_json(state)


def conversation_from_json(state: str) -> Conversation:
    """The conversation written by ``conversation_values``; what is missing has its default."""
    values = orjson.loads(state)
    for name, read in _PARTS.items():
        if values.get(name) is not None:
            values[name] = read(values[name])
    return Conversation(**values)


def turn_from_json(values: dict[str, Any]) -> Turn:  # Any: JSON
    """The turn inside a conversation's state."""
    values["shares"] = tuple(Share(**share) for share in values["shares"])
    return Turn(**values)


_PARTS: dict[str, Callable[[Any], object]] = {  # Any: JSON
    "owner": lambda values: Owner(**values),
    "session": lambda values: Session(**values),
    "turn": turn_from_json,
    "last_turn": turn_from_json,
    "left": turn_from_json,
    "last_message": lambda values: LastMessage(**values),
    "tags": tuple,
    "given_away_by": tuple,
}


def conversation_values(
    conversation: Conversation, *, external_id: str | None = None, preview: str | None = None
) -> dict[str, Any]:  # Any: column values
    """All columns of a conversation's row."""
    return {
        "id": conversation.id,
        "external_id": external_id,
        "customer_id": conversation.customer_id,
        "channel": conversation.channel,
        "status": conversation.status,
        "team_id": conversation.team_id,
        "assignee_id": conversation.assignee_id,
        "queued_at_ms": conversation.queued_at_ms,
        "waiting_since_ms": conversation.waiting_since_ms,
        "snoozed_until_ms": conversation.snoozed_until_ms,
        "opened_at_ms": conversation.opened_at_ms,
        "resolved_at_ms": conversation.resolved_at_ms,
        "last_activity_at_ms": conversation.last_activity_at_ms,
        "staff_seq": conversation.staff_seq,
        "visitor_seq": conversation.visitor_seq,
        "last_seq": conversation.last_seq,
        "preview": preview,
        "state": dumps(conversation),
    }


def event_values(event: Event) -> dict[str, Any]:  # Any: column values
    """All columns of an event's row."""
    return {
        "seq": event.seq,
        "event_id": event.event_id,
        "at_ms": event.at_ms,
        "src_at_ms": None,
        "kind": event.kind,
        "conversation_id": event.conversation_id,
        "session_no": event.session_no,
        "customer_id": event.customer_id,
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "channel": event.channel,
        "team_id": event.team_id,
        "staff_seq": event.staff_seq,
        "visitor_seq": event.visitor_seq,
        "data": dumps(to_json(event.data)),
        "imported": event.imported,
        "v": 1,
    }


def event_from_row(row: RowMapping) -> Event:
    """The event of a row of the log."""
    return Event(
        seq=row["seq"],
        event_id=row["event_id"],
        at_ms=row["at_ms"],
        data=from_json(row["kind"], orjson.loads(row["data"])),
        actor_kind=row["actor_kind"],
        actor_id=row["actor_id"],
        conversation_id=row["conversation_id"],
        customer_id=row["customer_id"],
        session_no=row["session_no"],
        channel=row["channel"],
        team_id=row["team_id"],
        staff_seq=row["staff_seq"],
        visitor_seq=row["visitor_seq"],
        imported=row["imported"],
    )


def message_frame(event: Event, data: MessagePosted) -> dict[str, Any]:  # Any: column values
    """What the log says of a message: all columns but its id and its words."""
    return {
        "conversation_id": event.conversation_id,
        "seq": event.seq,
        "staff_seq": event.staff_seq,
        "visitor_seq": event.visitor_seq,
        "sender_kind": event.actor_kind,
        "sender_id": event.actor_id,
        "visibility": data.visibility,
        "origin": data.origin,
        "at_ms": event.at_ms,
    }


def message_from_row(row: RowMapping | Mapping[str, Any]) -> Message:  # Any: column values
    """The message of a row."""
    values = {name: row[name] for name in Message.__dataclass_fields__}
    if values["blocks"] is not None:
        values["blocks"] = orjson.loads(values["blocks"])
    return Message(**values)


def message_values(message: Message) -> dict[str, Any]:  # Any: column values
    """All columns of a message's row."""
    values = dict(zip(MESSAGE_NAMES, _message_columns(message), strict=True))
    values["blocks"] = dumps(message.blocks) if message.blocks else None
    return values


def session_values(session: Session) -> dict[str, Any]:  # Any: column values
    """All columns of a session's row."""
    return dict(zip(_SESSION_NAMES, _session_columns(session), strict=True))


def turn_values(turn: Turn, biz_ms: int | None) -> dict[str, Any]:  # Any: column values
    """All columns of a turn's row; ``biz_ms`` is how much business time the wait took."""
    values = dict(zip(_TURN_NAMES, _turn_columns(turn), strict=True))
    values["shares"] = dumps(turn.shares)
    values["biz_ms"] = biz_ms
    return values


def turn_from_row(row: RowMapping) -> Turn:
    """The turn of a row, without the columns that are worked out from it."""
    values = {name: row[name] for name in Turn.__dataclass_fields__}
    values["shares"] = tuple(Share(**share) for share in orjson.loads(values["shares"]))
    values["is_first_in_session"] = bool(values["is_first_in_session"])
    return Turn(**values)
