"""Files of a message: they go with the words, or nothing goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import FilePayload, Route, expect

from tests.support.waiting import wait_until
from tests.widget.conftest import Shopper
from tests.widget.peer import Desk

LAMP: FilePayload = {"name": "lamp.txt", "mimeType": "text/plain", "buffer": b"cracked"}
TAKEN = {"type": "file", "id": "f1", "name": "lamp.txt", "media_type": "text/plain", "bytes": 7}
REFUSED = {"error": {"code": "invalid_input", "details": {"reason": "file_type"}}}


def answers(status: int, body: dict[str, Any]) -> Callable[[Route], None]:
    """An answer of the desk to files that are sent."""
    headers = {"Access-Control-Allow-Origin": "*"}
    return lambda route: route.fulfill(status=status, json=body, headers=headers)


def chatting(desk: Desk, shopper: Shopper) -> Shopper:
    """A shopper in a chat to which files can be added."""
    desk.shop["articles"] = True
    shopper.visit().begin()
    shopper.panel.locator(".clip").wait_for()
    return shopper


def choose(shopper: Shopper) -> None:
    shopper.panel.locator(".composer input[type=file]").set_input_files([LAMP])


def test_words_go_with_their_file_whatever_comes_late(desk: Desk, shopper: Shopper) -> None:
    held: list[Route] = []
    # Nothing that takes files may be on its way when the words are sent.
    shopper.page.route("**/files.js", lambda route: held.append(route))  # noqa: PLW0108  # needs its code
    shopper.page.route("**/visitor/files", answers(201, TAKEN))
    chatting(desk, shopper)
    choose(shopper)
    shopper.writes("It came like this")
    wait_until(lambda: desk.bodies == ["It came like this"])
    [sent] = desk.sent("message.post")
    assert [block["id"] for block in sent.get("blocks") or []] == ["f1"]


def test_a_refused_file_holds_the_message_and_its_button(desk: Desk, shopper: Shopper) -> None:
    shopper.page.route("**/visitor/files", answers(415, REFUSED))
    chatting(desk, shopper)
    send = shopper.panel.get_by_role("button", name="Send", exact=True)
    choose(shopper)
    file = shopper.panel.locator(".tray li")
    expect(file.get_by_role("alert")).to_have_text("Files of this kind are not taken.")
    expect(send).to_be_disabled()
    shopper.writes("It came like this")
    expect(send).to_be_disabled()
    file.get_by_role("button", name="Remove lamp.txt").click()
    expect(send).to_be_enabled()
    send.click()
    shopper.sees("It came like this")
    wait_until(lambda: desk.bodies == ["It came like this"])
    assert not desk.sent("message.post")[0].get("blocks")


def test_a_file_can_be_sent_alone_also_by_who_comes_back_to_it(
    desk: Desk, shopper: Shopper
) -> None:
    shopper.page.route("**/visitor/files", answers(201, TAKEN))
    chatting(desk, shopper)
    choose(shopper)
    expect(shopper.panel.locator(".tray li")).to_contain_text("ready")
    shopper.panel.get_by_role("button", name="Back to start").click()
    shopper.begin()
    shopper.panel.get_by_role("button", name="Send", exact=True).click()
    wait_until(lambda: desk.sent("message.post"))
    assert [block["id"] for block in desk.sent("message.post")[0]["blocks"]] == ["f1"]


def test_a_file_that_was_not_sent_goes_with_who_signs_out(desk: Desk, shopper: Shopper) -> None:
    shopper.page.route("**/visitor/files", answers(201, TAKEN))
    chatting(desk, shopper)
    choose(shopper)
    expect(shopper.panel.locator(".tray li")).to_contain_text("ready")
    shopper.run("Shopbell.logout()")
    expect(shopper.panel.locator(".tray li")).to_have_count(0)


def test_a_file_goes_up_by_itself_once_there_is_a_line_again(desk: Desk, shopper: Shopper) -> None:
    shopper.page.route("**/visitor/files", lambda route: route.abort())
    chatting(desk, shopper)
    choose(shopper)
    file = shopper.panel.locator(".tray li")
    expect(file.get_by_role("alert")).not_to_be_empty()
    desk.stop()
    expect(shopper.banner).not_to_be_empty()
    shopper.page.unroute("**/visitor/files")
    shopper.page.route("**/visitor/files", answers(201, TAKEN))
    desk.start()
    expect(file).to_contain_text("ready")


def test_a_file_of_which_nobody_could_ask_is_not_called_gone(desk: Desk, shopper: Shopper) -> None:
    # The second look is taken by the test.
    shopper.page.add_init_script(
        """window.later = []; const wait = setTimeout;
        window.setTimeout = (fn, ms, ...rest) =>
            ms === 10000 ? later.push(fn) : wait(fn, ms, ...rest)"""
    )
    shopper.page.route("**/visitor/files/f1", lambda route: route.abort())
    chatting(desk, shopper).writes("hello")
    desk.says("", blocks=[TAKEN])
    card = shopper.log.locator(".card.file")
    wait_until(lambda: shopper.run("later.length"))
    expect(card).not_to_contain_text("not there any more")
    shopper.page.unroute("**/visitor/files/f1")
    known = {"id": "f1", "state": "clean", "url": "/f1", "expires_at_ms": 9_999_999_999_999}
    shopper.page.route("**/visitor/files/f1", answers(200, known))
    shopper.run("later.forEach((fn) => fn())")
    expect(shopper.log.get_by_role("link", name="lamp.txt")).to_be_visible()
