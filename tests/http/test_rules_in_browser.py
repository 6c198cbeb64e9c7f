"""A rule as a supervisor writes it: what it would meet, saved, and what it did, in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from server.actions import tickets, visitors
from server.domain.actors import Actor, agent, customer
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import make_desk
from tests.support.browser import Pages
from tests.support.waiting import wait_until


@pytest.mark.timeout(600)
def test_a_rule_is_tried_while_it_is_written_and_says_what_it_did(
    pages: Pages, data_dir: Path
) -> None:
    desk = make_desk(data_dir, None)
    ana = desk.people["ana"]

    def connect(tx: Tx) -> Actor:
        made = visitors.connect(tx, visitors.Connect(site=desk.site, locale="en"))
        return customer(made["customer_id"])

    shopper = desk.write(connect)

    def made(reason: str) -> str:
        asked = tickets.CreateTicket(
            type="return", subject="The lamp", customer_id=shopper.id, fields={"reason": reason}
        )
        lead = agent(ana.id, name="Ana", role="supervisor")
        return str(desk.write(lambda tx: tickets.create(tx, lead, asked))["number"])

    broken, _ = made("damaged"), made("size")
    desk.server.start()
    page = pages.open(f"{desk.url}/sign-in?lang=en")
    page.fill("[name=email]", ana.email)
    page.fill("[name=password]", "correct horse battery")
    page.click("button.primary")
    page.wait_for_url("**/console**")

    page.goto(f"{desk.url}/settings/rules/new?lang=en")
    page.get_by_label("Name").fill("Broken on arrival")
    page.get_by_label("a ticket is made").check()
    page.get_by_label("Add a condition").select_option("ticket.field.return.reason")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Arrived damaged").check()
    page.get_by_label("Add an action").select_option("set_priority")
    page.get_by_role("button", name="Add an action").click()
    page.locator("[name=a0_priority]").select_option("urgent")
    # It says by itself what it would meet.
    trial = page.locator("#trial")
    expect(trial.get_by_role("link", name=broken)).to_be_visible()
    expect(trial).to_contain_text("Return: Reason is Arrived damaged")
    page.get_by_label("Wrong item").check()
    page.get_by_label("Arrived damaged").uncheck()
    expect(trial.get_by_role("link")).to_have_count(0)
    page.get_by_label("Arrived damaged").check()
    expect(trial.get_by_role("link", name=broken)).to_be_visible()
    for width in sorted({width for width, _, _ in LOOKS}):
        page.set_viewport_size({"width": width, "height": 800})
        _check(page, f"a rule at {width}")
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").first).to_be_visible()

    number = made("damaged")
    page.goto(f"{desk.url}/tickets/{number}")
    said = page.get_by_text(re.compile("Broken on arrival.+set the priority to Urgent.+damaged"))

    def is_said() -> bool:
        page.reload()
        return said.count() > 0

    wait_until(is_said, what="the rule's line")
    page.goto(f"{desk.url}/tickets/{number}?lang=zh")
    expect(page.get_by_text(re.compile("退货的原因是到货破损"))).to_be_visible()
    assert pages.errors == []
