"""Simulated shoppers and colleagues at a real server, and the shop's pages with a real widget."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from server.demo import history, run_colleagues, run_shoppers
from server.demo.line import Json, Line
from server.demo.scenes import SCENES
from server.demo.talk import recognise
from server.demo.words import LOCALES, Locale
from tests.demo.serving import storefront
from tests.support.browser import Pages
from tests.support.ports import free_port
from tests.support.server import ServerProcess, shopbell
from tests.support.waiting import LIMIT_S, wait_until_async

NOW_MS = 1_795_266_000_000
QUICK = 0.01
INIT = (
    "init",
    "--shop",
    "Mori",
    "--locale",
    "en",
    "--timezone",
    "Asia/Shanghai",
    "--currency",
    "CNY",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A running desk with one person and one simulated colleague."""

    url: str
    site_key: str
    person: str
    colleague: str


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("desk") / "data") as opened:
        yield opened


@contextmanager
def open_desk(data_dir: Path) -> Iterator[Desk]:
    def do(*arguments: str, stdin: str = "") -> str:
        done = shopbell(*arguments, data_dir=data_dir, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    key = do(*INIT)
    tokens = []
    for name in ("chen.hao", "ana.costa"):
        email = f"{name}@mori-oak.example"
        secret = "walnut-lamp-428\n"
        do(
            "user",
            "add",
            email,
            "--name",
            name,
            "--role",
            "agent",
            "--password-stdin",
            stdin=secret,
        )
        tokens.append(do("token", "create", "--user", email, "--name", "test"))
    with ServerProcess(data_dir, env={"SHOPBELL_RATE_LIMITS": "off"}) as server:
        yield Desk(server.url, key, *tokens)


def test_every_row_of_the_history_is_taken_by_the_import(data_dir: Path, tmp_path: Path) -> None:
    assert shopbell(*INIT, data_dir=data_dir).returncode == 0
    rows = tmp_path / "rows.ndjson"
    told = [json.dumps(row) for row in history(now_at_ms=NOW_MS, days=3)]
    rows.write_text("\n".join(told), "utf-8")
    done = shopbell("import", "events", rows, data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    assert f"accepted {len(told)}, unchanged 0, rejected 0" in done.stdout


async def test_chats_of_simulated_people_come_to_their_end(desk: Desk) -> None:
    stop = asyncio.Event()
    work = [
        asyncio.create_task(
            run_shoppers(url=desk.url, site_key=desk.site_key, stop=stop, seed=1, pace=QUICK)
        ),
        asyncio.create_task(
            run_colleagues(
                url=desk.url, tokens=[desk.colleague], stop=stop, seed=1, left_waiting=0, pace=QUICK
            )
        ),
    ]
    seen: set[str] = set()
    async with Line(url=desk.url, namespace="/agent", auth={"token": desk.person}) as line:

        async def all_seen() -> bool:
            event = await line.next_event(within_s=0.2)
            if event:
                author = event["actor"]["kind"] if event["kind"] == "message.posted" else ""
                seen.add(f"{event['kind']} {author}".strip())
            assert not any(task.done() for task in work)
            return seen >= {
                "message.posted customer",
                "message.posted agent",
                "conversation.status_changed",
                "rating.given",
            }

        await wait_until_async(all_seen, what="a chat from the first word to the rating")
    stop.set()
    async with asyncio.timeout(LIMIT_S):
        await asyncio.gather(*work)


async def test_a_real_persons_words_are_left_to_people(desk: Desk) -> None:
    stop = asyncio.Event()
    work = asyncio.create_task(
        run_colleagues(
            url=desk.url, tokens=[desk.colleague], stop=stop, seed=1, left_waiting=0, pace=QUICK
        )
    )
    auth = {"site": desk.site_key}
    async with (
        Line(url=desk.url, namespace="/visitor", auth=auth) as person,
        Line(url=desk.url, namespace="/visitor", auth=auth) as simulated,
        Line(url=desk.url, namespace="/agent", auth={"token": desk.person}) as console,
    ):
        mine = await person.call("message.post", client_id="1", body="Do you like my new cat?")
        body = next(scene for scene in SCENES if scene.topic == "gift").opens[0]
        theirs = await simulated.call("message.post", client_id="1", body=body)

        async def chats() -> dict[str, Json]:
            answer = await console.call("desk.load")
            return {chat["id"]: chat for chat in answer["conversations"]}

        async def answered() -> bool:
            # One that has come to its end is not on the desk any more.
            chat = (await chats()).get(theirs["conversation_id"])
            return chat is None or chat["waiting_since_ms"] is None

        await wait_until_async(answered, what="an answer to the simulated shopper")
        assert (await chats())[mine["conversation_id"]]["assignee_id"] is None
    stop.set()
    async with asyncio.timeout(LIMIT_S):
        await work


async def test_colleagues_leave_some_of_the_queue_to_people(data_dir: Path) -> None:
    bodies = [scene.opens[-1] for scene in SCENES if scene.topic in ("gift", "stock", "bulk")]
    with open_desk(data_dir) as desk:
        await leave_four_waiting(desk, bodies)


async def leave_four_waiting(desk: Desk, bodies: list[str]) -> None:
    stop = asyncio.Event()
    auth = {"site": desk.site_key}
    async with Line(url=desk.url, namespace="/agent", auth={"token": desk.person}) as console:
        for number, body in enumerate(bodies):
            async with Line(url=desk.url, namespace="/visitor", auth=auth) as line:
                said = body.format(product="oak stool", city="Lyon")
                await line.call("message.post", client_id=str(number), body=said)
        tokens = [desk.colleague]
        work = asyncio.create_task(
            run_colleagues(
                url=desk.url, tokens=tokens, stop=stop, seed=1, left_waiting=4, pace=QUICK
            )
        )

        async def down_to_four() -> bool:
            answer = await console.call("desk.load")
            left = sum(chat["assignee_id"] is None for chat in answer["conversations"])
            assert left >= 4
            return left == 4

        await wait_until_async(down_to_four, what="the queue as long as it should stay")
    stop.set()
    async with asyncio.timeout(LIMIT_S):
        await work


async def test_they_wait_for_a_desk_that_is_not_there() -> None:
    stop = asyncio.Event()
    url = f"http://127.0.0.1:{free_port()}"
    shoppers = run_shoppers(url=url, site_key="none", stop=stop, seed=1, pace=0.0)
    colleagues = run_colleagues(url=url, tokens=["none"], stop=stop, seed=1, pace=0.001)
    work = asyncio.gather(shoppers, colleagues)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await asyncio.shield(work)
    stop.set()
    async with asyncio.timeout(LIMIT_S):
        await work


@pytest.mark.parametrize("locale", LOCALES)
def test_only_whole_texts_of_the_scenes_are_recognised(locale: Locale) -> None:
    scene = next(one for one in SCENES if one.topic == "gift" and one.locale == locale)
    found = recognise(scene.opens[0])
    assert found is not None
    assert (found.matter, found.locale, found.answers) == ("question", locale, scene.answers)
    assert recognise(scene.opens[0] + " And my cat?") is None


@pytest.mark.parametrize("locale", LOCALES)
def test_a_question_from_a_product_page_reaches_the_desk(
    pages: Pages, desk: Desk, locale: Locale
) -> None:
    with storefront(desk_url=desk.url, site_key=desk.site_key) as shop_url:
        page = pages.context().new_page()
        errors: list[str] = []
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{shop_url}/{locale}/p/LMP-207")
        page.locator("[data-ask]").click()
        title = page.locator("h1").inner_text()
        expect(page.get_by_role("log").get_by_text(title)).to_be_visible()
        assert errors == []
