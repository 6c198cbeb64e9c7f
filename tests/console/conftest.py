"""The peer, and the console opened in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any  # Any: options of the browser

import pytest
from playwright.sync_api import Page

from tests.console.peer import Peer
from tests.support.browser import Pages
from tests.support.waiting import wait_until

READY = "() => document.querySelector('#list')?.ariaBusy === 'false'"


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A server with an empty desk, running."""
    served = Peer().start()
    yield served
    served.close()


@pytest.fixture
def open_console(peer: Peer, pages: Pages) -> Callable[..., Page]:
    """Opens the console of the peer: ``at`` is what follows the address, options as for a page.

    With ``still`` the page's clock stands from the first moment; see wait_ticking.
    """

    def open_it(at: str = "", *, still: bool = False, **options: Any) -> Page:  # Any: handed on
        page = pages.context(**options).new_page()
        if still:
            page.clock.install()
            page.clock.pause_at(time.time() + 60)  # ahead, however long this takes to arrive
        page.goto(peer.url + at)
        if still:
            wait_ticking(page, lambda: page.evaluate(READY))
        else:
            page.wait_for_function(READY)
        return page

    return open_it


def wait_ticking(page: Page, condition: Callable[[], object]) -> None:
    """Waits while a page's standing clock goes on in steps so small that little time passes."""

    def after_a_tick() -> object:
        page.clock.run_for(1)
        return condition()

    wait_until(after_a_tick)
