"""Leaving a message instead of waiting."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.support.waiting import wait_until
from tests.widget.conftest import Shopper
from tests.widget.peer import Desk
from tests.widget.test_files import answers


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
    offer.get_by_role("button").click()
    form = shopper.panel.locator(".reader")
    expect(form.get_by_label("Message", exact=True)).to_have_value("Is anybody there?")
    # Not before: whatever is drawn meanwhile would take the offer away again.
    shopper.run("Date.now = window.clock")
    # What is not right is said, and nothing is sent.
    form.get_by_role("button", name="Send the message").click()
    mail = form.locator(".field", has=shopper.page.get_by_label("E-mail"))
    expect(mail.get_by_role("alert")).to_contain_text("Check the e-mail address")
    expect(mail.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    assert desk.sent("request.submit") == []
    form.get_by_label("E-mail").fill("mei@buyer.example")
    # Once it is mended it is no longer called wrong.
    expect(form.get_by_role("alert")).to_have_count(0)
    expect(form.locator("[aria-invalid]")).to_have_count(0)
    desk.lose_answers = 1
    form.get_by_role("button", name="Send the message").click()
    expect(form.get_by_role("heading", name="your number is T-1")).to_be_visible()
    sent = desk.sent("request.submit")
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert sent[0]["conversation_id"] == desk.conversation.id
    wait_until(lambda: shopper.run("localStorage.getItem('shopbell.site-1.asks')") is None)
    shopper.page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(shopper.input).to_be_focused()


LAMP = {
    "line_no": 0,
    "title": "Walnut lamp",
    "sku": "LMP",
    "quantity": 3,
    "left": 2,
    "price_minor": 42800,
    "image_url": "javascript:alert(1)",
    "numbers": ["T-8"],
}
BULB = LAMP | {"line_no": 1, "title": "Bulb", "quantity": 1, "left": 0, "image_url": None}
ORDER = {
    "number": "A-1",
    "created_at_ms": 1_700_000_000_000,
    "currency": "CNY",
    "state": "delivered",
    "wanted": ["return", "exchange"],
    "reasons": [{"id": "damaged", "name": {"en": "Damaged", "zh": "破损"}}],
    "lines": [LAMP, BULB],
}
REQUEST = {
    "number": "T-9",
    "subject": "Return, order A-1",
    "state": "Received",
    "over": False,
    "promised_at_ms": None,
    "late": False,
    "created_at_ms": 1_700_000_000_000,
    "updated_at_ms": 1_700_000_000_000,
    "unread": 0,
}


def test_lines_of_an_order_are_asked_back_and_solved_waits_for_the_line(
    desk: Desk, shopper: Shopper
) -> None:
    desk.verified = True
    desk.request_news = {"count": 0, "unread": 0}
    conflict = {"code": "conflict", "message": "", "details": {"reason": "portal_alike"}}
    conflict["details"] |= {"numbers": ["T-8"]}  # type: ignore[operator]  # a dict
    money = {"id": "money", "name": {"en": "my money back", "zh": "退款"}}
    said = {"id": "m", "mine": True, "author": None, "body": "Both", "blocks": [], "at_ms": 1}
    desk.canned = {
        "request.list": [
            {"ok": True, "items": [], "next_before": None},
            {"ok": True, "items": [REQUEST], "next_before": None},
        ],
        "request.orders": [{"ok": True, "orders": [ORDER], "outcomes": [money]}],
        "request.ask_back": [
            {"ok": False, "error": conflict},
            {"ok": True, "ticket_number": "T-9", "promised_at_ms": None},
        ],
        "request.open": [
            {
                "ok": True,
                "request": REQUEST,
                "messages": [said],
                "rating": None,
                "may_rate": False,
                "may_write": True,
                "onward": None,
            }
        ],
        "request.confirm": [{"ok": True, "number": "T-9"}],
    }
    shopper.visit().open()
    # Who is signed in finds the way to their orders before they have asked anything.
    shopper.panel.get_by_role("button", name="Your requests").click()
    over = shopper.panel.locator(".reader")
    over.get_by_role("button", name="Return, exchange").click()
    over.get_by_role("button", name="Order A-1").click()
    expect(over.locator("img")).to_have_count(0)
    expect(over.get_by_role("checkbox")).to_have_count(1)
    send = over.get_by_role("button", name="Send the request")
    alert = over.get_by_role("alert").first
    send.click()
    expect(alert).to_have_text("Choose what you would like to do.")
    over.get_by_label("Send something back").check()
    send.click()
    expect(alert).to_have_text("Choose at least one item.")
    over.get_by_label("Walnut lamp").check()
    for wrong in ("3", "0", "1.5", ""):
        over.get_by_label("How many").fill(wrong)
        send.click()
        expect(alert).to_have_text("Check how many.")
    assert desk.sent("request.ask_back") == []
    over.get_by_label("How many").fill("2")
    # No reason is said for them.
    send.click()
    expect(alert).to_have_text("Choose why, for each item that is ticked.")
    over.get_by_label("Why").select_option("Damaged")
    over.get_by_label("Anything we should know").fill("Both are cracked")
    # What was typed is there again after a reload.
    shopper.page.reload()
    shopper.panel.get_by_role("button", name="Your requests").click()
    over.get_by_role("button", name="Return, exchange").click()
    over.get_by_role("button", name="Order A-1").click()
    expect(over.get_by_label("How many")).to_have_value("2")
    send.click()
    expect(over).to_contain_text("You already have an open request about this order:")
    over.get_by_role("button", name="Send as a new request").click()
    expect(over.get_by_role("heading", name="your number is T-9")).to_be_visible()
    first, second = desk.sent("request.ask_back")
    assert first["client_id"] != second["client_id"]
    assert second == first | {"client_id": second["client_id"], "anyway": True}
    assert first["lines"] == [{"line_no": 0, "quantity": 2, "reason": "damaged"}]
    asked = (first["wanted"], first["words"], first["outcome"])
    assert asked == ("return", "Both are cracked", "money")
    # Without a connection it is kept, and told once there is one.
    over.get_by_role("button", name="To my requests").click()
    over.get_by_role("button", name="Return, order A-1").click()
    expect(over.get_by_text("Both", exact=True)).to_be_visible()
    # Nobody has answered yet: it is not asked as if somebody had.
    expect(over.get_by_text("Has it been solved in the meantime?")).to_be_visible()
    desk.stop()
    expect(shopper.banner).not_to_be_empty()
    over.get_by_role("button", name="Yes, it is solved").click()
    expect(over.get_by_text("Kept on this device").first).to_be_visible()
    desk.start()
    wait_until(lambda: len(desk.sent("request.confirm")) == 1)
    wait_until(lambda: shopper.run("localStorage.getItem('shopbell.site-1.asks')") is None)


KINDS = {
    "ok": True,
    "kinds": [{"id": "return", "name": {"en": "Return", "zh": "退货"}}],
    "opens_at_ms": None,
}
NO_ORDERS = {"ok": True, "orders": [], "outcomes": []}
UNAVAILABLE = {"ok": False, "error": {"code": "unavailable", "message": "", "details": {}}}


def alone(desk: Desk) -> None:
    """A desk at which nobody is."""
    desk.shop["agents_online"] = 0
    desk.request_news = {"count": 0, "unread": 0}
    desk.canned = {"request.form": [KINDS], "request.orders": [NO_ORDERS]}


def test_a_kind_that_was_chosen_stays_whatever_is_written_before_the_kinds_come(
    desk: Desk, shopper: Shopper
) -> None:
    alone(desk)
    shopper.visit().open()
    leave = shopper.panel.get_by_role("button", name="Leave a message")
    form = shopper.panel.locator(".reader")
    kind = form.get_by_label("What is it about")
    leave.click()
    kind.select_option("Return")
    desk.held.add("request.form")
    shopper.page.reload()
    leave.click()
    form.get_by_label("Message", exact=True).fill("It is broken")
    desk.held.clear()
    expect(kind).to_have_value("return")


def test_what_the_form_could_not_ask_it_asks_once_there_is_a_line(
    desk: Desk, shopper: Shopper
) -> None:
    alone(desk)
    desk.canned["request.form"] = [UNAVAILABLE, KINDS]
    desk.canned["request.orders"] = [UNAVAILABLE, {"ok": True, "orders": [ORDER], "outcomes": []}]
    shopper.visit().open()
    shopper.panel.get_by_role("button", name="Leave a message").click()
    form = shopper.panel.locator(".reader")
    order = form.get_by_label("Order number")
    order.focus()
    wait_until(lambda: len(desk.answered) == 2)
    desk.signals("request.changed", count=0, unread=0)
    expect(form.get_by_label("What is it about").locator("option")).to_have_count(2)
    own = form.get_by_label("Order (optional)")
    expect(own.locator("option")).to_have_count(2)
    expect(own).to_be_focused()


def test_a_page_that_was_left_leads_nowhere(desk: Desk, shopper: Shopper) -> None:
    desk.verified = True
    desk.request_news = {"count": 1, "unread": 0}
    desk.canned = {
        "request.list": [{"ok": True, "items": [REQUEST], "next_before": None}],
        "request.orders": [{"ok": True, "orders": [ORDER], "outcomes": []}],
        "request.open": [{"ok": True, "onward": "T-8"}],
    }
    payload = {"number": "A-1", "wanted": "return", "lines": []}
    ask = {"client_id": "c", "name": "request.ask_back", "payload": payload, "at_ms": 1}
    ask["error"] = {"code": "conflict", "message": ""}
    shopper.visit()
    shopper.page.evaluate(
        "(asks) => { localStorage['shopbell.site-1.asks'] = asks; }", json.dumps([ask])
    )
    shopper.open()
    shopper.panel.get_by_role("button", name="Your requests").click()
    over = shopper.panel.locator(".reader")
    for command, name in (("request.orders", "Edit"), ("request.open", "Return, order A-1")):
        desk.held.add(command)
        over.get_by_role("button", name=name).click()
        wait_until(lambda: desk.sent(command))  # noqa: B023  # called at once
        over.get_by_role("button", name="Back").click()
        expect(over.get_by_role("heading", name="Your requests")).to_be_visible()
        desk.held.clear()
        wait_until(lambda: command in desk.answered)  # noqa: B023  # called at once
        desk.canned["request.list"][0]["items"] = [
            REQUEST,
            REQUEST | {"number": "T-7", "subject": command},
        ]
        desk.signals("request.changed", count=2, unread=0)
        expect(over.get_by_text(command)).to_be_visible()
        expect(over.get_by_role("heading", name="Your requests")).to_be_visible()


def test_a_list_that_is_asked_for_anew_leaves_what_is_as_it_was(
    desk: Desk, shopper: Shopper
) -> None:
    desk.verified = True
    desk.request_news = {"count": 1, "unread": 0}
    one = {"ok": True, "items": [REQUEST], "next_before": None}
    news = REQUEST | {"state": "Being worked on", "unread": 1}
    two = one | {"items": [REQUEST | {"number": "T-10", "subject": "Lamp"}, news]}
    desk.canned = {"request.list": [one, two]}
    shopper.visit().open()
    shopper.panel.get_by_role("button", name="Your requests").click()
    row = shopper.panel.locator(".reader").get_by_role("button", name="Return, order A-1")
    # A press that has begun is lost with what it has begun on.
    row.evaluate("(row) => { row.before = true; }")
    desk.signals("request.changed", count=2, unread=0)
    expect(shopper.panel.locator(".reader").get_by_role("button", name="Lamp")).to_be_visible()
    expect(row).to_contain_text("Being worked on")
    expect(row).to_contain_text("1 new")
    assert row.evaluate("(row) => row.before")


def test_a_rating_that_is_being_written_stays_when_somebody_answers(
    desk: Desk, shopper: Shopper
) -> None:
    desk.verified = True
    desk.request_news = {"count": 1, "unread": 0}
    mine = {"id": "m", "mine": True, "author": None, "body": "Both", "blocks": [], "at_ms": 1}
    theirs = mine | {"id": "n", "mine": False, "author": "Chen Hao", "body": "Sorry about that"}
    first = {
        "ok": True,
        "request": REQUEST | {"over": True},
        "messages": [mine],
        "rating": None,
        "may_rate": True,
        "may_write": True,
        "onward": None,
    }
    desk.canned = {
        "request.list": [{"ok": True, "items": [REQUEST], "next_before": None}],
        "request.open": [first, first | {"messages": [mine, theirs]}],
    }
    shopper.visit().open()
    shopper.panel.get_by_role("button", name="Your requests").click()
    over = shopper.panel.locator(".reader")
    over.get_by_role("button", name="Return, order A-1").click()
    over.locator(".star").nth(3).click()
    comment = over.locator(".rating textarea")
    comment.fill("Kind, but slow")
    desk.signals("request.changed", count=1, unread=0)
    expect(over.locator(".bubble", has_text="Sorry")).to_be_visible()
    expect(comment).to_have_value("Kind, but slow")
    expect(comment).to_be_focused()


def test_requests_of_who_has_signed_out_are_not_left_open(desk: Desk, shopper: Shopper) -> None:
    desk.verified = True
    desk.request_news = {"count": 1, "unread": 0}
    desk.canned = {"request.list": [{"ok": True, "items": [REQUEST], "next_before": None}]}
    shopper.visit().open()
    shopper.panel.get_by_role("button", name="Your requests").click()
    over = shopper.panel.locator(".reader")
    expect(over.get_by_role("button", name="Return, order A-1")).to_be_visible()
    desk.verified = False
    shopper.run("Shopbell.logout()")
    expect(over).to_have_count(0)


def test_what_is_taken_is_asked_again_after_an_error(desk: Desk, shopper: Shopper) -> None:
    alone(desk)
    shopper.page.route("**/visitor/files", answers(503, {"error": {"code": "unavailable"}}))
    shopper.page.add_init_script(
        """const ask = fetch;
        window.fetch = (url, ...rest) => {
            const answer = ask(url, ...rest);
            const tell = () => { window.told ||= String(url).endsWith("/visitor/files"); };
            answer.then(() => setTimeout(tell));
            return answer;
        }"""
    )
    shopper.visit().open()
    leave = shopper.panel.get_by_role("button", name="Leave a message")
    form = shopper.panel.locator(".reader")
    leave.click()
    wait_until(lambda: shopper.run("window.told"))
    form.get_by_role("button", name="Back").click()
    shopper.page.unroute("**/visitor/files")
    limits = {"most_files": 5, "most_bytes": 10 * 1048576}
    shopper.page.route("**/visitor/files", answers(200, limits))
    leave.click()
    expect(form.get_by_text("Up to 5 files, 10 MB each")).to_be_visible()
