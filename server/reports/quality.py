"""How good the data of a period are: what was left out of its figures, and what was mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # Any: untyped rows

from sqlalchemy import Connection, Select, func, select

from server.reports.corrections import count_voids
from server.reports.scope import Scope
from server.storage.rows import CONVERSATION, TURN


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts of a period: events voided, spans cut at 0, turns of spam left out."""

    voids: int
    clamped: int
    spam: int


def load_quality(connection: Connection, *, scope: Scope) -> Quality:
    """What to know before the figures of a scope are believed."""
    c = TURN.c
    clamped = _asked_in(select(func.count()).where(c.end_at_ms < c.ask_at_ms), scope)
    spam = _asked_in(
        select(func.count())
        .select_from(CONVERSATION)
        .join(TURN, c.conversation_id == CONVERSATION.c.id)
        .where(CONVERSATION.c.status == "spam"),
        scope,
    )
    return Quality(
        voids=count_voids(connection, scope),
        clamped=int(connection.execute(clamped).scalar_one()),
        spam=int(connection.execute(spam).scalar_one()),
    )


def _asked_in(statement: Select[Any], scope: Scope) -> Select[Any]:  # Any: untyped rows
    """A count of turns kept to those asked in the period."""
    asked = TURN.c.ask_at_ms
    if scope.from_ms is not None:
        statement = statement.where(asked >= scope.from_ms)
    if scope.to_ms is not None:
        statement = statement.where(asked < scope.to_ms)
    return statement
