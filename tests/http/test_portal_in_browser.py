"""A shopper in the portal, as a browser shows it; fit for everybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from server.actions import tickets, visitors
from server.domain.actors import Actor, agent, customer
from server.storage import mails
from server.storage.tickets import id_of_number
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import UNLIMITED, make_desk
from tests.support.browser import Pages

ADDRESS = "mei@buyer.example"
LONG = "Die Lampe aus dem Donaudampfschifffahrtsgesellschaftskapitänszimmer flackert 台灯坏了"


@pytest.mark.timeout(200)
def test_a_shopper_signs_in_answers_and_confirms(pages: Pages, data_dir: Path) -> None:
    # Nobody takes the mail; the code is read from the queue.
    url = "smtp://help%40shop.example:secret@127.0.0.1:9"
    desk = make_desk(data_dir, None, env=UNLIMITED | {"SHOPBELL_SMTP_URL": url})

    def connect(tx: Tx) -> Actor:
        made = visitors.connect(tx, visitors.Connect(site=desk.site, locale="en"))
        return customer(made["customer_id"])

    shopper = desk.write(connect)
    asked = tickets.SubmitRequest(body=LONG, email=ADDRESS)
    number = desk.write(lambda tx: tickets.submit(tx, shopper, asked))["ticket_number"]
    ana = agent(desk.people["ana"].id, name="Ana", role="supervisor")

    def reply(tx: Tx) -> None:
        ticket_id = id_of_number(tx.connection, number)
        words = {"ticket_id": ticket_id, "client_id": "1", "body": "A new one is on its way."}
        tickets.reply(tx, ana, tickets.ReplyTicket.model_validate(words))

    desk.write(reply)
    desk.server.start()
    page = pages.open(f"{desk.url}/portal?lang=en")

    def look(path: str) -> None:
        for width, language, theme in LOOKS:
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(f"{desk.url}{path}?lang={language}&theme={theme}")
            _check(page, f"{path} {width} {language} {theme}")

    look("/portal")
    page.get_by_label("E-mail address").fill(ADDRESS)
    page.get_by_role("button", name="Send me a code").click()
    look("/portal/code")
    page.get_by_label("Code").fill("000000x")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong or no longer holds")

    def code(tx: Tx) -> str:
        went = mails.went(tx.connection, state=None, before=None, limit=5)
        [mail] = [one for one in went if one.kind == "code"]
        found = re.search(r"\b\d{6}\b", mail.words)
        assert found is not None
        return found[0]

    page.get_by_label("Code").fill(desk.write(code))
    page.get_by_role("button", name="Sign in").click()
    look("/portal")
    page.get_by_role("link", name=re.compile("Donaudampf")).click()
    expect(page.get_by_text("A new one is on its way.")).to_be_visible()
    page.get_by_label("Your message").fill("Thank you.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("A person will answer")
    look(f"/portal/{number}")
    page.get_by_role("button", name="Yes, it is solved").click()
    look(f"/portal/{number}")
    page.get_by_label("5 good").check()
    page.get_by_role("button", name="Send rating").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you for your rating")
    assert pages.errors == []
