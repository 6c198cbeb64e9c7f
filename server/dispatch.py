"""The one way from an edge to the database: an action in a transaction, a query on a reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar  # Any: JSON values

from server.actions.desk import Look
from server.actions.payload import Payload
from server.domain.actors import Actor
from server.storage.database import Database
from server.storage.event_log import settled_seq
from server.storage.pending import Needs
from server.storage.unit import Tx

P = TypeVar("P", bound=Payload)
Answer = dict[str, Any]  # Any: JSON values
Action = Callable[[Tx, Actor, P], Answer]
Query = Callable[[Look, P], Answer]


async def run(database: Database, action: Action[P], actor: Actor, payload: P) -> Answer:
    """The action's answer, once what it did is on disk. Raises AppError.

    The action is queued before the first await, so the calls of one client keep their order.
    """
    return await database.write(lambda tx: action(tx, actor, payload), needs_of(actor, payload))


async def ask(
    database: Database,
    query: Query[P],
    actor: Actor,
    payload: P,
    *,
    settled: bool = False,
    limit_s: float | None = None,
) -> Answer:
    """The query's answer, from one consistent state of the database. Raises AppError.

    ``settled`` tells the query how far the log may be read without missing what comes later;
    ``limit_s`` is for a query that may take longer than the database's patience.
    """
    limit_s = limit_s or database.patience_s
    at_ms = database.clock()
    # Before the query's own look at the database begins, or it could be older than this.
    up_to = await database.read(settled_seq, limit_s=limit_s) if settled else 0
    return await database.read(
        lambda c: query(Look(c, actor, at_ms, up_to), payload), limit_s=limit_s
    )


def needs_of(actor: Actor, payload: Payload) -> Needs | None:
    """What nearly every action on a conversation begins with."""
    conversation_id = getattr(payload, "conversation_id", None)
    client_id = getattr(payload, "client_id", None)
    post = None
    # Others are refused, or cleaned, by the action: they must not break the batch of all.
    if actor.id and client_id and client_id.isascii() and client_id.isprintable():
        post = (actor.kind, actor.id, client_id)
    if conversation_id is None and post is None:
        return None
    latest_of = actor.id if actor.kind == "customer" and conversation_id is None else None
    return Needs(conversation_id, post, latest_of)
