"""Waits by the segment that a customer was in when they asked."""

from __future__ import annotations

from functools import partial

from sqlalchemy import update

from server.actions.take_orders import take_orders
from server.domain.shop_data import Order
from server.reports.rows import ReportRow, report
from server.reports.scope import Scope
from server.storage.consents import Consent, add_consent
from server.storage.customers import CUSTOMER
from server.storage.shop_sources import Source, insert_source
from tests.actions.scene import Scene

SHOP = Source(name="shop", kind="file", customer_ids="shop", created_at_ms=0)


def by_segment(scene: Scene) -> dict[str | None, int]:
    """How many questions each segment asked."""
    scope = Scope(timezone="Asia/Shanghai", as_of_ms=scene.time.at_ms)
    rows: list[ReportRow] = scene.database.read_now(
        lambda c: report(c, ["rt"], scope, by="segment")
    )
    return {row.group: row.n for row in rows}


def order(scene: Scene) -> None:
    """The customer c1 orders something now."""
    told = Order(
        external_id="1",
        number="1",
        customer="c1",
        created_at_ms=scene.time.at_ms,
        paid_at_ms=scene.time.at_ms,
        currency="CNY",
        total_minor=1000,
    )
    scene.database.write_now(partial(take_orders, source=SHOP, orders=[told], imported=False))


def test_a_question_counts_for_the_segment_of_its_day(scene: Scene) -> None:
    shopper, agent = scene.shopper(), scene.person("ann")
    chat = scene.chat(shopper)
    scene.post(agent, conversation_id=chat)
    assert by_segment(scene) == {None: 1}
    named = update(CUSTOMER).where(CUSTOMER.c.id == shopper.id).values(external_id="c1")
    scene.database.write_now(lambda tx: tx.later(named))
    scene.database.write_now(partial(insert_source, source=SHOP))
    scene.time.pass_s(3600)
    order(scene)
    scene.chat()
    assert by_segment(scene) == {"prospects": 2}
    scene.time.pass_s(60)
    scene.post(shopper, conversation_id=chat)
    assert by_segment(scene) == {"new": 1, "prospects": 2}
    refusal = Consent(
        customer_id=str(shopper.id),
        purpose="profiling",
        state="refused",
        text_version="1",
        language="en",
        source="widget",
        at_ms=scene.time.at_ms,
    )
    scene.database.write_now(partial(add_consent, consent=refusal))
    assert by_segment(scene) == {"prospects": 1, None: 2}
