"""Shoppers who find their answer themselves, or go on to a person with their question."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from playwright.sync_api import TimeoutError as NotInTime

from tests.browser.conftest import PASSWORD, Stage
from tests.support.browser import axe
from tests.support.waiting import wait_until
from tests.widget.conftest import Shopper

ARTICLES = (
    {
        "id": "returns",
        "title": "How do I return an item?",
        "body": "Within **30 days**.\n\n1. Pack it\n2. [Print the label](https://shop.example/l)",
        "locale": "en",
    },
    {
        "id": "returns",
        "title": "怎么退货？",
        "body": "签收后 **30 天内** 可以退货。\n\n- 包装好商品\n- 在订单页申请退货",
        "locale": "zh",
    },
    {"id": "gift", "title": "Do you wrap gifts?", "body": "Yes, for free.", "locale": "en"},
    {"id": "gift", "title": "可以包装礼品吗？", "body": "可以，免费包装。", "locale": "zh"},
)


@pytest.fixture
def shelf(stage: Stage, tmp_path: Path) -> Stage:
    """The stage with articles in both languages, which the server has taken over."""
    file = tmp_path / "articles.jsonl"
    file.write_text("\n".join(map(json.dumps, ARTICLES)), "utf-8")
    assert stage.server.shopbell("import", "articles", file).returncode == 0
    wait_until(
        lambda: "articles taken over" in stage.server.stderr, what="the articles to be known"
    )
    return stage


def _writes(shopper: Shopper, field: Locator, text: str, title: str) -> None:
    """Writes until the article is listed: new articles are taken over within two seconds."""
    row = shopper.panel.get_by_role("button", name=title)
    # Each time with twice the patience: a slow machine must not be asked again before it answers.
    patience_ms = 1500

    def is_listed() -> bool:
        nonlocal patience_ms
        field.fill("")
        field.press_sequentially(text)
        try:
            row.first.wait_for(timeout=patience_ms)
        except NotInTime:
            patience_ms *= 2
            return False
        return True

    wait_until(is_listed, what=f"{title!r} to be listed")


def test_a_fact_is_found_while_writing_and_a_person_is_one_key_away(shelf: Stage) -> None:
    shopper = shelf.shopper().begin()
    panel, page = shopper.panel, shopper.page

    asked = "How do I return an item"
    _writes(shopper, shopper.input, asked, "How do I return an item?")
    assert axe(page, within="shopbell-chat") == []
    # From the input to the send button, then to the articles, by keyboard alone.
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    reader = panel.locator(".reader")
    expect(reader.get_by_role("heading", name="How do I return an item?")).to_be_focused()
    expect(reader.locator("ol li")).to_have_text(["Pack it", "Print the label"])
    expect(reader.get_by_role("link", name="Print the label")).to_have_attribute(
        "href", "https://shop.example/l"
    )
    address = reader.get_by_role("link", name="Open the whole page").get_attribute("href") or ""
    assert address.startswith(f"{shelf.server.url}/help/")
    assert shelf.server.status(address.removeprefix(shelf.server.url)) == 200
    assert axe(page, within="shopbell-chat") == []
    page.keyboard.press("Escape")
    expect(shopper.input).to_be_focused()
    expect(shopper.input).to_have_value("How do I return an item")
    page.keyboard.press("Enter")
    shopper.sees("How do I return an item")
    # It reached the desk, and while a person is on the way the answer stands beside it.
    card = panel.locator(".answer")
    expect(card).to_contain_text("How do I return an item?")
    assert axe(page, within="shopbell-chat") == []
    shelf.agent().opens("How do I return an item")
    card.get_by_role("button", name="Yes", exact=True).click()
    expect(card).to_contain_text("Good to hear!")
    expect(shopper.log).to_contain_text("You ended the chat")


def test_on_a_phone_the_first_page_answers_in_chinese(shelf: Stage) -> None:
    shopper = shelf.shopper(width=390, height=844, touch=True)
    shopper.page.evaluate("Shopbell.setLocale('zh'); 0")
    shopper.open()
    panel, page = shopper.panel, shopper.page
    search = panel.get_by_role("searchbox", name="搜索帮助")
    _writes(shopper, search, "怎么退货", "怎么退货？")
    assert axe(page, within="shopbell-chat") == []
    panel.get_by_role("button", name="怎么退货？").click()
    reader = panel.locator(".reader")
    expect(reader.locator("ul li")).to_have_text(["包装好商品", "在订单页申请退货"])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    reader.get_by_role("button", name="未解决，转人工").click()
    expect(shopper.input).to_have_value("怎么退货")
    expect(panel.locator(".kept")).to_be_visible()
    # What helps before anything was sent leaves nothing behind.
    _writes(shopper, shopper.input, "怎么退货", "怎么退货？")
    panel.locator(".guide .entry").first.click()
    reader.get_by_role("button", name="已解决").click()
    expect(reader).to_contain_text("您的问题没有发送")
    assert axe(page, within="shopbell-chat") == []
    reader.get_by_role("button", name="继续提问").click()
    expect(shopper.input).to_have_value("")
    assert shopper.texts() == []
    # Without a network the way to a person stays, and says so.
    page.context.set_offline(True)
    expect(shopper.banner).to_be_visible()
    shopper.input.fill("怎么退货呢")
    shopper.input.press("Enter")
    shopper.sees("怎么退货呢")
    expect(panel.locator(".guide .entry")).to_have_count(0)


ASKED = "how can I return the lamp I bought?"
TITLE = "How do I return an item?"
ANSWER = "Within 30 days.\n\n1. Pack it\n2. Print the label https://shop.example/l"
LEAD = "wang.min@shop.example"


def _rows(stage: Stage, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(stage.server.data_dir / "shopbell.db")) as connection:
        return connection.execute(statement).fetchall()


def test_an_answer_at_hand_is_used_and_learnt_and_a_question_without_one_is_a_gap(
    shelf: Stage,
) -> None:
    added = shelf.server.shopbell(
        *("user", "add", LEAD, "--name", "Wang Min", "--role", "supervisor", "--password-stdin"),
        stdin=f"{PASSWORD}\n",
    )
    assert added.returncode == 0, added.stderr
    agent = shelf.agent()
    shopper = shelf.shopper().begin()
    shopper.writes("Hello there")
    agent.opens("Hello there")
    cards = agent.page.locator(".acard")
    expect(agent.page.get_by_role("button", name="Find articles")).to_be_visible()

    # It comes by itself with the shopper's message, while the agent only looks.
    shopper.writes(ASKED)
    expect(cards.first).to_contain_text(TITLE)
    agent.page.keyboard.press("Alt+1")
    expect(agent.input).to_have_value(ANSWER)
    agent.input.press("Enter")
    expect(shopper.log).to_contain_text("Print the label")
    replies = "SELECT origin FROM message WHERE sender_kind = 'agent'"
    wait_until(lambda: _rows(shelf, replies) == [("kb",)], what="the reply to be logged as kb")
    accepted = "SELECT data FROM event WHERE kind = 'suggestion.accepted'"
    wait_until(lambda: bool(_rows(shelf, accepted)), what="the use to be logged")
    assert json.loads(str(_rows(shelf, accepted)[0][0]))["rank"] == 1

    # One agent's use waits for a second word; a shopper whom it helps gives it.
    learnt = "SELECT text, state, uses FROM article_phrasing WHERE source <> 'import'"
    wait_until(lambda: _rows(shelf, learnt) == [(ASKED, "pending", 1)], what="the words to wait")
    other = shelf.shopper().begin()
    _writes(other, other.input, ASKED, TITLE)
    other.panel.get_by_role("button", name=TITLE).first.click()
    other.panel.locator(".reader").get_by_role("button", name="Yes", exact=True).click()
    wait_until(lambda: _rows(shelf, learnt) == [(ASKED, "active", 2)], what="the words to count")

    # What nothing answers is offered nothing, and is a gap.
    shopper.writes("Which kettle suits an induction hob?")
    agent.sees("Hello there", ASKED, ANSWER, "Which kettle suits an induction hob?")
    gaps = "SELECT count(*) FROM suggestion WHERE origin = 'message' AND query LIKE '%kettle%'"
    wait_until(lambda: _rows(shelf, gaps) == [(1,)], what="the question to be looked for")
    expect(cards).to_have_count(0)

    lead = shelf.pages.open(f"{shelf.server.url}/sign-in?next=/knowledge/report")
    lead.locator("input[name=email]").fill(LEAD)
    lead.locator("input[name=password]").fill(PASSWORD)
    lead.locator("input[name=password]").press("Enter")
    expect(lead.locator(".kb-examples")).to_contain_text(["suits an induction hob"])
    lead.get_by_role("rowheader", name=TITLE).get_by_role("link").click()
    row = lead.get_by_role("row").filter(has_text=ASKED)
    expect(row).to_contain_text("Searched")
    row.get_by_role("button", name="Unlearn").click()
    expect(row).to_contain_text("Unlearnt")
    assert _rows(shelf, learnt) == [(ASKED, "rejected", 2)]
