"""The page of who is who as supervisors meet it, in both languages and themes, at any width."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.http.identity_scene import add_sources, fill
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import make_desk
from tests.support.browser import Pages


@pytest.mark.timeout(600)
def test_the_page_is_fit_for_everybody_and_a_decision_can_be_taken_back(
    pages: Pages, data_dir: Path, tmp_path: Path
) -> None:
    desk = make_desk(data_dir, None)
    desk.write(add_sources)
    desk.write(fill)
    desk.server.start()
    try:
        for width, language, theme in LOOKS:
            context = pages.context(width=width, theme=theme)
            context.add_cookies(
                [{"name": "sid", "value": desk.people["ana"].cookie, "url": desk.url}]
            )
            page = context.new_page()
            page.goto(f"{desk.url}/customers/review?lang={language}")
            _check(page, f"{width} {language} {theme}")
            page.screenshot(path=tmp_path / f"{width}.{language}.{theme}.png", full_page=True)
            context.close()
        context = pages.context(width=1440, theme="light")
        context.add_cookies([{"name": "sid", "value": desk.people["ana"].cookie, "url": desk.url}])
        page = context.new_page()
        page.goto(f"{desk.url}/customers?lang=en")
        page.get_by_role("link", name="Who is who").click()
        conflict = page.locator("section.case", has_text="Conflict")
        conflict.get_by_label("Why (optional)").fill("Called us from one number")
        conflict.get_by_role("button", name="One person").click()
        expect(page.get_by_role("status")).to_contain_text("one person now")
        joined = page.get_by_role("row", name="Called us from one number").first
        joined.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("status")).to_contain_text("every record is what it was")
        expect(page.locator("section.case", has_text="Conflict")).to_have_count(1)
        context.close()
    finally:
        desk.server.kill()
