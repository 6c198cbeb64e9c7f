"""Chromium as people use it, and the accessibility checker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal  # Any: what a page evaluates to

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Playwright,
    expect,
)

from tests.support.tools import require

# No sandbox: the suite may run as root in a container. The rest keeps it from calling home.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--force-color-profile=srgb",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
# WCAG 2.2 A and AA, and axe's own good practice.
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# How long anything is waited for, where Playwright itself would take 5 s to expect something: that
# a machine does much else is no fault, and a limit costs nothing when all goes well.
LIMIT_MS = 60_000

Theme = Literal["light", "dark"]
# Themes and widths for each language: together they meet each pair of a language, a theme and a
# width. Rules of axe read one element in one style, so all eight would find no more.
SIGHTS: dict[str, tuple[tuple[Theme, int], ...]] = {
    "en": (("light", 1440), ("dark", 390)),
    "zh": (("dark", 1440), ("light", 390)),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a page breaks, and the elements that break it."""

    rule: str
    impact: str
    help: str
    elements: tuple[str, ...]


class Pages:
    """Opens pages in fresh profiles and remembers what went wrong in them."""

    def __init__(self, browser: Browser) -> None:
        """Pages of this browser; close() ends them all."""
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def context(
        self,
        *,
        width: int = 1440,
        height: int = 900,
        language: str = "en-US",
        theme: Theme = "light",
        touch: bool = False,
        reduced_motion: bool = True,
        **options: Any,  # Any: handed to Playwright as it is
    ) -> BrowserContext:
        """A fresh profile: one person at one machine. Tabs of the same person share it."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme=theme,
            has_touch=touch,
            reduced_motion="reduce" if reduced_motion else "no-preference",
            **options,
        )
        context.set_default_timeout(LIMIT_MS)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", self._on_console)
        self._contexts.append(context)
        return context

    def open(self, url: str, **options: Any) -> Page:  # Any: handed on to context()
        """A page in a fresh profile, loaded; options as for context()."""
        page = self.context(**options).new_page()
        page.goto(url)
        return page

    def screenshots(self, folder: Path) -> None:
        """Writes a picture of every open page into a folder, numbered in order of opening.

        A page that is too busy for one goes without: what failed is told already.
        """
        pages = [page for context in self._contexts for page in context.pages]
        for number, page in enumerate(pages, 1):
            with suppress(Error):
                page.screenshot(path=folder / f"{number}.png")

    def close(self) -> None:
        """Closes every page that was opened."""
        while self._contexts:
            self._contexts.pop().close()

    def _on_console(self, message: ConsoleMessage) -> None:
        # A refused connection is an error line too, but a lost network is part of many tests.
        if message.type == "error" and "Content Security Policy" in message.text:
            self.errors.append(message.text)


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium without a window; from now on ``expect`` is as patient as pages are."""
    expect.set_options(timeout=LIMIT_MS)
    return playwright.chromium.launch(
        executable_path=require("chromium"), args=list(CHROMIUM_ARGUMENTS)
    )


def texts_of(element: Locator) -> Callable[[], list[str]]:
    """Gives every text that an element has had since this call, the first one included.

    For what stands only for a while: a test that looked at the wrong moments would miss it.
    """
    element.evaluate(
        """element => {
            const texts = (element.texts = [element.textContent]);
            const note = () => texts.push(element.textContent);
            new MutationObserver(note).observe(element,
                {childList: true, subtree: true, characterData: true});
        }"""
    )

    def told() -> list[str]:
        texts: list[str] = element.evaluate("element => element.texts")
        return texts

    return told


def settled(page: Page) -> None:
    """Waits until a page has its fonts and has drawn what was asked of it."""
    page.evaluate(
        """async () => {
            await document.fonts.ready;
            const drawn = () => new Promise((done) => requestAnimationFrame(done));
            await drawn();
            await drawn();
        }"""
    )


def sights(page: Page, language: str) -> Iterator[str]:
    """The names of the looks of SIGHTS, while the page has each of them.

    The page follows without being loaded again, as when a window is made narrower: a load takes
    longer than all that axe does.
    """
    for theme, width in SIGHTS[language]:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        settled(page)
        yield f"{language} {theme} {width}"


def axe(page: Page, *, within: str | None = None, but: Sequence[str] = ()) -> list[Violation]:
    """The accessibility rules that a page breaks, open shadow roots included; [] is what we want.

    ``within`` is a selector to look at only; ``but`` names rules to leave out, with a reason at the
    call. Evaluated by the debugger, so the page's content policy stays as strict as it is.
    """
    settled(page)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe_source())
    found = page.evaluate(
        """async ([within, tags, but]) => {
            const rules = Object.fromEntries(but.map((rule) => [rule, {enabled: false}]));
            const runOnly = {type: 'tag', values: tags};
            // No rule of these reads style sheets themselves: fetching them again takes a while,
            // and one that imports another is copied in a way that the page's policy forbids.
            const options = {runOnly, rules, resultTypes: ['violations'], preload: false};
            return (await axe.run(within ?? document, options)).violations;
        }""",
        [within, list(AXE_TAGS), list(but)],
    )
    return [
        Violation(
            rule=row["id"],
            impact=row["impact"],
            help=row["help"],
            elements=tuple(f"{node['target']} {node['html'][:200]}" for node in row["nodes"]),
        )
        for row in found
    ]


def _axe_source() -> str:
    # The file ends in the value of a function call, which the debugger could not send back.
    return f"() => {{ {Path(require('axe-core')).read_text(encoding='utf-8')}\n return null; }}"
