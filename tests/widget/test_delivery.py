"""Every message arrives once and in order: over reloads, lost answers, gaps, dead desks, tabs."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.browser import Pages, texts_of
from tests.support.waiting import wait_until
from tests.widget.conftest import Shopper
from tests.widget.peer import Desk


def test_a_conversation_goes_both_ways(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("Does the lamp dim?")
    wait_until(lambda: desk.conversations)
    desk.emits("assignment.accepted", agent={"id": "agent-1", "name": "Chen Hao"})
    desk.says("Yes, in three steps.")
    shopper.sees("Does the lamp dim?", "Yes, in three steps.")
    expect(shopper.log).to_contain_text("Chen Hao joined the chat")


def test_a_message_written_while_the_desk_is_away_survives_a_reload(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("first")
    shopper.sees("first")
    wait_until(lambda: desk.conversations)
    desk.stop()
    expect(shopper.banner).to_contain_text("Connection lost")
    shopper.writes("second", "third")
    expect(shopper.log).to_contain_text("Waiting for the connection")
    shopper.page.route("**/socket.io/**", lambda route: route.abort())
    desk.start()
    shopper.page.unroute("**/socket.io/**")
    shopper.page.reload()
    shopper.sees("first", "second", "third")
    wait_until(lambda: desk.bodies == ["first", "second", "third"])
    expect(shopper.log).not_to_contain_text("Waiting")


def test_a_message_written_offline_is_sent_after_the_tab_was_closed(
    desk: Desk, context: BrowserContext, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("before")
    wait_until(lambda: desk.bodies == ["before"])
    context.set_offline(True)
    expect(shopper.banner).to_contain_text("You are offline")
    shopper.writes("kept")
    expect(shopper.log).to_contain_text("kept")
    shopper.page.close()
    context.set_offline(False)
    Shopper(desk, context.new_page()).visit()
    wait_until(lambda: desk.bodies == ["before", "kept"])


def test_a_lost_answer_makes_the_message_go_again_but_not_appear_twice(
    desk: Desk, shopper: Shopper
) -> None:
    desk.lose_answers = 1
    desk.drop_events = True
    shopper.visit().begin().writes("only once")
    wait_until(lambda: len(desk.sent("message.post")) == 2)
    first, second = desk.sent("message.post")
    assert first["client_id"] == second["client_id"]
    desk.drop_events = False
    desk.says("and answered")
    shopper.sees("only once", "and answered")
    assert desk.bodies == ["only once", "and answered"]


def test_the_order_of_writing_holds_when_the_first_answer_is_lost(
    desk: Desk, shopper: Shopper
) -> None:
    desk.lose_answers = 1
    desk.drop_events = True
    shopper.visit().begin().writes("one", "two", "three")
    wait_until(lambda: len(desk.bodies) == 3)
    assert desk.bodies == ["one", "two", "three"]
    shopper.sees("one", "two", "three")
    assert len(desk.conversations) == 1


def test_a_gap_is_asked_for_and_filled_in_order(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.conversations)
    desk.drop_events = True
    desk.says("lost on the way")
    desk.says("lost as well")
    desk.drop_events = False
    desk.says("arrives")
    shopper.sees("hello", "lost on the way", "lost as well", "arrives")
    assert desk.sent("conversation.catch_up")


def test_events_that_come_twice_or_out_of_order_show_once_in_order(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.conversations)
    desk.drop_events = True
    events = [desk.says("a"), desk.says("b"), desk.says("c")]
    desk.drop_events = False
    desk.resends(events[2], events[0], events[0], events[1], events[2])
    shopper.sees("hello", "a", "b", "c")


def test_what_was_said_while_the_line_was_down_is_there_after_the_reconnect(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.conversations)
    desk.stop()
    expect(shopper.banner).to_contain_text("Connection lost")
    desk.says("said meanwhile")
    desk.start()
    shopper.sees("hello", "said meanwhile")
    expect(shopper.banner).to_be_empty()


def test_an_unknown_kind_of_event_counts_and_is_otherwise_ignored(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.conversations)
    desk.emits("planet.aligned", planet="Mars")
    desk.says("still here")
    shopper.sees("hello", "still here")


def test_a_refused_message_says_so_and_can_be_sent_again_or_deleted(
    desk: Desk, shopper: Shopper
) -> None:
    desk.refuse_posts = {"code": "too_large", "message": "too large", "details": {}}
    shopper.visit().begin().writes("refused", "refused as well")
    failures = shopper.log.locator(".meta.error")
    expect(failures).to_have_count(2)
    expect(failures.first).to_contain_text("Not sent: the message is too long")
    desk.refuse_posts = None
    failures.first.get_by_role("button", name="Delete").click()
    shopper.sees("refused as well")
    failures.first.get_by_role("button", name="Try again").click()
    wait_until(lambda: desk.conversations and desk.bodies == ["refused as well"])
    expect(failures).to_have_count(0)


def test_an_answer_of_too_many_waits_as_long_as_it_says(desk: Desk, shopper: Shopper) -> None:
    desk.refuse_posts = {"code": "too_many", "message": "", "details": {"retry_after_s": 1}}
    shopper.visit().begin().writes("patience")
    wait_until(lambda: desk.sent("message.post"))
    desk.refuse_posts = None
    wait_until(lambda: desk.conversations and desk.bodies == ["patience"])
    shopper.sees("patience")
    expect(shopper.log.locator(".meta.error")).to_have_count(0)


def test_the_chat_works_where_storage_is_forbidden(desk: Desk, context: BrowserContext) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})"
    )
    shopper = Shopper(desk, context.new_page()).visit().begin()
    shopper.writes("no storage")
    wait_until(lambda: desk.conversations and desk.bodies == ["no storage"])
    shopper.sees("no storage")


def test_the_chat_works_where_storage_is_full(desk: Desk, context: BrowserContext) -> None:
    context.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"
    )
    shopper = Shopper(desk, context.new_page()).visit().begin()
    desk.lose_answers = 1
    shopper.writes("full", "still full")
    wait_until(lambda: desk.bodies == ["full", "still full"])
    shopper.sees("full", "still full")


def test_one_tab_holds_the_socket_and_the_others_are_in_step(
    desk: Desk, context: BrowserContext, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("from the first tab")
    wait_until(lambda: desk.conversations)
    other = Shopper(desk, context.new_page()).visit()
    other.panel.wait_for()
    other.sees("from the first tab")
    other.writes("from the second tab")
    wait_until(lambda: len(desk.bodies) == 2)
    desk.says("to both")
    for one in (shopper, other):
        one.sees("from the first tab", "from the second tab", "to both")
    wait_until(lambda: desk.sockets() == 1)


def test_another_tab_takes_over_when_the_first_is_closed_and_nothing_is_lost(
    desk: Desk, context: BrowserContext, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("one")
    wait_until(lambda: desk.conversations)
    other = Shopper(desk, context.new_page()).visit()
    other.panel.wait_for()
    other.sees("one")
    desk.drop_events = True
    desk.says("two")
    shopper.page.close()
    desk.drop_events = False
    other.writes("three")
    other.sees("one", "two", "three")
    wait_until(lambda: desk.bodies == ["one", "two", "three"])


def test_a_message_of_a_tab_that_follows_is_sent_when_the_leader_dies_first(
    desk: Desk, context: BrowserContext, shopper: Shopper
) -> None:
    shopper.visit().begin().writes("one")
    wait_until(lambda: desk.conversations)
    other = Shopper(desk, context.new_page()).visit()
    other.panel.wait_for()
    other.sees("one")
    desk.stop()
    expect(other.banner).to_contain_text("Connection lost")
    other.writes("two")
    other.sees("one", "two")
    shopper.page.close()
    desk.start()
    wait_until(lambda: desk.bodies == ["one", "two"])
    other.sees("one", "two")


def test_without_locks_every_tab_has_its_own_socket(desk: Desk, context: BrowserContext) -> None:
    context.add_init_script("delete Navigator.prototype.locks")
    first = Shopper(desk, context.new_page()).visit().begin()
    first.writes("one")
    first.sees("one")
    wait_until(lambda: desk.conversations)
    second = Shopper(desk, context.new_page()).visit()
    second.panel.wait_for()
    second.sees("one")
    second.writes("two")
    first.sees("one", "two")
    wait_until(lambda: desk.sockets() == 2)


def test_the_conversation_goes_on_over_page_loads(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    shopper.sees("hello")
    wait_until(lambda: desk.conversations)
    shopper.page.get_by_role("link", name="Next page").click()
    shopper.panel.wait_for()
    shopper.sees("hello")
    assert shopper.run("document.activeElement.tagName") == "BODY"
    wait_until(lambda: len(desk.auths) == 2)
    assert len(desk.tokens) == 1


def test_a_draining_desk_is_left_and_found_again(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.bodies == ["hello"])
    told = texts_of(shopper.banner)
    desk.signals("server.drain", retry_in_ms=1500)
    wait_until(lambda: any("restarts" in text for text in told()))
    wait_until(lambda: len(desk.auths) == 2)
    expect(shopper.banner).to_be_empty()
    shopper.writes("again")
    wait_until(lambda: desk.bodies == ["hello", "again"])
    assert len(desk.auths) == 2


def test_a_wrong_site_is_said_in_words(desk: Desk, shopper: Shopper) -> None:
    shopper.visit("data-site=nobody").open()
    expect(shopper.banner).to_contain_text("not set up correctly")


def test_a_refused_origin_is_said_in_words(desk: Desk, shopper: Shopper) -> None:
    desk.refuse = ("origin", {"code": "not_allowed", "details": {"reason": "origin"}})
    shopper.visit().open()
    expect(shopper.banner).to_contain_text("not available on this page")


def test_an_identity_that_does_not_hold_leaves_the_shopper_a_chat(
    desk: Desk, shopper: Shopper
) -> None:
    desk.refuse_identity = ("expired", {"code": "invalid_input", "details": {"reason": "identity"}})
    shopper.visit()
    shopper.run("Shopbell.identify('expired')")
    shopper.begin().writes("hello")
    wait_until(lambda: desk.conversations and desk.bodies == ["hello"])
    assert [auth.get("identity") for auth in desk.auths] == ["expired", None]


def test_a_token_that_has_ended_makes_a_new_visitor(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().begin().writes("hello")
    wait_until(lambda: desk.bodies == ["hello"])
    expect(shopper.log.locator(".pending")).to_have_count(0)
    desk.tokens.clear()
    shopper.page.reload()
    expect(shopper.panel.get_by_role("heading", name="how can we help")).to_be_visible()
    wait_until(lambda: shopper.run("localStorage['shopbell.site-1.token']") in desk.tokens)


def test_without_websocket_the_chat_falls_back_to_polling(
    desk: Desk, pages: Pages, context: BrowserContext
) -> None:
    context.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onerror?.({}), 0); } "
        "close() {} }"
    )
    shopper = Shopper(desk, context.new_page()).visit().begin()
    shopper.writes("polled")
    wait_until(lambda: desk.conversations and desk.bodies == ["polled"])
    shopper.sees("polled")


@pytest.mark.parametrize("verified", [False, True])
def test_what_a_visitor_wrote_goes_along_when_they_sign_in_and_an_accounts_words_do_not(
    desk: Desk, shopper: Shopper, verified: bool
) -> None:
    desk.verified = verified
    desk.held.add("message.post")
    shopper.visit().begin().writes("still on its way")
    wait_until(lambda: desk.sent("message.post"))
    # Another customer is welcomed: the account that the identity names.
    desk.tokens.clear()
    desk.held.add("connect")
    shopper.run("Shopbell.identify('signed')")
    wait_until(lambda: len(desk.auths) == 2)
    desk.canned["message.post"] = [{"ok": False, "error": {"code": "unavailable"}}]
    desk.held.clear()
    wait_until(lambda: desk.answered)
    del desk.canned["message.post"]
    if verified:
        shopper.sees()
    else:
        shopper.sees("still on its way")
        wait_until(lambda: desk.bodies == ["still on its way"])
