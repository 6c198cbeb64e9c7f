"""The desk that the widget's tests talk to, and a shopper in front of a shop page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page

from tests.support.browser import Pages
from tests.support.waiting import wait_until
from tests.widget.peer import Desk

# The panel was open on the page before, and does not take the whole screen.
OPENS_ITSELF = """() => {
    try {
        const open = Object.keys(localStorage).some((key) => /^shopbell\\..*\\.open$/.test(key));
        return open && !matchMedia("(max-width: 480px)").matches;
    } catch {
        return false; // storage is forbidden on this page: nothing is remembered
    }
}"""


class Shopper:
    """What a person does with the widget in one tab."""

    def __init__(self, desk: Desk, page: Page) -> None:
        self.desk = desk
        self.page = page
        self.launcher = page.locator("shopbell-chat .launch")
        self.panel = page.locator("shopbell-chat .panel")
        self.input = self.panel.locator(".composer textarea")
        self.log = self.panel.get_by_role("log")
        self.banner = self.panel.locator(".banner")
        self.badge = page.locator("shopbell-chat .badge")

    def visit(self, query: str = "", path: str = "") -> Shopper:
        self.page.goto(self.desk.page(path + ("?" + query if query else "")))
        if self.page.evaluate(OPENS_ITSELF):
            # A click on the launcher that comes later would close it.
            self.panel.wait_for()
        return self

    def open(self) -> Shopper:
        self.launcher.click()
        self.panel.wait_for()
        return self

    def begin(self) -> Shopper:
        """Opens the panel and goes to the conversation."""
        if not self.panel.is_visible():
            self.open()
        start = self.panel.locator(".home .primary")
        # One of the two shows, once the panel is drawn; a moment earlier neither does.
        start.or_(self.input).filter(visible=True).first.wait_for()
        if start.is_visible():
            # Not by the mouse: the button moves when the desk says how long answers take.
            start.press("Enter")
        self.input.wait_for()
        return self

    def writes(self, *texts: str) -> None:
        for text in texts:
            self.input.fill(text)
            self.input.press("Enter")

    def sees(self, *texts: str) -> None:
        """Waits until the thread shows exactly these messages, in this order."""
        wait_until(lambda: self.texts() == list(texts), what=f"{texts}, shown {self.texts()}")

    def texts(self) -> list[str]:
        found: list[str] = self.bubbles().evaluate_all(
            """nodes => nodes.map((node) => {
                const copy = node.cloneNode(true);
                copy.querySelectorAll('.unseen').forEach((name) => name.remove());
                return copy.textContent;
            })"""
        )
        return found

    def bubbles(self) -> Locator:
        return self.log.locator(".bubble:not(.typing)")

    def run(self, script: str) -> object:
        return self.page.evaluate(script)


@pytest.fixture
def desk() -> Iterator[Desk]:
    running = Desk()
    yield running
    running.close()


@pytest.fixture
def context(pages: Pages) -> BrowserContext:
    return pages.context()


@pytest.fixture
def shopper(desk: Desk, context: BrowserContext) -> Shopper:
    return Shopper(desk, context.new_page())
