"""Locks between processes: who holds some never waits for more, so nobody waits in a circle.

The jobs of a batch keep their locks until its commit. One of them that meets what another process
has locked is put off (``Held``) and goes first in the next batch, where it may wait: it holds
nothing yet. What is asked for after it in the same batch is put off with it, to keep the order.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any  # Any: columns

from sqlalchemy import Connection, RowMapping, Select

from server.domain.errors import Unavailable

_HELD = "shopbell_held"


class Held(Unavailable):
    """Another process has it locked, or it is not there: the job is to be run in the next batch."""

    def __init__(self) -> None:
        super().__init__("Others change the same thing just now. Try again in a moment.")


def hold_nobody_up(connection: Connection, held: set[str] | None) -> None:
    """Lets what follows on a connection put off instead of wait; what was held goes in the set.

    None lets it wait again.
    """
    connection.info[_HELD] = held


@dataclass(frozen=True, slots=True)
class Lockable:
    """A query for one row by ``id``, in both ways to lock it; built once, as that costs time."""

    waiting: Select[Any]  # Any: columns
    skipping: Select[Any]  # Any: columns


def lockable(statement: Select[Any]) -> Lockable:  # Any: columns
    """The query, which asks for one row by the parameter ``id``, so that it locks the row."""
    return Lockable(statement.with_for_update(), statement.with_for_update(skip_locked=True))


def locked_row(connection: Connection, query: Lockable, key: str) -> RowMapping | None:
    """The row with this id, locked until the commit, or None when there is none. Raises Held."""
    held = connection.info.get(_HELD)
    if held is None:
        return connection.execute(query.waiting, {"id": key}).mappings().first()
    row = None
    if key not in held:
        row = connection.execute(query.skipping, {"id": key}).mappings().first()
    if row is None:
        held.add(key)
        raise Held
    return row


def locked_rows(connection: Connection, query: Lockable, keys: AbstractSet[str]) -> None:
    """Locks the rows with these ids until the commit, in one order. Raises Held.

    ``query`` asks for ids by the parameter ``ids``, ordered by them.
    """
    held = connection.info.get(_HELD)
    if held is None:
        connection.execute(query.waiting, {"ids": sorted(keys)})
        return
    free = set(connection.execute(query.skipping, {"ids": sorted(keys - held)}).scalars())
    if missing := set(keys) - free:
        held |= missing
        raise Held
