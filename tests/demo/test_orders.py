"""The demo shop's orders: through the signed hook, and of every kind of customer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import jwt
import pytest_asyncio
from aiohttp import web
from sqlalchemy import text

from server.actions.shop import init_shop
from server.actions.sources import AddSource, add_source
from server.demo.orders import SOURCE, demo_source
from server.demo.people import DEMO_SHOP
from server.demo.shop_system import ShopSystem
from server.demo.storefront import storefront_app
from server.domain.segment import SEGMENTS
from server.shops.worker import ShopWorker
from server.storage.shop_sources import freshness
from tests.http.desk import Desk, served
from tests.support.waiting import wait_until_async

if TYPE_CHECKING:
    from server.storage.database import Database

IDENTITY_SECRET = "i" * 40


@pytest_asyncio.fixture
async def desk(open_database: Callable[..., Database], data_dir: Path) -> AsyncIterator[Desk]:
    async with served(open_database, data_dir) as found:
        await found.write(
            init_shop,
            name="Mori & Oak",
            locale="en",
            timezone=DEMO_SHOP.timezone,
            currency=DEMO_SHOP.currency,
        )
        yield found


def values(desk: Desk, sql: str) -> list[tuple[object, ...]]:
    return desk.database.read_now(lambda c: [tuple(row) for row in c.execute(text(sql))])


async def test_the_past_fills_every_segment_in_both_languages(desk: Desk) -> None:
    database = desk.database
    source = await asyncio.to_thread(demo_source, database, now_at_ms=database.clock())
    found = values(
        desk,
        "SELECT p.segment, c.locale FROM profile p JOIN customer c ON c.id = p.person_id"
        " GROUP BY p.segment, c.locale",
    )
    in_language = {locale: {s for s, of in found if of == locale} for locale in ("en", "zh")}
    buyers = set(SEGMENTS) - {"prospects"}
    assert in_language["en"] >= buyers
    assert in_language["zh"] >= buyers
    stages = {row[0] for row in values(desk, "SELECT DISTINCT relationship_stage FROM profile")}
    assert stages >= {"exploring", "building", "stable", "declining", "ended"}
    # By the hook and no other way, stored as it came; and none of it is news.
    assert {row[0] for row in values(desk, "SELECT DISTINCT status FROM shop_delivery")} == {
        "applied"
    }
    orders = values(desk, "SELECT DISTINCT source FROM shop_order")
    assert orders == [(SOURCE,)]
    live = values(desk, "SELECT count(*) FROM event WHERE kind LIKE 'order.%' AND NOT imported")
    assert live == [(0,)]
    [state] = database.read_now(lambda c: freshness(c, database.clock()))
    assert not state.stale
    # A second start finds all of it.
    again = await asyncio.to_thread(demo_source, database, now_at_ms=0)
    assert (again.name, again.secret) == (source.name, source.secret)


async def test_the_checkout_places_an_order_through_the_hook(desk: Desk) -> None:
    database = desk.database
    asked = AddSource(name=SOURCE, kind="generic", customer_ids="shop")
    _, secret = await desk.write(add_source, asked)
    system = ShopSystem(
        desk_url=desk.url,
        site_key="site",
        secret=secret,
        identity_secret=IDENTITY_SECRET,
        clock=database.clock,
    )
    runner = web.AppRunner(storefront_app(desk_url=desk.url, site_key="site", system=system))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            placed = []
            for lines in ({"LMP-207": 2}, {"TBL-021": 1}):
                desk.time.now += 1  # two orders of one instant may draw the same number
                async with browser.post(f"{shop}/en/checkout", json={"lines": lines}) as answer:
                    placed.append(await answer.json())
            bad: list[object] = [{"lines": {"NONE": 1}}, {"lines": {"LMP-207": 0}}, {}, []]
            for body in (*bad, {"lines": {}}, {"lines": {"LMP-207": True}}):
                async with browser.post(f"{shop}/zh/checkout", json=body) as answer:
                    assert not (await answer.json())["ok"]
            async with browser.post(f"{shop}/en/checkout", data={"lines": "x"}) as answer:
                assert answer.status == 400
            # Signed by the shop, behind the # where no server sees it.
            async with browser.get(f"{shop}/zh/requests", allow_redirects=False) as answer:
                leads, _, word = answer.headers["Location"].partition("#")
            assert leads == f"{desk.url}/portal/enter?lang=zh"
            placed.append({"identity": word})
            async with browser.post(f"{shop}/en/sign-out", data={}) as answer:
                assert answer.status == 400
            async with browser.post(f"{shop}/en/sign-out", json={}) as answer:
                assert (await answer.json())["ok"]
            body = {"lines": {"TBL-021": 1}}
            desk.time.now += 1
            async with browser.post(f"{shop}/en/checkout", json=body) as answer:
                placed.append(await answer.json())
        desk.time.now += 1
        async with aiohttp.ClientSession() as stranger:
            forged = {"mori-oak-account": "demo-00006089.0123456789abcdef0123456789abcdef"}
            async with stranger.post(
                f"{shop}/en/checkout", json={"lines": {"TBL-021": 1}}, cookies=forged
            ) as answer:
                other = await answer.json()
            async with stranger.get(
                f"{shop}/en/requests", cookies=forged, allow_redirects=False
            ) as answer:
                assert answer.headers["Location"] == f"{desk.url}/portal?lang=en"
    finally:
        await runner.cleanup()
    worker = ShopWorker(database)
    await wait_until_async(lambda: _worked(worker, desk, orders=4))
    found = values(
        desk,
        "SELECT o.number, o.total_minor, c.external_id FROM shop_order o"
        " JOIN customer c ON c.id = o.customer_id ORDER BY o.total_minor DESC",
    )
    assert found[0][:2] == (placed[0]["number"], 85600)
    # One browser is one shopper, who is signed in to the chat; nobody else can be made up.
    # The desk's clock stands elsewhere than the world's, by which a token would have run out.
    subs = [
        jwt.decode(
            one["identity"], IDENTITY_SECRET, algorithms=["HS256"], audience="site",
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )["sub"]
        for one in (*placed, other)
    ]  # fmt: skip
    assert subs[0] == subs[1] == subs[2] == found[0][2]
    # Who signs out is somebody else from then on.
    assert subs[3] != subs[0]
    assert subs[4] not in (*subs[:4], "demo-00006089")


async def _worked(worker: ShopWorker, desk: Desk, *, orders: int) -> bool:
    await worker.step()
    return values(desk, "SELECT count(*) FROM shop_order") == [(orders,)]
