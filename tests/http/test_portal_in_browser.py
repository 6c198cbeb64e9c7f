"""A shopper in the portal, as a browser shows it; fit for everybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from server.actions import tickets, visitors
from server.domain.actors import Actor, agent, customer
from server.storage import mails
from server.storage.tickets import id_of_number
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import UNLIMITED, make_desk
from tests.support.browser import Pages
from tests.support.waiting import wait_until

ADDRESS = "mei@buyer.example"
LONG = "Die Lampe aus dem Donaudampfschifffahrtsgesellschaftskapitänszimmer flackert 台灯坏了"


@pytest.mark.timeout(600)
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
    with page.expect_navigation():
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
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()
    look("/portal")
    page.get_by_role("link", name=re.compile("Donaudampf")).click()
    expect(page.get_by_text("A new one is on its way.")).to_be_visible()
    # By then the script is there, without which the form is sent like any other.
    page.wait_for_load_state()
    page.get_by_label("Your message").fill("Thank you.")
    # Words alone are kept, too, when the network is away.
    page.route("**/reply", lambda route: route.abort())
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("send it again")
    expect(page.get_by_label("Your message")).to_have_value("Thank you.")
    page.unroute("**/reply")
    # A mistake is said in its place, so that Back leads to where the shopper came from.
    page.get_by_label("Your message").fill(" ")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("Your message").fill("Thank you.")
    page.go_back()
    expect(page.get_by_role("heading", name="Your requests")).to_be_visible()
    page.go_forward()
    page.wait_for_load_state()
    page.get_by_label("Your message").fill("Thank you.")
    # A file that is not taken: the form comes back with what was written in it.
    files = page.get_by_label("Files", exact=True)
    files.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"\x7fELF\0"})
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Your message")).to_have_value("Thank you.")
    # While one is under way the page says so, and when the connection breaks off.
    files.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"Order 7"})
    held: list[Route] = []
    page.route("**/reply", lambda route: held.append(route))  # noqa: PLW0108  # takes no builtin
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    _check(page, "a file under way")
    # What the browser tells is heard only while it is asked for something.
    wait_until(lambda: page.evaluate("1") and held, what="the form to be on its way")
    held[0].abort()
    expect(page.get_by_role("status")).to_contain_text("send it again")
    page.unroute("**/reply")
    # Nor is what was written lost to a page of an error, which has no form.
    told = '<main><p class="portal-lead">Try again in a moment.</p></main>'
    page.route(
        "**/reply", lambda route: route.fulfill(status=503, body=told, content_type="text/html")
    )
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text("Try again in a moment.")
    expect(page.get_by_label("Your message")).to_have_value("Thank you.")
    page.unroute("**/reply")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("A person will answer")
    expect(page.get_by_text("a.txt")).to_be_visible()
    look(f"/portal/{number}")
    with page.expect_navigation():
        page.get_by_role("button", name="Yes, it is solved").click()
    look(f"/portal/{number}")
    page.get_by_label("5 good").check()
    page.get_by_role("button", name="Send rating").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you for your rating")
    assert pages.errors == []
