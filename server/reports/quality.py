"""How good the data of a period are: what was left out of its figures, and what was mended."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from server.reports.corrections import count_voids
from server.reports.rows import LoadedFigures
from server.reports.scope import held
from server.storage.rows import CONVERSATION, TURN


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts of a period: events voided, spans cut at 0, turns of spam left out."""

    voids: int
    clamped: int
    spam: int


def load_quality(loaded: LoadedFigures) -> Quality:
    """What to know before the figures of a scope are believed."""
    connection, scope = loaded.connection, loaded.scope
    # Of all turns, few are asked about further.
    loaded.conversations.read("turn", "at_ms", "end_at_ms")
    turns = loaded.conversations.unfiltered("turn")
    end = turns.numbers("end_at_ms")
    backwards = turns.select((end >= 0) & (end < turns.numbers("at_ms")))
    spam = (
        select(func.count())
        .select_from(CONVERSATION)
        .join(TURN, TURN.c.conversation_id == CONVERSATION.c.id)
        .where(CONVERSATION.c.status == "spam")
    )
    if scope.from_ms is not None:
        spam = spam.where(TURN.c.ask_at_ms >= scope.from_ms)
    if scope.to_ms is not None:
        spam = spam.where(TURN.c.ask_at_ms < scope.to_ms)
    return Quality(
        voids=count_voids(connection, scope),
        # Placed by themselves: else all turns would be, for these few.
        clamped=held(loaded.conversations.placed(backwards), scope).n,
        spam=int(connection.execute(spam).scalar_one()),
    )
