"""Answers at hand in the console: suggested ones, canned replies, and what a reply leaves open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any  # Any: JSON

import pytest
from playwright.sync_api import Page, Route, expect

from agent_ui import STATIC_DIR
from tests.console.living_desk import fill
from tests.console.peer import Desk, Peer
from tests.support.browser import axe
from tests.support.node import run_node
from tests.support.waiting import wait_until

OpenConsole = Callable[..., Page]
Json = dict[str, Any]  # Any: JSON

BODY = "**48 小时内**下单可按浏览时的最低价，[改价说明](https://mori.example/help/price)。"
PLAIN = "48 小时内下单可按浏览时的最低价，改价说明 https://mori.example/help/price。"


def item(number: int, title: str, p: float, **change: Any) -> Json:  # Any: fields
    """An article as it is offered."""
    return {
        "article_id": f"art_{number}",
        "kind": "article",
        "title": title,
        "body": BODY,
        "locale": "zh",
        "audience": "public",
        "category": None,
        "p": p,
        "part": "phrasing",
        "matched": "昨天的价格还能买吗",
        "why": {"words": 0.31, "letters": 0.4, "sounds": 0.0, "meaning": 0.82},
    } | change


def offer(name: str, *items: Json, band: str = "answer", **change: Any) -> Json:  # Any: fields
    """An offer with these items."""
    return {"suggestion_id": name, "band": band, "items": list(items), "took_ms": 38.2} | change


PRICE = offer(
    "sug_price",
    item(1, "价格变动 / 价保说明", 0.92),
    item(2, "老客回馈券 ¥30", 0.81, kind="reply", body="{customer.name}，送您一张券。"),
    item(3, "台灯护眼参数", 0.64, part="title"),
    corrections={"pirce": "price"},
)
REPLIES = [
    {"article_id": "r1", "shortcut": "bye", "title": "Good-bye", "body": "再见！", "locale": "zh"},
    {
        "article_id": "r2",
        "shortcut": "track",
        "title": "Where the parcel is",
        "body": "订单 20871：{order.tracking}，见 {order.tracking_url}",
        "locale": "zh",
    },
]


def living(desk: Desk) -> str:
    """The desk of a busy afternoon, nothing written yet; gives Lin Yue's conversation."""
    row = fill(desk)
    row.draft = None
    return str(row.summary["id"])


def test_an_answer_is_offered_with_its_reasons_and_goes_into_the_reply(
    peer: Peer, open_console: OpenConsole
) -> None:
    talk = peer.run(living)
    peer.offers[None] = PRICE
    page = open_console(f"#c-{talk}")
    strip = page.get_by_role("region", name="Suggested answers")
    cards = strip.locator(".acard")
    expect(cards).to_have_count(3)
    expect(cards.nth(0)).to_contain_text("92% · Article")
    expect(cards.nth(0)).to_contain_text("meaning, spelling, words")
    expect(cards.nth(0)).to_contain_text("asked as 昨天的价格还能买吗")
    expect(cards.nth(1)).to_contain_text("81% · Reply")
    expect(strip).to_contain_text("read as pirce → price")

    field = page.locator("#composer")
    field.focus()
    page.keyboard.press("Alt+1")
    expect(field).to_have_value(PLAIN)
    expect(field).to_be_focused()
    expect(cards.nth(0)).to_contain_text("Inserted")
    page.keyboard.press("Alt+1")
    expect(field).to_have_value(PLAIN)
    field.press("Enter")
    (sent,) = peer.wait_asked("message.post")
    assert (sent["body"], sent["origin"]) == (PLAIN, "kb")
    chosen = {"suggestion_id": "sug_price", "article_id": "art_1"}
    assert peer.wait_asked("suggestion.accept") == [chosen]
    # Answered: nothing more to offer until the customer writes again.
    expect(strip).to_have_count(0)
    field.fill("typed by hand")
    field.press("Enter")
    assert peer.wait_asked("message.post", 2)[1]["origin"] == "typed"

    peer.offers[None] = offer("sug_next", item(4, "发票怎么改", 0.5))
    peer.tell(lambda desk: desk.message(desk.conversations[talk], "发票能改吗"))
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("发票怎么改")
    strip.get_by_role("button", name="None fits").click()
    expect(strip).to_have_count(0)
    expect(field).to_be_focused()
    assert peer.wait_asked("suggestion.dismiss") == [{"suggestion_id": "sug_next"}]


def test_what_is_written_is_looked_for_and_an_older_answer_never_comes_in(
    peer: Peer, open_console: OpenConsole
) -> None:
    talk = peer.run(living)
    slow, quick = "our return policy", "our return policy for lamps"
    peer.offers |= {slow: offer("sug_1", item(1, "Old", 0.9))}
    peer.offers |= {quick: offer("sug_2", item(2, "Returning a lamp", 0.9))}
    peer.hold_offers.add(slow)
    page = open_console(f"#c-{talk}")
    peer.wait_asked("suggestion.ask")
    field = page.locator("#composer")
    field.fill("our")
    field.fill(slow)
    peer.wait_asked("suggestion.ask", 2)
    field.fill(quick)
    cards = page.locator(".acard")
    expect(cards).to_contain_text("Returning a lamp")
    peer.hold_offers.clear()
    field.press("End")
    expect(cards).to_contain_text("Returning a lamp")
    asked = [payload.get("text") for payload in peer.asked("suggestion.ask")]
    assert asked == [None, slow, quick]  # "our" is too short
    # A note is nobody's answer.
    page.get_by_role("tab", name="Internal note").click()
    expect(page.locator(".answers")).to_have_count(0)
    field.fill("our return policy, once more")
    page.get_by_role("tab", name="Reply").click()
    expect(page.locator(".toast")).to_have_count(0)
    assert len(peer.asked("suggestion.ask")) == 3


def test_a_shop_without_articles_and_a_failing_search_show_nothing(
    peer: Peer, open_console: OpenConsole
) -> None:
    talk = peer.run(living)
    peer.refuse("suggestion.ask", "internal")
    page = open_console(f"#c-{talk}")
    peer.wait_asked("suggestion.ask")
    peer.offers[None] = offer("sug_1", item(1, "Far off", 0.2), band="none")
    peer.tell(lambda desk: desk.message(desk.conversations[talk], "在吗"))
    peer.wait_asked("suggestion.ask", 2)
    field = page.locator("#composer")
    field.fill("/")
    peer.wait_asked("reply.find")
    field.press("Enter")
    assert peer.wait_asked("message.post")[0]["body"] == "/"
    expect(page.locator(".answers, .replies, .toast")).to_have_count(0)


def test_a_slash_finds_replies_and_what_they_leave_open_is_not_sent(
    peer: Peer, open_console: OpenConsole
) -> None:
    talk = peer.run(living)
    peer.replies = REPLIES
    page = open_console(f"#c-{talk}")
    field = page.locator("#composer")
    field.focus()
    page.keyboard.type("您好")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("/")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", "reply-1")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.type("/track")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    text = REPLIES[1]["body"]
    expect(field).to_have_value(f"您好\n{text}")
    expect(page.locator(".marks mark")).to_have_text(["{order.tracking}", "{order.tracking_url}"])

    page.get_by_role("tab", name="Internal note").click()
    expect(page.locator(".marks, .holebox")).to_have_count(0)
    page.get_by_role("tab", name="Reply").click()
    page.keyboard.press("Control+Enter")
    box = page.locator(".holebox")
    expect(box).to_contain_text("Not sent")
    assert peer.asked("message.post") == []
    page.keyboard.type("SF1029")
    box.get_by_role("button", name="Remove: tracking link").click()
    expect(box).to_have_count(0)
    page.keyboard.press("Control+Enter")
    (sent,) = peer.wait_asked("message.post")
    assert (sent["body"], sent["origin"]) == ("您好\n订单 20871：SF1029，见", "macro")


def test_a_slash_that_came_before_its_help_is_looked_at_and_all_of_it_gives_way(
    peer: Peer, open_console: OpenConsole
) -> None:
    talk = peer.run(living)
    peer.replies = REPLIES
    page = open_console()
    held: list[Route] = []
    page.route("**/aid.js", lambda route: held.append(route))  # noqa: PLW0108  # needs its code
    page.evaluate("(talk) => { location.hash = `#c-${talk}`; }", talk)
    field = page.locator("#composer")
    field.press_sequentially("/t")
    wait_until(lambda: page.title() and held)  # a route is told of while the page is asked
    held[0].continue_()
    options = page.get_by_role("option")
    expect(options).to_have_count(1)
    # The answer to what is typed now is on its way when one is chosen.
    peer.held.add("reply.find")
    field.press_sequentially("rack")
    field.press("Enter")
    expect(field).to_have_value(REPLIES[1]["body"])


SIMILAR = [
    {
        "conversation_id": "conv_old",
        "question": "昨天看的灯今天贵了，能按原价吗",
        "answer": "48 小时内可以按浏览时的最低价，我给您改价。",
        "by": "Zhao Mei",
        "resolved_at_ms": 1_781_000_000_000,
        "p": 0.77,
    }
]


def test_what_else_may_answer_is_one_key_away(peer: Peer, open_console: OpenConsole) -> None:
    talk = peer.run(living)
    raised = {"by": "order", "state": "late", "order": "20871"}
    peer.offers[None] = offer("sug_price", item(1, "价格变动 / 价保说明", 0.92, raised=raised))
    peer.articles = [item(7, "Price protection", 0.6), item(8, "Price of shipping", 0.4)]
    peer.similar = SIMILAR
    asked_at_ms = peer.run(lambda desk: desk.conversations[talk].events[-1]["at_ms"])
    read = {
        "suggestion_id": "s",
        "article_id": "art_9",
        "title": "怎么付款？",
        "at_ms": asked_at_ms - 1,
    }
    peer.tried[talk] = [read]
    page = open_console(f"#c-{talk}")
    expect(page.locator(".acard")).to_contain_text("order 20871 is late")
    # What they had read stands before what they wrote then.
    lines = page.locator("#log > .ev", has_text="Read 怎么付款？; it did not help")
    expect(lines).to_have_count(1)
    expect(page.locator("#log > *").last).not_to_contain_text("it did not help")
    assert peer.asked("conversation.similar") == []

    page.get_by_role("button", name="Solved before").click()
    link = page.get_by_role("region", name="Solved before").get_by_role("link")
    expect(link).to_contain_text("Zhao Mei")
    expect(link).to_contain_text("77% alike")
    expect(link).to_have_attribute("href", "#c-conv_old")
    assert axe(page, within=".thread") == []
    page.get_by_role("button", name="Solved before").click()
    expect(link).to_have_count(0)

    field = page.locator("#composer")
    field.focus()
    page.keyboard.press("Alt+a")
    dialog = page.get_by_role("dialog", name="Search articles")
    expect(dialog.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("price")
    expect(dialog.get_by_role("option")).to_have_count(2)
    expect(dialog.get_by_role("article")).to_contain_text("48 小时内下单")
    assert axe(page, within="dialog") == []
    # What is chosen stays so when an answer comes that was on its way.
    wait_until(lambda: peer.asked("article.search")[-1]["text"] == "price")
    peer.articles.append(item(9, "Prices abroad", 0.3))
    peer.held.add("article.search")
    page.keyboard.press("Backspace")
    wait_until(lambda: peer.asked("article.search")[-1]["text"] == "pric")
    page.keyboard.press("ArrowDown")
    peer.held.clear()
    expect(dialog.get_by_role("option")).to_have_count(3)
    expect(dialog.get_by_role("link", name="Open article")).to_have_attribute(
        "href", "/knowledge/art_8"
    )
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(field).to_have_value(PLAIN)
    # It answers what the customer asked: their words may be learnt for it.
    chosen = {"suggestion_id": "sug_price", "article_id": "art_8"}
    assert peer.wait_asked("suggestion.accept") == [chosen]
    field.press("Enter")
    assert peer.wait_asked("message.post")[0]["origin"] == "kb"
    expect(page.get_by_role("link", name="Knowledge")).to_have_attribute("href", "/knowledge")


@pytest.mark.parametrize(
    ("lang", "theme", "width"), [("en", "light", 1440), ("zh", "dark", 1440), ("zh", "light", 390)]
)
def test_axe_finds_nothing_in_answers_replies_and_open_places(
    peer: Peer, open_console: OpenConsole, lang: str, theme: str, width: int
) -> None:
    talk = peer.run(living)
    peer.offers[None] = PRICE
    peer.replies = REPLIES
    page = open_console(f"?lang={lang}#c-{talk}", width=width, theme=theme)
    phone = width < 760
    expect(page.locator(".aline" if phone else ".acard")).to_have_count(3)
    assert axe(page, within=".thread") == []
    page.locator(".afold").click()
    expect(page.locator(".acard" if phone else ".aline")).to_have_count(3)
    assert axe(page, within=".thread") == []
    field = page.locator("#composer")
    field.fill("/")
    expect(page.get_by_role("option")).to_have_count(2)
    assert axe(page, within=".thread") == []
    page.get_by_role("option").nth(1).click()
    expect(page.locator(".hole")).to_have_count(2)
    assert axe(page, within=".thread") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # How it was folded is kept.
    page.reload()
    expect(page.locator(".acard" if phone else ".aline")).to_have_count(3)


def test_markdown_becomes_chat_text() -> None:
    markdown = (
        "# Returns\n\nSend it **within 14 days**, see [the terms](https://a.example/t_c_d) or "
        "`Orders`.\n\n\n\n* one_two_three\n- *two*\n1. three\n\n> Keep the box\n\n"
        "| Size | Price |\n|---|---:|\n| S | 5 |\n\n---\n![lamp](x.png) 2 * 3 * 4 \\*\n"
    )
    module = (STATIC_DIR / "js" / "console" / "plain.js").as_uri()
    write = "process.stdin.on('data', (text) => process.stdout.write(plain(String(text))));"
    script = f"import {{ plain }} from {module!r}; {write}"
    assert run_node(script, stdin=markdown).stdout == (
        "Returns\n\nSend it within 14 days, see the terms https://a.example/t_c_d or Orders.\n\n"
        "• one_two_three\n• two\n1. three\n\nKeep the box\n\n"
        "Size · Price\nS · 5\n\nlamp 2 * 3 * 4 *"
    )
