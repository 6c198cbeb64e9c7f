"""The first article is found by its words at once; what it means follows beside the edits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest

from knowledge_base.features import _syllables
from knowledge_base.postings import Floats
from server.actions.import_articles import take_articles
from server.domain.imported import ArticleRow
from server.knowledge import keeper, search
from server.knowledge.keeper import Knowledge
from server.knowledge.search import State
from server.storage.database import Database
from tests.support.waiting import wait_until_async


class Gated:
    """An encoder whose weights take until ``gate`` is opened to load."""

    name = "gated"
    dimensions = 2

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Floats:
        assert self.gate.wait(120)
        self.texts += texts
        return np.array([[1.0, 0.0] for _ in texts], dtype=np.float32)


@asynccontextmanager
async def followed(database: Database) -> AsyncIterator[Knowledge]:
    knowledge = Knowledge(database)
    running = asyncio.create_task(knowledge.run())
    try:
        yield knowledge
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_first_article_waits_for_no_weights(
    open_database: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, encoder = open_database(), Gated()
    monkeypatch.setattr(search, "installed_encoder", lambda: encoder)

    async def put(title: str) -> None:
        row = ArticleRow(
            line=1, source="tests", external_id="engraving", title=title,
            body="Up to ten letters.", locale="en", audience="public", phrasings=(),
        )  # fmt: skip
        await database.write(lambda tx: take_articles(tx, [row]))

    async with followed(database) as knowledge:

        async def finds(title: str) -> bool:
            found = await knowledge.suggest(title, locale="en")
            items = found.suggestions.items if found.suggestions else ()
            return [item.text for item in items] == [title]

        for title in ("Do you engrave copper kettles?", "Is a kettle engraved?"):
            await put(title)
            await wait_until_async(lambda title=title: finds(title))  # type: ignore[misc]  # mypy sees no type in a default
        assert encoder.texts == []
        encoder.gate.set()

        async def means() -> bool:
            return {"Is a kettle engraved?", "Up to ten letters."} <= set(encoder.texts)

        await wait_until_async(means)
        await wait_until_async(lambda: finds("Is a kettle engraved?"))


async def test_a_meaning_that_cannot_be_worked_out_is_not_tried_at_once_again(
    open_database: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, tries = open_database(), list[State]()
    monkeypatch.setattr(search, "installed_encoder", Gated)
    # However long this takes, it is at once.
    monkeypatch.setattr(keeper, "MEAN_AGAIN_S", 1e9)

    def fails(_: Database, state: State) -> State:
        tries.append(state)
        raise RuntimeError

    monkeypatch.setattr(search, "with_meaning", fails)
    async with followed(database) as knowledge:
        for number in range(3):
            row = ArticleRow(
                line=1, source="tests", external_id=str(number), title=f"Kettle {number}",
                body="", locale="en", audience="public", phrasings=(),
            )  # fmt: skip
            await database.write(lambda tx, row=row: take_articles(tx, [row]))  # type: ignore[misc]  # mypy sees no type in a default

            async def is_found(title: str = row.title) -> bool:
                found = await knowledge.suggest(title, locale="en")
                items = found.suggestions.items if found.suggestions else ()
                return title in {item.text for item in items}

            # Each article makes it look, and is found by its words.
            await wait_until_async(is_found)
        await wait_until_async(lambda: tries)
    assert len(tries) == 1


def test_each_reading_of_pinyin_is_made_plain_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(reading: str) -> str:
        asked.append(reading)
        return reading

    monkeypatch.setattr("knowledge_base.features.to_normal", counted)
    _syllables.__wrapped__()
    assert 0 < len(asked) == len(set(asked))
