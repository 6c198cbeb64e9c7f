"""Deliveries that go wrong, are tried again, are replayed; and how fresh a source is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from server.actions.deliveries import SourceDeliveryRef, SourceRef, replay_dead
from server.actions.deliveries import replay_one as replay
from server.actions.privacy import forget_old_deliveries
from server.domain.actors import agent
from server.domain.errors import Conflict, NotAllowed, NotFound
from server.domain.hooks import RETRY_AFTER_MS
from server.domain.shop_told import Told
from server.shops import worker as worker_module
from server.shops.values import Shop as Reading
from server.shops.worker import ShopWorker
from server.storage import deliveries
from server.storage.shop_sources import STALE_AFTER_MS, STUCK_AFTER_MS, Freshness, freshness
from tests.shops.shop import Shop, raw, sample, value_of
from tests.support.waiting import wait_until_async

BOSS = agent("boss", name="Boss", role="supervisor")
ORDER = 6820017394822551047
HOUR_S = 3600


async def test_what_cannot_be_read_is_dead_at_once_and_stops_nothing(shop: Shop) -> None:
    for body in (b"", b"\xff\xfe", raw({"id": 1, "created_at": "2026-01-01T00:00:00Z"})):
        assert (await shop.shopify("orders/create", body)).status == 200
    await shop.shopify("orders/create", sample("shopify_order.json"))
    await shop.work()
    assert shop.statuses() == [
        ("dead", "unreadable body"),
        ("dead", "unreadable body"),
        ("dead", "unreadable total_price"),
        ("applied", None),
    ]
    assert bytes(shop.rows("SELECT body FROM shop_delivery ORDER BY id")[1]["body"]) == b"\xff\xfe"


async def test_a_failure_of_ours_is_tried_again_ever_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_t: str, _h: Mapping[str, str], _b: bytes, _s: Reading) -> Told:
        raise ZeroDivisionError

    whole = worker_module.READERS
    monkeypatch.setattr(worker_module, "READERS", {**whole, "shopify": broken})
    await shop.shopify("orders/create", sample("shopify_order.json"))
    await shop.work()
    for number, wait_ms in enumerate(RETRY_AFTER_MS, 1):
        found = shop.row("SELECT * FROM shop_delivery")
        assert (found["status"], found["attempts"]) == ("waiting", number)
        assert found["reason"] == "failed ZeroDivisionError"
        await shop.work()  # it is not due yet
        assert shop.row("SELECT attempts FROM shop_delivery")["attempts"] == number
        shop.desk.time.now += wait_ms / 1000 + 1
        await shop.work()
    assert shop.statuses() == [("dead", "failed ZeroDivisionError")]
    assert shop.row("SELECT failures FROM shop_source WHERE name = 'shopify'")["failures"] == 6
    monkeypatch.setattr(worker_module, "READERS", whole)
    answer = await shop.database.write(
        lambda tx: replay_dead(tx, BOSS, SourceRef(source="shopify"))
    )
    assert answer["replayed"] == 1
    await shop.work()
    assert shop.statuses() == [("applied", None)]
    assert shop.order(ORDER)["number"] == "#L1042"
    assert shop.row("SELECT failures FROM shop_source WHERE name = 'shopify'")["failures"] == 0


async def test_a_replay_is_for_those_who_lead_and_changes_nothing_twice(shop: Shop) -> None:
    await shop.shopify("orders/create", sample("shopify_order.json"))
    key = shop.row("SELECT id FROM shop_delivery")["id"]
    asked = SourceDeliveryRef(source="shopify", delivery_id=key)

    def again(who: object = BOSS, what: SourceDeliveryRef = asked) -> None:
        shop.database.write_now(lambda tx: replay(tx, who, what))  # type: ignore[arg-type]  # an actor

    with pytest.raises(Conflict):
        again()
    await shop.work()
    before = shop.order(ORDER)
    again()
    await shop.work()
    assert shop.order(ORDER) == before
    assert shop.statuses() == [("applied", None)]
    with pytest.raises(NotAllowed):
        again(agent("a", name="A"))
    with pytest.raises(NotFound):
        again(what=SourceDeliveryRef(source="woo", delivery_id=key))


async def test_the_running_worker_hears_of_news_and_finds_what_was_left(shop: Shop) -> None:
    await shop.shopify("orders/create", sample("shopify_order.json"))
    worker = ShopWorker(shop.database, poll_s=0.02)
    task = asyncio.create_task(worker.run())
    try:
        await wait_until_async(lambda: shop.statuses() == [("applied", None)])
        await shop.shopify("orders/updated", value_of("shopify_order.json") | {"name": "#2"})
        await wait_until_async(lambda: worker.outcomes["applied"] == 2)
        assert shop.statuses() == [("applied", None)] * 2
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_many_deliveries_are_taken_over_in_the_order_they_came(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "PAGE", 6)
    base = value_of("shopify_order.json")
    for number in range(15):
        await shop.shopify("orders/updated", base | {"name": f"#{number}"})
    assert await shop.worker.step()
    assert shop.statuses()[5:7] == [("applied", None), ("waiting", None)]
    await shop.work()
    assert shop.statuses() == [("applied", None)] * 15
    assert shop.order(ORDER)["number"] == "#14"


def fresh(shop: Shop, name: str = "shopify") -> Freshness | None:
    found = shop.database.read_now(lambda c: freshness(c, shop.database.clock()))
    return next((one for one in found if one.source == name), None)


def why(shop: Shop) -> str | None:
    found = fresh(shop)
    assert found is not None
    assert found.stale == (found.reason is not None)
    return found.reason


async def test_how_fresh_a_source_is(shop: Shop) -> None:
    assert fresh(shop) is None
    await shop.shopify("orders/create", sample("shopify_order.json"))
    assert why(shop) is None
    shop.desk.time.now += STUCK_AFTER_MS / 1000 + 1
    assert why(shop) == "stuck"
    await shop.work()
    assert why(shop) is None
    shop.desk.time.now += STALE_AFTER_MS / 1000
    assert why(shop) == "silent"
    found = fresh(shop)
    assert found is not None
    assert found.last_at_ms is not None
    await shop.shopify("orders/updated", value_of("shopify_order.json"))
    await shop.work()
    assert why(shop) is None
    shop.desk.time.now += 60
    await shop.shopify("app/uninstalled", {"id": 1})
    await shop.work()
    assert why(shop) == "uninstalled"
    await shop.shopify("customers/redact", {"customer": {"id": 4}})
    await shop.work()
    assert why(shop) == "uninstalled"
    shop.desk.time.now += 60
    await shop.shopify("orders/updated", value_of("shopify_order.json"))
    await shop.work()
    assert why(shop) is None


async def test_the_lag_is_counted_from_what_happened_in_the_shop(shop: Shop) -> None:
    happened = shop.desk.time.now - 2 * HOUR_S
    told = {"X-Shopify-Triggered-At": datetime.fromtimestamp(happened, UTC).isoformat()}
    await shop.shopify("orders/create", sample("shopify_order.json"), **told)
    await shop.work()
    source = shop.row("SELECT lag_ms FROM shop_source WHERE name = 'shopify'")
    assert 2 * HOUR_S * 1000 <= source["lag_ms"] < 2 * HOUR_S * 1000 + 60_000


async def test_wishes_about_personal_data_go_to_the_list(shop: Shop) -> None:
    await shop.shopify("orders/create", sample("shopify_order.json"))
    await shop.work()
    wish = {"customer": {"id": 9007199254740993, "email": "x@example.com"}}
    for topic in ("customers/data_request", "customers/redact", "customers/redact"):
        await shop.shopify(topic, wish)
        await shop.work()
    kinds = [row["kind"] for row in shop.rows("SELECT kind FROM privacy_request ORDER BY kind")]
    assert kinds == ["erase", "export"]
    await shop.shopify("shop/redact", {"shop_id": 1})
    await shop.work()
    assert shop.statuses() == []
    assert shop.order(ORDER)["number"] == "#L1042"


async def test_old_deliveries_go_and_what_waits_stays(shop: Shop) -> None:
    await shop.shopify("orders/create", sample("shopify_order.json"))
    await shop.work()
    await shop.woo("order.created", sample("woocommerce_order.json"))
    shop.desk.time.now += 31 * 24 * HOUR_S
    assert await shop.database.write(forget_old_deliveries) == 1
    assert shop.statuses() == [("waiting", None)]
    # What came about somebody goes with them.
    await shop.work()
    await shop.shopify("orders/updated", sample("shopify_order.json"))
    await shop.work()
    gone = await shop.database.write(
        lambda tx: deliveries.forget_about(tx, "shopify", ["9007199254740993"])
    )
    assert gone == 1
    assert len(shop.statuses()) == 1
