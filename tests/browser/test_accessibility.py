"""Every surface, in both languages and themes and at both widths, breaks no rule of axe."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage
from tests.support.browser import Theme, axe

LANGUAGES = ("en", "zh")
THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES = ((1440, 900), (390, 844))
LOOKS = list(itertools.product(LANGUAGES, THEMES, SIZES))
LOOK_IDS = [f"{language}-{theme}-{size[0]}" for language, theme, size in LOOKS]
BROWSER_LANGUAGE = {"en": "en-US", "zh": "zh-CN"}


def fits(page: Page) -> bool:
    """True when nothing sticks out to the side."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))


# Thirty-two pages; on two busy cores that is minutes.
@pytest.mark.timeout(600)
def test_no_surface_breaks_a_rule(stage: Stage) -> None:
    writer = stage.shopper().begin()
    writer.writes("Is the walnut lamp dimmable? 这盏台灯可以调光吗?")
    answering = stage.agent().opens("dimmable")
    answering.writes("Yes, in three steps. 可以的,三档。")
    writer.sees(
        "Is the walnut lamp dimmable? 这盏台灯可以调光吗?", "Yes, in three steps. 可以的,三档。"
    )
    signed_in = answering.page.context.storage_state()
    found: dict[str, object] = {}
    for look, (language, theme, (width, height)) in zip(LOOK_IDS, LOOKS, strict=True):
        options = {
            "width": width,
            "height": height,
            "language": BROWSER_LANGUAGE[language],
            "theme": theme,
        }
        staff = stage.pages.context(**options, storage_state=signed_in)  # type: ignore[arg-type]  # handed on
        page = staff.new_page()
        for name, path in (("console", "/console"), ("report", "/reports")):
            page.goto(f"{stage.server.url}{path}?lang={language}")
            if name == "console":
                page.locator(".conv").first.click()
                page.locator("#composer").wait_for()
            expect(page.locator("html")).to_have_attribute(
                "lang", "zh-CN" if language == "zh" else "en"
            )
            found[f"{name} {look}"] = (axe(page), fits(page))
        staff.close()
        guest = stage.pages.open(f"{stage.server.url}/sign-in?lang={language}", **options)
        found[f"sign-in {look}"] = (axe(guest), fits(guest))
        guest.context.close()
        shopper = stage.shopper(**options, storage_state=writer.page.context.storage_state())
        shopper.run("Shopbell('open')")
        shopper.panel.wait_for()
        found[f"widget {look}"] = (axe(shopper.page, within="shopbell-chat"), True)
        shopper.page.context.close()
    assert {name: what for name, what in found.items() if what != ([], True)} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_of_320_px_needs_no_sideways_scrolling(stage: Stage, language: str) -> None:
    page = stage.pages.open(f"{stage.server.url}/sign-in?lang={language}", width=320, height=640)
    assert fits(page)
    agent = stage.agent(width=320, height=640, language=BROWSER_LANGUAGE[language])
    agent.page.locator("#list").wait_for()
    assert fits(agent.page)
