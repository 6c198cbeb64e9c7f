"""From a monthly figure to one message in three clicks, in both languages and without script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, StorageState, expect

from server.actions.imports import import_events
from server.config import Settings
from server.http.report_pages import PAGES
from server.storage.database import Database
from tests.reports.worked_example import event_lines, write_lines
from tests.support.browser import Pages, axe
from tests.support.server import ServerProcess, shopbell
from tests.support.waiting import LIMIT_S

EMAIL = "wang.min@shop.example"
PASSWORD = "a walnut lamp on the desk"
PERIOD = "from=2026-11-01&to=2026-11-30"


@pytest.fixture
def desk(
    start_server: Callable[..., ServerProcess], data_dir: Path, tmp_path: Path
) -> ServerProcess:
    """A served shop with a supervisor and the worked example as its past."""
    shopbell(
        *("init", "--shop", "Mori & Oak", "--locale", "en"),
        *("--timezone", "Asia/Shanghai", "--currency", "CNY"),
        data_dir=data_dir,
    )
    shopbell(
        *("user", "add", EMAIL, "--name", "Wang Min", "--role", "supervisor", "--password-stdin"),
        data_dir=data_dir,
        stdin=f"{PASSWORD}\n",
    )
    database = Database(None, Settings(data_dir=data_dir).sqlite_path, patience_s=LIMIT_S)
    path = write_lines(tmp_path / "c1.ndjson", event_lines())
    assert import_events(database, path).rejected == []
    database.close()
    return start_server()


@pytest.mark.timeout(600)
def test_three_clicks_lead_from_a_month_to_a_message_on_pages_fit_for_everybody(
    desk: ServerProcess, pages: Pages
) -> None:
    signed_in = _signed_in(desk, pages)
    for language, tag, figure, clock in (
        ("en", "en", "2:30", "For whom the shopper waited"),
        ("zh", "zh-CN", "2:30", "顾客在等谁"),
    ):
        context = pages.context(storage_state=signed_in, java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{desk.url}/reports/times?{PERIOD}&lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", tag)
        page.locator(".kpi .v a", has_text=figure).first.click()
        expect(page.locator("[data-count='4']")).to_be_visible()
        page.locator("tbody th a").nth(2).click()
        expect(page.get_by_text("几天到?")).to_be_visible()
        expect(page.get_by_text("三天")).to_be_visible()
        expect(page.get_by_role("heading", name=clock)).to_be_visible()
        page.locator(".ctl a").first.click()
        expect(page.get_by_text("有货吗")).to_be_visible()
        context.close()
    _every_page_is_fit_for_everybody(desk, pages, signed_in)


def _every_page_is_fit_for_everybody(
    desk: ServerProcess, pages: Pages, signed_in: StorageState
) -> None:
    # Together they meet each language, each theme, each width and each page; more would cost time.
    paths = [*(one.path for one in PAGES.values()), "/reports/staffing", "/reports/live"]
    paths += ["/reports/reviews", "/reports/reviews/draw", "/reports/reviews/scorecard"]
    for (width, language, theme), some in (
        ((1440, "zh", "dark"), paths[::2]),
        ((390, "en", "light"), paths[1::2]),
    ):
        context = pages.context(width=width, theme=theme, storage_state=signed_in)  # type: ignore[arg-type]  # one of both
        page = context.new_page()
        for path in (*some, "/reports/rows"):
            page.goto(f"{desk.url}{path}?metric=csat&{PERIOD}&lang={language}")
            _check(page, f"{path} {width} {language}")
            if width == 390:
                _what_is_wider_can_be_reached(page, path)
        with page.expect_navigation():
            page.locator("tbody th a").first.click()
        _check(page, f"a session {width} {language}")
        # In Chinese the button stands at the right, where its menu would leave a phone's screen.
        page.goto(f"{desk.url}/reports?{PERIOD}&lang=zh")
        page.locator(".pop.small summary").first.click()
        _fits(page, f"a menu {width}")
        context.close()


def _check(page: Page, what: str) -> None:
    """No fault that axe knows, and nothing beyond the edge of the screen."""
    assert axe(page) == [], what
    _fits(page, what)


def _fits(page: Page, what: str) -> None:
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen, f"{what} scrolls sideways"


# What scrolls by itself: whether the keyboard gets there, how far its first column moves with it.
_WIDER = """() => [...document.querySelectorAll("main *")]
  .filter((e) => /auto|scroll/.test(getComputedStyle(e).overflowX))
  .filter((e) => e.scrollWidth > e.clientWidth + 1)
  .map((e) => {
    const name = e.getAttribute("aria-label") ?? e.getAttribute("aria-labelledby") ?? "";
    const reached = e.matches("nav") ? e.querySelector("a") !== null : e.tabIndex === 0;
    e.scrollLeft = e.scrollWidth;
    const place = e.getBoundingClientRect().left;
    const rows = [...e.querySelectorAll(":scope > table tbody th")];
    const moved = rows.map((th) => Math.abs(th.getBoundingClientRect().left - place));
    e.scrollLeft = 0;
    return [name, reached, Math.max(0, ...moved)];
  })"""


def _what_is_wider_can_be_reached(page: Page, what: str) -> None:
    """Has a name, takes the keyboard, and keeps in sight what its rows are about."""
    for name, reached, moved in page.evaluate(_WIDER):
        assert name, what
        assert reached, f"{what}: {name}"
        assert moved <= 1, f"{what}: {name}"


def _signed_in(desk: ServerProcess, pages: Pages) -> StorageState:
    page = pages.open(f"{desk.url}/sign-in?next=/settings/profile")
    page.fill("[name=email]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/settings/profile")
    return page.context.storage_state()
