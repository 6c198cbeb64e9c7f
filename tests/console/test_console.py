"""The console in a real browser, against a server that tests steer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any  # Any: fields of a summary

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.conftest import wait_ticking
from tests.console.living_desk import fill
from tests.console.peer import ME, Desk, Json, Peer
from tests.support.browser import axe, sights, texts_of
from tests.support.waiting import wait_until

OpenConsole = Callable[..., Page]


def names(page: Page) -> list[str]:
    """The names in the list, from top to bottom of the screen."""
    rows = page.locator(".conv").evaluate_all(
        "rows => rows.map(r => [r.getBoundingClientRect().top, r.querySelector('.nm').textContent])"
    )
    return [name for _top, name in sorted(rows)]


def lists(page: Page, *wanted: str) -> None:
    """Waits until the list shows exactly these names, in this order."""
    wait_until(lambda: names(page) == [*wanted], what=f"{wanted}, shown {names(page)}")


def bodies(page: Page) -> list[str]:
    """The messages and notes of the thread, in order."""
    return page.locator(".log :is(.bub, .note) p").all_inner_texts()


def says(page: Page, *wanted: str) -> None:
    """Waits until the thread shows exactly these messages and notes, in this order."""
    wait_until(lambda: bodies(page) == [*wanted], what=f"{wanted}, shown {bodies(page)}")


def waiting(desk: Desk, name: str, wait_s: float, **options: Any) -> str:
    """Adds a customer who wrote so long ago; gives the conversation's id."""
    row = desk.add(name, **options)
    desk.message(row, f"{name} asks", at_ms=desk.now_ms() - int(wait_s * 1000))
    return str(row.summary["id"])


def three_waiting(desk: Desk) -> None:
    """Ada has waited 10 s, Ben 20 s, Cleo 30 s."""
    for name, wait_s in (("Ada", 10), ("Ben", 20), ("Cleo", 30)):
        waiting(desk, name, wait_s)


def long_talk(desk: Desk, messages: int) -> str:
    """The id of Ada's conversation, in which only she has written."""
    row = desk.add("Ada")
    for number in range(messages):
        desk.message(row, f"message {number}", at_ms=desk.now_ms() - (450 - number) * 1000)
    return str(row.summary["id"])


def ask_again(desk: Desk, name: str, body: str) -> Json:
    """That customer writes once more."""
    row = next(r for r in desk.conversations.values() if r.summary["customer"]["name"] == name)
    return desk.message(row, body)


# the list


def test_who_waits_longest_stands_first(peer: Peer, open_console: OpenConsole) -> None:
    peer.run(three_waiting)
    page = open_console(still=True)
    assert names(page) == ["Cleo", "Ben", "Ada"]  # as soon as the desk calls itself loaded
    expect(page.locator("#tab-mine b")).to_have_text("3")


def test_an_answered_customer_moves_from_waiting_to_active(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(three_waiting)
    page = open_console()
    peer.tell(lambda desk: desk.message(desk.conversations["cnv_0003"], "Hi", by=ME["id"]))
    expect(page.locator(".group")).to_have_text(
        [re.compile("Waiting for you 2"), re.compile("Active 1")]
    )
    lists(page, "Ben", "Ada", "Cleo")


def test_who_left_without_a_reply_stands_before_those_who_have_one(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(three_waiting)
    page = open_console()
    peer.tell(lambda desk: desk.message(desk.conversations["cnv_0003"], "Hi", by=ME["id"]))

    def leave(desk: Desk) -> Json:
        ada = desk.conversations["cnv_0001"]
        ada.summary.update(waiting_since_ms=None, customer_present=False)
        return desk.record(ada, "customer.left", {})

    peer.tell(leave)
    groups = ["Waiting for you 1", "Left without a reply 1", "Active 1"]
    expect(page.locator(".group")).to_have_text([re.compile(group) for group in groups])
    lists(page, "Ben", "Ada", "Cleo")


def test_the_ring_becomes_a_pill_and_then_a_triangle(peer: Peer, open_console: OpenConsole) -> None:
    # Hours, so that it does not matter how long the page takes.
    peer.desk.targets = {"warn_ms": 3_600_000, "limit_ms": 3 * 3_600_000}
    id = peer.run(lambda desk: waiting(desk, "Ada", 60))  # noqa: A001
    page = open_console()
    wait = page.locator(f'[data-id="{id}"] .wait')
    expect(wait).to_have_class("wait w0")

    def later(seconds: int) -> None:
        peer.desk.shift_ms += seconds * 1000
        peer.tell(lambda desk: desk.record(desk.conversations[id], "customer.left", {}))

    later(2 * 3600)
    expect(wait).to_have_class("wait w1")
    expect(page.locator(".slow")).to_contain_text("1 long wait")
    later(2 * 3600)
    expect(wait).to_have_class("wait w2")
    expect(wait.locator("use")).to_have_attribute("href", re.compile("triangle-alert"))


def test_the_thresholds_are_the_shops(peer: Peer, open_console: OpenConsole) -> None:
    peer.desk.targets = {"warn_ms": 5_000, "limit_ms": 10_000}
    id = peer.run(lambda desk: waiting(desk, "Ada", 12))  # noqa: A001
    page = open_console()
    expect(page.locator(f'[data-id="{id}"] .wait')).to_have_class("wait w2")


def test_the_order_stays_under_the_pointer(peer: Peer, open_console: OpenConsole) -> None:
    peer.run(three_waiting)
    page = open_console(still=True)  # the order is kept for two seconds
    wait_ticking(page, lambda: names(page) == ["Cleo", "Ben", "Ada"])
    page.locator(".conv").first.hover()
    peer.tell(lambda desk: desk.message(desk.conversations["cnv_0003"], "Hi", by=ME["id"]))
    last = page.locator('[data-id="cnv_0003"] .tx')
    wait_ticking(page, lambda: "Hi" in last.inner_text())
    assert names(page) == ["Cleo", "Ben", "Ada"]
    page.mouse.move(900, 400)
    lists(page, "Ben", "Ada", "Cleo")


def test_focus_stays_on_its_row_when_the_list_is_sorted_anew(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(three_waiting)
    page = open_console()
    page.locator('[data-id="cnv_0001"]').focus()
    peer.tell(lambda desk: desk.message(desk.conversations["cnv_0003"], "Hi", by=ME["id"]))
    lists(page, "Ben", "Ada", "Cleo")
    expect(page.locator('[data-id="cnv_0001"]')).to_be_focused()


def test_two_thousand_conversations_have_a_handful_of_rows(
    peer: Peer, open_console: OpenConsole
) -> None:
    def crowd(desk: Desk) -> None:
        for number in range(2000):
            waiting(desk, f"Person {number:04}", number / 10)

    peer.run(crowd)
    page = open_console()
    expect(page.locator("#tab-mine b")).to_have_text("2000")
    wait_until(lambda: names(page)[:1] == ["Person 1999"])
    assert page.locator(".conv").count() < 40
    page.locator(".conv").first.focus()
    page.keyboard.press("End")
    expect(page.locator(".conv", has_text="Person 0000").first).to_be_focused()
    assert page.locator(".conv").count() < 40
    expect(page.locator(".row:has(.conv:focus)")).to_have_attribute("aria-posinset", "2000")


def test_the_queue_holds_who_has_nobody(peer: Peer, open_console: OpenConsole) -> None:
    peer.run(lambda desk: [waiting(desk, "Ada", 5), waiting(desk, "Ben", 5, assignee_id=None)])
    page = open_console()
    page.click("#tab-queue")
    lists(page, "Ben")
    page.click("#tab-open")
    wait_until(lambda: sorted(names(page)) == ["Ada", "Ben"])


def test_a_search_asks_the_server_and_escape_ends_it(peer: Peer, open_console: OpenConsole) -> None:
    peer.run(three_waiting)
    page = open_console()
    page.keyboard.press("/")
    page.keyboard.type("ben")
    lists(page, "Ben")
    assert peer.asked("conversation.list")[-1] == {"view": "all", "query": "ben", "limit": 50}
    page.keyboard.press("Escape")
    lists(page, "Cleo", "Ben", "Ada")


def test_resolved_conversations_come_page_by_page(peer: Peer, open_console: OpenConsole) -> None:
    def past(desk: Desk) -> None:
        for number in range(120):
            at_ms = desk.now_ms() - number * 60_000
            row = desk.add(f"Past {number:03}", status="resolved", resolved_at_ms=at_ms)
            desk.message(row, "Thanks", at_ms=at_ms)
            row.summary.update(waiting_since_ms=None, unanswered=0)

    peer.run(past)
    page = open_console()
    page.click("#tab-resolved")
    expect(page.locator(".conv").first).to_contain_text("Past 000")
    page.locator(".conv").first.focus()

    def at_the_end() -> bool:
        page.keyboard.press("End")
        return page.locator(".conv", has_text="Past 119").count() == 1

    wait_until(at_the_end)


# events: in order, each once


def test_a_message_that_comes_twice_is_shown_once(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    expect(page.locator(".bub")).to_have_count(1)
    envelope = peer.tell(lambda desk: ask_again(desk, "Ada", "two"))
    peer.send("event", envelope)
    peer.tell(lambda desk: ask_again(desk, "Ada", "three"))
    expect(page.locator(".bub")).to_have_count(3)
    says(page, "Ada asks", "two", "three")


def test_a_gap_is_asked_for_and_filled_in_order(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    expect(page.locator(".bub")).to_have_count(1)
    peer.run(lambda desk: [ask_again(desk, "Ada", body) for body in ("two", "three")])
    peer.tell(lambda desk: ask_again(desk, "Ada", "four"))
    expect(page.locator(".bub")).to_have_count(4)
    says(page, "Ada asks", "two", "three", "four")
    assert {"conversation_id": id, "after_seq": 1} in peer.asked("conversation.catch_up")


def test_envelopes_in_the_wrong_order_are_shown_in_the_right_one(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    expect(page.locator(".bub")).to_have_count(1)
    made = peer.run(
        lambda desk: [ask_again(desk, "Ada", body) for body in ("two", "three", "four")]
    )
    for envelope in reversed(made):
        peer.send("event", envelope)
    expect(page.locator(".bub")).to_have_count(4)
    says(page, "Ada asks", "two", "three", "four")


def test_what_came_while_the_connection_was_down_is_there_after_it(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    expect(page.locator(".bub")).to_have_count(1)
    peer.stop()
    expect(page.locator(".banner")).to_contain_text("Reconnecting")
    peer.run(lambda desk: [ask_again(desk, "Ada", "two"), waiting(desk, "Ben", 1)])
    peer.restart()
    expect(page.locator(".bub")).to_have_count(2)
    expect(page.locator("#tab-mine b")).to_have_text("2")
    expect(page.locator(".banner")).to_be_empty()


def test_what_is_said_while_a_conversation_is_being_opened_is_in_it(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(still=True)  # nothing is compared by and by
    peer.held.add("conversation.open")
    page.evaluate("(id) => { location.hash = `#c-${id}`; }", id)
    peer.wait_asked("conversation.open")
    peer.tell(lambda desk: ask_again(desk, "Ada", "two"))
    peer.held.clear()
    wait_ticking(page, lambda: bodies(page) == ["Ada asks", "two"])


def test_what_is_said_while_a_gap_is_being_filled_is_not_missed(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}", still=True)
    wait_ticking(page, lambda: bodies(page) == ["Ada asks"])
    peer.held.add("conversation.catch_up")
    peer.run(lambda desk: ask_again(desk, "Ada", "two"))
    peer.tell(lambda desk: ask_again(desk, "Ada", "three"))
    peer.wait_asked("conversation.catch_up")
    peer.run(lambda desk: ask_again(desk, "Ada", "four"))
    peer.tell(lambda desk: ask_again(desk, "Ada", "five"))
    peer.held.clear()
    wait_ticking(page, lambda: bodies(page) == ["Ada asks", "two", "three", "four", "five"])


def test_a_draining_server_is_named_and_come_back_to(peer: Peer, open_console: OpenConsole) -> None:
    page = open_console()
    told = texts_of(page.locator(".banner"))
    peer.signal("server.drain", retry_in_ms=1500)
    wait_until(lambda: any("restarting" in text for text in told()))
    wait_until(lambda: peer.connections == 2)
    expect(page.locator(".banner")).to_be_empty()


def test_signed_out_leads_to_the_sign_in_page(peer: Peer, open_console: OpenConsole) -> None:
    page = open_console()
    peer.signed_out = True
    peer.drop_connections()
    page.click(".banner a")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fconsole"))


# writing


def test_a_reply_is_sent_and_stands_once(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 42))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.click("#composer")
    page.keyboard.type("line one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("line two")
    page.keyboard.press("Enter")
    expect(page.locator(".msg.out:not(.unsent)")).to_have_count(1)
    expect(page.locator(".meta.r")).to_contain_text(re.compile(r"first reply \d+:\d\d · sent"))
    waited_s = peer.desk.conversations[id].turns[0]["elapsed_ms"] // 1000
    assert waited_s >= 42
    expect(page.locator(".meta.r")).to_contain_text(f"{waited_s // 60}:{waited_s % 60:02} · sent")
    expect(page.locator("#composer")).to_have_value("")
    assert [row["body"] for row in peer.asked("message.post")] == ["line one\nline two"]
    says(page, "Ada asks", "line one\nline two")


def test_a_reply_whose_answer_was_lost_is_not_doubled(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    peer.lose_answers["message.post"] = 1
    page.fill("#composer", "once")
    page.keyboard.press("Enter")
    peer.wait_asked("message.post", 1)
    expect(page.locator(".banner")).to_be_empty()
    page.reload()
    expect(page.locator(".msg.out:not(.unsent)")).to_have_count(1)
    expect(page.locator(".state")).to_contain_text("sent")
    says(page, "Ada asks", "once")
    assert len({row["client_id"] for row in peer.asked("message.post")}) == 1


def test_a_reply_is_sent_again_until_it_is_answered(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    peer.lose_answers["message.post"] = 1
    peer.mute = True
    page.fill("#composer", "once")
    page.keyboard.press("Enter")
    posts = peer.wait_asked("message.post", 2)
    assert posts[0]["client_id"] == posts[1]["client_id"]
    expect(page.locator(".msg.out:not(.unsent)")).to_have_count(1)
    says(page, "Ada asks", "once")


def test_replies_written_offline_survive_a_reload_and_keep_their_order(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    expect(page.locator(".bub")).to_have_count(1)
    peer.refusals["message.post"] = []
    peer.refuse("message.post", "unavailable")
    page.fill("#composer", "first")
    page.keyboard.press("Enter")
    page.fill("#composer", "second")
    page.keyboard.press("Enter")
    peer.wait_asked("message.post", 1)
    page.reload()
    expect(page.locator(".msg.out:not(.unsent)")).to_have_count(2)
    says(page, "Ada asks", "first", "second")
    # What was sent is forgotten when its answer comes, a moment after it stands in the thread.
    kept = "Object.keys(localStorage).filter(k => k.includes('outbox'))"
    wait_until(lambda: page.evaluate(kept) == [])


def test_a_refused_reply_can_be_changed_and_sent_again(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    peer.refuse("message.post", "invalid_input")
    page.fill("#composer", "odd")
    page.keyboard.press("Enter")
    expect(page.locator(".failed")).to_contain_text("Check what you entered")
    page.locator(".failed button", has_text="Edit").click()
    expect(page.locator("#composer")).to_have_value("odd")
    page.fill("#composer", "even")
    page.keyboard.press("Enter")
    expect(page.locator(".msg.out:not(.unsent)")).to_have_count(1)
    says(page, "Ada asks", "even")


def test_retry_sends_the_same_message(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    peer.refuse("message.post", "not_allowed")
    page.fill("#composer", "again")
    page.keyboard.press("Enter")
    page.locator(".failed button", has_text="Try again").click()
    expect(page.locator(".msg.out:not(.unsent)")).to_have_count(1)
    first, second = peer.asked("message.post")
    assert first["client_id"] == second["client_id"]


def test_enter_belongs_to_the_input_method_while_a_word_is_composed(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.fill("#composer", "你好")
    page.locator("#composer").evaluate(
        """field => field.dispatchEvent(new KeyboardEvent('keydown',
            {key: 'Enter', code: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"""
    )
    expect(page.locator("#composer")).to_have_value("你好")
    assert peer.asked("message.post") == []


def test_a_text_beyond_the_limit_is_counted_and_not_sent(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.fill("#composer", "字" * 8001)
    expect(page.locator("#sendhint")).to_contain_text("-1 character left")
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).not_to_have_value("")
    assert peer.asked("message.post") == []


def test_the_draft_is_kept_on_the_server(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.fill("#composer", "not yet fin")
    expect(page.locator(".draft")).to_have_text("Draft saved")
    assert peer.asked("draft.set")[-1]["body"] == "not yet fin"
    page.reload()
    expect(page.locator("#composer")).to_have_value("not yet fin")


def test_a_note_is_private_and_looks_it(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    expect(page.locator(".bub")).to_have_count(1)
    page.locator("#log").focus()
    page.keyboard.press("n")
    page.keyboard.type("careful")
    page.keyboard.press("Enter")
    expect(page.locator(".note")).to_contain_text("careful")
    assert peer.wait_asked("message.post")[0]["visibility"] == "private"
    expect(page.locator("#write-public")).to_have_attribute("aria-selected", "true")


def test_markup_in_a_message_stays_text_and_addresses_become_links(
    peer: Peer, open_console: OpenConsole
) -> None:
    body = "<img src=x onerror=alert(1)> see https://mori.example/a(b). javascript:alert(1)"

    def write(desk: Desk) -> str:
        row = desk.add("Ada")
        desk.message(row, body)
        return str(row.summary["id"])

    page = open_console(f"#c-{peer.run(write)}")
    expect(page.locator(".bub p")).to_have_text(body)
    assert page.locator(".bub a").evaluate_all("all => all.map(a => a.href)") == [
        "https://mori.example/a(b)"
    ]
    assert page.locator(".bub img").count() == 0


# what can be done


def test_claiming_from_the_queue_takes_it_over(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5, assignee_id=None))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.locator("#log").focus()
    page.keyboard.press("c")
    expect(page.locator("#tab-mine b")).to_have_text("1")
    expect(page.locator(".ev").last).to_contain_text("Chen Hao claimed it")


def test_an_agent_is_not_offered_what_a_colleague_has(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(lambda desk: desk.agents[ME["id"]].update(role="agent"))
    others = peer.run(lambda desk: waiting(desk, "Ada", 5, assignee_id="agt_liu"))
    nobodys = peer.run(lambda desk: waiting(desk, "Ben", 5, assignee_id=None))
    page = open_console(f"#c-{nobodys}")
    expect(page.locator(".thead").get_by_role("button", name="Claim")).to_be_visible()
    page.goto(page.url.replace(nobodys, others))
    expect(page.locator(".thead").get_by_role("button", name="Transfer")).to_be_visible()
    expect(page.locator(".thead").get_by_role("button", name="Take over")).to_have_count(0)


def test_resolving_can_be_undone(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}", still=True)  # the offer stands for nine seconds
    wait_ticking(page, lambda: page.locator(".bub").count() == 1)
    page.locator("#log").focus()
    page.keyboard.press("e")
    wait_ticking(page, page.locator(".donebar", has_text="resolved").is_visible)
    page.locator(".toast button", has_text="Undo").click()
    wait_ticking(page, page.locator("#composer").is_visible)
    assert [
        name for name, _ in peer.received if name in ("conversation.resolve", "conversation.reopen")
    ] == [
        "conversation.resolve",
        "conversation.reopen",
    ]


def test_transfer_to_a_colleague_with_a_note(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.locator("#log").focus()
    page.keyboard.press("t")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    dialog.get_by_text("Wang Min").click()
    dialog.get_by_label("Note for them (optional)").fill("knows the lamp")
    dialog.get_by_role("button", name="Transfer").click()
    expect(dialog).to_be_hidden()
    assert peer.wait_asked("conversation.transfer") == [
        {"conversation_id": id, "agent_id": "agt_wang", "note": "knows the lamp"}
    ]
    expect(page.locator(".ev").last).to_contain_text(
        "Chen Hao transferred it to Wang Min · “knows the lamp”"
    )
    expect(page.locator("#log")).to_be_focused()


def test_snoozing_from_the_keyboard(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.locator("#log").focus()
    before_ms = peer.desk.now_ms()
    page.keyboard.press("z")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    asked = peer.wait_asked("conversation.snooze")
    begun_ms = asked[0]["until_ms"] - 3 * 3_600_000
    # The console's clock lags by as long as the server's words took to come.
    assert before_ms - 60_000 < begun_ms <= peer.desk.now_ms()
    expect(page.locator(".group")).to_have_text(re.compile("Snoozed"))


def test_spam_is_asked_about_first(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Mark as spam").click()
    assert peer.asked("conversation.spam") == []
    page.get_by_role("dialog").get_by_role("button", name="Mark as spam").click()
    expect(page.locator(".donebar")).to_contain_text("closed")


def test_a_wait_that_needs_no_answer_is_dismissed(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="No reply needed").click()
    expect(page.locator(".sla")).to_have_count(0)
    assert peer.wait_asked("turn.dismiss") == [{"conversation_id": id, "reason": "courtesy"}]


def test_an_error_says_what_to_do(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    told = texts_of(page.locator(".toasts"))
    peer.refuse("conversation.resolve", "conflict")
    page.get_by_role("button", name="Resolve").click()
    wait_until(lambda: any("Look at the conversation again" in text for text in told()))


def test_tags_are_added_and_removed(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.get_by_role("button", name="Edit tags").click()
    page.get_by_label("New tag").fill("late parcel")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".tag")).to_have_text("late parcel")
    dialog.get_by_role("button", name="Remove tag late parcel").click()
    expect(dialog.locator(".tag")).to_have_count(0)


def test_the_customer_can_be_edited(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.get_by_role("button", name="Edit customer").click()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.keyboard.press("Enter")
    expect(page.locator("#side")).to_contain_text("ada@example.com")
    expect(page.locator("#edit-customer")).to_be_focused()


def test_what_is_typed_after_edit_customer_is_the_name_and_no_command(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.get_by_role("button", name="Edit customer").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("Anne")
    page.keyboard.press("Enter")
    expect(page.locator("#side h2")).to_have_text("Anne")
    expect(page.locator("#edit-customer")).to_be_focused()
    assert peer.asked("conversation.resolve") == []


def test_presence_and_capacity(peer: Peer, open_console: OpenConsole) -> None:
    page = open_console()
    page.get_by_role("button", name=re.compile("Change presence")).click()
    page.get_by_role("menuitem", name="More chats at once").click()
    wait_until(lambda: {"status": "online", "capacity": 11} in peer.asked("presence.set"))
    page.get_by_role("menuitemradio", name="Busy").click()
    expect(page.locator("button.ct")).to_have_text(re.compile("Busy · 0 of 11"))


def test_the_notice_counts_down_and_leads_to_the_longest_wait(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(lambda desk: [waiting(desk, "Ada", 110), waiting(desk, "Ben", 200)])
    page = open_console()
    expect(page.locator(".slow")).to_contain_text("2 long waits")
    page.locator(".slow button", has_text="Answer").click()
    expect(page.locator(".thead h2")).to_contain_text("Ben")
    expect(page.locator("#composer")).to_be_focused()
    page.keyboard.type("Sorry to keep you waiting")
    page.keyboard.press("Enter")
    expect(page.locator(".slow")).to_contain_text("1 long wait")
    expect(page.locator(".slow")).to_contain_text("1 of 2 answered")


# keyboard


def test_j_and_k_walk_and_enter_opens(peer: Peer, open_console: OpenConsole) -> None:
    peer.run(three_waiting)
    page = open_console()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".conv:focus .nm")).to_have_text("Ben")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator(".thead h2")).to_contain_text("Cleo")
    expect(page.locator("#composer")).to_be_focused()
    page.keyboard.press("Alt+j")
    expect(page.locator(".thead h2")).to_contain_text("Ben")


def test_letters_typed_into_a_text_are_no_commands(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.click("#composer")
    page.keyboard.type("eczjkrnt/?")
    expect(page.locator("#composer")).to_have_value("eczjkrnt/?")
    assert peer.asked("conversation.resolve") == []
    page.keyboard.press("Escape")
    expect(page.locator(f'[data-id="{id}"]')).to_be_focused()


def test_alt_e_resolves_while_writing(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.click("#composer")
    page.keyboard.press("Alt+e")
    assert peer.wait_asked("conversation.resolve") == [{"conversation_id": id}]


def test_resolve_and_next_opens_the_longest_wait(peer: Peer, open_console: OpenConsole) -> None:
    peer.run(three_waiting)
    page = open_console("#c-cnv_0001")
    page.click("#composer")
    page.keyboard.press("Control+Alt+e")
    expect(page.locator(".thead h2")).to_contain_text("Cleo")


def test_the_palette_jumps_to_a_conversation(peer: Peer, open_console: OpenConsole) -> None:
    peer.run(three_waiting)
    page = open_console()
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").wait_for()
    page.keyboard.type("ben")
    page.keyboard.press("Enter")
    expect(page.locator(".thead h2")).to_contain_text("Ben")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_is_typed_while_the_palette_is_fetched_does_nothing(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(three_waiting)
    page = open_console()
    page.locator(".conv").first.click()
    page.locator("#composer").wait_for()
    held: list[Route] = []
    page.route("**/dialogs.js", lambda route: held.append(route))  # noqa: PLW0108  # needs its code
    page.locator("#list").focus()
    with page.expect_request("**/dialogs.js"):
        page.keyboard.press("Control+k")
    page.keyboard.type("e")
    wait_until(lambda: page.title() and held)  # a route is told of while the page is asked
    held[0].continue_()
    page.get_by_role("dialog").wait_for()
    assert peer.asked("conversation.resolve") == []


def test_the_question_mark_lists_all_keys(open_console: OpenConsole) -> None:
    page = open_console()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Resolve and go to the next wait")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


# focus


def test_who_goes_to_the_next_conversation_while_writing_goes_on_writing(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(three_waiting)
    page = open_console("#c-cnv_0003")
    page.locator("#side .kv").first.wait_for()
    page.keyboard.press("r")
    page.keyboard.press("Alt+j")
    expect(page.get_by_role("textbox", name="Reply to Ben")).to_be_focused()
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").wait_for()
    page.keyboard.type("ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Reply to Ada")).to_be_focused()
    page.keyboard.press("Control+Alt+e")
    expect(page.get_by_role("textbox", name="Reply to Cleo")).to_be_focused()


def test_a_button_that_has_done_its_work_leaves_the_focus_in_the_conversation(
    peer: Peer, open_console: OpenConsole
) -> None:
    queued = peer.run(lambda desk: waiting(desk, "Ada", 5, assignee_id=None))
    page = open_console(f"#c-{queued}")
    page.locator("#side .kv").first.wait_for()
    page.locator("#log").focus()
    page.locator(".callout").get_by_role("button", name="Claim").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_focused()
    page.get_by_role("button", name="Resolve").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#log")).to_be_focused()


def test_a_row_that_leaves_the_list_hands_its_focus_to_another(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(three_waiting)
    page = open_console()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator("#side .kv").first.wait_for()
    page.keyboard.press("Escape")
    expect(page.locator(".conv:focus .nm")).to_have_text("Cleo")
    page.keyboard.press("e")
    lists(page, "Ben", "Ada")
    expect(page.locator(".conv:focus .nm")).to_have_text("Ben")


def test_a_customers_tag_taken_away_leaves_the_focus_where_the_next_is_written(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    field = page.locator("#side").get_by_label("Add a tag")
    field.focus()
    page.keyboard.type("vip")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove tag vip").focus()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()


def test_a_tag_taken_away_leaves_the_focus_in_the_dialog(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5, tags=["lamp"]))  # noqa: A001
    page = open_console(f"#c-{id}")
    page.locator("#side .kv").first.wait_for()
    page.get_by_role("button", name="Edit tags").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Remove").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("No tags yet")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Edit tags")).to_be_focused()


# seeing and being seen


def test_an_opened_conversation_is_marked_read_and_viewed(
    peer: Peer, open_console: OpenConsole
) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    assert peer.wait_asked("message.mark_read")[0]["message_id"] == f"msg_{id}_1"
    assert peer.wait_asked("viewing.set")[0] == {"conversation_id": id, "viewing": True}
    page.evaluate("location.hash = ''")
    assert peer.wait_asked("viewing.set", 2)[1] == {"conversation_id": id, "viewing": False}


def test_typing_colleagues_and_read_marks_are_shown(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    expect(page.locator(".bub")).to_have_count(1)
    customer = {"kind": "customer", "id": "cus_0001", "name": "Ada"}

    def typing_is_shown() -> bool:
        # Said again and again, as by the program of somebody who goes on writing.
        peer.signal("typing.changed", conversation_id=id, actor=customer, typing=True, ttl_ms=5000)
        return page.locator(".bub.typing").is_visible()

    wait_until(typing_is_shown)
    peer.signal(
        "viewing.changed", conversation_id=id, agents=[{"id": "agt_wang", "name": "Wang Min"}]
    )
    expect(page.locator(".viewing")).to_have_text("Wang Min is viewing this conversation")
    page.fill("#composer", "Hello")
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_contain_text("sent")
    peer.signal(
        "message.read", conversation_id=id, reader=customer, message_id=f"msg_{id}_2", at_ms=1
    )
    expect(page.locator(".state")).to_contain_text("read")
    assert peer.asked("typing.set")[0] == {"conversation_id": id, "typing": True}


def test_only_new_incoming_text_is_spoken(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}")
    expect(page.locator(".bub")).to_have_count(1)
    expect(page.locator("#spoken")).to_be_empty()
    peer.tell(lambda desk: ask_again(desk, "Ada", "Hello?"))
    expect(page.locator("#spoken")).to_have_text("Ada: Hello?")


def test_long_threads_are_read_backwards_page_by_page(
    peer: Peer, open_console: OpenConsole
) -> None:
    page = open_console(f"#c-{peer.run(lambda desk: long_talk(desk, 450))}")
    expect(page.locator(".bub").last).to_have_text(re.compile("message 449"))
    page.locator("#log").evaluate("log => { log.scrollTop = 0; }")
    expect(page.locator(".bub", has_text="message 50").first).to_be_attached()
    wait_until(
        lambda: (
            page.locator("#log").evaluate("log => { log.scrollTop = 0; }")
            or page.locator(".bub").count() == 450
        )
    )
    assert bodies(page) == [f"message {number}" for number in range(450)]


def test_new_messages_do_not_pull_a_reader_down(peer: Peer, open_console: OpenConsole) -> None:
    page = open_console(f"#c-{peer.run(lambda desk: long_talk(desk, 60))}")
    expect(page.locator(".bub")).to_have_count(60)
    page.locator("#log").evaluate("log => { log.scrollTop = 300; }")
    wait_until(lambda: page.locator("#log").evaluate("log => log.scrollTop") == 300)
    peer.tell(lambda desk: ask_again(desk, "Ada", "newest"))
    page.get_by_role("button", name="1 new message").click()
    expect(page.locator(".bub", has_text="newest")).to_be_in_viewport()


def test_who_has_just_scrolled_up_is_not_pulled_down_before_the_browser_tells_of_it(
    peer: Peer, open_console: OpenConsole
) -> None:
    page = open_console(f"#c-{peer.run(lambda desk: long_talk(desk, 60))}")
    expect(page.locator(".bub")).to_have_count(60)
    # A busy machine draws no frame for a while, and tells of no scroll until it does.
    page.evaluate("addEventListener('scroll', e => e.stopImmediatePropagation(), true)")
    page.locator("#log").evaluate("log => { log.scrollTop = 300; }")
    peer.tell(lambda desk: ask_again(desk, "Ada", "newest"))
    expect(page.get_by_role("button", name="1 new message")).to_be_visible()
    assert page.locator("#log").evaluate("log => log.scrollTop") == 300


def test_a_link_to_a_message_shows_that_message(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: long_talk(desk, 300))  # noqa: A001
    page = open_console(f"#c-{id}/msg_{id}_31")
    expect(page.locator(".bub", has_text="message 30")).to_be_in_viewport()


def test_a_conversation_that_cannot_be_opened_says_so(open_console: OpenConsole) -> None:
    page = open_console("#c-cnv_gone")
    expect(page.locator(".thread.none")).to_contain_text("you may not see it")
    page.get_by_role("button", name="Back").click()
    expect(page.locator(".thread.none")).to_contain_text("Choose a conversation")


# phone, pictures, accessibility


def test_a_phone_shows_one_pane_at_a_time(peer: Peer, open_console: OpenConsole) -> None:
    peer.run(lambda desk: fill(desk).summary["id"])
    page = open_console("?lang=zh", width=390, height=844, touch=True)
    expect(page.locator(".thread")).to_be_hidden()
    page.locator(".conv", has_text="林悦").tap()
    expect(page.locator(".list")).to_be_hidden()
    expect(page.locator("#composer")).to_be_visible()
    expect(page.locator(".mob")).to_have_count(0)
    page.get_by_role("button", name="更多").tap()
    page.get_by_role("menuitem", name="详情").tap()
    expect(page.locator("#side")).to_be_in_viewport()
    page.get_by_role("button", name="关闭").tap()
    page.get_by_role("button", name="返回").tap()
    expect(page.locator(".list")).to_be_visible()


@pytest.mark.parametrize("width", [390, 320])
def test_nothing_scrolls_sideways_on_a_phone(
    peer: Peer, open_console: OpenConsole, width: int
) -> None:
    peer.run(lambda desk: fill(desk).summary["id"])
    for at in ("", "#c-cnv_linyue"):
        page = open_console(at, width=width, height=844)
        expect(page.locator(".acard, .aline, .note" if at else ".conv").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_axe_finds_nothing(peer: Peer, open_console: OpenConsole, lang: str) -> None:
    peer.run(lambda desk: fill(desk).summary["id"])
    page = open_console(f"?lang={lang}")
    for sight in sights(page, lang):
        assert axe(page) == [], sight
    page.evaluate("location.hash = '#c-cnv_linyue'")
    expect(page.locator(".note")).to_be_visible()
    expect(page.locator("#side .ords")).to_be_attached()
    for sight in sights(page, lang):
        assert axe(page) == [], sight


@pytest.mark.parametrize("key", ["t", "z", "?", "Control+k", "n"])
def test_axe_finds_nothing_in_what_opens(peer: Peer, open_console: OpenConsole, key: str) -> None:
    peer.run(lambda desk: fill(desk).summary["id"])
    page = open_console("#c-cnv_linyue")
    expect(page.locator(".note")).to_be_visible()
    expect(page.locator("#side .ords")).to_be_attached()
    page.locator("#log").focus()
    page.keyboard.press(key)
    expect(page.locator("dialog, .menu, .composer.private").first).to_be_visible()
    assert axe(page) == []


def test_the_theme_is_chosen_and_kept(open_console: OpenConsole) -> None:
    page = open_console()
    page.get_by_role("button", name=re.compile("Your menu")).click()
    page.get_by_role("menuitemradio", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert "shopbell.theme=dark" in page.evaluate("document.cookie")


def test_signing_out_is_a_form_with_its_token(open_console: OpenConsole) -> None:
    page = open_console()
    page.get_by_role("button", name=re.compile("Your menu")).click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page).to_have_title("/sign-out token-of-the-form")


def test_attention_is_recorded_while_there_is_input(peer: Peer, open_console: OpenConsole) -> None:
    id = peer.run(lambda desk: waiting(desk, "Ada", 5))  # noqa: A001
    page = open_console(f"#c-{id}", still=True)
    wait_ticking(page, lambda: page.locator(".bub").count() == 1)
    page.mouse.move(700, 400)
    page.clock.run_for(31_000)
    asked = peer.wait_asked("focus.record")[0]
    assert asked["conversation_id"] == id
    assert 25_000 <= asked["focused_ms"] <= 31_000
    page.clock.run_for(65_000)
    assert sum(row["focused_ms"] for row in peer.asked("focus.record")) <= 35_000
