"""The suite's own means hold what they promise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from tests.support import figures
from tests.support.browser import Pages, axe
from tests.support.node import NodeClient, run_node
from tests.support.ports import HOST, free_port
from tests.support.postgres import PostgresCluster
from tests.support.redis import RedisServer
from tests.support.tools import TOOLS, require
from tests.support.waiting import LIMIT_S, wait_until, wait_until_async


def test_waiting_gives_the_first_true_answer() -> None:
    answers = iter([0, "", "here"])
    assert wait_until(lambda: next(answers)) == "here"


def test_waiting_has_a_limit_and_says_for_what() -> None:
    with pytest.raises(AssertionError, match="the bell did not come within 0 s"):
        wait_until(lambda: None, 0, "the bell")


async def test_waiting_with_an_event_loop_takes_both_kinds_of_condition() -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 7

    assert await wait_until_async(answer) == 7
    assert await wait_until_async(lambda: 8) == 8


@pytest.mark.parametrize("outcome", [pytest.skip.Exception, pytest.fail.Exception])
def test_a_missing_tool_skips_here_and_fails_in_ci(
    outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TOOLS, "tsc", lambda: None)
    monkeypatch.setenv("CI", "true" if outcome is pytest.fail.Exception else "")
    with pytest.raises(outcome, match="tsc is not installed"):
        require("tsc")


def test_figures_of_tests_add_up_and_measurements_name_their_test() -> None:
    def report(name: str, **properties: object) -> pytest.TestReport:
        place = ("tests/x.py", 1, name)
        return pytest.TestReport(
            f"tests/x.py::{name}", place, {}, "passed", None, "call",
            user_properties=list(properties.items()),
        )  # fmt: skip

    first = report("one", delivery={"acknowledged": 3, "lost": 0}, other="not told")
    second = report("two", delivery={"acknowledged": 4, "lost": 1}, measured="7 ms")
    assert figures.told([first, second]) == [
        "messages over 2 tests: acknowledged 7, lost 1",
        "x.py::two: 7 ms",
    ]
    assert figures.told([report("three")]) == []


def test_two_free_ports_stand_side_by_side() -> None:
    assert 1024 < free_port(in_a_row=2) < 65535


def test_every_test_has_a_database_of_its_own(postgres: PostgresCluster) -> None:
    first = postgres.create()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE mark (x int)")
    copy = postgres.create(template=first.rpartition("/")[2])
    postgres.drop(first)
    with psycopg.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM mark").fetchone() == (0,)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    postgres.drop(copy)


def test_the_cluster_keeps_its_data_over_a_crash(postgres: PostgresCluster) -> None:
    url = postgres.create()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE mark AS SELECT 1 AS x")
    postgres.crash()
    postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT x FROM mark").fetchone() == (1,)
    postgres.drop(url)


async def test_redis_answers(redis: RedisServer) -> None:
    reader, writer = await asyncio.open_connection(HOST, redis.port)
    writer.write(b"ECHO hello\r\n")
    async with asyncio.timeout(LIMIT_S):
        assert await reader.readline() == b"$5\r\n"
    writer.close()
    await writer.wait_closed()


def test_node_runs_a_module_beside_its_packages() -> None:
    require("socket.io-client")
    done = run_node("import {io} from 'socket.io-client'; console.log(typeof io)")
    assert (done.returncode, done.stdout) == (0, "function\n"), done.stderr


def test_the_javascript_client_reports_that_nobody_is_there(
    node_client: Callable[[], NodeClient],
) -> None:
    client = node_client()
    with pytest.raises(AssertionError, match="the event welcome"):
        client.connect(f"http://{HOST}:{free_port()}/visitor", {}, limit_s=0.5)
    wait_until(lambda: "connect_error" in [name for name, _ in client.received])


def test_the_browser_shows_a_page_and_axe_reads_it(pages: Pages) -> None:
    page = pages.context(language="zh-CN", theme="dark").new_page()
    page.set_content("<html lang='zh-CN'><title>x</title><main><h1>钟</h1><img src='data:,'>")
    assert page.evaluate("[navigator.language, matchMedia('(prefers-color-scheme: dark)').matches]")
    violations = axe(page)
    assert [row.rule for row in violations] == ["image-alt"], violations
    assert axe(page, but=["image-alt"]) == []


def test_an_uncaught_error_of_a_page_is_noticed(pages: Pages) -> None:
    page = pages.context().new_page()
    page.set_content("<script>throw new Error('lost')</script>")
    wait_until(lambda: page.evaluate("1") and pages.errors)  # told of while the page is asked
    assert "lost" in pages.errors.pop()


@pytest.mark.browser  # so that it comes after a test that opened one
async def test_an_event_loop_starts_beside_an_open_browser() -> None:
    await asyncio.sleep(0)
