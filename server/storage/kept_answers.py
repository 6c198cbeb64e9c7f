"""What programs were answered under their idempotency keys, for a day."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select

from server.domain.spans import DAY_MS
from server.storage.tables import KeptAnswer, table
from server.storage.unit import Tx

KEPT = table(KeptAnswer)
KEEP_MS = DAY_MS
_FIND = select(KEPT.c.request, KEPT.c.status, KEPT.c.answer).where(
    KEPT.c.owner == bindparam("owner"),
    KEPT.c.key == bindparam("key"),
    KEPT.c.at_ms > bindparam("since"),
)
_DROP = delete(KEPT).where(KEPT.c.owner == bindparam("b_owner"), KEPT.c.key == bindparam("b_key"))
_FORGET = delete(KEPT).where(KEPT.c.at_ms <= bindparam("before"))


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given: ``request`` tells what was asked, ``body`` is JSON."""

    request: str
    status: int
    body: str


def find_kept(connection: Connection, *, owner: str, key: str, at_ms: int) -> Kept | None:
    """What was answered under this key within the last day, or None."""
    values = {"owner": owner, "key": key, "since": at_ms - KEEP_MS}
    row = connection.execute(_FIND, values).first()
    return None if row is None else Kept(row.request, row.status, row.answer)


def keep(connection: Connection, kept: Kept, *, owner: str, key: str, at_ms: int) -> None:
    """Writes an answer down, at once; for the end of a transaction.

    Another process that does so under the same key waits, and then meets this row.
    """
    connection.execute(
        _DROP.where(KEPT.c.at_ms <= bindparam("before")),
        {"b_owner": owner, "b_key": key, "before": at_ms - KEEP_MS},
    )
    connection.execute(
        insert(KEPT),
        {
            "owner": owner,
            "key": key,
            "request": kept.request,
            "status": kept.status,
            "answer": kept.body,
            "at_ms": at_ms,
        },
    )


def forget_kept(tx: Tx) -> None:
    """Drops what is older than a day."""
    tx.later(_FORGET, {"before": tx.at_ms - KEEP_MS})
