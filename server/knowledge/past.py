"""Conversations that are done and asked about the same, found as articles are.

Each process holds the questions of the latest ones, made with the first ask and kept up with each.
What is shown of one is read anew: what was erased meanwhile is found by nobody.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any  # Any: JSON values

from knowledge_base.likeness import likeness
from server.actions import suggestions
from server.actions.desk import Look
from server.actions.payload import Id, Payload
from server.actions.suggestions import AskSuggestion, Question
from server.domain.actors import Actor
from server.storage import past, people
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.past import Line, Shown, Talk

if TYPE_CHECKING:
    from knowledge_base.index import Index
    from server.knowledge.keeper import Knowledge

Json = dict[str, Any]  # Any: JSON values
MOST = 4_000
ITEMS = 3
# More than are shown: not everybody may see every one.
LOOKED_AT = 30
LOOK_AFTER_MS = 10_000
# What was erased leaves the words in memory with the next making of the index.
ANEW_AFTER_MS = 3_600_000
QUESTION_CHARS = 300
PREVIEW_CHARS = 200
# Below it stands what is about the same product and asks something else.
LEAST_P = 0.5
# Answers this alike say nothing more than the first of them.
ALIKE = 0.9


class FindSimilar(Payload):
    """Conversations like what the customer of this one wrote last."""

    conversation_id: Id


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


async def find_similar(
    knowledge: Knowledge, database: Database, actor: Actor, payload: FindSimilar
) -> Json:
    """Up to three conversations that are done, asked the same and may be seen, best first."""
    began_s = time.perf_counter()
    at_ms = database.clock()
    asked = AskSuggestion(conversation_id=payload.conversation_id)
    question = await database.read(lambda c: suggestions.question_of(Look(c, actor, at_ms), asked))
    found = await knowledge.past.find(question) if question.text else ()
    here = payload.conversation_id
    items = await database.read(
        lambda c: _items(c, actor, [(talk, p) for talk, p in found if talk != here])
    )
    return {"items": items, "took_ms": round((time.perf_counter() - began_s) * 1000, 1)}


def _items(connection: Connection, actor: Actor, found: Sequence[tuple[str, float]]) -> list[Json]:
    shown = past.shown_talks(connection, actor, [talk for talk, _ in found])
    names = people.names(connection)
    items: list[Json] = []
    for talk, p in found:
        item = _item(shown[talk], p, names) if talk in shown else None
        if item is None or any(likeness(item["answer"], one["answer"]) >= ALIKE for one in items):
            continue
        items.append(item)
        if len(items) == ITEMS:
            break
    return items


def _item(talk: Shown, p: float, names: dict[str, str]) -> Json | None:
    question = _preview(past.question_of(talk.lines), talk)
    answer = _preview(_answer(talk.lines), talk)
    if not question or not answer:
        return None
    return {
        "conversation_id": talk.id,
        "question": question,
        "answer": answer,
        "by": names.get(talk.assignee_id or ""),
        "resolved_at_ms": talk.resolved_at_ms,
        "p": p,
    }


def _answer(lines: Sequence[Line]) -> str:
    """What says most among the first answers: the very first is often a greeting."""
    said = [line.body for line in lines if line.sender == "agent"][:3]
    return max(said, key=len, default="")


def _preview(text: str, talk: Shown) -> str:
    """A text in one line, without its details and the name of who wrote."""
    engine = importlib.import_module("knowledge_base.text")
    plain: str = engine.without_details(text)
    for name in (talk.customer_name or "").split() if talk.customer_name else ():
        if len(name) > 1:
            plain = plain.replace(name, "…")
    return plain if len(plain) <= PREVIEW_CHARS else plain[: PREVIEW_CHARS - 1] + "…"
