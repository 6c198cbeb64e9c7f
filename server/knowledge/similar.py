"""What an agent is shown of earlier conversations in which somebody asked the same."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from typing import Any  # Any: JSON values

from knowledge_base.likeness import likeness
from server.actions import suggestions
from server.actions.desk import Look
from server.actions.payload import Id, Payload
from server.actions.suggestions import AskSuggestion
from server.domain.actors import Actor
from server.knowledge.keeper import Knowledge
from server.storage import past, people
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.past import Line, Shown

Json = dict[str, Any]  # Any: JSON values
ITEMS = 3
PREVIEW_CHARS = 200
# Answers this alike say nothing more than the first of them.
ALIKE = 0.9


class FindSimilar(Payload):
    """Conversations like what the customer of this one wrote last."""

    conversation_id: Id


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
