"""Every surface, in both languages and themes and at both widths, breaks no rule of axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage
from tests.support.browser import axe, sights

LANGUAGES = ("en", "zh")
BROWSER_LANGUAGE = {"en": "en-US", "zh": "zh-CN"}


def fits(page: Page) -> bool:
    """True when nothing sticks out to the side."""
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))


# Sixteen looks; on two busy cores that is minutes.
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

    def look(page: Page, name: str, language: str, within: str | None = None) -> None:
        for sight in sights(page, language):
            found[f"{name} {sight}"] = (axe(page, within=within), within is not None or fits(page))

    for language, told in BROWSER_LANGUAGE.items():
        page = stage.pages.context(language=told, storage_state=signed_in).new_page()
        for name, path in (("console", "/console"), ("report", "/reports")):
            page.goto(f"{stage.server.url}{path}?lang={language}")
            if name == "console":
                page.locator(".conv").first.click()
                page.locator("#composer").wait_for()
                # What comes with the first conversation.
                page.locator("#side").wait_for(state="attached")
                page.locator(".finders").wait_for()
            expect(page.locator("html")).to_have_attribute(
                "lang", "zh-CN" if language == "zh" else "en"
            )
            look(page, name, language)
        page.context.close()
        guest = stage.pages.open(f"{stage.server.url}/sign-in?lang={language}", language=told)
        look(guest, "sign-in", language)
        guest.context.close()
        kept = writer.page.context.storage_state()
        shopper = stage.shopper(language=told, storage_state=kept)
        shopper.run("Shopbell('open')")
        shopper.panel.wait_for()
        look(shopper.page, "widget", language, within="shopbell-chat")
        shopper.page.context.close()
    assert {name: what for name, what in found.items() if what != ([], True)} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_of_320_px_needs_no_sideways_scrolling(stage: Stage, language: str) -> None:
    page = stage.pages.open(f"{stage.server.url}/sign-in?lang={language}", width=320, height=640)
    assert fits(page)
    agent = stage.agent(width=320, height=640, language=BROWSER_LANGUAGE[language])
    agent.page.locator("#list").wait_for()
    assert fits(agent.page)
