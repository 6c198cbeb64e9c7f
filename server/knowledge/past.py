"""Conversations that are done and asked about the same, found as articles are.

Each process holds the questions of the latest ones, made with the first ask and kept up with each.
What is shown of one is read anew: what was erased meanwhile is found by nobody.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any  # Any: JSON values

from server.actions.suggestions import Question
from server.domain.spans import HOUR_MS
from server.storage import past
from server.storage.database import Database
from server.storage.past import Talk

if TYPE_CHECKING:
    from knowledge_base.index import Index

MOST = 4_000
# More than are shown: not everybody may see every one.
LOOKED_AT = 30
LOOK_AFTER_MS = 10_000
# What was erased leaves the words in memory with the next making of the index.
ANEW_AFTER_MS = HOUR_MS
QUESTION_CHARS = 300
# Below it stands what is about the same product and asks something else.
LEAST_P = 0.5


class Past:
    """Owner of this process's index over conversations that are done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._index: Index | None = None
        self._made_at_ms = 0
        self._looked_at_ms = 0
        self._latest_ms = 0
        self._one = asyncio.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="past")

    async def find(self, question: Question) -> Sequence[tuple[str, float]]:
        """(conversation, how likely it asks the same), best first."""
        loop = asyncio.get_running_loop()
        async with self._one:
            return await loop.run_in_executor(self._worker, self._find, question)

    def close(self) -> None:
        """Ends its thread."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _find(self, question: Question) -> Sequence[tuple[str, float]]:
        engine = importlib.import_module("knowledge_base.suggest")
        index = self._kept_up()
        found = engine.suggest(index, question.text, limit=LOOKED_AT)
        return [(item.article_id, item.score) for item in found.items if item.score >= LEAST_P]

    def _kept_up(self) -> Index:
        at_ms = self._database.clock()
        kb = importlib.import_module("knowledge_base.index")
        if self._index is None or at_ms - self._made_at_ms > ANEW_AFTER_MS:
            talks = self._database.read_now(partial(past.done_talks, since_ms=0, most=MOST))
            self._index = kb.build_index([_article(talk) for talk in talks])
            self._made_at_ms = self._looked_at_ms = at_ms
        elif at_ms - self._looked_at_ms > LOOK_AFTER_MS:
            since_ms = self._latest_ms - LOOK_AFTER_MS
            talks = self._database.read_now(partial(past.done_talks, since_ms=since_ms, most=MOST))
            if talks:
                articles = [_article(talk) for talk in talks]
                self._index = kb.with_changes(self._index, articles, ())
            self._looked_at_ms = at_ms
        else:
            talks = []
        self._latest_ms = max([self._latest_ms, *(talk.last_activity_at_ms for talk in talks)])
        return self._index


def _article(talk: Talk) -> Any:  # Any: a class of the engine
    kind = importlib.import_module("knowledge_base.articles").Article
    text = importlib.import_module("knowledge_base.text")
    question = text.without_details(talk.question)[:QUESTION_CHARS]
    locale = "zh" if text.has_han(question) else "en"
    return kind(id=talk.id, title=question, body="", locale=locale)
