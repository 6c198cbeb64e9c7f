"""Commands beside several serving processes: each of them notices what a command has done."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any  # Any: JSON values

import aiohttp
import pytest

from tests.kill.load import LONG
from tests.processes.conftest import make_shop
from tests.processes.several import Several
from tests.realtime.client import Client, Refused, let_in
from tests.support.postgres import PostgresCluster
from tests.support.redis import RedisServer
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until_async

# The promise is 2 s on a quiet machine. What is measured is told at the end of the run.
NOTICED_LIMIT_S = 30.0
Json = dict[str, Any]  # Any: JSON values
Record = Callable[[str, object], None]


@pytest.fixture(scope="module", params=["alone", *(["redis"] if LONG else [])])
def shop(
    request: pytest.FixtureRequest,
    fragile: tuple[PostgresCluster, str],
    redis: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Several]:
    """Two processes that the tests of this module share; with Redis, and without."""
    redis_url = redis.url if request.param == "redis" else None
    yield from make_shop(
        fragile, tmp_path_factory.mktemp("beside"), processes=2, redis_url=redis_url
    )


@asynccontextmanager
async def agents(shop: Several) -> AsyncIterator[list[Client]]:
    """A supervisor on each process."""
    opened = [Client(server.url, "/agent", {"token": shop.token}) for server in shop.servers]
    try:
        yield [await let_in(client) for client in opened]
    finally:
        await asyncio.gather(*(client.close() for client in opened))


async def command(shop: Several, *arguments: str | Path, stdin: str = "") -> str:
    """The last word of a command that must succeed."""
    server = shop.servers[0]
    done = await asyncio.to_thread(server.shopbell, *arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1] if done.stdout.split() else ""


async def noticed(
    shop: Several,
    record: Record,
    what: str,
    by: Callable[[ServerProcess], Awaitable[object]],
) -> None:
    """Waits until every process has noticed, and tells how long after the command that was."""
    begun_s = time.monotonic()

    async def all_of_them() -> bool:
        return all([await by(server) for server in shop.servers])

    await wait_until_async(all_of_them, NOTICED_LIMIT_S, what)
    spent_ms = round(1000 * (time.monotonic() - begun_s))
    record("measured", f"{what} noticed by {len(shop.servers)} processes after {spent_ms} ms")


async def test_a_person_and_a_token_are_known_to_all(
    shop: Several, record_property: Record
) -> None:
    await command(
        shop, "user", "add", "new@shop.example", "--name", "New", "--role", "agent",
        "--password-stdin", stdin="a long enough password\n",
    )  # fmt: skip
    token = await command(shop, "token", "create", "--user", "new@shop.example", "--name", "x")

    async def lets_in(server: ServerProcess) -> bool:
        client = Client(server.url, "/agent", {"token": token})
        try:
            await client.connect()
        except Refused:
            return False
        finally:
            await client.close()
        return bool(client.welcome["agent"]["email"] == "new@shop.example")

    await noticed(shop, record_property, "a token", lets_in)

    async def signs_in(server: ServerProcess) -> bool:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(server.url, cookie_jar=jar) as http:
            async with http.get("/sign-in") as page:
                csrf = (await page.text()).split('name="csrf" value="')[1].split('"')[0]
            form = {
                "csrf": csrf, "email": "new@shop.example",
                "password": "a long enough password", "next": "/console",
            }  # fmt: skip
            async with http.post(
                "/sign-in", data=form, headers={"Origin": server.url}, allow_redirects=False
            ) as answer:
                return answer.status == 303 and answer.headers["Location"] == "/console"

    await noticed(shop, record_property, "a person", signs_in)


async def test_a_narrowed_list_of_pages_shuts_the_others_out_everywhere(
    shop: Several, record_property: Record
) -> None:
    await command(shop, "site", "set", "--origin", "https://tea.example")

    async def shuts_out(server: ServerProcess) -> bool:
        foreign = Client(
            server.url, "/visitor", {"site": shop.desk.site}, Origin="https://evil.example"
        )
        try:
            await foreign.connect()
        except Refused as refused:
            return refused.code == "not_allowed"
        finally:
            await foreign.close()
        return False

    try:
        await noticed(shop, record_property, "allowed pages", shuts_out)
    finally:
        # Without an origin any page may.
        await command(shop, "site", "set")


async def test_an_import_runs_beside_them_and_verify_stays_clean(
    shop: Several, tmp_path: Path
) -> None:
    rows = [
        {
            "event_id": f"i{n}",
            "ts": f"2026-03-01T10:{n:02}:00",
            "kind": "message.posted",
            "conversation": "c1",
            "customer": "ann",
            "actor_kind": "customer" if n % 2 == 0 else "agent",
            "actor": "ann" if n % 2 == 0 else "li@old.example",
            "data": {"body": f"old {n}"},
        }
        for n in range(20)
    ]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    async with agents(shop) as here:
        shoppers = [
            await let_in(Client(server.url, "/visitor", {"site": shop.desk.site}))
            for server in shop.servers
        ]
        importing = asyncio.create_task(command(shop, "import", "events", file))
        written = 0
        while not importing.done():
            for shopper in shoppers:
                await shopper.post(f"beside {written}")
                written += 1
        await importing
        # Everybody hears what was written meanwhile, on whichever process it was.
        for agent in here:
            for number in range(written):
                await agent.hears(f"beside {number}")

        async def knows_the_past(server: ServerProcess) -> bool:
            agent = here[shop.servers.index(server)]
            found = await agent.do("conversation.list", view="all", query="old 3")
            return len(found["conversations"]) == 1

        await wait_until_async(lambda: knows_the_past(shop.servers[0]), NOTICED_LIMIT_S)
        assert await knows_the_past(shop.servers[1])
        for shopper in shoppers:
            await shopper.close()
    await command(shop, "verify")


async def test_an_article_is_found_and_lost_by_all(
    shop: Several, record_property: Record, tmp_path: Path
) -> None:
    token = await command(shop, "token", "create", "--role", "supervisor", "--name", "articles")

    async def edit(title: str, what: str) -> None:
        rows = tmp_path / "articles.jsonl"
        article = {"id": "engraving", "title": title, "body": "Up to ten letters.", "locale": "en"}
        rows.write_text(json.dumps(article), "utf-8")
        await command(shop, "import", "articles", rows)
        await noticed(shop, record_property, what, finds(title))

    def finds(title: str) -> Callable[[ServerProcess], Awaitable[bool]]:
        async def found(server: ServerProcess) -> bool:
            headers = {"Authorization": f"Bearer {token}"}
            asked = {"text": "Do you engrave copper kettles?", "locale": "en"}
            async with (
                aiohttp.ClientSession(server.url, headers=headers) as http,
                http.get("/api/v1/suggestions", params=asked) as answer,
            ):
                assert answer.status == 200, await answer.text()
                return title in await answer.text()

        return found

    await edit("Do you engrave copper kettles?", "an article")
    await edit("Can you engrave kettles of copper?", "an edit of it")
