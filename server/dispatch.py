"""The one way from an edge to the database: an action in a transaction, a query on a reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar  # Any: JSON values

from sqlalchemy import Connection

from server.actions.payload import Payload
from server.domain.actors import Actor
from server.storage.database import Database
from server.storage.unit import Tx

P_contra = TypeVar("P_contra", bound=Payload, contravariant=True)
P = TypeVar("P", bound=Payload)
Answer = dict[str, Any]  # Any: JSON values


class Query(Protocol[P_contra]):
    """A function that looks things up for an actor."""

    def __call__(
        self, connection: Connection, actor: Actor, payload: P_contra, *, at_ms: int
    ) -> Answer:
        """The answer at an instant."""


Action = Callable[[Tx, Actor, P], Answer]


async def run(database: Database, action: Action[P], actor: Actor, payload: P) -> Answer:
    """The action's answer, once what it did is on disk. Raises AppError.

    The action is queued before the first await, so the calls of one client keep their order.
    """
    return await database.write(lambda tx: action(tx, actor, payload))


async def ask(database: Database, query: Query[P], actor: Actor, payload: P) -> Answer:
    """The query's answer, from one consistent state of the database. Raises AppError."""
    at_ms = database.clock()
    return await database.read(lambda connection: query(connection, actor, payload, at_ms=at_ms))
