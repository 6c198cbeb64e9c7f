"""The pages about customers as a supervisor meets them: without scripts, and in several looks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert

from server.actions.take_orders import take_orders
from server.domain.shop_data import Line, Order
from server.domain.spans import DAY_MS
from server.storage.profiles import SEGMENT_CHANGE
from server.storage.shop_sources import source_for_import
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import Desk, make_desk
from tests.support.browser import Pages

NAMES = ("Walnut desk lamp, three light colours 胡桃木台灯", "Spare bulb E14", "Oak stool")


def _orders(tx: Tx) -> None:
    """Forty customers who ordered once to five times over a year."""
    now = int(time.time() * 1000)
    orders = []
    for number in range(120):
        at_ms = now - (number * 37 % 360) * DAY_MS
        skus = ("lamp", "bulb") if number % 3 == 0 else ("stool",)
        orders.append(
            Order(
                external_id=f"o{number}",
                number=f"#{number}",
                created_at_ms=at_ms,
                paid_at_ms=at_ms,
                currency="CNY",
                total_minor=4_000 * (1 + number % 7) ** 3,
                customer=f"c{number * number % 41}",
                lines=tuple(
                    Line(title=NAMES[at], quantity=1, price_minor=100, sku=sku, category=sku)
                    for at, sku in enumerate(skus)
                ),
            )
        )
    take_orders(tx, source_for_import(tx, None), orders, imported=True)
    stages = ("prospect", "new", "active", "dormant", "lost", "active")
    for number in range(50):
        moved = {
            "id": f"m{number}",
            "person_id": "p",
            "at_ms": now - number * DAY_MS // 3,
            "cause": "time",
            "segment_from": "loyal",
            "segment_to": "at_risk",
            "activity_from": stages[number % 5],
            "activity_to": stages[number % 5 + 1],
            "relationship_from": "stable",
            "relationship_to": "declining",
        }
        tx.later(insert(SEGMENT_CHANGE), moved)


@pytest.fixture
def desk(data_dir: Path) -> Desk:
    """A shop with customers, its server not started yet."""
    made = make_desk(data_dir, None)
    made.write(_orders)
    return made


@pytest.mark.timeout(600)
def test_a_supervisor_reads_the_customers_and_changes_the_playbook_without_any_script(
    desk: Desk, pages: Pages
) -> None:
    desk.server.start()
    cookie = {"name": "sid", "value": desk.people["ida"].cookie, "url": desk.url}
    try:
        context = pages.context(java_script_enabled=False)
        context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie of a test
        page = context.new_page()
        page.goto(f"{desk.url}/reports/segments?lang=en")
        expect(page.locator("main svg.ch")).to_have_count(5)
        page.get_by_role("link", name="8 cells").click()
        expect(page.locator("svg.ch").first).to_contain_text("Key: value")
        page.get_by_role("link", name="12 weeks").click()
        expect(page.locator("#flows tbody").first.locator("tr")).to_have_count(12)
        page.locator(".table a.seg", has_text="Key: value").click()
        expect(page.locator("h1")).to_have_text("Key: value")
        expect(page.locator("table.common").first).to_contain_text("Walnut desk lamp")
        page.goto(f"{desk.url}/settings/playbook?lang=en")
        page.get_by_role("link", name="Edit: Dormant").click()
        page.fill("#f-line_en", "say that we missed them")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator(".told")).to_contain_text("say that we missed them.")
        with page.expect_navigation():
            page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").first).to_be_visible()
        page.goto(f"{desk.url}/settings/playbook?lang=en")
        expect(page.locator(".play", has_text="changed")).to_contain_text("we missed them")
        context.close()
        for width, language, theme in LOOKS:
            context = pages.context(width=width, theme=theme)
            context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie of a test
            page = context.new_page()
            for path in (
                "/reports/segments",
                "/reports/segments/activity/active",
                "/reports/offers",
                "/settings/playbook",
                "/settings/playbook/stable",
            ):
                page.goto(f"{desk.url}{path}?lang={language}")
                for summary in page.locator("main details.more > summary").all():
                    summary.click()
                _check(page, f"{path} {width} {language} {theme}")
            context.close()
    finally:
        desk.server.kill()
