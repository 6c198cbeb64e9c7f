"""How the desk stands at this moment, in numbers for whoever watches over it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from server.storage.rows import CONVERSATION
from server.storage.tables import Agent, table


@dataclass(frozen=True, slots=True)
class DeskNow:
    """Conversations by state, the oldest waits (instants, None when nobody waits), staff by status.

    ``waiting`` are open conversations with an unanswered message, ``queued`` those among the open
    that nobody has been given.
    """

    open: int
    snoozed: int
    waiting: int
    queued: int
    waiting_since_ms: int | None
    queued_since_ms: int | None
    agents: dict[str, int]


def desk_now(connection: Connection) -> DeskNow:
    """The numbers of this moment; looks only at conversations that are not over."""
    c, agent = CONVERSATION.c, table(Agent)
    rows = connection.execute(
        select(
            c.status,
            func.count(),
            func.count(c.waiting_since_ms),
            func.count(c.queued_at_ms),
            func.min(c.waiting_since_ms),
            func.min(c.queued_at_ms),
        )
        .where(c.status.in_(("open", "snoozed")))
        .group_by(c.status)
    )
    found = {str(row[0]): row for row in rows}
    open_ = found.get("open", ("open", 0, 0, 0, None, None))
    snoozed = found.get("snoozed", ("snoozed", 0, 0, 0, None, None))
    agents = connection.execute(
        select(agent.c.status, func.count()).where(agent.c.active).group_by(agent.c.status)
    )
    return DeskNow(
        open=open_[1],
        snoozed=snoozed[1],
        waiting=open_[2],
        queued=open_[3],
        waiting_since_ms=open_[4],
        queued_since_ms=open_[5],
        agents={str(row[0]): int(row[1]) for row in agents},
    )
