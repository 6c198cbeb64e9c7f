"""Leaving a message instead of waiting."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.waiting import wait_until
from tests.widget.conftest import Shopper
from tests.widget.peer import Desk


def test_who_waits_long_leaves_a_message_once_though_its_answer_is_lost(
    desk: Desk, shopper: Shopper
) -> None:
    desk.request_news = {"count": 0, "unread": 0}
    shopper.visit().begin().writes("Is anybody there?")
    shopper.sees("Is anybody there?")
    desk.emits("queue.entered", ahead=1)
    offer = shopper.panel.locator(".leavebar")
    offer.wait_for(state="attached")
    expect(offer).to_be_hidden()
    shopper.run("window.clock = Date.now; Date.now = () => clock() + 190_000")
    desk.emits("queue.entered", ahead=1)
    expect(offer).to_contain_text("It takes longer today")
    shopper.run("Date.now = window.clock")
    offer.get_by_role("button").click()
    form = shopper.panel.locator(".reader")
    expect(form.get_by_label("Message", exact=True)).to_have_value("Is anybody there?")
    # What is not right is said, and nothing is sent.
    form.get_by_role("button", name="Send the message").click()
    expect(form.get_by_role("alert")).to_contain_text("Check the e-mail address")
    assert desk.sent("request.submit") == []
    form.get_by_label("E-mail").fill("mei@buyer.example")
    desk.lose_answers = 1
    form.get_by_role("button", name="Send the message").click()
    expect(form.get_by_role("heading", name="your number is T-1")).to_be_visible(timeout=20_000)
    sent = desk.sent("request.submit")
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert sent[0]["conversation_id"] == desk.conversation.id
    wait_until(lambda: shopper.run("localStorage.getItem('shopbell.site-1.asks')") is None)
    shopper.page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(shopper.input).to_be_focused()
