"""What was written: texts by id, the answer to a resend, read marks, drafts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: JSON values

from sqlalchemy import Connection, bindparam, func, select

from server.storage.rows import (
    CONVERSATION,
    DRAFT,
    MESSAGE,
    READ_MARK,
    Message,
    message_from_row,
)
from server.storage.unit import Tx

_BY_IDS = select(MESSAGE).where(MESSAGE.c.id.in_(bindparam("ids", expanding=True)))


def messages_by_id(connection: Connection, ids: Sequence[str]) -> dict[str, Message]:
    """The messages with these ids; erased ones are absent."""
    if not ids:
        return {}
    found = connection.execute(_BY_IDS, {"ids": list(ids)}).mappings()
    return {row["id"]: message_from_row(row) for row in found}


def load_message(connection: Connection, message_id: str) -> Message | None:
    """One message, or None."""
    return messages_by_id(connection, [message_id]).get(message_id)


_LAST_PUBLIC = (
    select(MESSAGE)
    .where(
        MESSAGE.c.conversation_id == bindparam("conversation_id"),
        MESSAGE.c.seq <= bindparam("seq"),
        MESSAGE.c.visibility == "public",
    )
    .order_by(MESSAGE.c.seq.desc())
    .limit(1)
)


def last_public(tx: Tx, message: Message) -> Message | None:
    """The latest message up to this one that the shopper may see, or None."""
    if message.visibility == "public":
        return message
    values = {"conversation_id": message.conversation_id, "seq": message.seq}
    row = tx.execute(_LAST_PUBLIC, values).mappings().first()
    return None if row is None else message_from_row(row)


_LATEST_PUBLIC = (
    select(MESSAGE)
    .where(
        MESSAGE.c.conversation_id == bindparam("conversation_id"),
        MESSAGE.c.visibility == "public",
    )
    .order_by(MESSAGE.c.seq.desc())
    .limit(bindparam("most"))
)


def latest_public(connection: Connection, conversation_id: str, *, most: int) -> list[Message]:
    """The latest messages that the shopper may see, newest first."""
    values = {"conversation_id": conversation_id, "most": most}
    return [message_from_row(row) for row in connection.execute(_LATEST_PUBLIC, values).mappings()]


def mark_read(tx: Tx, message: Message, *, reader_kind: str, reader_id: str) -> None:
    """Remembers how far a party has read; a mark never goes back."""
    tx.keep_mark(
        (message.conversation_id, reader_kind, reader_id),
        {
            "conversation_id": message.conversation_id,
            "reader_kind": reader_kind,
            "reader_id": reader_id,
            "message_id": message.id,
            "message_seq": message.seq,
            "at_ms": tx.at_ms,
        },
    )


def read_marks(connection: Connection, conversation_id: str) -> list[dict[str, Any]]:  # Any: JSON
    """How far each party has read: reader_kind, reader_id, message_id, message_seq, at_ms."""
    found = connection.execute(
        select(READ_MARK).where(READ_MARK.c.conversation_id == conversation_id)
    ).mappings()
    return [dict(row) for row in found]


def load_draft(
    connection: Connection, conversation_id: str, agent_id: str
) -> dict[str, Any] | None:  # Any: JSON
    """What the agent has begun to write: body, visibility, updated_at_ms; None when nothing."""
    c = DRAFT.c
    row = (
        connection.execute(
            select(c.body, c.visibility, c.updated_at_ms).where(
                c.conversation_id == conversation_id, c.agent_id == agent_id
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else dict(row)


def set_draft(tx: Tx, *, conversation_id: str, agent_id: str, body: str, visibility: str) -> None:
    """Keeps what the agent has begun to write; an empty body forgets it."""
    draft = {
        "conversation_id": conversation_id,
        "agent_id": agent_id,
        "body": body,
        "visibility": visibility,
        "updated_at_ms": tx.at_ms,
    }
    tx.keep_draft((conversation_id, agent_id), draft if body else None)


_UNREAD = (
    select(MESSAGE.c.conversation_id, func.count())
    .join_from(MESSAGE, CONVERSATION, CONVERSATION.c.id == MESSAGE.c.conversation_id)
    .outerjoin(
        READ_MARK,
        (READ_MARK.c.conversation_id == MESSAGE.c.conversation_id)
        & (READ_MARK.c.reader_kind == "customer")
        & (READ_MARK.c.reader_id == CONVERSATION.c.customer_id),
    )
    .where(
        MESSAGE.c.conversation_id.in_(bindparam("ids", expanding=True)),
        MESSAGE.c.sender_kind != "customer",
        MESSAGE.c.visibility == "public",
        MESSAGE.c.seq > func.coalesce(READ_MARK.c.message_seq, 0),
    )
    .group_by(MESSAGE.c.conversation_id)
)


def unread_by_customer(connection: Connection, conversation_ids: Sequence[str]) -> dict[str, int]:
    """How many messages of the shop the shopper has not seen, where there are any."""
    if not conversation_ids:
        return {}
    found = connection.execute(_UNREAD, {"ids": list(conversation_ids)})
    return {row[0]: int(row[1]) for row in found}
