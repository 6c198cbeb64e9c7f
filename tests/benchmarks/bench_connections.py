"""Many sockets: what an idle one costs, how a storm of reconnects ends, how a drain ends."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Results
from tests.benchmarks.load import BODY, usage
from tests.benchmarks.shops import BenchShop, make_shop, rejoin, sessions, shoppers
from tests.support.waiting import wait_until_async

IDLE = 5000
STORM = 2000
DRAIN = 1000
AT_ONCE = 50


@pytest.fixture
def made(tmp_path: Path) -> BenchShop:
    return make_shop(tmp_path, agents=1)


def test_idle_connections(made: BenchShop, results: Results) -> None:
    async def measure(pid: int) -> None:
        async with shoppers(made, 100):
            pass
        before = usage(pid)
        started = time.perf_counter()
        async with shoppers(made, IDLE):
            took_s = time.perf_counter() - started
            joined = usage(pid)
            await asyncio.sleep(10)
            idle = usage(pid)
        results.add(f"{IDLE} shoppers join", round(took_s, 1), "s")
        cpu_us = (joined.cpu_s - before.cpu_s) / IDLE * 1e6
        results.add("a shopper joins: processor", round(cpu_us), "us")
        each_kb = (idle.rss_kb - before.rss_kb) / IDLE
        results.add(f"idle connection at {IDLE}: memory", round(each_kb, 1), "kB", "at most 40")
        share = (idle.cpu_s - joined.cpu_s) / 10
        results.add(f"{IDLE} idle connections: processor", round(share * 100, 1), "% of a core")

    with made.server.start() as server:
        asyncio.run(measure(server.pid))


def test_storm_of_reconnects(made: BenchShop, results: Results) -> None:
    """The process is killed under 2,000 open chats and comes back; nobody waits politely."""

    async def measure() -> None:
        async with shoppers(made, STORM) as before:
            for start in range(0, STORM, AT_ONCE):
                some = before[start : start + AT_ONCE]
                first = {"client_id": "m1", "body": BODY}
                await asyncio.gather(*(peer.ask("message.post", first) for peer in some))
            await asyncio.to_thread(made.server.kill)
            await asyncio.to_thread(made.server.start)
            async with sessions() as http:
                started = time.perf_counter()
                back = await asyncio.gather(*(rejoin(http, made, peer) for peer in before))
                took_s = time.perf_counter() - started
                results.add(
                    f"{STORM} reconnect at once and catch up", round(took_s, 1), "s", "at most 10"
                )
                for peer in back:
                    await peer.close()

    with made.server.start():
        asyncio.run(measure())
        assert made.server.shopbell("verify").returncode == 0


def test_drain(made: BenchShop, results: Results) -> None:
    async def measure() -> None:
        async with shoppers(made, DRAIN) as peers:
            started = time.perf_counter()
            status = await asyncio.to_thread(made.server.terminate)
            took_s = time.perf_counter() - started
            assert status == 0
            await wait_until_async(lambda: all(peer.closed.is_set() for peer in peers))
            results.add(f"drain of {DRAIN} sockets", round(took_s, 1), "s", "at most 10")

    with made.server.start():
        asyncio.run(measure())
