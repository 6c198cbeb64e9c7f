"""Answers that are late: what came or was done meanwhile stays, and nobody is disturbed by them."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.console.conftest import wait_ticking
from tests.console.peer import ME, Desk, Json, Peer
from tests.support.browser import Pages, settled, texts_of
from tests.support.waiting import wait_until

OpenConsole = Callable[..., Page]


def write(desk: Desk, name: str, body: str) -> Json:
    """The customer of this name writes, for the first time or once more; gives the envelope."""
    rows = desk.conversations.values()
    row = next((row for row in rows if row.summary["customer"]["name"] == name), None)
    return desk.message(row or desk.add(name), body)


def two(desk: Desk) -> None:
    """Ada (cnv_0001) and Ben (cnv_0002) have written."""
    write(desk, "Ada", "Ada asks")
    write(desk, "Ben", "Ben asks")


def shown(page: Page) -> list[str]:
    """The names in the list."""
    return sorted(page.locator(".conv .nm").all_inner_texts())


def go(page: Page, place: str) -> None:
    """Opens a conversation by its address, as the back button does."""
    page.evaluate("(place) => { location.hash = place; }", place)


def row(page: Page, number: int) -> str:
    """What the list shows of a conversation's last message."""
    return page.locator(f'[data-id="cnv_{number:04}"] .tx').inner_text()


# the desk


def test_who_writes_while_the_desk_is_loaded_stays_on_it(
    peer: Peer, open_console: OpenConsole
) -> None:
    page = open_console()
    peer.held.add("desk.load")
    peer.run(lambda desk: write(desk, "Ben", "Hello"))  # so that the desk is loaded anew
    peer.drop_connections()
    peer.wait_asked("desk.load", 2)
    peer.tell(lambda desk: write(desk, "Cleo", "Hello"))
    peer.signal("presence.changed", agent={"id": ME["id"], "status": "away"})
    wait_until(lambda: shown(page) == ["Cleo"])
    peer.held.clear()
    wait_until(lambda: "Ben" in shown(page))
    assert shown(page) == ["Ben", "Cleo"]
    expect(page.locator("button.ct")).to_have_text(re.compile("Away"))


def test_a_tab_that_was_chosen_before_the_desk_came_stays_chosen(peer: Peer, pages: Pages) -> None:
    peer.run(lambda desk: desk.add("Ada", assignee_id=None, queued_at_ms=desk.now_ms()))
    peer.held.add("desk.load")
    page = pages.open(peer.url)
    peer.wait_asked("desk.load")
    page.click("#tab-open")
    peer.held.clear()
    expect(page.locator(".conv")).to_have_count(1)
    expect(page.locator("#tab-open")).to_have_attribute("aria-selected", "true")


def test_what_is_resolved_or_comes_back_while_the_resolved_ones_are_loaded_is_not_lost(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    peer.run(lambda desk: desk.add("Past", status="resolved"))
    page = open_console()
    peer.held.add("conversation.list")
    page.click("#tab-resolved")
    peer.wait_asked("conversation.list")

    def change(desk: Desk, number: int, status: str) -> Json:
        found = desk.conversations[f"cnv_{number:04}"]
        found.summary["status"] = status
        return desk.record(found, "conversation.status_changed", {"status": status})

    peer.tell(lambda desk: [change(desk, 1, "resolved"), change(desk, 3, "open")])
    expect(page.locator("#tab-mine b")).to_have_text("2")
    peer.held.clear()
    wait_until(lambda: shown(page) == ["Ada"])
    page.click("#tab-mine")
    wait_until(lambda: shown(page) == ["Ben", "Past"])
    # And what is resolved while the connection is down.
    peer.run(lambda desk: change(desk, 2, "resolved"))
    peer.drop_connections()
    wait_until(lambda: shown(page) == ["Past"])
    page.click("#tab-resolved")
    wait_until(lambda: shown(page) == ["Ada", "Ben"])


def test_what_could_not_be_looked_for_is_looked_for_when_the_connection_is_back(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console()
    peer.stop()
    expect(page.locator(".banner")).to_contain_text("Reconnecting")
    page.fill("#search", "ben")
    expect(page.locator("#list")).to_contain_text("The search did not work")
    peer.restart()
    wait_until(lambda: shown(page) == ["Ben"])


# after one went to another conversation


def test_who_has_left_before_a_conversation_came_does_not_view_it(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console()
    peer.run(lambda desk: write(desk, "Ada", "once more"))  # told by the late answer alone
    peer.held.add("conversation.open")
    go(page, "#c-cnv_0001")
    peer.wait_asked("conversation.open")
    go(page, "")
    peer.held.clear()
    wait_until(lambda: row(page, 1) == "once more")
    go(page, "#c-cnv_0002")
    wait_until(
        lambda: {"conversation_id": "cnv_0002", "viewing": True} in peer.asked("viewing.set")
    )
    assert {"conversation_id": "cnv_0001", "viewing": True} not in peer.asked("viewing.set")


def test_a_customer_is_not_shown_beside_another_ones_conversation(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console("#c-cnv_0001")
    page.get_by_role("button", name="Edit customer").click()
    page.locator(".edit [name=name]").fill("Ada Lovelace")
    peer.held.add("customer.update")
    page.keyboard.press("Enter")
    peer.wait_asked("customer.update")
    go(page, "#c-cnv_0002")
    expect(page.locator("#side h2")).to_have_text("Ben")
    peer.held.clear()
    expect(page.locator('[data-id="cnv_0001"] .nm')).to_have_text("Ada Lovelace")
    expect(page.locator("#side h2")).to_have_text("Ben")
    expect(page.locator('[data-id="cnv_0002"] .nm')).to_have_text("Ben")


def test_who_went_elsewhere_is_not_led_to_the_next_wait(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    peer.run(lambda desk: write(desk, "Cleo", "Cleo asks"))
    page = open_console("#c-cnv_0003")
    expect(page.locator(".thead h2")).to_contain_text("Cleo")
    peer.held.add("conversation.resolve")
    page.keyboard.press("Control+Alt+e")
    peer.wait_asked("conversation.resolve")
    go(page, "#c-cnv_0002")
    expect(page.locator(".thead h2")).to_contain_text("Ben")
    told = texts_of(page.locator(".toasts"))
    peer.held.clear()
    wait_until(lambda: any("Resolved" in text for text in told()))
    settled(page)
    expect(page.locator(".thead h2")).to_contain_text("Ben")


def test_a_link_to_an_old_message_is_followed_while_another_thread_is_read_backwards(
    peer: Peer, open_console: OpenConsole
) -> None:
    def long_talks(desk: Desk) -> None:
        for name in ("Ada", "Ben"):
            for number in range(300):
                write(desk, name, f"{name} {number}")

    peer.run(long_talks)
    page = open_console()
    peer.held.add("conversation.catch_up")
    go(page, "#c-cnv_0001/msg_cnv_0001_31")
    peer.wait_asked("conversation.catch_up")
    go(page, "#c-cnv_0002/msg_cnv_0002_31")
    peer.wait_asked("conversation.catch_up", 2)
    peer.held.clear()
    expect(page.locator(".bub", has_text="Ben 30")).to_be_in_viewport()
    # Again within the open thread: it is there already.
    go(page, "#c-cnv_0002/msg_cnv_0002_281")
    expect(page.locator(".bub", has_text="Ben 280")).to_be_in_viewport()


# the open conversation


def test_what_was_signalled_while_a_conversation_came_again_stays(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    peer.run(lambda desk: desk.message(desk.conversations["cnv_0001"], "Hello", by=ME["id"]))
    page = open_console("#c-cnv_0001")
    expect(page.locator(".state")).to_contain_text("sent")
    go(page, "")
    peer.run(lambda desk: write(desk, "Ada", "More"))
    peer.held.add("conversation.open")
    go(page, "#c-cnv_0001")
    peer.wait_asked("conversation.open", 2)
    customer = {"kind": "customer", "id": "cus_0001", "name": "Ada"}
    peer.signal(
        "message.read",
        conversation_id="cnv_0001",
        reader=customer,
        message_id="msg_cnv_0001_2",
        at_ms=1,
    )
    wang = {"id": "agt_wang", "name": "Wang Min"}
    peer.signal("viewing.changed", conversation_id="cnv_0001", agents=[wang])
    expect(page.locator(".state")).to_contain_text("read")
    peer.held.clear()
    expect(page.locator(".bub", has_text="More")).to_be_visible()
    expect(page.locator(".viewing")).to_have_text("Wang Min is viewing this conversation")
    expect(page.locator(".state")).to_contain_text("read")


def test_what_stood_in_a_conversation_when_it_came_is_not_called_new(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console()
    page.route("**/aid.js", lambda route: route.abort())
    go(page, "#c-cnv_0001")
    expect(page.locator(".bub")).to_have_count(1)
    settled(page)
    expect(page.locator(".jump")).to_have_count(0)


def test_that_a_message_was_read_is_told_again_when_its_answer_was_lost(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    peer.lose_answers["message.mark_read"] = 1
    open_console("#c-cnv_0001")
    first, second = peer.wait_asked("message.mark_read", 2)
    assert first == second


def test_a_draft_that_comes_after_the_first_letters_stands_before_them(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    draft = {"body": "Dear Ada,", "visibility": "public", "updated_at_ms": 1}
    peer.run(lambda desk: setattr(desk.conversations["cnv_0001"], "draft", draft))
    page = open_console(still=True)
    peer.held.add("conversation.open")
    go(page, "#c-cnv_0001")
    field = page.locator("#composer")
    wait_ticking(page, field.is_visible)
    field.press_sequentially("thank you")
    page.clock.run_for(5_000)
    assert peer.asked("draft.set") == []  # it would take the place of the draft that is to come
    peer.held.clear()
    wait_ticking(page, lambda: field.input_value() == "Dear Ada,\nthank you")
    wait_ticking(page, lambda: peer.asked("draft.set"))
    assert [row["body"] for row in peer.asked("draft.set")] == ["Dear Ada,\nthank you"]


def test_a_draft_that_is_refused_is_not_sent_again_at_once(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    for _ in range(20):
        peer.refuse("draft.set", "invalid_input")
    page = open_console("#c-cnv_0001")
    expect(page.locator(".bub")).to_have_count(1)
    page.fill("#composer", "Dear Ada")
    expect(page.locator(".draft")).to_have_text("Draft not saved yet")
    go(page, "#c-cnv_0002")
    wait_until(
        lambda: {"conversation_id": "cnv_0002", "viewing": True} in peer.asked("viewing.set")
    )
    assert len(peer.asked("draft.set")) == 1


def test_letters_are_no_commands_when_a_chat_ends_under_the_hand(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console("#c-cnv_0001")
    field = page.locator("#composer")
    field.click()
    field.press_sequentially("Thanks")

    def status(desk: Desk, word: str) -> Json:
        found = desk.conversations["cnv_0001"]
        found.summary["status"] = word
        return desk.record(found, "conversation.status_changed", {"status": word})

    peer.tell(lambda desk: status(desk, "resolved"))
    expect(page.locator(".donebar")).to_be_visible()
    page.keyboard.type("ok, bye")  # k would go to the list, and Enter open Ben's chat
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator(".thead h2")).to_contain_text("Ada")
    expect(page.locator(".composer.private")).to_have_count(0)
    peer.tell(lambda desk: status(desk, "open"))
    expect(field).to_be_focused()
    expect(field).to_have_value("Thanks")


# forms and dialogs


def test_what_is_being_changed_about_a_customer_outlasts_what_others_change(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console("#c-cnv_0001")
    page.get_by_role("button", name="Edit customer").click()
    field = page.locator(".edit [name=name]")
    expect(field).to_have_value("Ada")
    field.fill("Ada L")
    peer.run(lambda desk: desk.conversations["cnv_0001"].card.update(tags=["VIP"]))
    peer.signal("card.changed", customer_ids=["cus_0001"])
    expect(page.locator("#side .tags", has_text="VIP")).to_be_visible()
    settled(page)
    expect(field).to_have_value("Ada L")


def test_who_goes_on_writing_is_not_drawn_back_to_a_form_that_is_saved(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console("#c-cnv_0001")
    side, field = page.locator("#side"), page.locator("#composer")
    peer.held |= {"customer.update", "customer.note"}
    side.get_by_role("button", name="Edit customer").click()
    side.locator("[name=email]").fill("ada@example.com")
    page.keyboard.press("Enter")
    side.locator("#edit-note").click()
    side.locator("#note-text").fill("Prefers mail")
    page.keyboard.press("Control+Enter")
    peer.wait_asked("customer.note")
    field.click()
    field.press_sequentially("th")
    peer.held.clear()
    expect(side.locator("form:is(.edit, .notebox)")).to_have_count(0)
    settled(page)
    page.keyboard.type("ere")  # an "e" beside the field would resolve the conversation
    expect(field).to_have_value("there")
    assert peer.asked("conversation.resolve") == []


def test_a_late_answer_closes_only_the_dialog_that_asked(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console("#c-cnv_0001")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Transfer").click()
    dialog.get_by_label(re.compile("Wang Min")).check()
    peer.held |= {"conversation.transfer", "ticket.types"}
    dialog.get_by_role("button", name="Transfer").click()
    peer.wait_asked("conversation.transfer")
    page.keyboard.press("Escape")
    peer.refuse("ticket.create", "conflict")
    page.get_by_role("button", name="Edit tags").click()
    expect(dialog.get_by_label("New tag")).to_be_focused()
    told = texts_of(page.locator(".toasts"))
    peer.held.clear()
    wait_until(lambda: any("Wang Min" in text for text in told()))
    settled(page)
    expect(dialog.get_by_label("New tag")).to_be_focused()


def test_the_next_tag_may_be_written_before_the_first_is_there(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console("#c-cnv_0001")
    peer.held |= {"conversation.tag", "customer.tag"}
    for place, name in ((page.locator("#side .sec"), "tag"), (page.get_by_role("dialog"), "tag")):
        if place.count() == 0:
            page.get_by_role("button", name="Edit tags").click()
        field = place.locator(f"input[name={name}]")
        field.fill("late parcel")
        field.press("Enter")
        field.fill("vip")
    peer.wait_asked("conversation.tag")
    peer.wait_asked("customer.tag")
    peer.held.clear()
    expect(page.get_by_role("dialog").locator(".tag")).to_have_text("late parcel")
    expect(page.locator("#side .sec .tags .tag", has_text="late parcel")).to_have_count(2)
    expect(page.get_by_role("dialog").locator("input[name=tag]")).to_have_value("vip")
    expect(page.locator("#side input[name=tag]")).to_have_value("vip")


def test_a_ticket_is_made_on_a_page_without_encryption_too(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console("#c-cnv_0001")
    # In a local network, on plain http, the browser has no such function.
    page.evaluate("delete Crypto.prototype.randomUUID")
    page.get_by_role("button", name="Make a ticket").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a ticket").click()
    assert len(peer.wait_asked("ticket.create")[0]["client_id"]) > 8


def test_two_presses_take_two_more_chats_and_a_state_chosen_meanwhile_stays(
    peer: Peer, open_console: OpenConsole
) -> None:
    page = open_console()
    peer.held.add("presence.set")
    page.get_by_role("button", name=re.compile("Change presence")).click()
    more = page.get_by_role("menuitem", name="More chats at once")
    more.click()
    more.click()
    page.get_by_role("menuitemradio", name="Busy").click()
    page.get_by_role("button", name=re.compile("Change presence")).click()
    more.click()
    asked = peer.wait_asked("presence.set", 4)
    assert [row.get("capacity", 0) for row in asked] == [11, 12, 12, 13]
    assert [row["status"] for row in asked] == ["online", "online", "busy", "busy"]
    peer.held.clear()
    expect(page.locator("button.ct")).to_have_text(re.compile("Busy · 0 of 13"))


# modules


def test_what_could_not_be_fetched_beside_a_conversation_is_fetched_again(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console()
    lost: list[str] = []

    def once(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route.request.url)
        return route.abort()

    page.route("**/aid.js", once)
    go(page, "#c-cnv_0001")
    expect(page.locator("#side h2")).to_have_text("Ada")
    expect(page.locator(".aid")).to_be_attached()
    assert len(lost) == 1


def test_what_the_server_cannot_answer_now_is_asked_again(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    peer.refuse("conversation.open", "unavailable")
    peer.refuse("conversation.open", "not_found")
    page = open_console("#c-cnv_0001")
    # What will not change is not asked again by itself.
    failed = page.get_by_role("button", name="Try again")
    expect(page.locator(".thread")).to_contain_text("no longer")
    failed.click()
    expect(page.locator(".bub")).to_contain_text("Ada asks")
    assert len(peer.asked("conversation.open")) == 3


def test_what_cannot_be_loaded_is_no_error_of_the_page(
    peer: Peer, open_console: OpenConsole
) -> None:
    peer.run(two)
    page = open_console()
    held: list[Route] = []
    page.route("**/words/card.*", lambda route: route.abort())
    page.route("**/css/card.css", lambda route: held.append(route))  # noqa: PLW0108  # needs its code
    with page.expect_event("requestfailed", lambda request: "words/card" in request.url):
        go(page, "#c-cnv_0001")
    wait_until(lambda: page.title() and held)
    held[0].abort()  # the style fails when nobody waits for it any more
    page.unroute_all()
    expect(page.locator("#side")).to_contain_text("Ada")
