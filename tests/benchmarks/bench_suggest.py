"""How long a suggestion takes, in processor time, and what the index weighs; never fails on time.

Goals: p99 of 3, 6 and 15 ms at 1,000, 10,000 and 100,000 entries by words alone, 12, 15 and 45 ms
with the encoder; 40 MB for 10,000 entries and 250 MB for 100,000, and 1 kB each more with meaning;
under 50 ms for a message of 100,000 characters; 2 s and 3.5 s until 10,000 entries are ready again
after a restart. The event loop is never held for 5 ms by a search.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.articles import Article
from knowledge_base.common import common_tokens
from knowledge_base.confidence import SHIPPED
from knowledge_base.encoder import UniversalSentenceEncoder
from knowledge_base.index import Index, build_index, texts_of
from knowledge_base.postings import Floats
from knowledge_base.suggest import suggest
from server.app import TURN_S
from server.knowledge import search
from server.storage import articles as article_rows
from server.storage import knowledge as knowledge_rows
from server.storage.database import Database
from server.storage.unit import Tx
from tests.benchmarks.conftest import Results

SEED = 7
ROUNDS = 30
STEMS = ("refund", "order", "ship", "size", "gift", "pay")
WORDS = [stem + letter for stem in STEMS for letter in "abcdefgh"]
HAN = "退款订单物流发货尺码礼品支付优惠券地址修改查询取消客服发票换货包裹签收"


def _title(chance: random.Random, number: int) -> str:
    if number % 2:
        return "".join(chance.choices(HAN, k=12))
    return " ".join(chance.choices(WORDS, k=7))


def _base(articles: int) -> Index:
    chance = random.Random(SEED)
    return build_index(
        Article(str(number), _title(chance, number), _title(chance, number) * 5, "en")
        for number in range(articles)
    )


def _questions() -> dict[str, str]:
    chance = random.Random(SEED + 1)
    return {
        "short English": "where is my refunda orderb",
        "short Chinese": "我的退款订单什么时候发货",
        "100,000 English": " ".join(chance.choices(WORDS, k=14_000))[:100_000],
        "100,000 mistyped": " ".join(f"{word}xq" for word in chance.choices(WORDS, k=12_000)),
        "100,000 Chinese": "".join(chance.choices(HAN, k=100_000)),
        "100,000 that grow": "\ufdfa" * 100_000,
        "100,000 blanks": " " * 100_000 + "refunda",
    }


@pytest.mark.parametrize("articles", [100, 1000, 10_000])
def test_suggest(articles: int) -> None:
    started = time.process_time()
    index = _base(articles)
    print(f"\n{articles} articles: index in {time.process_time() - started:.2f} s")
    for name, question in _questions().items():
        took_ms = [_once_ms(index, question) for _ in range(ROUNDS)]
        print(f"  {name:20} {statistics.median(took_ms):6.2f} ms, most {max(took_ms):6.2f} ms")


def _once_ms(index: Index, question: str) -> float:
    started = time.process_time()
    suggest(index, question)
    return (time.process_time() - started) * 1000


ASKED = 300
P99 = {
    (1000, False): "<= 3 ms",
    (10_000, False): "<= 6 ms",
    (100_000, False): "<= 15 ms",
    (1000, True): "<= 12 ms",
    (10_000, True): "<= 15 ms",
    (100_000, True): "<= 45 ms",
}
MEMORY = {
    (10_000, False): "<= 40 MB",
    (100_000, False): "<= 250 MB",
    (10_000, True): "<= 50 MB",
    (100_000, True): "<= 350 MB",
}
A_FEW = 50


class Planted(UniversalSentenceEncoder):
    """The encoder for questions; what is many gets vectors by chance, which are searched alike."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text."""
        if len(texts) < A_FEW:
            return super().encode(texts)
        chance = np.random.default_rng(SEED)
        return chance.standard_normal((len(texts), self.dimensions), dtype=np.float32)


def _said(chance: random.Random, words: Sequence[str], number: int, *, chinese: bool) -> str:
    if chinese:
        return "".join(chance.choices(HAN, k=2 * number))
    # The first words are said most, as in any language.
    weights = [1 / (place + 3) for place in range(len(words))]
    return " ".join(chance.choices(words, weights=weights, k=number))


def _shop(chance: random.Random, entries: int) -> list[Article]:
    """Articles of four entries each: a title, two phrasings, one section; half of them Chinese."""
    words = sorted(common_tokens())
    chance.shuffle(words)
    said = partial(_said, chance, words)
    return [
        Article(
            str(number),
            said(7, chinese=number % 2 == 1),
            said(16, chinese=number % 2 == 1),
            "zh" if number % 2 else "en",
            phrasings=(said(7, chinese=number % 2 == 1), said(6, chinese=number % 2 == 1)),
        )
        for number in range(entries // 4)
    ]


def _memory_mb() -> float:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@pytest.mark.parametrize("meaning", [False, True], ids=["words", "meaning"])
@pytest.mark.parametrize("entries", [1000, 10_000, 100_000])
def test_entries(entries: int, results: Results, *, meaning: bool) -> None:
    chance = random.Random(SEED)
    shop = _shop(chance, entries)
    encoder = Planted() if meaning else None
    suggest(build_index(shop[:40], encoder=encoder), "warm 退款")
    before_mb, started = _memory_mb(), time.process_time()
    index = build_index(shop, encoder=encoder)
    built_s = time.process_time() - started
    weighs_mb = _memory_mb() - before_mb
    words = sorted(common_tokens())
    questions = [
        _said(chance, words, chance.choice((3, 7, 12, 20)), chinese=number % 3 == 0)
        for number in range(ASKED)
    ]
    took_ms = sorted(_once_ms(index, question) for question in questions)
    p99_ms = took_ms[int(ASKED * 0.99)]
    name = f"{entries:,} entries, {'with meaning' if meaning else 'words alone'}"
    results.add(f"{name}: built, processor", round(built_s, 1), "s")
    results.add(f"{name}: memory", round(weighs_mb), "MB", MEMORY.get((entries, meaning), ""))
    results.add(f"{name}: p50, processor", round(took_ms[ASKED // 2], 1), "ms")
    results.add(f"{name}: p99, processor", round(p99_ms, 1), "ms", P99[(entries, meaning)])


LOOKS = 60
AGAIN = 5
PING_S = 0.001


@pytest.mark.parametrize("meaning", [False, True], ids=["words", "meaning"])
def test_the_loop_beside_searches(results: Results, *, meaning: bool) -> None:
    """How late the event loop is while its thread searches 100,000 entries, as the server does.

    Lateness counts for the search only as far as its thread was on the processor meanwhile, and of
    each question the try in which the loop was least late: what the search does to the loop it does
    each time, what else runs on the machine does not.
    """
    chance = random.Random(SEED)
    shop = [replace(a, id=f"{a.id} {a.locale}") for a in _shop(chance, 100_000)]
    encoder = Planted() if meaning else None
    state = search.State(
        build_index(shop, encoder=encoder), frozenset({"en", "zh"}), SHIPPED, encoder
    )
    words = sorted(common_tokens())
    questions = [
        _said(chance, words, chance.choice((3, 7, 12, 20)), chinese=number % 3 == 0)
        for number in range(LOOKS)
    ]
    turn_s = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        late = asyncio.run(_late_ms(state, questions))
    finally:
        sys.setswitchinterval(turn_s)
    every = sorted(one for tries in late for ping in tries for one in ping)
    most = sorted(min(max(ping) for ping in tries) for tries in late)
    name = f"100,000 entries, {'with meaning' if meaning else 'words alone'}: loop late"
    results.add(f"{name}, p50", round(every[len(every) // 2], 2), "ms")
    results.add(f"{name}, p99", round(every[int(len(every) * 0.99)], 2), "ms")
    results.add(f"{name}, most in a usual search", round(most[LOOKS // 2], 2), "ms", "<= 5 ms")
    results.add(f"{name}, most in any search", round(most[-1], 2), "ms", "<= 5 ms")


async def _late_ms(state: search.State, questions: Sequence[str]) -> list[list[list[float]]]:
    """By question and try: how late each ping of the loop was."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as searcher:
        ident = await loop.run_in_executor(searcher, threading.get_ident)
        clock = time.pthread_getcpuclockid(ident)

        async def tried(question: str) -> list[float]:
            look = partial(
                search.search,
                state,
                question,
                locale=None,
                public_only=False,
                limit=3,
                priors={},
            )
            asked = loop.run_in_executor(searcher, look)
            late: list[float] = []
            while not late or not asked.done():
                due_s, worked_s = time.perf_counter() + PING_S, time.clock_gettime(clock)
                await asyncio.sleep(PING_S)
                late_s = time.perf_counter() - due_s
                late.append(1000 * min(late_s, time.clock_gettime(clock) - worked_s))
            await asked
            return late

        await tried("warm 退款")
        return [[await tried(question) for _ in range(AGAIN)] for question in questions]


@pytest.mark.parametrize("meaning", [False, True], ids=["words", "meaning"])
def test_restart(
    open_database: Callable[..., Database], results: Results, *, meaning: bool
) -> None:
    """10,000 entries are searched again after a restart; nothing is encoded for it."""
    database = open_database()
    shop = _shop(random.Random(SEED), 10_000)

    def fill(tx: Tx) -> None:
        for number, article in enumerate(shop):
            name = f"{number:05}"
            article_rows.add_article(
                tx,
                article_rows.Article(
                    id=name,
                    source="bench",
                    external_id=name,
                    audience="public",
                    status="published",
                    category=None,
                    created_at_ms=1,
                    updated_at_ms=1,
                ),
            )
            text = article_rows.ArticleText(name, article.locale, article.title, article.body, 1, 1)
            article_rows.set_text(tx, text, new=True)
            for place, said in enumerate(article.phrasings):
                article_rows.add_phrasing(
                    tx,
                    article_rows.Phrasing(name, article.locale, said, id=f"{name}{place}"),
                )
        article_rows.tell_changed(tx, [f"{number:05}" for number in range(len(shop))])

    database.write_now(fill)
    changed = database.read_now(lambda c: knowledge_rows.changed_since(c, 0))
    if meaning:
        search.KeptEncoder(database, _OfChance()).encode(list(texts_of(shop)))
    started = time.process_time()
    state = search.first_state(database, changed, at_ms=2, semantic=meaning)
    took_s = time.process_time() - started
    name = (
        f"{len(state.index.base.entries):,} entries {'with meaning' if meaning else 'words alone'}"
    )
    goal = "<= 3.5 s" if meaning else "<= 2 s"
    results.add(f"{name}: ready after a restart, processor", round(took_s, 2), "s", goal)


class _OfChance:
    """What plants vectors of chance under the encoder's name, so that none is made again."""

    name = UniversalSentenceEncoder.name
    dimensions = UniversalSentenceEncoder.dimensions

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text."""
        chance = np.random.default_rng(SEED)
        return chance.standard_normal((len(texts), self.dimensions), dtype=np.float32)
