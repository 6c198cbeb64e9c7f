"""The peer, and the console opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any  # Any: options of the browser

import pytest
from playwright.sync_api import Page

from tests.console.peer import Peer
from tests.support.browser import Pages


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A server with an empty desk, running."""
    served = Peer().start()
    yield served
    served.close()


@pytest.fixture
def open_console(peer: Peer, pages: Pages) -> Callable[..., Page]:
    """Opens the console of the peer: ``at`` is what follows the address, options as for a page.

    With ``fake_clock`` the page's timers can be run ahead.
    """

    def open_it(at: str = "", **options: Any) -> Page:  # Any: handed on
        fake_clock = options.pop("fake_clock", False)
        page = pages.context(**options).new_page()
        if fake_clock:
            page.clock.install()
        page.goto(peer.url + at)
        page.wait_for_function("() => document.querySelector('#list')?.ariaBusy === 'false'")
        return page

    return open_it
