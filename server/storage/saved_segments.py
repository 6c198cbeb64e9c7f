"""Conditions on customers that somebody gave a name, and how many customers met them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: column values

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, or_, select, update

from server.domain.actors import Actor
from server.domain.conditions import Condition, to_json
from server.storage import directory, people
from server.storage.directory import SEGMENT, stored_condition
from server.storage.rows import dumps
from server.storage.unit import Tx

S = SEGMENT.c


@dataclass(frozen=True, slots=True)
class Segment:
    """A saved segment; ``count`` is how many customers met it at ``counted_at_ms``.

    ``count_took_ms`` says how long the counting took, by which a page decides whether to wait.
    """

    id: str
    name: str
    condition: Condition
    shared: bool
    owner_id: str
    created_at_ms: int
    updated_at_ms: int
    count: int | None = None
    counted_at_ms: int | None = None
    count_took_ms: int | None = None


def _segment(row: RowMapping) -> Segment:
    return Segment(**dict(row) | {"condition": stored_condition(row["condition"])})


def segments_for(connection: Connection, actor: Actor) -> list[Segment]:
    """The saved segments that a person sees, by name: their own and the shared ones."""
    rows = connection.execute(
        select(SEGMENT)
        .where(or_(S.owner_id == actor.id, S.shared.is_(True)))
        .order_by(S.name, S.id)
    ).mappings()
    return [_segment(row) for row in rows]


def shared(connection: Connection) -> list[Segment]:
    """The saved segments that all colleagues may use, by name."""
    rows = connection.execute(
        select(SEGMENT).where(S.shared.is_(True)).order_by(S.name, S.id)
    ).mappings()
    return [_segment(row) for row in rows]


def load_segment(connection: Connection, segment_id: str) -> Segment | None:
    """One saved segment, or None."""
    row = connection.execute(select(SEGMENT).where(S.id == segment_id)).mappings().first()
    return None if row is None else _segment(row)


def count_of_owner(connection: Connection, owner_id: str) -> int:
    """How many segments a person has saved."""
    return len(connection.execute(select(S.id).where(S.owner_id == owner_id)).all())


def add_segment(tx: Tx, segment: Segment) -> None:
    """Keeps a new segment."""
    tx.later(insert(SEGMENT), _values(segment))


def change_segment(tx: Tx, segment: Segment) -> None:
    """Writes a segment anew; its count is to be made anew too."""
    values = _values(segment) | {"count": None, "counted_at_ms": None, "count_took_ms": None}
    del values["id"]
    tx.later(
        update(SEGMENT)
        .where(S.id == bindparam("b_id"))
        .values({key: bindparam(key) for key in values}),
        values | {"b_id": segment.id},
    )


def delete_segment(tx: Tx, segment_id: str) -> None:
    """Forgets a segment."""
    tx.later(delete(SEGMENT).where(S.id == bindparam("b_id")), {"b_id": segment_id})


def keep_count(tx: Tx, segment: Segment, count: int, *, took_ms: int) -> None:
    """Keeps how many met a segment, unless it has been changed meanwhile."""
    tx.later(
        update(SEGMENT)
        .where(S.id == segment.id, S.updated_at_ms == segment.updated_at_ms)
        .values(count=count, counted_at_ms=tx.at_ms, count_took_ms=took_ms)
    )


def least_fresh(connection: Connection, *, before_ms: int) -> Segment | None:
    """The segment whose count is oldest, when it is older than this; the never counted first."""
    row = (
        connection.execute(
            select(SEGMENT)
            .where(or_(S.counted_at_ms.is_(None), S.counted_at_ms < before_ms))
            .order_by(S.counted_at_ms.is_not(None), S.counted_at_ms, S.id)
            .limit(1)
        )
        .mappings()
        .first()
    )
    return None if row is None else _segment(row)


def count_now(connection: Connection, segment: Segment, *, at_ms: int) -> int:
    """How many customers meet a segment at an instant."""
    return directory.count(
        connection,
        directory.expanded(connection, segment.condition),
        now=directory.today(connection, at_ms),
    )


def owners_of(connection: Connection, segments: Sequence[Segment]) -> dict[str, str]:
    """The names of who saved these segments, by id."""
    names = people.names(connection)
    return {s.owner_id: names.get(s.owner_id, "") for s in segments}


def _values(segment: Segment) -> dict[str, Any]:  # Any: column values
    values = {name: getattr(segment, name) for name in Segment.__dataclass_fields__}
    return values | {"condition": dumps(to_json(segment.condition))}
