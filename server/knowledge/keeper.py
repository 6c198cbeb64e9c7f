"""The articles in memory as the database has them, half a second later at most.

Every process holds its own index and follows the numbers of changes. An index never changes: an
edit makes another one, which takes its place between two questions.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any  # Any: modules that are loaded when they are needed

import structlog

from server.domain.errors import Unavailable
from server.domain.spans import DAY_MS, HOUR_MS
from server.knowledge.past import Past
from server.stats import Reading
from server.storage import knowledge as rows
from server.storage.articles import Article, ArticlesChanged
from server.storage.connection import Connection
from server.storage.database import Committed, Database

if TYPE_CHECKING:
    from knowledge_base.suggest import Suggestions
    from server.actions.hints import Hints
    from server.knowledge.priors import Book, Raised
    from server.knowledge.search import State

log = structlog.stdlib.get_logger("shopbell.knowledge")

LOOK_S = 0.5
# Encoding all articles keeps a core busy for seconds: what failed is not tried at once again.
MEAN_AGAIN_S = 60.0
# An offer that was not used within the hour was passed over.
DECIDED_AFTER_MS = HOUR_MS
MOST_OFFERS = 5_000


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question; None while the shop has no articles.

    ``kb_seq`` is the number of the latest change that the search knew of.
    """

    suggestions: Suggestions | None
    kb_seq: int
    took_ms: float
    raised: Mapping[str, Raised] = field(default_factory=dict)


class Knowledge:
    """Owner of this process's index and of the thread that searches it.

    The engine is loaded with the first article: a shop without any pays neither time nor memory.
    The first index goes by words, so that the article is found at once; meaning follows.
    """

    def __init__(self, database: Database, *, semantic: bool = True) -> None:
        self._database = database
        self._semantic = semantic
        self._state: State | None = None
        self._book: tuple[object, Book] | None = None
        self._seq = 0
        self._looked_at_ms = 0
        self._calibrated_at_ms = 0
        self._recalibrate_at_ms = 0
        self.past = Past(database)
        self._meaning: asyncio.Task[tuple[State, State]] | None = None
        self._mean_from_s = 0.0
        self._woken = asyncio.Event()
        self._ready = asyncio.Event()
        # One thread: a search holds the interpreter for most of its time, so two would take turns.
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="knowledge")

    async def heard(self, committed: Committed) -> None:
        """A reader of the bus: an edit in this process is taken over at once."""
        if any(isinstance(notice, ArticlesChanged) for notice in committed.notices):
            self._woken.set()

    async def run(self) -> None:
        """Follows the changes of articles until cancelled."""
        try:
            while True:
                self._woken.clear()
                try:
                    await self._look()
                    self._ready.set()
                    await self._mean()
                    await self._recalibrate()
                except Unavailable:
                    log.warning("articles wait for the database")
                except Exception:
                    log.exception("articles could not be taken over")
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._woken.wait()
                except TimeoutError:
                    continue
        finally:
            if self._meaning is not None:
                self._meaning.cancel()
            self._searcher.shutdown(wait=False, cancel_futures=True)
            self.past.close()

    @property
    def kb_seq(self) -> int:
        """The number of the latest change that is searched."""
        return self._seq

    def readings(self) -> tuple[Reading, ...]:
        """What ``/metrics`` shows of it."""
        return (
            Reading("shopbell_kb_seq", "Latest change of articles searched.", lambda: self._seq),
        )

    async def suggest(
        self,
        text: str,
        *,
        locale: str | None,
        public_only: bool = False,
        limit: int = 3,
        hints: Hints | None = None,
    ) -> Found:
        """The articles that best answer a text, at most ``limit``, each once.

        Articles in the language of the text come first; others are looked at where none of those
        fits. ``hints`` is what is known of the shopper and may raise some. Waits for the first load
        of the articles.
        """
        await self._ready.wait()
        state, seq = self._state, self._seq
        if state is None:
            return Found(None, seq, 0.0)
        began_s = time.perf_counter()
        engine = _engine()

        def look() -> tuple[Suggestions, Mapping[str, Raised]]:
            raised = self._raised(state, hints) if hints is not None else {}
            found = engine.search(
                state,
                text,
                locale=locale,
                public_only=public_only,
                limit=limit,
                priors={article_id: reason.worth for article_id, reason in raised.items()},
            )
            return found, raised

        suggestions, raised = await asyncio.get_running_loop().run_in_executor(self._searcher, look)
        took_ms = round((time.perf_counter() - began_s) * 1000, 1)
        return Found(suggestions, seq, took_ms, raised)

    def _raised(self, state: State, hints: Hints) -> Mapping[str, Raised]:
        """What else speaks for which articles; what they are about is worked out once a change."""
        priors = importlib.import_module("server.knowledge.priors")
        known, book = self._book or (None, None)
        if known is not state.index:
            book = priors.book_of(state.index.articles, book)
            self._book = (state.index, book)
        found: Mapping[str, Raised] = priors.raised(book, hints)
        return found

    async def _look(self) -> None:
        at_ms = self._database.clock()
        known, since_ms = self._seq, self._looked_at_ms or at_ms

        def read(connection: Connection) -> tuple[int, int, list[Article]]:
            seq = rows.head(connection)
            changed = rows.changed_since(connection, known) if seq != known else []
            ids = {article.id for article in changed}
            turned = rows.turned_between(connection, since_ms, at_ms)
            calibrated_at_ms = rows.calibrated_at_ms(connection)
            return seq, calibrated_at_ms, changed + [a for a in turned if a.id not in ids]

        seq, calibrated_at_ms, changed = await self._database.read(read)
        if changed or (self._state and calibrated_at_ms != self._calibrated_at_ms):
            # Not on the searcher's thread: questions are answered from the old index meanwhile.
            self._state = await asyncio.to_thread(self._taken_over, changed, at_ms)
        self._seq, self._looked_at_ms = seq, at_ms
        self._calibrated_at_ms = calibrated_at_ms

    async def _mean(self) -> None:
        """Gives the first index its meanings, beside the edits that come in the meantime."""
        if self._meaning is None:
            state, is_time = self._state, time.monotonic() >= self._mean_from_s
            if state is not None and state.lacks_meaning and is_time:
                self._meaning = asyncio.create_task(self._meant(state))
                self._meaning.add_done_callback(lambda _done: self._woken.set())
            return
        if not self._meaning.done():
            return
        done, self._meaning = self._meaning, None
        self._mean_from_s = time.monotonic() + MEAN_AGAIN_S
        before, meant = done.result()
        if self._state is not before and self._state is not None:
            # Edited since. Nearly all of it is kept by now, so the next edit can wait for this one.
            _, meant = await self._meant(self._state)
        self._state = meant

    async def _meant(self, state: State) -> tuple[State, State]:
        began_s = time.monotonic()
        meant: State = await asyncio.to_thread(_engine().with_meaning, self._database, state)
        log.info("articles have meaning", took_ms=round((time.monotonic() - began_s) * 1000))
        return state, meant

    async def _recalibrate(self) -> None:
        """Once a day, in one of the processes: how sure to be, from what became of offers."""
        at_ms, state = self._database.clock(), self._state
        if state is None or state.lacks_meaning or at_ms < self._recalibrate_at_ms:
            return
        self._recalibrate_at_ms = max(self._calibrated_at_ms, at_ms) + DAY_MS
        if at_ms - self._calibrated_at_ms < DAY_MS:
            self._recalibrate_at_ms = self._calibrated_at_ms + DAY_MS
            return
        offers = await self._database.read(
            lambda c: rows.decided_offers(
                c, since_ms=at_ms - 90 * DAY_MS, until_ms=at_ms - DECIDED_AFTER_MS, most=MOST_OFFERS
            )
        )
        engine = _engine()
        fitted = await asyncio.to_thread(engine.recalibrated, state, offers)
        if fitted is None:
            return
        await self._database.write(
            lambda tx: rows.keep_calibration(
                tx,
                {name: getattr(fitted.calibration, name) for name in engine.CHANNELS},
                events=fitted.events,
                error=fitted.error,
                covered=fitted.covered,
                unless_since_ms=at_ms - DAY_MS,
            )
        )
        log.info("confidence worked out", events=fitted.events, error=fitted.error)

    def _taken_over(self, changed: Sequence[Article], at_ms: int) -> State:
        """The state after some articles changed. The first one is without meanings yet."""
        began_s = time.monotonic()
        engine = _engine()
        state: State
        if self._state is None:
            state = engine.first_state(
                self._database, changed, at_ms=at_ms, semantic=self._semantic
            )
        else:
            state = engine.next_state(self._database, self._state, changed, at_ms=at_ms)
        took_ms = round((time.monotonic() - began_s) * 1000)
        log.info("articles taken over", articles=len(changed), took_ms=took_ms)
        return state


def _engine() -> Any:  # Any: a module
    return importlib.import_module("server.knowledge.search")
