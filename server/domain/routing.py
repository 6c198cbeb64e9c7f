"""Who gets a waiting conversation: the least loaded online agent, with the facts of the choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent as routing sees it; ``load`` is the number of open conversations owned now."""

    agent_id: str
    status: str
    capacity: int
    load: int
    team_ids: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    last_assigned_at_ms: int = 0
    served_before_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent chosen and why, as facts that any language can put into words."""

    agent_id: str
    why: dict[str, int | str | None]


def choose(
    candidates: Iterable[Candidate], *, team_id: str | None, locale: str | None
) -> Choice | None:
    """The agent who should take a conversation, None when nobody is free.

    Free means online, below capacity, and of the team when the conversation has one. Of these a
    speaker of the shopper's language comes first, then the lowest load for the capacity, then who
    served this customer before, then who has been idle longest. Capacity is never exceeded.
    """
    free = [
        c
        for c in candidates
        if c.status == "online"
        and c.load < c.capacity
        and (team_id is None or team_id in c.team_ids)
    ]
    if not free:
        return None
    language = (locale or "")[:2]
    best = min(
        free,
        key=lambda c: (
            language not in c.languages,
            c.load / c.capacity,
            -(c.served_before_at_ms or 0),
            c.last_assigned_at_ms,
            c.agent_id,
        ),
    )
    return Choice(
        best.agent_id,
        {
            "load": best.load + 1,
            "capacity": best.capacity,
            "candidates": len(free),
            "served_before_at_ms": best.served_before_at_ms,
            "speaks": language if language in best.languages else None,
        },
    )
