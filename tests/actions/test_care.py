"""Product quality, repairs of rifts and follow-up calls, each told or made once."""

from __future__ import annotations

import asyncio
from typing import Any  # Any: column values

import pytest
from sqlalchemy import insert

from server.actions import product_quality
from server.domain.actors import Actor
from server.domain.events import DefectSpiked
from server.domain.ticket import Ticket
from server.jobs import care as job
from server.reports import products
from server.storage import notes
from server.storage.orders import ORDER_LINE, SHOP_ORDER
from server.storage.unit import Tx
from tests.actions.scene import Scene
from tests.actions.tickets import by_number, create

DAY_MS = 86_400_000


@pytest.fixture
def lead(scene: Scene) -> Actor:
    return scene.person("lead", role="supervisor", status="offline")


def order(scene: Scene, key: str, sku: str, *, at_ms: int, **more: Any) -> None:  # Any: columns
    values: dict[str, Any] = {  # Any: column values
        "id": key,
        "source": "shop",
        "external_id": key,
        "number": key,
        "created_at_ms": at_ms,
        "day": at_ms // DAY_MS,
        "paid_at_ms": at_ms,
        "currency": "CNY",
        "total_minor": 100,
        "net_minor": 100,
        "refunded_minor": 0,
        "counted": True,
        "status": "paid",
        "test": False,
        "written_at_ms": at_ms,
    }
    line = {"order_id": key, "line_no": 1, "sku": sku, "title": "Lamp", "quantity": 1}
    line |= {"refunded_quantity": 0, "price_minor": 100}

    def write(tx: Tx) -> None:
        tx.later(insert(SHOP_ORDER), values | more)
        tx.later(insert(ORDER_LINE), line)

    scene.database.write_now(write)


def defect(scene: Scene, lead: Actor, shopper: Actor, batch: str = "B1") -> Ticket:
    fields = {"sku": "LAMP", "batch": batch, "defect": "broken"}
    made = create(scene, lead, type="defect", customer_id=shopper.id, fields=fields)
    return by_number(scene, made["number"])


def test_a_spike_is_told_once_and_the_rate_has_the_orders_of_the_product(
    scene: Scene, lead: Actor
) -> None:
    for n in range(60):
        order(scene, f"o{n}", "LAMP", at_ms=scene.time.at_ms - (n % 50) * DAY_MS)
    order(scene, "test", "LAMP", at_ms=scene.time.at_ms - DAY_MS, test=True)
    order(scene, "gone", "LAMP", at_ms=scene.time.at_ms - DAY_MS, cancelled_at_ms=1)
    shopper = scene.shopper()
    for _ in range(5):
        defect(scene, lead, shopper)
    scene.time.pass_s(60)
    from_ms, to_ms = products.period(scene.time.at_ms, "UTC", 13)
    found = scene.database.read_now(
        lambda c: products.load_products(c, from_ms=from_ms, to_ms=to_ms, weeks=13)
    )
    (lamp,) = found.products
    assert (lamp.defects, lamp.orders, lamp.weeks[-1]) == (5, 60, 5)
    assert lamp.interval is not None
    assert lamp.interval[0] < 5 / 60 < lamp.interval[1]
    assert found.batches["LAMP"][0].batch == "B1"
    for _ in range(3):
        asyncio.run(job.watch_defects(scene.database))
        scene.time.pass_s(86_400)
    told = [event.data for event in scene.log() if isinstance(event.data, DefectSpiked)]
    assert [(one.sku, one.batch, one.defects) for one in told] == [("LAMP", "B1", 5)]


def test_those_affected_are_told_once_in_each_ticket_and_nobody_who_is_blocked(
    scene: Scene, lead: Actor
) -> None:
    anna, bob = scene.shopper(locale="zh"), scene.shopper()
    mine, theirs = defect(scene, lead, anna), defect(scene, lead, bob)
    scene.database.write_now(lambda tx: notes.block(tx, [bob.id or ""], reason=None, by_id=None))
    tickets = [(one.id, one.number, one.customer_id) for one in (mine, theirs)]

    def held() -> list[str | None]:
        found = scene.database.read_now(
            lambda c: product_quality.affected(c, tickets, at_ms=scene.time.at_ms)
        )
        return [one.held for one in found]

    assert held() == [None, "blocked"]

    def tell(tx: Tx) -> int:
        words = product_quality.read_words("It is fixed", "已经修好")
        notice = product_quality.begin_notice(
            tx, actor=lead, sku="LAMP", batch=None, words=words, counts={"told": 1, "held": 1}
        )
        return product_quality.tell_fixed(
            tx, actor=lead, notice_id=notice, words=words, ticket_ids=[mine.id, theirs.id]
        )

    assert scene.database.write_now(tell) == 1
    assert scene.database.write_now(tell) == 0
    assert held() == ["told", "blocked"]
    assert scene.kinds(mine.id).count("message.posted") == 1
