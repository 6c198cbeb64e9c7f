"""The docs page as people meet it: both languages and themes, any width, without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.browser import Pages, Theme, axe
from tests.support.server import ServerProcess

LOOKS: list[tuple[int, str, Theme]] = [
    (1440, "en", "light"),
    (390, "zh", "dark"),
]
NARROWEST = 320


@pytest.mark.timeout(600)
def test_the_page_is_fit_for_everybody(
    start_server: Callable[..., ServerProcess], pages: Pages
) -> None:
    server = start_server()
    for width, language, theme in LOOKS:
        page = pages.open(f"{server.url}/api/v1/docs?lang={language}", width=width, theme=theme)
        assert axe(page) == [], (width, language, theme)
        for size in (width, NARROWEST):
            page.set_viewport_size({"width": size, "height": 800})
            wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide <= screen == size
        page.close()


def test_the_page_reads_the_same_without_scripts(
    start_server: Callable[..., ServerProcess], pages: Pages
) -> None:
    server = start_server()
    texts = []
    for enabled in (True, False):
        page = pages.context(java_script_enabled=enabled).new_page()
        page.goto(f"{server.url}/api/v1/docs?lang=en")
        texts.append(page.locator("main").inner_text())
    assert texts[0] == texts[1]
    assert "conversation.catch_up" in texts[1], "the sockets are there too"
