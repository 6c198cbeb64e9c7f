"""Up to where durable readers have read the log; one row each."""

from __future__ import annotations

from sqlalchemy import Connection, select, text, update

from server.storage.event_log import last_seq
from server.storage.tables import LogReader, table
from server.storage.unit import Tx

LOG_READER = table(LogReader)
_FIRST_PLACE = text(
    "INSERT INTO log_reader (name, seq) VALUES (:name, :seq) ON CONFLICT (name) DO NOTHING"
)


def place(connection: Connection, reader: str) -> int | None:
    """Up to which number of the log a reader has read; None before its first time."""
    statement = select(LOG_READER.c.seq).where(LOG_READER.c.name == reader)
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else int(found)


def begin(tx: Tx, reader: str, *, seq: int | None = None) -> None:
    """Makes the place of a reader that has none: at the end of the log unless told otherwise."""
    at = last_seq(tx.connection) if seq is None else seq
    tx.later(_FIRST_PLACE, {"name": reader, "seq": at})


def take_place(tx: Tx, reader: str) -> int | None:
    """As ``place``, kept from other processes until the commit; None when one of them has it."""
    statement = select(LOG_READER.c.seq).where(LOG_READER.c.name == reader)
    found = tx.execute(statement.with_for_update(skip_locked=True)).scalar_one_or_none()
    return None if found is None else int(found)


def move_place(tx: Tx, reader: str, seq: int) -> None:
    """Notes that the log has been read up to a number; never back."""
    c = LOG_READER.c
    tx.later(update(LOG_READER).where(c.name == reader, c.seq < seq).values(seq=seq))
