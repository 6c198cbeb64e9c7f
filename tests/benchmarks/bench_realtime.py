"""Messages through the whole product, beside a bare relay on the same machine in the same run."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path

import pytest

from server.actions import messages
from server.actions.messages import PostMessage
from server.config import Settings
from server.dispatch import needs_of
from server.domain.actors import Actor
from server.storage.database import Database
from server.storage.people import load_people
from tests.benchmarks.conftest import Results
from tests.benchmarks.load import BODY, Pair, flood, paced, usage
from tests.benchmarks.shops import BenchShop, make_shop, relay_process, relayed, talking
from tests.support.postgres import PostgresCluster
from tests.support.redis import RedisServer

PAIRS = 50
# Each party waits for two answers at a time: 200 messages under way.
WINDOW = 2
RATES = (200, 500, 1000, 2000)
GOALS = {500: "p99 at most 15 ms", 1000: "p99 at most 30 ms", 2000: "no collapse"}


async def _measure(pairs: list[Pair], pid: int, name: str, results: Results, *, s: float) -> None:
    await flood(pairs, pid, seconds=min(s, 2), window=WINDOW)
    found = await flood(pairs, pid, seconds=s, window=WINDOW)
    results.add(f"{name}: most", found.per_s, "messages/s")
    results.add(f"{name}: processor at most speed", found.cpu_us, "us a message")
    for rate in RATES:
        if rate > 1.2 * found.per_s:
            results.add(f"{name}: {rate}/s is more than it can", found.per_s, "messages/s")
            continue
        gc.collect()
        at_rate = await paced(pairs, pid, per_s=rate, seconds=s)
        results.add(f"{name}: {rate}/s answered p50", at_rate.acked.ms(0.5), "ms")
        results.add(f"{name}: {rate}/s answered p99", at_rate.acked.ms(0.99), "ms", _goal(rate))
        results.add(f"{name}: {rate}/s delivered p50", at_rate.delivered.ms(0.5), "ms")
        results.add(f"{name}: {rate}/s delivered p99", at_rate.delivered.ms(0.99), "ms")
        results.add(f"{name}: {rate}/s processor", at_rate.cpu_us, "us a message")


def _goal(rate: int) -> str:
    return GOALS.get(rate, "")


def _compare(kind: str, what: str, results: Results, *, goal: str) -> None:
    for relay in ("plain", "tuned"):
        name = f"{kind}: {what}, over the {relay} relay"
        results.ratio(name, f"{kind}: {what}", f"{relay} relay: most", goal)


@pytest.mark.parametrize("kind", ["plain", "tuned"])
def test_bare_relay(tmp_path: Path, results: Results, seconds: float, kind: str) -> None:
    async def measure(url: str, pid: int) -> None:
        async with relayed(url, PAIRS) as pairs:
            await _measure(pairs, pid, f"{kind} relay", results, s=seconds)

    with relay_process(tmp_path, kind) as (url, pid):
        asyncio.run(measure(url, pid))


async def _product(made: BenchShop, name: str, results: Results, *, s: float) -> None:
    async with talking(made) as pairs:
        await _measure(pairs, made.server.pid, name, results, s=s)


def test_product_on_sqlite(tmp_path: Path, results: Results, seconds: float) -> None:
    made = make_shop(tmp_path, agents=PAIRS)
    with made.server.start() as server:
        results.add("server after its start: memory", usage(server.pid).rss_kb // 1024, "MB", "150")
        asyncio.run(_product(made, "SQLite", results, s=seconds))
        verified = server.shopbell("verify")
        assert verified.returncode == 0, verified.stdout[-2000:]
    _compare("SQLite", "most", results, goal="at least 0.6")


def test_product_on_postgresql(
    tmp_path: Path, results: Results, seconds: float, postgres: PostgresCluster
) -> None:
    url = postgres.create()
    made = make_shop(tmp_path, agents=PAIRS, database_url=url)
    with made.server.start() as server:
        asyncio.run(_product(made, "PostgreSQL", results, s=seconds))
        assert server.shopbell("verify").returncode == 0
    postgres.drop(url)
    _compare("PostgreSQL", "most", results, goal="")


@pytest.mark.parametrize("with_redis", [True, False], ids=["redis", "notify"])
def test_two_processes(
    tmp_path: Path,
    results: Results,
    seconds: float,
    postgres: PostgresCluster,
    redis: RedisServer,
    *,
    with_redis: bool,
) -> None:
    url = postgres.create()
    env = {"SHOPBELL_REDIS_URL": redis.url} if with_redis else {}
    name = "two processes with Redis" if with_redis else "two processes, NOTIFY"
    made = make_shop(tmp_path, agents=PAIRS, database_url=url, processes_=2, env=env)
    try:
        for server in made.servers:
            server.start()

        async def measure() -> None:
            async with talking(made) as pairs:
                for rate in (100, 200):
                    spans = await paced(pairs, made.server.pid, per_s=rate, seconds=seconds)
                    results.add(f"{name}: {rate}/s answered p99", spans.acked.ms(0.99), "ms")
                    results.add(f"{name}: {rate}/s delivered p50", spans.delivered.ms(0.5), "ms")
                    results.add(f"{name}: {rate}/s delivered p99", spans.delivered.ms(0.99), "ms")

        asyncio.run(measure())
        assert made.server.shopbell("verify").returncode == 0
    finally:
        for server in made.servers:
            if server.running:
                server.kill()
    postgres.drop(url)


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_storage_alone(
    tmp_path: Path,
    results: Results,
    seconds: float,
    postgres: PostgresCluster,
    kind: str,
) -> None:
    """Messages from both sides through one transaction each, with turns; no sockets."""
    url = postgres.create() if kind == "PostgreSQL" else None
    made = make_shop(tmp_path, agents=PAIRS, database_url=url)
    with made.server.start():
        pairs = asyncio.run(_conversations(made))
    database = Database(url, Settings(data_dir=made.server.data_dir).sqlite_path)
    try:
        staff = {p.name: p.actor for p in database.read_now(load_people)}
        writers = [
            (actor, conversation_id)
            for number, (customer_id, conversation_id) in enumerate(pairs)
            for actor in (Actor("customer", customer_id), staff[f"Agent {number}"])
        ]
        per_s, cpu_us = _submit(database, writers, seconds)
    finally:
        database.close()
    if url is not None:
        postgres.drop(url)
    results.add(f"{kind}: storage alone", per_s, "messages/s")
    results.add(f"{kind}: storage alone, processor", cpu_us, "us a message")
    _compare(kind, "storage alone", results, goal="at least 0.8" if url is None else "")


async def _conversations(made: BenchShop) -> list[tuple[str, str]]:
    async with talking(made) as pairs:
        return [
            (shopper.welcome["customer_id"], str(shopper.conversation_id))
            for shopper, _agent in (pair.peers for pair in pairs)
        ]


def _submit(
    database: Database, writers: list[tuple[Actor, str]], seconds: float
) -> tuple[float, float]:
    """Jobs a second with 200 under way, and the processor time of each in us."""
    under_way: deque[Future[dict[str, object]]] = deque()
    done = 0
    cpu_s, started = time.process_time(), time.perf_counter()
    number = 0
    while time.perf_counter() - started < seconds:
        while len(under_way) < 4 * PAIRS:
            actor, conversation_id = writers[number % len(writers)]
            payload = PostMessage(
                client_id=f"m{number}", body=BODY, conversation_id=conversation_id
            )
            under_way.append(
                database.submit(
                    lambda tx, actor=actor, payload=payload: messages.post_message(  # type: ignore[misc]  # bound defaults
                        tx, actor, payload
                    ),
                    needs_of(actor, payload),
                )
            )
            number += 1
        under_way.popleft().result()
        done += 1
    while under_way:
        under_way.popleft().result()
        done += 1
    took_s = time.perf_counter() - started
    return round(done / took_s), round((time.process_time() - cpu_s) / done * 1e6)
