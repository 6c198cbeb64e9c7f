"""Canned replies for what an agent types after a slash: shortcuts, titles, and the same engine."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from server.actions.desk import Look
from server.actions.replies import FindReply, found_replies
from server.domain.actors import Actor
from server.knowledge.keeper import Knowledge
from server.storage.database import Database

Json = dict[str, Any]  # Any: JSON values
# Of articles and replies together; among these the replies are looked for.
LOOKED_AT = 24
LEAST_CHARS = 2
# Who looks for something may be shown what is only likely.
LEAST_P = 0.2


async def find_replies(
    knowledge: Knowledge, database: Database, actor: Actor, payload: FindReply
) -> Json:
    """At most eight canned replies for a conversation, best first, filled with what is known."""
    by_words: list[str] = []
    sought = payload.text.strip()
    if len(sought) >= LEAST_CHARS:
        found = await knowledge.suggest(sought, locale=None, limit=LOOKED_AT)
        if found.suggestions is not None:
            items = found.suggestions.items
            by_words = [item.article_id for item in items if item.score >= LEAST_P]
    at_ms = database.clock()
    return {
        "items": await database.read(
            lambda c: found_replies(Look(c, actor, at_ms), payload, by_words)
        )
    }
