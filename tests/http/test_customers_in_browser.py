"""The pages of customers as people meet them, in both languages and themes, at any width."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from server.actions import customers as actions
from server.actions.payload import parse
from server.domain.actors import agent
from server.storage.customers import Customer, add_customer
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import make_desk
from tests.support.browser import Pages

LONG = "Lin Yue 林悦 of a company whose name does not end before the edge of a phone"


def _fill(tx: Tx) -> None:
    for key, name in (("c1", LONG), ("c2", "周可"), ("c3", None)):
        add_customer(
            tx,
            Customer(
                id=key,
                external_id=f"number-{key}" * 4,
                name=name,
                email=f"{key}@shop.example",
                phone=None,
                locale="zh",
                identity="claimed",
                created_at_ms=tx.at_ms,
                seen_at_ms=tx.at_ms,
            ),
        )


@pytest.mark.timeout(600)
def test_every_page_of_customers_is_fit_for_everybody(pages: Pages, data_dir: Path) -> None:
    desk = make_desk(data_dir, None)
    desk.write(_fill)
    ida = agent("ida", name="Ida", role="admin")
    tags = {"customer_id": "c1", "add": ["vip", "a tag of forty characters which is as lon"[:40]]}
    desk.write(lambda tx: actions.tag(tx, ida, parse(actions.TagCustomer, tags)))
    desk.server.start()
    page = pages.open(f"{desk.url}/sign-in?lang=en")
    page.fill("[name=email]", desk.people["ida"].email)
    page.fill("[name=password]", "correct horse battery")
    page.click("button.primary")
    page.wait_for_url("**/console**")
    page.goto(f"{desk.url}/customers?tag=vip")
    page.click(".save-segment summary")
    page.fill("#f-name", "VIPs")
    page.click(".save-segment button")
    expect(page.get_by_role("link", name="VIPs", exact=True)).to_be_visible()
    page.goto(f"{desk.url}/customers/c1")
    page.fill("#note-body", "Rings at noon.")
    page.click("#note button")
    expect(page.get_by_role("status")).to_be_visible()
    state = page.context.storage_state()
    for width, language, theme in LOOKS:
        page = pages.context(width=width, theme=theme, storage_state=state).new_page()
        for address in (
            "/customers",
            "/customers?q=nobody",
            "/customers/segments",
            "/customers/c1",
        ):
            joint = "&" if "?" in address else "?"
            page.goto(f"{desk.url}{address}{joint}lang={language}&theme={theme}")
            if address == "/customers":
                page.click("details.more > summary")
            _check(page, f"{address} {width} {language} {theme}")
        page.context.close()
    desk.server.kill()
