"""A shop with one agent, served for real, and the two people of every test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from server.actions.people import add_person
from server.actions.shop import init_shop, set_site
from server.actions.sign_in import hash_password
from server.config import Settings
from server.domain.actors import SYSTEM
from server.storage.database import Database
from tests.browser.shop_page import ShopPage
from tests.support.browser import Pages
from tests.support.ports import HOST, free_port
from tests.support.server import ServerProcess
from tests.support.sqlite import put_migrated
from tests.support.waiting import LIMIT_S, wait_until
from tests.widget.conftest import Shopper

EMAIL = "chen.hao@shop.example"
PASSWORD = "a walnut lamp on the desk"
_HASH = hash_password(PASSWORD)


@dataclass(frozen=True, slots=True)
class Stage:
    """The running desk and a shop's page that embeds its widget."""

    server: ServerProcess
    shop: ShopPage
    pages: Pages

    def shopper(self, **options: object) -> Shopper:
        """Somebody on the shop's page, in a browser of their own."""
        page = self.pages.context(**options).new_page()  # type: ignore[arg-type]  # handed on
        return Shopper(self.shop, page).visit()  # type: ignore[arg-type]  # has page(), all it needs

    def agent(self, at: str = "/console", **options: object) -> Agent:
        """The agent, signed in, in a browser of their own."""
        page = self.pages.open(
            f"{self.server.url}/sign-in?next={at}",
            **options,
        )
        page.locator("input[name=email]").fill(EMAIL)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(re.compile(re.escape(at)))
        return Agent(page)


class Agent:
    """What a person does in the console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.locator(".conv")
        self.input = page.locator("#composer")

    def opens(self, text: str) -> Agent:
        """Opens the conversation whose row shows the text."""
        self.rows.filter(has_text=text).first.click()
        self.input.wait_for()
        return self

    def writes(self, *texts: str) -> None:
        """Sends replies one after the other."""
        for text in texts:
            self.input.fill(text)
            self.input.press("Enter")
            expect(self.input).to_have_value("")

    def sees(self, *texts: str) -> None:
        """Waits until the thread shows exactly these messages and notes, in this order."""
        wait_until(lambda: self.texts() == list(texts), what=f"{texts}, shown {self.texts()}")

    def texts(self) -> list[str]:
        """The messages and notes of the open thread."""
        return self.page.locator(".log :is(.bub, .note) p").all_inner_texts()


@pytest.fixture
def stage(
    start_server: Callable[..., ServerProcess], data_dir: Path, pages: Pages
) -> Iterator[Stage]:
    """A served shop with one agent; rate limits off, so that a test may write as fast as it can."""
    port = free_port(in_a_row=2)
    site_key = _set_up(data_dir)
    shop = ShopPage(desk_url=f"http://{HOST}:{port}", site_key=site_key)
    with closing(_opened(data_dir)) as database:
        database.write_now(lambda tx: set_site(tx, SYSTEM, origins=[shop.url]))
    server = start_server(port=port, env={"SHOPBELL_RATE_LIMITS": "off"})
    yield Stage(server, shop, pages)
    shop.close()


def _set_up(data_dir: Path) -> str:
    """Makes the shop and its agent, as the commands do; the site key."""
    with closing(_opened(data_dir)) as database:
        site_key = database.write_now(
            lambda tx: init_shop(
                tx, name="Mori & Oak", locale="en", timezone="Asia/Shanghai", currency="CNY"
            )
        )
        database.write_now(
            lambda tx: add_person(
                tx, SYSTEM, email=EMAIL, name="Chen Hao", role="agent", password_hash=_HASH
            )
        )
    return site_key


def _opened(data_dir: Path) -> Database:
    path = Settings(data_dir=data_dir).sqlite_path
    put_migrated(path)
    return Database(None, path, patience_s=LIMIT_S)
