"""Deliveries of shops as they came: stored first, taken over later, kept for a while."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal  # Any: column values

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, text, tuple_, update

from server.domain.hooks import Incoming
from server.storage.locking import Lockable, locked_row
from server.storage.rows import dumps
from server.storage.shop_sources import SHOP_DELIVERY, SHOP_SOURCE
from server.storage.unit import Tx

Status = Literal["waiting", "applied", "ignored", "dead"]
c = SHOP_DELIVERY.c

_INSERT = text(
    "INSERT INTO shop_delivery (id, source, dedupe_key, topic, headers, body, received_at_ms,"
    " triggered_at_ms, status, due_at_ms, attempts) VALUES (:id, :source, :key, :topic, :headers,"
    " :body, :at_ms, :triggered_at_ms, 'waiting', :at_ms, 0)"
    " ON CONFLICT (source, dedupe_key) DO NOTHING"
)
_BY_KEY = select(c.id, c.body).where(
    c.source == bindparam("source"), c.dedupe_key == bindparam("key")
)
_BY_ID = select(SHOP_DELIVERY).where(c.id == bindparam("id"))
_DUE = (
    select(SHOP_DELIVERY)
    .where(c.due_at_ms <= bindparam("at_ms"))
    .order_by(c.due_at_ms, c.id)
    .limit(bindparam("limit"))
)
# The source's row is the turnstile: what it told is taken over by one process at a time.
_TURN = Lockable(
    select(SHOP_SOURCE.c.name).where(SHOP_SOURCE.c.name == bindparam("id")).with_for_update(),
    select(SHOP_SOURCE.c.name)
    .where(SHOP_SOURCE.c.name == bindparam("id"))
    .with_for_update(skip_locked=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery and what became of it; ``due_at_ms`` is set while it waits."""

    id: str
    source: str
    dedupe_key: str
    topic: str
    headers: dict[str, str]
    body: bytes
    customer: str | None
    received_at_ms: int
    triggered_at_ms: int | None
    status: Status
    due_at_ms: int | None
    attempts: int
    applied_at_ms: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deliveries of a source are in each state, and since when the oldest waits."""

    waiting: int = 0
    oldest_waiting_at_ms: int | None = None
    dead: int = 0
    applied: int = 0
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryStored:
    """Told after the commit: a delivery waits to be taken over."""

    source: str


def add_delivery(tx: Tx, source: str, incoming: Incoming) -> str:
    """Stores a delivery, unless one came under its key before; its id."""
    delivery_id = tx.new_id()
    tx.later(
        _INSERT,
        {
            "id": delivery_id,
            "source": source,
            "key": incoming.key,
            "topic": incoming.topic,
            "headers": dumps(incoming.headers),
            "body": incoming.body,
            "at_ms": tx.at_ms,
            "triggered_at_ms": incoming.triggered_at_ms,
        },
    )
    tx.notice(DeliveryStored(source))
    return delivery_id


def delivery_of_key(connection: Connection, source: str, key: str) -> tuple[str, bytes] | None:
    """Id and body of the delivery that came under a key, or None."""
    row = connection.execute(_BY_KEY, {"source": source, "key": key}).first()
    return None if row is None else (row[0], bytes(row[1]))


def due(connection: Connection, *, at_ms: int, limit: int) -> list[Delivery]:
    """The deliveries that are to be taken over by now, in the order in which they are due."""
    rows = connection.execute(_DUE, {"at_ms": at_ms, "limit": limit}).mappings()
    return [_delivery(row) for row in rows]


def load_delivery(connection: Connection, delivery_id: str) -> Delivery | None:
    """One delivery, or None."""
    row = connection.execute(_BY_ID, {"id": delivery_id}).mappings().first()
    return None if row is None else _delivery(row)


def take_turn(tx: Tx, source: str) -> None:
    """Keeps other processes from taking over anything of a source. Raises Held."""
    if tx.connection.dialect.name != "sqlite":
        locked_row(tx.connection, _TURN, source)


def change_delivery(tx: Tx, delivery_id: str, **values: str | int | None) -> None:
    """Writes new values of some columns of a delivery."""
    statement = update(SHOP_DELIVERY).where(c.id == bindparam("b_id"))
    tx.later(
        statement.values({key: bindparam(key) for key in values}), values | {"b_id": delivery_id}
    )


def replay(tx: Tx, source: str, status: Status, *, ids: Collection[str] | None = None) -> int:
    """Lets deliveries of a source be taken over anew, from their first attempt on; how many."""
    where = [c.source == source, c.status == status]
    if ids is not None:
        where.append(c.id.in_(list(ids)))
    count = select(func.count()).select_from(SHOP_DELIVERY).where(*where)
    found = int(tx.execute(count).scalar_one())
    tx.later(
        update(SHOP_DELIVERY)
        .where(*where)
        .values(status="waiting", due_at_ms=tx.at_ms, attempts=0, reason=None)
    )
    tx.notice(DeliveryStored(source))
    return found


def deliveries(
    connection: Connection,
    source: str,
    *,
    status: str | None = None,
    before: tuple[int, str] | None = None,
    limit: int,
) -> list[Delivery]:
    """Deliveries of a source, the latest first; ``before`` is the place of the last one seen."""
    statement = select(SHOP_DELIVERY).where(c.source == source)
    if status is not None:
        statement = statement.where(c.status == status)
    if before is not None:
        statement = statement.where(tuple_(c.received_at_ms, c.id) < before)
    ordered = statement.order_by(c.received_at_ms.desc(), c.id.desc()).limit(limit)
    return [_delivery(row) for row in connection.execute(ordered).mappings()]


def counts(connection: Connection) -> dict[str, Counts]:
    """How many deliveries of each source are in which state."""
    statement = select(
        c.source, c.status, func.count().label("n"), func.min(c.received_at_ms).label("oldest")
    ).group_by(c.source, c.status)
    found: dict[str, dict[str, Any]] = {}  # Any: numbers
    for row in connection.execute(statement).mappings():
        values = found.setdefault(row["source"], {})
        values[row["status"]] = row["n"]
        if row["status"] == "waiting":
            values["oldest_waiting_at_ms"] = row["oldest"]
    return {source: Counts(**values) for source, values in found.items()}


def forget_old(tx: Tx, *, before_ms: int, limit: int) -> int:
    """Removes deliveries that came before an instant and wait no more; how many."""
    old = (
        select(c.id)
        .where(c.received_at_ms < before_ms, c.due_at_ms.is_(None))
        .order_by(c.received_at_ms)
        .limit(limit)
    )
    ids = list(tx.execute(old).scalars())
    if ids:
        tx.later(delete(SHOP_DELIVERY).where(c.id.in_(ids)))
    return len(ids)


def forget_about(tx: Tx, source: str, customers: Collection[str]) -> int:
    """Removes what came about customers of a source, by its ids, whatever became of it; how many.

    For their erasure: what could not be read is of nobody known, and goes with time.
    """
    where = (c.source == source, c.customer.in_(list(customers)))
    found = int(
        tx.execute(select(func.count()).select_from(SHOP_DELIVERY).where(*where)).scalar_one()
    )
    tx.later(delete(SHOP_DELIVERY).where(*where))
    return found


def forget_source(tx: Tx, source: str) -> None:
    """Removes all deliveries of a source."""
    tx.later(delete(SHOP_DELIVERY).where(c.source == source))


def _delivery(row: RowMapping) -> Delivery:
    values = {name: row[name] for name in Delivery.__dataclass_fields__}
    values["headers"] = orjson.loads(values["headers"])
    values["body"] = bytes(values["body"])
    return Delivery(**values)
