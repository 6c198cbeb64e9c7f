"""From a chat to a ticket, its answer and its end, as an agent does it; fit for everybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from server.actions import tickets, visitors
from server.actions.messages import PostMessage, post_message
from server.domain.actors import Actor, customer
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import make_desk
from tests.support.browser import Pages, texts_of
from tests.support.waiting import wait_until

LONG = "Die Lampe aus dem Donaudampfschifffahrtsgesellschaftskapitänszimmer flackert 台灯坏了"


@pytest.mark.timeout(600)
def test_a_chat_becomes_a_ticket_that_is_answered_and_ends(pages: Pages, data_dir: Path) -> None:
    desk = make_desk(data_dir, None)

    def connect(tx: Tx) -> Actor:
        made = visitors.connect(tx, visitors.Connect(site=desk.site, locale="en"))
        return customer(made["customer_id"])

    shopper = desk.write(connect)
    words = PostMessage(client_id="1", body="I want my money back for the broken lamp.")
    chat = desk.write(lambda tx: post_message(tx, shopper, words))["conversation_id"]
    other = tickets.SubmitRequest(body=LONG, name="A name that is rather long for a phone")
    number = desk.write(lambda tx: tickets.submit(tx, shopper, other))["ticket_number"]
    desk.server.start()
    page = pages.open(f"{desk.url}/sign-in?lang=en")
    page.fill("[name=email]", desk.people["ana"].email)
    page.fill("[name=password]", "correct horse battery")
    page.click("button.primary")
    page.wait_for_url("**/console**")

    page.goto(f"{desk.url}/console?conversation={chat}")
    page.get_by_role("button", name="Make a ticket").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("What it is")).to_have_value("refund")
    expect(dialog.get_by_label("Subject")).to_have_value(words.body)
    told = texts_of(page.locator(".toasts"))
    dialog.get_by_role("button", name="Make a ticket").click()
    noted = page.get_by_role("log").get_by_text("We have noted this as request")
    found = re.search(r"T-[\w-]+", noted.inner_text())
    assert found is not None
    # The way to it is offered for nine seconds, which a busy machine may sleep through.
    wait_until(lambda: any(found[0] in text and "Open it" in text for text in told()))
    page.goto(f"{desk.url}/tickets/{found[0]}")

    expect(page.get_by_role("heading", level=1)).to_have_text(words.body)
    page.get_by_label("Your answer").fill("The money is on its way.")
    page.get_by_role("button", name="Send and resolve").click()
    expect(page.get_by_text("set it to “Resolved”")).to_be_visible()
    page.goto(f"{desk.url}/tickets?q=money")
    done = page.get_by_role("region", name="Done")
    expect(done.get_by_text(words.body)).to_be_visible()

    paths = [f"/tickets/{number}", f"/tickets/new?customer={shopper.id}&type=defect"]
    paths += ["/tickets", "/settings/ticket-types", "/settings/ticket-types/defect"]
    for width, language, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        for path in paths:
            mark = "&" if "?" in path else "?"
            page.goto(f"{desk.url}{path}{mark}lang={language}&theme={theme}")
            _check(page, f"{path} {width} {language} {theme}")
    assert pages.errors == []
