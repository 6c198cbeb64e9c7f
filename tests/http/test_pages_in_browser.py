"""The pages as people meet them: a first run in Chromium, both languages and themes, any width."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from server.config import Settings
from server.storage.database import Database
from server.storage.people import load_people
from tests.http.desk import PASSWORD
from tests.support.browser import Pages, Theme, axe, texts_of
from tests.support.server import ServerProcess
from tests.support.waiting import LIMIT_S, wait_until

# Together they meet each language, each theme and each width; every pair would meet no more.
LOOKS: list[tuple[int, str, Theme]] = [
    (390, "zh", "dark"),
    (1440, "en", "light"),
]
# The narrowest screen that WCAG asks for; in every language.
NARROWEST = 320


def _set_up(page: Page, server: ServerProcess) -> None:
    page.goto(server.url)
    expect(page).to_have_url(f"{server.url}/setup")
    code = next(word for word in server.stdout.split() if word.count("-") == 2)
    for name, text in (
        ("code", code),
        ("shop", "Mori & Oak"),
        ("name", "Wang Min"),
        ("email", "min@shop.example"),
        ("password", PASSWORD),
    ):
        page.fill(f"[name={name}]", text)
    page.click("button.primary")
    page.wait_for_url("**/console**")


def _check(page: Page, what: str) -> None:
    """No fault that axe knows, and nothing beyond the edge of the screen."""
    assert axe(page) == [], what
    size = page.viewport_size
    assert size is not None
    for width in (NARROWEST, size["width"]):
        page.set_viewport_size({"width": width, "height": size["height"]})
        wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= screen == width, f"{what} scrolls sideways at {width}"


@pytest.mark.timeout(600)
def test_a_shop_is_set_up_and_every_page_is_fit_for_everybody(
    start_server: Callable[..., ServerProcess], pages: Pages, data_dir: Path
) -> None:
    server = start_server()
    for width, language, theme in LOOKS:
        page = pages.open(f"{server.url}/setup?lang={language}", width=width, theme=theme)
        _check(page, f"set-up {width} {language} {theme}")
        page.close()
    admin = pages.context()
    page = admin.new_page()
    _set_up(page, server)
    database = Database(None, Settings(data_dir=data_dir).sqlite_path, patience_s=LIMIT_S)
    [person] = database.read_now(load_people)
    database.close()
    state = admin.storage_state()
    addresses = [
        "/settings/people",
        f"/settings/people/{person.id}?done=saved",
        "/settings/teams",
        "/settings/shop",
        "/settings/shop/identity",
        "/settings/tokens",
        "/settings/profile",
    ]
    for width, language, theme in LOOKS:
        context = pages.context(width=width, theme=theme, storage_state=state)
        page = context.new_page()
        for address in addresses:
            joint = "&" if "?" in address else "?"
            page.goto(f"{server.url}{address}{joint}lang={language}")
            if address == "/settings/people":
                page.click(".who > summary")
            _check(page, f"{address} {width} {language} {theme}")
        context.close()
        stranger = pages.open(f"{server.url}/sign-in?lang={language}", width=width, theme=theme)
        _check(stranger, f"sign-in {width} {language} {theme}")
        stranger.close()


def test_the_keyboard_alone_is_enough_to_sign_in_and_out(
    start_server: Callable[..., ServerProcess], pages: Pages
) -> None:
    server = start_server()
    page = pages.open(server.url)
    _set_up(page, server)
    page = pages.open(f"{server.url}/sign-in?next=/settings/profile")
    page.focus("[name=email]")
    page.keyboard.type("min@shop.example")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    pages.errors.clear()  # the browser notes the refusal, which was meant
    page.focus("[name=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/profile")
    summary = page.locator(".who > summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Sign out")).to_be_hidden()
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")


def test_a_form_that_was_refused_goes_on_where_it_is_wrong(
    start_server: Callable[..., ServerProcess], pages: Pages
) -> None:
    server = start_server()
    page = pages.open(server.url, width=390)
    _set_up(page, server)
    page.goto(f"{server.url}/settings/profile")
    page.fill("[name=current]", "not the password")
    page.fill("[name=password]", "walnut-lamp-429")
    page.keyboard.press("Enter")
    expect(page.locator("#e-current")).to_be_in_viewport()
    expect(page.locator("[name=current]")).to_be_focused()
    pages.errors.clear()  # the browser notes the refusal, which was meant


def test_the_embed_snippet_is_copied_and_a_theme_is_kept(
    start_server: Callable[..., ServerProcess], pages: Pages
) -> None:
    server = start_server()
    context = pages.context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    _set_up(page, server)
    page.goto(f"{server.url}/settings/shop")
    told = texts_of(page.locator("button[data-copy=snippet]"))
    page.get_by_role("button", name="Copy").click()
    wait_until(lambda: any("Copied" in text for text in told()))
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f'<script src="{server.url}/widget/loader.js" data-site="')
    page.click(".who > summary")
    page.get_by_role("link", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(f"{server.url}/settings/profile")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_printed_report_has_no_buttons(
    start_server: Callable[..., ServerProcess], pages: Pages
) -> None:
    server = start_server()
    page = pages.open(server.url)
    _set_up(page, server)
    page.goto(f"{server.url}/reports")
    expect(page.get_by_role("link", name="CSV")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="CSV")).to_be_hidden()
