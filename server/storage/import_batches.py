"""Imports of files that can be undone: what each has written, and what was there before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, select, update

from server.storage.prepared import delete, insert
from server.storage.rows import dumps
from server.storage.tables import ImportBatch, ImportChange, table
from server.storage.unit import Tx

IMPORT_BATCH = table(ImportBatch)
IMPORT_CHANGE = table(ImportChange)

_ADD_BATCH = insert(IMPORT_BATCH, conflict="ON CONFLICT DO NOTHING")
# What was there before the import's first change counts, however often it changed a row.
_ADD_CHANGE = insert(IMPORT_CHANGE, conflict="ON CONFLICT DO NOTHING")
_DROP_CHANGE = delete(IMPORT_CHANGE)
_BY_ID = select(IMPORT_BATCH).where(IMPORT_BATCH.c.id == bindparam("id"))
_LATEST = select(IMPORT_BATCH).order_by(IMPORT_BATCH.c.at_ms.desc(), IMPORT_BATCH.c.id.desc())


@dataclass(frozen=True, slots=True)
class Batch:
    """An import that wrote something; ``noun`` is orders, products or customers."""

    id: str
    noun: str
    source: str
    name: str
    at_ms: int
    accepted: int = 0
    undone_at_ms: int | None = None


def add_batch(tx: Tx, batch: Batch) -> None:
    """Writes an import down, once."""
    tx.write(_ADD_BATCH, [{name: getattr(batch, name) for name in Batch.__dataclass_fields__}])


def count_in(tx: Tx, batch_id: str, accepted: int) -> None:
    """Adds to what an import has written."""
    statement = update(IMPORT_BATCH).where(IMPORT_BATCH.c.id == bindparam("b_id"))
    tx.later(
        statement.values(accepted=IMPORT_BATCH.c.accepted + bindparam("more")),
        {"b_id": batch_id, "more": accepted},
    )


def load_batch(connection: Connection, batch_id: str) -> Batch | None:
    """One import, or None."""
    row = connection.execute(_BY_ID, {"id": batch_id}).mappings().first()
    return None if row is None else _batch(row)


def latest_batches(connection: Connection, limit: int) -> list[Batch]:
    """The latest imports, newest first."""
    return [_batch(row) for row in connection.execute(_LATEST.limit(limit)).mappings()]


def keep_before(
    tx: Tx,
    batch_id: str,
    noun: str,
    before: Mapping[str, Mapping[str, Any] | None],  # Any: JSON
) -> None:
    """Remembers what rows were before an import changes them, by their key; None for new ones."""
    tx.write(
        _ADD_CHANGE,
        [
            {
                "batch": batch_id,
                "noun": noun,
                "key": key,
                "before": None if row is None else dumps(row),
            }
            for key, row in before.items()
        ],
    )


def row_before(
    connection: Connection, batch_id: str, noun: str, key: str
) -> dict[str, Any] | None:  # Any: JSON
    """What one row was before an import, None when it was not there."""
    c = IMPORT_CHANGE.c
    statement = select(c.before).where(c.batch == batch_id, c.noun == noun, c.key == key)
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else dict(orjson.loads(found))


def changes_of(
    connection: Connection, batch_id: str, noun: str, *, limit: int
) -> dict[str, dict[str, Any] | None]:  # Any: JSON
    """What some rows were before an import that are still to be put back, by key."""
    c = IMPORT_CHANGE.c
    statement = (
        select(c.key, c.before)
        .where(c.batch == batch_id, c.noun == noun)
        .order_by(c.key)
        .limit(limit)
    )
    return {
        row.key: None if row.before is None else orjson.loads(row.before)
        for row in connection.execute(statement)
    }


def drop_changes(tx: Tx, batch_id: str, noun: str, keys: Collection[str]) -> None:
    """Forgets what rows were before an import."""
    tx.write(_DROP_CHANGE, [{"batch": batch_id, "noun": noun, "key": key} for key in keys])


def mark_undone(tx: Tx, batch_id: str) -> None:
    """Notes that an import was undone now, and forgets what was before it."""
    statement = update(IMPORT_BATCH).where(IMPORT_BATCH.c.id == bindparam("b_id"))
    tx.later(statement.values(undone_at_ms=tx.at_ms), {"b_id": batch_id})
    tx.later(
        IMPORT_CHANGE.delete().where(IMPORT_CHANGE.c.batch == bindparam("b_id")), {"b_id": batch_id}
    )


def _batch(row: RowMapping) -> Batch:
    return Batch(**{name: row[name] for name in Batch.__dataclass_fields__})
