"""What the processes of one database know of each other: who lives, who is where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson
from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)

from server.storage.people import AGENT
from server.storage.secrets import new_token
from server.storage.tables import Process, Secret, ShopperPresence, Viewing, table
from server.storage.unit import Tx

SECRET = table(Secret)
PROCESS = table(Process)
SHOPPER = table(ShopperPresence)
VIEWING = table(Viewing)
_CHANNEL = "news_channel"
# A process says every few seconds that it lives; one that has not for this long is dead.
TTL_MS = 15_000

# Customer id -> when the last socket went, ms UTC; None while one is connected.
Shoppers = Mapping[str, int | None]
# (conversation id, agent id)
Views = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Here:
    """Who is connected to a process, or was lately, and who looks at what through it."""

    shoppers: Shoppers = field(default_factory=dict)
    viewing: Views = frozenset()


def news_channel(tx: Tx) -> str:
    """The name under which the processes of this database, and no others, tell each other news."""
    statement = select(SECRET.c.value).where(SECRET.c.name == _CHANNEL)
    found = tx.connection.execute(statement).scalar_one_or_none()
    if found is not None:
        return str(found)
    value = new_token("")
    tx.later(insert(SECRET), {"name": _CHANNEL, "value": value})
    return value


_PROCESS = select(PROCESS.c.id).where(PROCESS.c.id == bindparam("b_id"))
_SEEN = (
    update(PROCESS).where(PROCESS.c.id == bindparam("b_id")).values(seen_at_ms=bindparam("at_ms"))
)
# Each with all of its rows in one go: a network that drops thousands of shoppers brings thousands.
_PUT_SHOPPERS = text(
    "INSERT INTO shopper_presence (process_id, customer_id, gone_at_ms)"
    " SELECT :process_id, r.id, r.at FROM json_to_recordset(CAST(:rows AS json))"
    " AS r(id text, at bigint)"
    " ON CONFLICT (process_id, customer_id) DO UPDATE SET gone_at_ms = excluded.gone_at_ms"
)
_DROP_SHOPPERS = text(
    "DELETE FROM shopper_presence USING json_to_recordset(CAST(:rows AS json)) AS r(id text)"
    " WHERE process_id = :process_id AND customer_id = r.id"
)
_PUT_VIEWS = text(
    "INSERT INTO viewing (process_id, conversation_id, agent_id)"
    " SELECT :process_id, r.id, r.agent FROM json_to_recordset(CAST(:rows AS json))"
    " AS r(id text, agent text) ON CONFLICT DO NOTHING"
)
_DROP_VIEWS = text(
    "DELETE FROM viewing USING json_to_recordset(CAST(:rows AS json)) AS r(id text, agent text)"
    " WHERE process_id = :process_id AND conversation_id = r.id AND agent_id = r.agent"
)


def keep(tx: Tx, process_id: str, *, now: Here, before: Here) -> None:
    """Says that a process lives and writes who came and went there since ``before`` was written.

    Who was taken for dead meanwhile writes everything anew. On PostgreSQL only.
    """
    if tx.connection.execute(_PROCESS, {"b_id": process_id}).first() is None:
        before = Here()
        values = {"id": process_id, "started_at_ms": tx.at_ms, "seen_at_ms": tx.at_ms}
        tx.later(insert(PROCESS), values)
    else:
        tx.later(_SEEN, {"b_id": process_id, "at_ms": tx.at_ms})
    came = [
        {"id": key, "at": gone_at_ms}
        for key, gone_at_ms in sorted(now.shoppers.items())
        if key not in before.shoppers or before.shoppers[key] != gone_at_ms
    ]
    went = [{"id": key} for key in sorted(before.shoppers.keys() - now.shoppers.keys())]
    for statement, rows in (
        (_PUT_SHOPPERS, came),
        (_DROP_SHOPPERS, went),
        (_PUT_VIEWS, _views(now.viewing - before.viewing)),
        (_DROP_VIEWS, _views(before.viewing - now.viewing)),
    ):
        if rows:
            tx.later(statement, {"process_id": process_id, "rows": orjson.dumps(rows).decode()})


def release(tx: Tx, process_id: str) -> None:
    """Lets a process that ends count as dead now, so that others take over what it knew."""
    tx.later(_SEEN, {"b_id": process_id, "at_ms": 0})


def bury(tx: Tx) -> Here:
    """Who was with the processes that have died; to be taken over, for it is forgotten here.

    Each dead process goes to one of those that ask.
    """
    dead = list(
        tx.connection.execute(
            select(PROCESS.c.id)
            .where(PROCESS.c.seen_at_ms < tx.at_ms - TTL_MS)
            .order_by(PROCESS.c.id)
            .with_for_update(skip_locked=True)
        ).scalars()
    )
    if not dead:
        return Here()
    shoppers = tx.connection.execute(
        select(SHOPPER.c.customer_id, SHOPPER.c.gone_at_ms).where(SHOPPER.c.process_id.in_(dead))
    )
    viewing = tx.connection.execute(
        select(VIEWING.c.conversation_id, VIEWING.c.agent_id).where(VIEWING.c.process_id.in_(dead))
    )
    found = Here(
        {row.customer_id: row.gone_at_ms for row in shoppers},
        frozenset((row.conversation_id, row.agent_id) for row in viewing),
    )
    tx.later(delete(SHOPPER).where(SHOPPER.c.process_id.in_(dead)))
    tx.later(delete(VIEWING).where(VIEWING.c.process_id.in_(dead)))
    tx.later(delete(PROCESS).where(PROCESS.c.id.in_(dead)))
    return found


def is_elsewhere(connection: Connection, customer_id: str, *, but: str, at_ms: int) -> bool:
    """True when a shopper is connected to a living process other than ``but``."""
    statement = (
        select(SHOPPER.c.process_id)
        .join_from(SHOPPER, PROCESS, PROCESS.c.id == SHOPPER.c.process_id)
        .where(
            SHOPPER.c.customer_id == customer_id,
            SHOPPER.c.gone_at_ms.is_(None),
            SHOPPER.c.process_id != but,
            PROCESS.c.seen_at_ms >= at_ms - TTL_MS,
        )
        .limit(1)
    )
    return connection.execute(statement).first() is not None


def viewers(
    connection: Connection, conversation_id: str, *, but: str, at_ms: int
) -> dict[str, str]:
    """Who looks at a conversation through a living process other than ``but``: names by id."""
    statement = (
        select(AGENT.c.id, AGENT.c.name)
        .join_from(VIEWING, PROCESS, PROCESS.c.id == VIEWING.c.process_id)
        .join(AGENT, AGENT.c.id == VIEWING.c.agent_id)
        .where(
            VIEWING.c.conversation_id == conversation_id,
            VIEWING.c.process_id != but,
            PROCESS.c.seen_at_ms >= at_ms - TTL_MS,
        )
        .distinct()
        .order_by(AGENT.c.name)
    )
    return {row.id: row.name for row in connection.execute(statement)}


def _views(views: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"id": conversation_id, "agent": agent_id} for conversation_id, agent_id in views]
