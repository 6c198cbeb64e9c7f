"""Takes the pictures of the README from a running demo: ``python -m tests.tools.screenshots``.

Each picture is what a visitor of the demo sees after the same few steps. Look at them before you
commit them: a script cannot see that something is ugly.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from server.demo import DEMO_PASSWORD
from tests.support.browser import Pages, Theme, launch
from tests.support.server import ServerProcess

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
MOST_BYTES = 250_000
START_LIMIT_S = 180.0
AGENT = "chen.hao@mori-oak.example"
SUPERVISOR = "wang.min@mori-oak.example"
PRODUCT = "LMP-207"
CHAT = {
    "en": (
        "Hello! Is the wood of this lamp real walnut?",
        "Yes, the base is turned from one piece. Every one has its own grain.",
        "Lovely. Does a bulb come with it?",
    ),
    "zh": (
        "你好，这盏灯是真的胡桃木吗？",
        "是的，底座是整块黑胡桃木车出来的，每一盏的纹理都不一样。",
        "太好了，灯泡是一起送的吗？",
    ),
}
# So many conversations make a desk that looks alive; the simulated shoppers need a while.
ROWS = 5
ALIVE_LIMIT_MS = 150_000


def main() -> None:
    """Starts a demo with traffic, takes every picture, and says how large each is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder for the pictures")
    folder: Path = parser.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        ServerProcess(Path(data) / "demo", mode="demo").start(START_LIMIT_S) as server,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        pages = Pages(browser)
        try:
            for locale, theme in (("en", "light"), ("zh", "dark")):
                take(pages, server, locale, theme, folder)  # type: ignore[arg-type]  # a pair of literals
        finally:
            pages.close()
            browser.close()
    too_large = [p.name for p in folder.glob("*.png") if p.stat().st_size > MOST_BYTES]
    for path in sorted(folder.glob("*.png")):
        print(f"{path.stat().st_size:>8}  {path.name}")
    if too_large:
        raise SystemExit(f"over {MOST_BYTES} bytes: {', '.join(too_large)}")


def take(pages: Pages, server: ServerProcess, locale: str, theme: Theme, folder: Path) -> None:
    """The three surfaces in one language and one theme."""
    language = "zh-CN" if locale == "zh" else "en-US"
    ask, answer, ask_again = CHAT[locale]

    def person(width: int, height: int) -> BrowserContext:
        return pages.context(width=width, height=height, language=language, theme=theme)

    agent = sign_in(person(1440, 860), server, AGENT, f"/console?lang={locale}")
    expect(agent.locator(".conv").nth(ROWS - 1)).to_be_attached(timeout=ALIVE_LIMIT_MS)
    shopper = person(1440, 860).new_page()
    shopper.goto(f"{server.storefront_url}/{locale}/p/{PRODUCT}")
    open_chat(shopper)
    write(shopper, ask)
    # Whoever it was given to, or the queue: the search finds it.
    search = agent.get_by_role("searchbox")
    search.fill(ask)
    agent.locator(".conv").filter(has_text=ask[:12]).first.click()
    search.fill("")
    composer = agent.locator("#composer")
    composer.fill(answer)
    composer.press("Enter")
    expect(shopper.locator("shopbell-chat .panel").get_by_text(answer)).to_be_visible()
    write(shopper, ask_again)
    expect(agent.locator(".log").get_by_text(ask_again)).to_be_visible()
    agent.get_by_role("tab").first.click()
    expect(agent.locator(".conv").nth(1)).to_be_visible()
    shopper.screenshot(path=folder / f"storefront.{locale}.png")
    agent.screenshot(path=folder / f"console.{locale}.png")
    report = sign_in(person(1280, 900), server, SUPERVISOR, f"/reports?lang={locale}")
    report.screenshot(path=folder / f"report.{locale}.png")


def sign_in(context: BrowserContext, server: ServerProcess, email: str, path: str) -> Page:
    """A page of the desk, signed in as one of the demo's people."""
    page = context.new_page()
    page.goto(f"{server.url}/sign-in?next={path.split('?', maxsplit=1)[0]}")
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(DEMO_PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(re.compile(re.escape(path.split("?", maxsplit=1)[0])))
    page.goto(f"{server.url}{path}")
    return page


def open_chat(page: Page) -> None:
    """Opens the panel and goes to the conversation."""
    panel = page.locator("shopbell-chat .panel")
    page.locator("shopbell-chat .launch").click()
    panel.locator(".home .primary").click()
    panel.locator(".composer textarea").wait_for()


def write(page: Page, text: str) -> None:
    """Sends a message from the widget and waits until it stands in the thread."""
    panel = page.locator("shopbell-chat .panel")
    panel.locator(".composer textarea").fill(text)
    panel.locator(".composer textarea").press("Enter")
    expect(panel.get_by_role("log").get_by_text(text)).to_be_visible()


if __name__ == "__main__":
    main()
