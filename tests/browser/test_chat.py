"""The main job: a shopper writes on a shop's page, an agent answers, and both see the same."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Stage
from tests.support.waiting import wait_until


def test_a_shopper_writes_and_an_agent_answers(stage: Stage) -> None:
    shopper = stage.shopper().begin()
    shopper.writes("Is the walnut lamp dimmable?")
    agent = stage.agent().opens("walnut lamp")
    agent.sees("Is the walnut lamp dimmable?")
    agent.writes("Yes, in three steps.")
    shopper.sees("Is the walnut lamp dimmable?", "Yes, in three steps.")
    shopper.writes("谢谢!")
    agent.sees("Is the walnut lamp dimmable?", "Yes, in three steps.", "谢谢!")


def test_a_private_note_never_reaches_the_shopper(stage: Stage) -> None:
    shopper = stage.shopper().begin()
    shopper.writes("hello")
    agent = stage.agent().opens("hello")
    agent.page.get_by_role("tab", name=re.compile("note", re.IGNORECASE)).click()
    agent.writes("a good customer")
    agent.page.get_by_role("tab", name=re.compile("reply", re.IGNORECASE)).click()
    agent.writes("Hi!")
    agent.sees("hello", "a good customer", "Hi!")
    shopper.sees("hello", "Hi!")
    assert "good customer" not in shopper.page.content()


def test_a_reload_on_both_sides_shows_each_message_once(stage: Stage) -> None:
    shopper = stage.shopper().begin()
    shopper.writes("one", "two")
    agent = stage.agent().opens("two")
    agent.writes("three")
    shopper.sees("one", "two", "three")
    shopper.page.reload()
    agent.page.reload()
    shopper.panel.wait_for()
    shopper.sees("one", "two", "three")
    agent.rows.first.wait_for()
    if not agent.input.is_visible():
        agent.opens("three")
    agent.sees("one", "two", "three")


def test_what_is_written_without_a_network_arrives_once_and_in_order(stage: Stage) -> None:
    shopper = stage.shopper().begin()
    shopper.writes("before")
    agent = stage.agent().opens("before")
    shopper.page.context.set_offline(True)
    expect(shopper.banner).to_contain_text("You are offline")
    shopper.writes("first without network", "second without network")
    agent.writes("are you there?")
    shopper.page.context.set_offline(False)
    agent.sees("before", "are you there?", "first without network", "second without network")
    shopper.sees("before", "are you there?", "first without network", "second without network")


def test_a_killed_and_restarted_server_loses_and_doubles_nothing(stage: Stage) -> None:
    shopper = stage.shopper().begin()
    shopper.writes("one")
    agent = stage.agent().opens("one")
    agent.writes("two")
    shopper.sees("one", "two")
    stage.server.kill()
    shopper.writes("three, into the dark")
    stage.server.restart()
    expect(shopper.log).to_contain_text("three")
    wait_until(lambda: len(agent.texts()) == 3, what="the third message")
    agent.writes("four")
    agent.sees("one", "two", "three, into the dark", "four")
    shopper.sees("one", "two", "three, into the dark", "four")
    verified = stage.server.shopbell("verify")
    assert verified.returncode == 0, verified.stdout


def test_two_tabs_of_one_shopper_stay_in_step(stage: Stage) -> None:
    shopper = stage.shopper().begin()
    shopper.writes("from the first tab")
    shopper.sees("from the first tab")
    second = type(shopper)(shopper.desk, shopper.page.context.new_page()).visit()
    # The panel opens by itself where it was open before; to ask for it is harmless either way.
    second.run("Shopbell('open')")
    second.panel.wait_for()
    second.sees("from the first tab")
    second.writes("from the second tab")
    shopper.sees("from the first tab", "from the second tab")
    agent = stage.agent().opens("second tab")
    agent.writes("to both")
    shopper.sees("from the first tab", "from the second tab", "to both")
    second.sees("from the first tab", "from the second tab", "to both")


def test_a_whole_chat_ends_in_a_rating_and_in_the_report(stage: Stage) -> None:
    shopper = stage.shopper().begin()
    shopper.writes("Where is my parcel?")
    agent = stage.agent().opens("parcel")
    agent.writes("It arrives tomorrow.")
    shopper.sees("Where is my parcel?", "It arrives tomorrow.")
    agent.page.get_by_role("button", name=re.compile("^Resolve")).click()
    expect(shopper.log).to_contain_text("How was this chat?")
    shopper.panel.get_by_role("radio").last.click()
    send = shopper.panel.get_by_role("button", name=re.compile("send", re.IGNORECASE))
    send.first.click()
    report = stage.server.shopbell("report", "frt", "--by", "agent", "--format", "json")
    assert '"n":1' in report.stdout.replace(" ", "")
    agent.page.goto(f"{stage.server.url}/reports")
    expect(agent.page.locator("main")).to_contain_text("1")
    verified = stage.server.shopbell("verify")
    assert verified.returncode == 0, verified.stdout


def test_a_page_that_may_not_embed_the_widget_is_told_so(stage: Stage) -> None:
    stage.server.shopbell("site", "set", "--origin", "https://elsewhere.example")
    stage.server.terminate()
    stage.server.restart()
    shopper = stage.shopper().open()
    expect(shopper.panel).to_contain_text("The chat is not available on this page.")
