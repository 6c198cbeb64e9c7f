"""Whether anybody of the shop was there at an instant."""

from __future__ import annotations

import numpy as np
import orjson
from sqlalchemy import Connection, select

from server.domain.events import AgentPresenceChanged
from server.reports.frames import Numbers
from server.reports.scope import Scope
from server.storage.corrections import voided_seqs
from server.storage.rows import EVENT

# Who is busy sits at the desk and answers; who is away does not.
THERE = frozenset({"online", "busy"})


def any_online(connection: Connection, scope: Scope, instants: Numbers) -> Numbers:
    """For each instant whether an agent was online or busy then."""
    c = EVENT.c
    statement = (
        select(c.seq, c.at_ms, c.actor_id, c.data)
        .where(c.kind == AgentPresenceChanged.kind, c.at_ms <= scope.as_of_ms)
        .order_by(c.at_ms, c.seq)
    )
    if scope.as_of_seq is not None:
        statement = statement.where(c.seq <= scope.as_of_seq)
    if scope.to_ms is not None:
        statement = statement.where(c.at_ms < scope.to_ms)
    skipped = voided_seqs(connection, up_to_seq=scope.as_of_seq)
    there: set[str] = set()
    times, counts = [0], [0]
    for seq, at_ms, actor_id, data in connection.execute(statement):
        if seq in skipped or actor_id is None:
            continue
        if orjson.loads(data).get("status") in THERE:
            there.add(actor_id)
        else:
            there.discard(actor_id)
        times.append(at_ms)
        counts.append(len(there))
    places = np.searchsorted(np.array(times), instants, side="right") - 1
    return np.array(counts)[places] > 0
