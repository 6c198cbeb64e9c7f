"""Quality reviews against the log: a verdict is what its latest event says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any  # Any: JSON and column values

import orjson
from sqlalchemy import Connection, select

from server.domain.events import ReviewAnswered, ReviewGiven, ReviewRevised
from server.storage.reviews import ITEM, REVIEW
from server.storage.rows import EVENT

_KINDS = (ReviewGiven.kind, ReviewRevised.kind, ReviewAnswered.kind)


def review_differences(connection: Connection) -> Iterator[str]:
    """Every review that was given and is not as the log has it, in words."""
    told = _told(connection)
    statement = (
        select(REVIEW, ITEM.c.agent_id)
        .join_from(REVIEW, ITEM, ITEM.c.id == REVIEW.c.item_id)
        .where(REVIEW.c.given_at_ms.is_not(None))
        .order_by(REVIEW.c.id)
    )
    for row in connection.execute(statement).mappings():
        wanted = told.pop(row["id"], None)
        if wanted is None:
            yield f"Review {row['id']}: was given, and the log does not know of it."
            continue
        for name, value in wanted.items():
            if row[name] != value:
                yield f"Review {row['id']}: {name} is {row[name]!r}, the log says {value!r}."
    for review_id in told:
        yield f"Review {review_id}: is in the log and has no row."


def _told(connection: Connection) -> dict[str, dict[str, Any]]:
    """What the log says of each review."""
    c = EVENT.c
    found: dict[str, dict[str, Any]] = {}
    statement = select(c.kind, c.actor_id, c.data).where(c.kind.in_(_KINDS)).order_by(c.seq)
    for kind, actor_id, text in connection.execute(statement):
        data = orjson.loads(text)
        known = found.setdefault(data["review_id"], {"answer": None})
        if kind == ReviewAnswered.kind:
            known["answer"] = data.get("answer", "acknowledged")
            continue
        known |= {"score": data["score"], "agent_id": data["agent_id"]}
        known |= {name: data.get(name, False) for name in ("passed", "critical")}
        if kind == ReviewGiven.kind:
            known |= {"reviewer_id": actor_id, "second": data.get("second", False)}
    return found
