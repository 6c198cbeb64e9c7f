"""Taking rows that several processes want at once: each takes what is free, and nobody waits."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, func, or_, select, text

from server.storage.people import AGENT
from server.storage.rows import CONVERSATION
from server.storage.unit import Tx

C = CONVERSATION.c


def take_queued(
    connection: Connection, *, team_ids: frozenset[str], limit: int, but: Collection[str] = ()
) -> list[str]:
    """Ids of conversations that wait for an agent, longest first, now locked for this transaction.

    ``team_ids`` keeps to those teams and to conversations of no team, ``but`` leaves some out. What
    another process has locked is left to it. Of those that came in the same millisecond the log
    decides.
    """
    statement = (
        select(C.id)
        .where(
            C.queued_at_ms.is_not(None),
            C.status == "open",
            or_(C.team_id.is_(None), C.team_id.in_(sorted(team_ids))),
            C.id.not_in(sorted(but)),
        )
        .order_by(func.coalesce(C.waiting_since_ms, C.queued_at_ms), C.queued_at_ms, C.last_seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [str(row[0]) for row in connection.execute(statement)]


def take_due_snoozes(connection: Connection, *, at_ms: int, limit: int) -> list[str]:
    """Ids of snoozed conversations whose time has come, now locked for this transaction."""
    statement = (
        select(C.id)
        .where(C.status == "snoozed", C.snoozed_until_ms <= at_ms)
        .order_by(C.snoozed_until_ms, C.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [str(row[0]) for row in connection.execute(statement)]


def take_unseen(connection: Connection, *, before_ms: int, limit: int) -> list[str]:
    """Ids of agents not offline who were last connected before an instant, now locked."""
    statement = (
        select(AGENT.c.id)
        .where(AGENT.c.status != "offline", AGENT.c.seen_at_ms < before_ms)
        .order_by(AGENT.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [str(row[0]) for row in connection.execute(statement)]


def take_online(connection: Connection) -> list[str]:
    """Ids of the people who are online, now locked; those whom nobody else is busy with."""
    statement = (
        select(AGENT.c.id)
        .where(AGENT.c.active, AGENT.c.status == "online")
        .order_by(AGENT.c.id)
        .with_for_update(skip_locked=True)
    )
    return [str(row[0]) for row in connection.execute(statement)]


_IS_FREE = select(AGENT.c.id).where(AGENT.c.id == bindparam("id")).with_for_update(skip_locked=True)


def take_person(connection: Connection, agent_id: str) -> bool:
    """True when nobody else is busy with the person, who is locked now for this transaction."""
    return connection.execute(_IS_FREE, {"id": agent_id}).first() is not None


_SEEN = text("UPDATE agent SET seen_at_ms = :at_ms WHERE id = :id")
_SEEN_IF_FREE = text(
    "UPDATE agent SET seen_at_ms = :at_ms WHERE id IN"
    " (SELECT id FROM agent WHERE id = :id FOR UPDATE SKIP LOCKED)"
)


def note_seen_if_free(tx: Tx, agent_ids: Sequence[str]) -> None:
    """Notes that these agents are connected now; who is locked is noted the next time."""
    if agent_ids:
        is_sqlite = tx.connection.dialect.name == "sqlite"
        rows = [{"id": agent_id, "at_ms": tx.at_ms} for agent_id in agent_ids]
        tx.later(_SEEN if is_sqlite else _SEEN_IF_FREE, list(rows))
