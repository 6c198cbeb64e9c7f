"""Tries to sign in that failed, counted under a key for all processes; only its hash is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import bindparam, delete, select, text

from server.storage.locking import lockable, locked_row
from server.storage.secrets import token_hash
from server.storage.tables import FailedTry, table
from server.storage.unit import Tx

FAILED_TRY = table(FailedTry)
_LOCK = lockable(select(FAILED_TRY).where(FAILED_TRY.c.key_hash == bindparam("id")))
_SAVE = text(
    "INSERT INTO failed_try (key_hash, failures, last_at_ms, recent)"
    " VALUES (:key_hash, :failures, :last_at_ms, :recent)"
    " ON CONFLICT (key_hash) DO UPDATE SET failures = excluded.failures,"
    " last_at_ms = excluded.last_at_ms, recent = excluded.recent"
)


@dataclass(frozen=True, slots=True)
class FailedTries:
    """How many there were, when the last one was, and when each of the recent ones, ms UTC."""

    failures: int = 0
    last_at_ms: int = 0
    recent: tuple[int, ...] = ()


def load_tries(tx: Tx, key: str) -> FailedTries:
    """What is counted under a key, which is locked until the commit."""
    row = locked_row(tx.connection, _LOCK, token_hash(key))
    if row is None:
        return FailedTries()
    return FailedTries(row["failures"], row["last_at_ms"], tuple(orjson.loads(row["recent"])))


def save_tries(tx: Tx, key: str, *, failures: int, recent: Sequence[int] = ()) -> None:
    """Writes what is counted under a key; the last one is now."""
    values = {"key_hash": token_hash(key), "failures": failures, "last_at_ms": tx.at_ms}
    tx.later(_SAVE, values | {"recent": orjson.dumps(list(recent)).decode()})


def forget_tries(tx: Tx, key: str) -> None:
    """Forgets what is counted under a key."""
    tx.later(delete(FAILED_TRY).where(FAILED_TRY.c.key_hash == token_hash(key)))


def forget_old_tries(tx: Tx, *, before_ms: int) -> None:
    """Forgets whatever failed last before an instant."""
    tx.later(delete(FAILED_TRY).where(FAILED_TRY.c.last_at_ms <= before_ms))
