"""What a shopper sees and can do: views, languages, themes, keyboard, phones, foreign policies."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.support.browser import Pages, Theme, axe, sights
from tests.support.waiting import wait_until
from tests.widget.conftest import Shopper
from tests.widget.peer import Desk, now_ms

# Playwright calls the function that a script ends in: hence the 0 at the end of some.

# What the browser keeps of who the shopper is.
TOKEN = "localStorage[Object.keys(localStorage).find((key) => key.endsWith('token'))]"
TRUSTED = "require-trusted-types-for 'script'; trusted-types 'none'"
LAMP = {
    "type": "product",
    "title": "Walnut desk lamp",
    "sku": "LMP-207",
    "price_minor": 42800,
    "currency": "CNY",
    "url": "https://shop.example/lamp",
}


def policies(desk: Desk) -> dict[str, tuple[str, str]]:
    """Content policies of strict shops, and the query that makes the page fit them."""
    host = f"http://127.0.0.1:{desk.port}"
    ways = f"connect-src {host} ws://127.0.0.1:{desk.port}"
    return {
        "host": (f"default-src 'none'; script-src {host}; {ways}", ""),
        "nonce": (f"default-src 'none'; script-src 'nonce-n0' 'strict-dynamic'; {ways}", "nonce=1"),
        "trusted types": (f"default-src 'none'; script-src {host}; {ways}; {TRUSTED}", ""),
    }


def helpful(desk: Desk, *, band: str = "answer") -> None:
    """A desk that finds something for every question."""
    desk.shop["articles"] = True
    article = {"article_id": "a", "title": "Returns", "summary": "30 days", "locale": "en"}
    found = {"ok": True, "suggestion_id": "s", "band": band, "items": [article]}
    desk.canned["answer.find"] = [found]


def asking(desk: Desk, shopper: Shopper) -> Shopper:
    """A shopper in a chat of a helpful desk, all of which has come."""
    helpful(desk)
    shopper.visit().begin()
    shopper.panel.locator(".clip").wait_for()
    return shopper


@pytest.mark.parametrize("name", ["host", "nonce", "trusted types"])
def test_the_chat_works_under_a_strict_policy_without_one_console_error(
    desk: Desk, context: BrowserContext, name: str
) -> None:
    policy, query = policies(desk)[name]
    desk.page_headers = {"Content-Security-Policy": policy}
    lines: list[str] = []
    context.on("console", lambda message: lines.append(message.text))
    shopper = Shopper(desk, context.new_page()).visit(query).begin()
    shopper.writes("hello")
    wait_until(lambda: desk.conversations)
    desk.emits("queue.entered", ahead=1)
    desk.emits("assignment.accepted", agent={"id": "agent-1", "name": "Chen Hao"})
    desk.says("look: https://shop.example/lamp", blocks=[LAMP])
    expect(shopper.log).to_contain_text("¥428.00")
    desk.resolves()
    expect(shopper.log).to_contain_text("How was this chat?")
    styled = "getComputedStyle(document.querySelector('shopbell-chat').shadowRoot.querySelector"
    assert shopper.run(f"{styled}('.panel')).borderRadius") == "20px"
    assert lines == []


def test_before_any_interaction_only_the_loader_is_asked_for(desk: Desk, shopper: Shopper) -> None:
    shopper.visit()
    shopper.page.wait_for_load_state("networkidle")
    assert desk.requests == ["/widget/loader.js"]
    assert shopper.run("document.cookie") == ""
    assert shopper.run("Object.keys(localStorage).length") == 0


def test_up_to_the_first_message_there_are_five_requests_and_the_socket(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    files = [path for path in desk.requests if path.startswith("/widget/")]
    assert len(files) <= 5, files
    assert set(desk.requests) - set(files) == {"/socket.io/"}


def test_a_returning_visitor_sees_what_is_unread_without_opening(
    desk: Desk, context: BrowserContext, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    shopper.panel.get_by_role("button", name="Close chat").click()
    desk.says("one")
    desk.says("two")
    expect(shopper.badge).to_have_text("2")
    expect(shopper.launcher).to_have_accessible_name("Open chat (2 unread)")
    shopper.page.reload()
    expect(shopper.badge).to_have_text("2")
    assert not desk.sent("message.mark_read")
    shopper.open()
    shopper.sees("hello", "one", "two")
    wait_until(lambda: desk.sent("message.mark_read"))
    expect(shopper.badge).to_be_hidden()


def test_read_marks_wait_until_the_panel_is_open(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    desk.says("seen at once")
    wait_until(lambda: len(desk.sent("message.mark_read")) == 1)
    shopper.input.press("Escape")
    desk.says("not seen")
    expect(shopper.badge).to_have_text("1")
    assert len(desk.sent("message.mark_read")) == 1


def test_a_message_first_seen_without_a_line_is_read_when_there_is_one(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    desk.says("one moment")
    # What draws the shop's messages has come; without a line it could not.
    shopper.sees("hello", "one moment")
    wait_until(lambda: len(desk.sent("message.mark_read")) == 1)
    shopper.input.press("Escape")
    desk.says("seen later")
    expect(shopper.badge).to_have_text("1")
    desk.stop()
    shopper.open()
    expect(shopper.banner).to_contain_text("Connection lost")
    shopper.writes("into the dark")
    shopper.sees("hello", "one moment", "seen later", "into the dark")
    assert len(desk.sent("message.mark_read")) == 1
    desk.start()
    wait_until(lambda: len(desk.sent("message.mark_read")) == 2)
    wait_until(lambda: desk.bodies == ["hello", "one moment", "seen later", "into the dark"])


def test_a_message_goes_from_sending_to_sent_to_read(desk: Desk, shopper: Shopper) -> None:
    desk.lose_answers = 1000
    desk.drop_events = True
    shopper.visit().begin().writes("hello")
    expect(shopper.log).to_contain_text("Sending")
    desk.lose_answers = 0
    expect(shopper.log).to_contain_text("Sent")
    posted = desk.conversation.events[-1]["data"]["message"]["id"]
    wait_until(lambda: desk.sent("conversation.catch_up"))
    expect(shopper.log.locator(".pending")).to_have_count(0)
    desk.signals(
        "message.read",
        conversation_id=desk.conversation.id,
        reader={"kind": "agent", "id": "agent-1", "name": "Chen Hao"},
        message_id=posted,
    )
    expect(shopper.log).to_contain_text("Read")


def test_what_was_read_while_it_was_fetched_is_read(desk: Desk, shopper: Shopper) -> None:
    desk.lose_answers = 1000
    desk.drop_events = True
    desk.held.add("conversation.catch_up")
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.bodies == ["hello"])
    desk.lose_answers = 0
    wait_until(lambda: desk.sent("conversation.catch_up"))
    posted = desk.conversation.events[-1]["data"]["message"]["id"]
    reader = {"kind": "agent", "id": "agent-1", "name": "Chen Hao"}
    desk.signals(
        "message.read", conversation_id=desk.conversation.id, reader=reader, message_id=posted
    )
    desk.held.clear()
    expect(shopper.log).to_contain_text("Read")


def test_what_was_read_is_still_read_after_a_reload(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    posted = desk.conversation.events[-1]["data"]["message"]["id"]
    reader = {"kind": "agent", "id": "agent-1"}
    desk.conversation.read_marks = [{"reader": reader, "message_id": posted, "at_ms": now_ms()}]
    shopper.page.reload()
    expect(shopper.log).to_contain_text("Read")
    expect(shopper.panel.get_by_role("button", name="Send", exact=True)).to_be_disabled()


def test_a_shopper_without_a_line_is_not_told_that_the_shop_is_away(
    desk: Desk, context: BrowserContext, shopper: Shopper
) -> None:
    desk.shop["name"] = "A shop with a name that is longer than the head of its chat is wide"
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.bodies == ["hello"])  # by then it has been welcomed
    context.set_offline(True)
    expect(shopper.panel.get_by_text("You are offline.")).to_be_visible()
    head = shopper.panel.locator(".chat .who")
    expect(head).not_to_contain_text("away")
    # The name of the shop stands there once, and within its place.
    expect(head).to_have_text(str(desk.shop["name"]))
    box, last = head.bounding_box(), head.locator("h2").bounding_box()
    assert box
    assert last
    assert last["x"] + last["width"] <= box["x"] + box["width"] + 1


def test_typing_is_told_at_most_once_in_three_seconds_and_shown(
    desk: Desk, shopper: Shopper
) -> None:
    clock = shopper.page.clock
    clock.install()
    clock.pause_at(time.time() + 60)  # it stands, however slowly the letters come
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    expect(shopper.log.locator(".pending")).to_have_count(0)
    shopper.input.press_sequentially("I wonder about the colour")
    wait_until(lambda: desk.sent("typing.set"))
    assert len(desk.sent("typing.set")) == 1
    clock.run_for(3000)
    shopper.input.press_sequentially(" of it")
    wait_until(lambda: len(desk.sent("typing.set")) == 2)
    desk.signals(
        "typing.changed",
        conversation_id=desk.conversation.id,
        actor={"kind": "agent", "id": "agent-1", "name": "Chen Hao"},
        typing=True,
        ttl_ms=1500,
    )
    expect(shopper.log.locator(".typing")).to_contain_text("Chen Hao is typing")
    clock.run_for(2000)
    expect(shopper.log.locator(".typing")).to_have_count(0)


def test_the_place_in_the_queue_and_the_agent_who_comes_are_said(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    desk.emits("queue.entered", ahead=2)
    expect(shopper.log).to_contain_text("2 people are ahead of you")
    desk.emits("assignment.accepted", agent={"id": "agent-1", "name": "Chen Hao"})
    expect(shopper.log).not_to_contain_text("ahead of you")
    expect(shopper.panel.get_by_role("heading", name="Chen Hao")).to_be_visible()


def test_an_ended_chat_is_rated_in_the_thread_and_a_new_one_can_begin(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    shopper.run("window.scores = []; Shopbell.on('csat', (given) => scores.push(given.score)); 0")
    desk.resolves()
    shopper.log.get_by_role("radio", name="4 of 5: Good").check()
    shopper.log.get_by_label("What should we know?").fill("Quick.")
    shopper.log.get_by_role("button", name="Send rating").click()
    expect(shopper.log).to_contain_text("You rated this chat 4 of 5")
    assert desk.sent("rating.give")[0] == {
        "conversation_id": desk.conversation.id,
        "score": 4,
        "comment": "Quick.",
    }
    wait_until(lambda: shopper.run("scores") == [4])
    shopper.log.get_by_role("button", name="Start a new chat").click()
    shopper.sees()
    shopper.writes("another question")
    wait_until(lambda: len(desk.conversations) == 2)
    shopper.sees("another question")


def test_a_chat_that_goes_on_is_not_to_be_rated_and_a_rating_given_stays(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    desk.resolves()
    question = shopper.log.locator(".rating")
    expect(question).to_contain_text("How was this chat?")
    desk.emits("conversation.status_changed", status="open", previous="resolved")
    expect(question).to_have_count(0)
    desk.resolves()
    expect(question).to_contain_text("How was this chat?")
    desk.emits("rating.given", score=4)
    desk.emits("conversation.status_changed", status="open", previous="resolved")
    expect(question).to_contain_text("Change")


def test_the_shopper_ends_the_chat_only_after_confirming(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    shopper.panel.get_by_role("button", name="End chat").click()
    question = shopper.panel.get_by_role("alertdialog")
    question.get_by_role("button", name="Keep chatting").click()
    expect(question).to_have_count(0)
    assert not desk.sent("conversation.end")
    shopper.panel.get_by_role("button", name="End chat").click()
    question.get_by_role("button", name="End chat").click()
    expect(shopper.log).to_contain_text("ended the chat")
    assert desk.conversation.status == "resolved"


def test_the_first_page_says_who_is_there_how_long_it_takes_and_what_was_before(
    desk: Desk, shopper: Shopper
) -> None:
    desk.shop |= {"agents_online": 2, "queue_length": 1, "typical_first_response_ms": 240_000}
    shopper.visit().open()
    expect(shopper.panel).to_contain_text("2 people online · 1 waiting")
    expect(shopper.panel).to_contain_text("Usually replies in about 4 minutes")
    expect(shopper.panel).to_contain_text("Chats are kept 12 months.")
    shopper.panel.get_by_role("button", name="Start a chat").click()
    shopper.writes("an old question")
    shopper.sees("an old question")
    desk.resolves()
    shopper.panel.get_by_role("button", name="Back to start").click()
    expect(shopper.panel.locator(".past")).to_contain_text("an old question")
    shopper.panel.get_by_role("button", name="an old question").click()
    shopper.sees("an old question")


def test_nobody_online_is_said_and_one_can_still_write(desk: Desk, shopper: Shopper) -> None:
    desk.shop["agents_online"] = 0
    shopper.visit().open()
    expect(shopper.panel).to_contain_text("Nobody is online right now")
    shopper.panel.get_by_role("button", name="Start a chat").click()
    shopper.writes("for later")
    wait_until(lambda: desk.conversations)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)><b>bold</b>",
        "javascript:alert(1) data:text/html,x",
        "你好,😀 שלום",
        "a\nb",
    ],
)
def test_text_is_text(desk: Desk, shopper: Shopper, text: str) -> None:
    shopper.visit().begin().writes(text)
    wait_until(lambda: desk.conversations and desk.bodies == [text])
    desk.says(text)
    shopper.sees(text, text)
    assert shopper.bubbles().locator("img, b, a").count() == 0


def test_only_addresses_of_the_web_mail_and_telephone_become_links(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    desk.says("见https://a.example/x?q=1。or (http://b.example), mailto:a@b.example, tel:+4930123")
    links = shopper.log.get_by_role("link")
    expect(links).to_have_count(4)
    assert links.evaluate_all("all => all.map((link) => link.textContent)") == [
        "https://a.example/x?q=1",
        "http://b.example",
        "mailto:a@b.example",
        "tel:+4930123",
    ]
    assert links.first.get_attribute("rel") == "noopener noreferrer nofollow"


def test_cards_show_and_never_lead_anywhere_but_the_web(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    bad = {"type": "product", "title": "Bad lamp", "url": "javascript:alert(1)"}
    link = {"type": "link", "title": "Care", "url": "https://shop.example/care"}
    desk.says("these", blocks=[LAMP, bad, link, {"type": "unknown"}, {"type": "__proto__"}])
    cards = shopper.log.locator(".card")
    expect(cards).to_have_count(3)
    expect(cards.first).to_contain_text("LMP-207 · ¥428.00")
    hrefs = cards.evaluate_all("all => all.map((card) => card.getAttribute('href'))")
    assert hrefs == ["https://shop.example/lamp", None, "https://shop.example/care"]


def test_enter_sends_unless_an_input_method_is_composing(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin()
    shopper.input.press_sequentially("one")
    shopper.input.press("Shift+Enter")
    shopper.input.press_sequentially("two")
    shopper.input.evaluate(
        "node => node.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    assert not desk.sent("message.post")
    shopper.input.press("Enter")
    wait_until(lambda: desk.conversations and desk.bodies == ["one\ntwo"])


def test_a_text_that_is_too_long_says_by_how_much_and_is_not_sent(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin()
    shopper.input.fill("字" * 7990)
    expect(shopper.panel).to_contain_text("10 characters left")
    shopper.input.fill("😀" * 8003)
    expect(shopper.panel).to_contain_text("3 characters too many")
    shopper.input.press("Enter")
    expect(shopper.panel.get_by_role("button", name="Send")).to_be_disabled()
    assert not desk.sent("message.post")


def test_escape_closes_and_gives_the_focus_back(desk: Desk, shopper: Shopper) -> None:
    shopper.visit()
    shopper.page.keyboard.press("Tab")
    shopper.page.keyboard.press("Tab")
    expect(shopper.launcher).to_be_focused()
    shopper.page.keyboard.press("Enter")
    expect(shopper.panel.locator("footer a")).to_be_visible()
    expect(shopper.launcher).to_have_attribute("aria-expanded", "true")
    shopper.page.keyboard.press("Tab")
    shopper.page.keyboard.press("Tab")
    shopper.page.keyboard.press("Escape")
    expect(shopper.panel).to_be_hidden()
    expect(shopper.launcher).to_be_focused()


def test_a_desktop_page_stays_reachable_while_the_panel_is_open(shopper: Shopper) -> None:
    shopper.visit().begin()
    expect(shopper.panel).to_have_attribute("aria-modal", "false")
    shopper.page.get_by_role("link", name="Next page").focus()
    assert shopper.run("document.activeElement.tagName") == "A"


def test_on_a_phone_the_panel_is_the_whole_screen_and_keeps_the_focus(
    desk: Desk, pages: Pages
) -> None:
    context = pages.context(width=390, height=844, touch=True)
    shopper = Shopper(desk, context.new_page()).visit().open()
    assert small_targets(shopper) == []
    shopper.begin()
    box = shopper.panel.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    expect(shopper.panel).to_have_attribute("aria-modal", "true")
    expect(shopper.launcher).to_be_hidden()
    assert shopper.input.evaluate("node => getComputedStyle(node).fontSize") == "16px"
    for _ in range(12):
        shopper.page.keyboard.press("Tab")
        assert shopper.run("document.activeElement.tagName") == "SHOPBELL-CHAT"
    assert small_targets(shopper) == []
    shopper.writes("hello")
    wait_until(lambda: desk.conversations)
    desk.resolves()
    shopper.log.locator(".star input").first.check()
    assert small_targets(shopper) == []


def small_targets(shopper: Shopper) -> object:
    """The buttons that a finger may miss: narrower or lower than 44 px."""
    return shopper.panel.locator("button:visible, label:visible").evaluate_all(
        """all => all.filter((one) => {
            const { width, height } = one.getBoundingClientRect();
            return width < 44 || height < 44;
        }).map((one) => one.className)"""
    )


def test_the_page_does_not_scroll_sideways_at_320(desk: Desk, pages: Pages) -> None:
    shopper = Shopper(desk, pages.context(width=320, height=640).new_page()).visit().begin()
    shopper.writes("https://shop.example/" + "very-long" * 30)
    wait_until(lambda: desk.conversations)
    assert shopper.run("document.documentElement.scrollWidth") == 320
    assert shopper.log.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_only_new_text_of_the_shop_is_announced(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.conversations)
    desk.says("Welcome!")
    live = shopper.page.locator("shopbell-chat .frame > [role=status]")
    expect(live).to_have_text("Chen Hao: Welcome!")
    shopper.writes("thanks")
    shopper.sees("hello", "Welcome!", "thanks")
    expect(live).to_have_text("Chen Hao: Welcome!")
    shopper.page.reload()
    shopper.sees("hello", "Welcome!", "thanks")
    expect(live).to_be_empty()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("lang=zh-CN", "联系人工客服"),
        ("lang=de", "Talk to a person"),
        ("lang=en&data-locale=zh", "联系人工客服"),
    ],
)
def test_the_language_is_the_shops_wish_then_the_pages(
    shopper: Shopper, query: str, words: str
) -> None:
    shopper.visit(query)
    shopper.launcher.click()
    expect(shopper.panel).to_contain_text(words)


def test_the_language_changes_without_losing_what_was_written(shopper: Shopper) -> None:
    shopper.visit().begin()
    shopper.input.fill("half a thought")
    shopper.run("Shopbell('setLocale', 'zh')")
    expect(shopper.input).to_have_attribute("placeholder", "输入消息…")
    expect(shopper.input).to_have_value("half a thought")


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_axe_finds_nothing(desk: Desk, shopper: Shopper, lang: str) -> None:
    page = shopper.visit(f"lang={lang}").page

    def look() -> None:
        for sight in sights(page, lang[:2]):
            assert axe(page) == [], sight

    look()
    shopper.open()
    expect(shopper.panel.locator("footer a")).to_be_visible()
    look()
    shopper.panel.locator(".home .primary").click()
    shopper.writes("hello https://shop.example/lamp")
    wait_until(lambda: desk.conversations)
    desk.emits("queue.entered", ahead=1)
    expect(shopper.log.locator(".queue")).to_be_visible()
    look()
    desk.emits("assignment.accepted", agent={"id": "agent-1", "name": "Chen Hao"})
    desk.says("yes", blocks=[LAMP])
    expect(shopper.log.locator(".card")).to_be_visible()
    desk.refuse_posts = {"code": "invalid_input", "message": "", "details": {}}
    shopper.writes("refused")
    expect(shopper.log.locator(".meta.error")).to_be_visible()
    look()
    desk.resolves()
    shopper.log.locator(".star input").nth(3).check()
    look()
    desk.stop()
    expect(shopper.banner).not_to_be_empty()
    look()


@pytest.mark.parametrize("color", ["#ffd43b", "#e8590c", "#111111", "#ffffff"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_of_a_shop_stays_readable(
    desk: Desk, pages: Pages, theme: Theme, color: str
) -> None:
    context = pages.context(theme=theme)
    shopper = Shopper(desk, context.new_page())
    shopper.visit(f"data-color=%23{color[1:]}").open()
    expect(shopper.panel.locator("footer a")).to_be_visible()
    assert axe(shopper.page) == []
    shopper.panel.locator(".home .primary").click()
    shopper.writes("hello https://shop.example/lamp")
    wait_until(lambda: desk.conversations)
    shopper.sees("hello https://shop.example/lamp")
    desk.resolves()
    expect(shopper.log.locator(".rating")).to_be_visible()
    assert axe(shopper.page) == []


# -- the shop's page ------------------------------------------------------------------------------


ARRAY_STUB = "window.Shopbell = window.Shopbell || []; Shopbell.push(['open']);"
FUNCTION_STUB = (
    "window.Shopbell = window.Shopbell || function () "
    "{ (Shopbell.q = Shopbell.q || []).push(arguments); }; Shopbell('open');"
)


@pytest.mark.parametrize("stub", [ARRAY_STUB, FUNCTION_STUB])
def test_calls_made_before_the_script_arrived_are_answered(shopper: Shopper, stub: str) -> None:
    shopper.visit(f"early={stub}")
    expect(shopper.panel).to_be_visible()


def test_included_twice_it_is_there_once(shopper: Shopper) -> None:
    shopper.visit("times=2")
    shopper.open()
    assert shopper.page.locator("shopbell-chat").count() == 1


def test_it_works_where_the_page_has_no_current_script(desk: Desk, shopper: Shopper) -> None:
    shopper.page.goto(desk.page("?times=0"))
    shopper.run(
        f"""(() => {{
            const made = document.createElement('script');
            made.type = 'module';
            made.src = '{desk.loader()}';
            made.dataset.site = 'site-1';
            document.body.append(made);
        }})()"""
    )
    shopper.open()


def test_it_leaves_the_page_one_element_and_one_name(desk: Desk, shopper: Shopper) -> None:
    shopper.page.goto(desk.page("?times=0"))
    before = shopper.run("Object.keys(window)")
    assert isinstance(before, list)
    shopper.visit()
    shopper.begin().writes("hello")
    shopper.sees("hello")
    after = shopper.run("Object.keys(window)")
    assert isinstance(after, list)
    assert set(after) - set(before) == {"Shopbell"}
    assert shopper.run("document.body.lastElementChild.tagName") == "SHOPBELL-CHAT"
    root = "document.querySelector('shopbell-chat').shadowRoot"
    assert shopper.run(f"{root}.querySelectorAll('[style], style').length") == 0
    assert shopper.run("document.querySelectorAll('[style], style').length") == 0


def test_the_attributes_of_the_script_are_honoured(shopper: Shopper) -> None:
    shopper.visit(
        "data-side=left&data-offset=40&data-z-index=77&data-label=Ask us&data-theme=dark"
        "&data-color=%23ffd43b"
    )
    expect(shopper.launcher).to_have_text("Ask us")
    box = shopper.launcher.bounding_box()
    assert box is not None
    assert box["x"] == 40
    frame = shopper.page.locator("shopbell-chat .frame")
    assert frame.evaluate("node => getComputedStyle(node).zIndex") == "77"
    expect(frame).to_have_attribute("data-theme", "dark")
    color = shopper.launcher.evaluate("node => getComputedStyle(node).backgroundColor")
    assert color == "rgb(255, 212, 59)"


def test_a_hidden_launcher_leaves_the_opening_to_the_shops_own_button(shopper: Shopper) -> None:
    shopper.visit("data-hide-launcher=")
    expect(shopper.launcher).to_be_hidden()
    shopper.page.get_by_role("link", name="Next page").focus()
    shopper.run("Shopbell.open()")
    expect(shopper.panel).to_be_visible()
    shopper.page.keyboard.press("Escape")
    expect(shopper.page.get_by_role("link", name="Next page")).to_be_focused()
    shopper.run("Shopbell.show()")
    expect(shopper.launcher).to_be_visible()


def test_the_page_hears_what_happens_until_it_no_longer_wants_to(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit()
    shopper.run(
        """window.heard = [];
        for (const name of ['ready', 'open', 'close', 'message', 'unread'])
            Shopbell('on', name, (detail) => heard.push([name, detail?.body ?? detail ?? null]));
        window.stop = Shopbell.on('message', () => heard.push(['extra', null])); 0"""
    )
    shopper.begin().writes("hello")
    shopper.sees("hello")
    shopper.run("stop()")
    shopper.run("Shopbell.close()")
    desk.says("news")
    wait_until(lambda: shopper.run("heard.length") == 5)
    assert shopper.run("heard") == [
        ["ready", None],
        ["open", None],
        ["close", None],
        ["message", "news"],
        ["unread", 1],
    ]


def test_the_page_context_travels_with_the_next_message_and_not_before(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit()
    shopper.run("Shopbell.page({product: {title: 'Walnut desk lamp', sku: 'LMP-207'}})")
    shopper.begin()
    assert desk.commands == []
    shopper.writes("about this one")
    wait_until(lambda: desk.sent("message.post"))
    page = desk.sent("message.post")[0]["page"]
    assert page["title"] == "Walnut desk lamp"
    assert page["product"]["sku"] == "LMP-207"
    shopper.panel.get_by_role("button", name="Send “Walnut desk lamp”").click()
    wait_until(lambda: len(desk.sent("message.post")) == 2)
    assert desk.sent("message.post")[1]["blocks"][0]["sku"] == "LMP-207"


def test_send_product_opens_the_chat_and_sends_the_card(desk: Desk, shopper: Shopper) -> None:
    shopper.visit()
    shopper.run("Shopbell.sendProduct({title: 'Lamp', price: '428', currency: 'CNY', url: 'x:y'})")
    wait_until(lambda: desk.sent("message.post"))
    post = desk.sent("message.post")[0]
    assert post["body"] == "Lamp"
    assert post["blocks"] == [
        {"type": "product", "title": "Lamp", "price": "428", "currency": "CNY"}
    ]
    expect(shopper.log.locator(".card")).to_contain_text("¥428.00")


def test_prefilled_text_waits_for_the_shopper(desk: Desk, shopper: Shopper) -> None:
    shopper.visit()
    shopper.run("Shopbell.prefill('My order 1001 …')")
    assert desk.requests == ["/widget/loader.js"]
    shopper.begin()
    expect(shopper.input).to_have_value("My order 1001 …")


def test_identity_is_sent_once_and_logout_forgets_the_visitor(desk: Desk, shopper: Shopper) -> None:
    shopper.visit()
    shopper.run("Shopbell.identify('signed')")
    shopper.begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.bodies == ["hello"])
    assert desk.auths[0]["identity"] == "signed"
    shopper.run("Shopbell.logout()")
    wait_until(lambda: len(desk.auths) == 2)
    assert not desk.auths[1].get("visitor_token")
    assert not desk.auths[1].get("identity")
    shopper.sees()


def test_a_panel_that_did_not_load_says_so_and_comes_on_the_next_try(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.page.route("**/panel.js*", lambda route: route.abort())
    shopper.visit()
    shopper.launcher.click()
    expect(shopper.launcher).to_contain_text("The chat did not load")
    shopper.page.unroute("**/panel.js*")
    shopper.open()


def test_a_question_that_was_written_before_its_help_had_come_is_looked_for(
    desk: Desk, shopper: Shopper
) -> None:
    helpful(desk, band="suggest")
    held: list[Route] = []
    shopper.page.route("**/extras.js", lambda route: held.append(route))  # noqa: PLW0108  # needs its code
    shopper.visit().begin()
    shopper.input.press_sequentially("How do I return it")
    wait_until(lambda: shopper.page.title() and held)  # a route is told of while the page is asked
    assert not desk.sent("answer.find")
    held[0].continue_()
    expect(shopper.panel.get_by_role("button", name="Returns")).to_be_visible()


def test_who_asks_for_the_chat_before_it_comes_back_by_itself_does_not_close_it(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    held: list[Route] = []
    shopper.page.route("**/panel.js*", lambda route: held.append(route))  # noqa: PLW0108  # needs its code
    shopper.page.get_by_role("link", name="Next page").click()
    shopper.launcher.click()
    wait_until(lambda: shopper.page.title() and held)  # a route is told of while the page is asked
    held[0].continue_()
    shopper.panel.wait_for()
    shopper.writes("still here")
    shopper.sees("hello", "still here")


def test_who_begins_before_the_line_stands_is_not_led_back(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().open()
    expect(shopper.panel.get_by_text("3 people online")).to_be_visible()
    desk.held.add("connect")
    shopper.page.reload()
    shopper.panel.wait_for()  # open as it was before
    shopper.begin()
    desk.held.clear()
    expect(shopper.banner).to_be_empty()
    shopper.writes("hello")
    shopper.sees("hello")


def test_who_begins_before_the_line_stands_goes_on_with_the_open_chat(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.bodies == ["hello"])
    shopper.page.keyboard.press("Escape")
    desk.held.add("connect")
    shopper.page.reload()
    shopper.begin()
    desk.held.clear()
    shopper.sees("hello")
    shopper.writes("again")
    shopper.sees("hello", "again")


def test_the_language_asked_for_last_is_spoken(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin()
    shopper.input.evaluate("(input) => { input.before = true; }")
    held: list[Route] = []
    shopper.page.route("**/zh.js", lambda route: held.append(route))  # noqa: PLW0108  # needs its code
    shopper.run("Shopbell.setLocale('zh'); Shopbell.setLocale('en'); 0")
    wait_until(lambda: shopper.page.title() and held)  # a route is told of while the page is asked
    held[0].continue_()
    wait_until(lambda: not shopper.input.evaluate("(input) => input.before"))
    expect(shopper.input).to_have_attribute("aria-label", "Message")


def test_who_signs_out_before_the_panel_has_come_is_not_signed_in_by_it(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit()
    shopper.run("Shopbell.identify('signed'); Shopbell.logout(); 0")
    shopper.begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.bodies == ["hello"])
    assert [auth.get("identity") for auth in desk.auths] == [None]


def test_who_signs_out_before_the_line_stands_is_not_signed_in_by_it(
    desk: Desk, shopper: Shopper
) -> None:
    desk.held.add("connect")
    shopper.visit().open()
    wait_until(lambda: len(desk.auths) == 1)
    shopper.run("Shopbell.identify('signed')")
    wait_until(lambda: len(desk.auths) == 2)
    shopper.run("Shopbell.logout()")
    wait_until(lambda: len(desk.auths) == 3)
    assert [auth.get("identity") for auth in desk.auths] == [None, "signed", None]
    desk.held.clear()


def test_words_that_were_not_sent_go_with_who_signs_out_in_every_tab(
    desk: Desk, context: BrowserContext, shopper: Shopper
) -> None:
    other = Shopper(desk, context.new_page()).visit().begin()
    other.input.fill("my address is")
    shopper.visit()
    shopper.run("Shopbell.identify('signed')")
    shopper.begin()
    shopper.input.fill("my number is")
    shopper.run("Shopbell.logout()")
    expect(shopper.input).to_be_empty()
    expect(other.input).to_be_empty()
    shopper.visit().begin()
    expect(shopper.input).to_be_empty()


@pytest.mark.parametrize(("verified", "kept"), [(True, ""), (False, "my number is")])
def test_words_that_were_not_sent_are_only_taken_along_from_a_visitor(
    desk: Desk, shopper: Shopper, *, verified: bool, kept: str
) -> None:
    desk.verified = verified
    shopper.visit().begin()
    expect(shopper.banner).to_be_empty()
    shopper.input.fill("my number is")
    desk.tokens.clear()  # another account
    asked = len(desk.auths)
    shopper.run("Shopbell.identify('another')")
    wait_until(lambda: len(desk.auths) > asked)
    wait_until(lambda: shopper.run(TOKEN) in desk.tokens)
    expect(shopper.banner).to_be_empty()
    expect(shopper.input).to_have_value(kept)


def test_a_message_sent_just_before_signing_out_brings_no_chat_back(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.page.add_init_script(
        """window.later = []; const wait = setTimeout;
        window.setTimeout = (fn, ms, ...rest) =>
            ms === 1500 ? later.push(fn) : wait(fn, ms, ...rest)"""
    )
    desk.drop_events = True
    shopper.visit().begin().writes("hello")
    wait_until(lambda: shopper.run("later.length"))
    desk.drop_events = False
    shopper.run("Shopbell.logout()")
    wait_until(lambda: len(desk.auths) == 2)
    shopper.run("later.forEach((fn) => fn())")
    shopper.panel.get_by_role("button", name="Back to start").click()
    expect(shopper.panel.locator(".home .primary")).to_have_text("Start a chat")
    shopper.begin().writes("somebody else")
    shopper.sees("somebody else")


def test_what_the_page_asks_for_before_the_panel_has_come_is_done_in_its_order(
    shopper: Shopper,
) -> None:
    shopper.visit()
    shopper.run(
        "window.heard = []; for (const name of ['open', 'close'])"
        " Shopbell.on(name, () => heard.push(name)); Shopbell.open(); Shopbell.close(); 0"
    )
    wait_until(lambda: shopper.run("heard.join()") == "open,close")
    expect(shopper.panel).to_be_hidden()


def test_an_answer_that_is_found_late_is_not_offered_beside_a_persons(
    desk: Desk, shopper: Shopper
) -> None:
    asking(desk, shopper)
    desk.held.add("answer.find")
    shopper.writes("How do I return it")
    wait_until(lambda: desk.sent("answer.find") and desk.conversations)
    desk.says("I am here")
    shopper.sees("How do I return it", "I am here")
    desk.held.clear()
    wait_until(lambda: "answer.find" in desk.answered)
    message = desk.conversation.events[1]["data"]["message"]["id"]
    data = {"conversation_id": desk.conversation.id, "message_id": message}
    desk.signals("message.read", **data, reader={"kind": "agent"})
    expect(shopper.log.get_by_text("Read")).to_be_visible()
    expect(shopper.panel.locator(".answer")).to_have_count(0)


def test_an_answer_that_is_found_late_leaves_the_shopper_where_they_are(
    desk: Desk, shopper: Shopper
) -> None:
    asking(desk, shopper)
    desk.held.add("answer.find")
    shopper.run("document.body.append(Object.assign(document.createElement('input'), {id: 'own'}))")
    shopper.writes("How do I return it")
    wait_until(lambda: desk.sent("answer.find"))
    shopper.page.locator("#own").focus()
    desk.held.clear()
    expect(shopper.panel.locator(".answer")).to_be_visible()
    expect(shopper.page.locator("#own")).to_be_focused()


def test_a_question_that_was_sent_before_its_help_had_come_is_answered(
    desk: Desk, shopper: Shopper
) -> None:
    helpful(desk)
    held: list[Route] = []
    shopper.page.route("**/extras.js", lambda route: held.append(route))  # noqa: PLW0108  # needs its code
    shopper.visit().begin().writes("How do I return it")
    shopper.sees("How do I return it")
    wait_until(lambda: desk.bodies == ["How do I return it"])
    wait_until(lambda: shopper.page.title() and held)  # a route is told of while the page is asked
    held[0].continue_()
    expect(shopper.panel.locator(".answer")).to_contain_text("Returns")
    # The next page does not bring it up again.
    shopper.page.unroute("**/extras.js")
    shopper.page.reload()
    shopper.panel.wait_for()
    shopper.sees("How do I return it")
    shopper.panel.locator(".clip").wait_for()
    shopper.input.focus()
    shopper.writes("It is a lamp")
    wait_until(lambda: len(desk.bodies) == 2)
    assert len(desk.sent("answer.find")) == 1


def test_an_earlier_chat_with_news_is_not_taken_from_under_a_press(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("an old question")
    desk.resolves()
    expect(shopper.log).to_contain_text("ended the chat")
    shopper.panel.get_by_role("button", name="Back to start").click()
    row = shopper.panel.locator(".past button")
    expect(row).to_contain_text("ended")
    row.evaluate("(row) => { row.before = true; }")
    desk.says("One thing more")
    expect(row).to_contain_text("One thing more")
    expect(row).to_contain_text("1 new")
    assert row.evaluate("(row) => row.before")


def test_an_answer_that_is_found_again_stays_where_the_keyboard_is(
    desk: Desk, shopper: Shopper
) -> None:
    asking(desk, shopper)
    first = desk.canned["answer.find"][0]
    gift = first["items"][0] | {"article_id": "g", "title": "Gifts"}
    desk.canned["answer.find"].append(first | {"items": [*first["items"], gift]})
    shopper.input.fill("How do I return it")
    row = shopper.panel.get_by_role("button", name="Returns")
    row.wait_for()
    desk.held.add("answer.find")
    shopper.input.fill("How do I return it as a gift")
    wait_until(lambda: len(desk.sent("answer.find")) == 2)
    row.focus()
    desk.held.clear()
    expect(shopper.panel.get_by_role("button", name="Gifts")).to_be_visible()
    expect(row).to_be_focused()
