"""What is noted of a shopper's pages: nothing before a yes, nothing after a no, never too much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any  # Any: JSON values

import pytest
from sqlalchemy import Connection

from server.actions import consents, visits
from server.actions.payload import parse
from server.domain.consent import PURPOSES, Purpose, holds
from server.domain.errors import InvalidInput, TooMany
from server.storage.consents import allowed, consent_states, consents_of
from server.storage.customers import change_customer
from server.storage.persons import members
from server.storage.shop import load_shop, update_shop
from server.storage.tables import PageDay, PageEvent, table
from server.storage.unit import Tx
from server.storage.visits import cart_view, latest_cart, now_of, visits_of
from tests.actions.scene import Scene

Json = dict[str, Any]  # Any: JSON values
LAMP = {
    "id": "7",
    "sku": "LMP-207",
    "title": "Walnut desk lamp",
    "price": "428.00",
    "currency": "CNY",
}
CART = {
    "token": "c-1",
    "currency": "CNY",
    "total": "856.00",
    "lines": [{"sku": "LMP-207", "title": "Walnut desk lamp", "quantity": 2, "price": "428.00"}],
}


class Browser:
    """What a shopper's browser tells."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.shopper = scene.shopper()
        self.id = self.shopper.id or ""

    def says(self, **purposes: bool) -> Json:
        payload = {"purposes": purposes, "text_version": "2026-11", "language": "en"}
        return self.scene.do(
            consents.set_consent, self.shopper, parse(consents.SaidFrom, payload | {"address": "1"})
        )

    def views(self, url: str = "https://shop.example/p/1", **more: object) -> Json:
        payload = parse(visits.ViewPage, {"url": url, **more})
        return self.scene.do(visits.view_page, self.shopper, payload)

    def searches(self, term: str) -> Json:
        return self.scene.do(
            visits.search_page, self.shopper, parse(visits.SearchPage, {"term": term})
        )

    def fills_cart(self, **more: object) -> Json:
        payload = parse(visits.UpdateCart, CART | more)
        return self.scene.do(visits.update_cart, self.shopper, payload)

    def kept(self) -> list[Json]:
        return self.scene.database.read_now(lambda c: visits_of(c, [self.id], 200))

    def now(self) -> Json | None:
        at_ms = self.scene.time.at_ms
        return self.scene.database.read_now(lambda c: now_of(c, [self.id], at_ms=at_ms))

    def cart(self) -> Json | None:
        at_ms = self.scene.time.at_ms

        def look(connection: Connection) -> Json | None:
            row = latest_cart(connection, [self.id])
            return None if row is None else cart_view(connection, [self.id], row, at_ms=at_ms)

        return self.scene.database.read_now(look)


@pytest.fixture
def browser(scene: Scene) -> Browser:
    return Browser(scene)


def test_without_a_yes_nothing_is_noted_and_the_chat_works(browser: Browser) -> None:
    assert browser.views() == {"recorded": False, "reason": "consent"}
    assert browser.fills_cart() == {"recorded": False, "reason": "consent"}
    assert browser.searches("lamp") == {"recorded": False, "reason": "consent"}
    assert (browser.kept(), browser.cart(), browser.now()) == ([], None, None)
    browser.scene.post(browser.shopper, "Is it in stock?")


def test_after_a_yes_it_is_known_what_the_shopper_looks_at(browser: Browser) -> None:
    assert browser.says(analytics=True) == {"consents": {"analytics": "given"}}
    assert browser.views("https://shop.example/") == {"recorded": True}
    browser.scene.time.pass_s(5)
    browser.views("https://u:p@shop.example/p/7?mail=a@b.example#top", title="Lamp", product=LAMP)
    now = browser.now()
    assert now is not None
    assert (now["url"], now["title"]) == ("https://shop.example/p/7", "Lamp")
    assert now["product"]["price_minor"] == 42800
    browser.scene.time.pass_s(5)
    browser.searches("warm white bulb")
    assert (browser.now() or {})["term"] == "warm white bulb"
    browser.scene.time.pass_s(31 * 60)
    assert browser.now() is None
    assert [row["kind"] for row in browser.kept()] == ["search", "product", "page"]


def test_a_no_takes_back_what_was_noted_in_one_step(browser: Browser) -> None:
    browser.says(analytics=True, profiling=False)
    browser.views()
    browser.fills_cart()
    assert browser.says(analytics=False)["consents"] == {
        "analytics": "refused",
        "profiling": "refused",
    }
    assert (browser.kept(), browser.cart(), browser.now()) == ([], None, None)
    assert browser.views()["recorded"] is False
    log = browser.scene.database.read_now(lambda c: consents_of(c, [browser.id]))
    said = [(c.purpose, c.state) for c in log]
    assert sorted(said[:2]) == [("analytics", "given"), ("profiling", "refused")]
    assert said[2:] == [("analytics", "refused")]
    assert {c.text_version for c in log} == {"2026-11"}
    assert all(c.ip_hash and c.ip_hash != "1" for c in log)


def test_saying_the_same_again_adds_nothing(browser: Browser) -> None:
    browser.says(analytics=True)
    browser.says(analytics=True)
    assert len(browser.scene.database.read_now(lambda c: consents_of(c, [browser.id]))) == 1


@pytest.mark.parametrize(
    "term", ["anna@example.com", "+49 170 1234567", "4111 1111 1111 1111", "138-0013-8000"]
)
def test_a_search_for_what_looks_like_a_person_is_not_kept(browser: Browser, term: str) -> None:
    browser.says(analytics=True)
    assert browser.searches(term) == {"recorded": False, "reason": "personal"}
    assert browser.kept() == []


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/p/7", "https://", "http://[::1", ""])
def test_only_addresses_of_pages_are_taken(browser: Browser, url: str) -> None:
    browser.says(analytics=True)
    with pytest.raises(InvalidInput):
        browser.views(url)


def test_sixty_a_minute_are_taken_and_no_more(browser: Browser) -> None:
    browser.says(analytics=True)
    for _ in range(visits.A_MINUTE):
        browser.views()
    with pytest.raises(TooMany):
        browser.views()
    assert len(browser.kept()) == visits.A_MINUTE
    browser.scene.time.pass_s(61)
    assert browser.views() == {"recorded": True}


def test_a_cart_left_alone_for_an_hour_is_abandoned(browser: Browser) -> None:
    browser.says(analytics=True)
    browser.fills_cart()
    cart = browser.cart()
    assert cart is not None
    assert (cart["total_minor"], cart["abandoned"]) == (85600, False)
    assert cart["lines"][0]["price_minor"] == 42800
    browser.scene.time.pass_s(60 * 60)
    assert (browser.cart() or {})["abandoned"] is True
    browser.fills_cart(lines=[], total="0")
    assert browser.cart() is None


def test_nobody_takes_over_a_cart_by_naming_its_token(browser: Browser, scene: Scene) -> None:
    other = Browser(scene)
    for one in (browser, other):
        one.says(analytics=True)
    browser.fills_cart()
    other.fills_cart(total="1.00")
    assert (browser.cart() or {})["total_minor"] == 85600
    assert other.cart() is None
    other.fills_cart(lines=[])
    assert browser.cart() is not None


def test_the_shop_may_turn_the_notes_off(browser: Browser) -> None:
    def turn_off(tx: Tx) -> None:
        shop = load_shop(tx.connection)
        assert shop is not None
        update_shop(tx, replace(shop, settings={"privacy": {"page_events": False}}))

    browser.says(analytics=True)
    browser.scene.database.write_now(turn_off)
    assert browser.views() == {"recorded": False, "reason": "off"}


def test_after_ninety_days_only_sums_are_left(browser: Browser, scene: Scene) -> None:
    other = Browser(scene)
    for one in (browser, other):
        one.says(analytics=True)
    for one in (browser, browser, other):
        one.views(product=LAMP)
    browser.searches("lamp")
    browser.fills_cart()
    scene.time.pass_s(90 * 86400 + 1)
    browser.views()
    while scene.database.write_now(visits.fold_old) == visits.FOLD_AT_ONCE:
        pass
    assert [row["kind"] for row in browser.kept()] == ["page"]
    days = scene.database.read_now(
        lambda c: {
            (row["kind"], row["key"]): (row["events"], row["visitors"])
            for row in c.execute(table(PageDay).select()).mappings()
        }
    )
    assert days == {
        ("product", "LMP-207"): (3, 2),
        ("search", "lamp"): (1, 1),
        ("cart", ""): (1, 1),
    }


def test_the_strictest_word_of_all_records_of_a_person_counts(scene: Scene) -> None:
    one, other = Browser(scene), Browser(scene)
    one.says(analytics=True)
    other.says(analytics=False)
    scene.database.write_now(
        lambda tx: change_customer(
            tx, other.id, merged_into=one.id, merged_as="merge", person_id=one.id
        )
    )
    rows = scene.database.read_now(lambda c: members(c, one.id))
    assert set(rows) == {one.id, other.id}
    assert not scene.database.read_now(lambda c: allowed(c, rows, "analytics"))
    assert one.views()["recorded"] is False
    states = scene.database.read_now(lambda c: consent_states(c, rows))
    assert states["analytics"]["state"] == "refused"
    assert states["marketing_email"] == {"state": "unsaid", "at_ms": None}


def test_staff_write_down_what_a_customer_told_them(scene: Scene) -> None:
    mei, browser = scene.person("mei"), Browser(scene)
    browser.says(profiling=True)
    scene.post(browser.shopper)
    payload = {"customer_id": browser.id, "purpose": "profiling", "given": False}
    scene.do(consents.record_consent, mei, parse(consents.RecordConsent, payload))
    log = scene.database.read_now(lambda c: consents_of(c, [browser.id]))
    assert (log[-1].source, log[-1].by, log[-1].state) == ("agent", "mei", "refused")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_one_no_outweighs_any_number_of_yes(purpose: Purpose) -> None:
    assert holds(purpose, ["given", "refused", "given"]) is (purpose == "service")
    assert holds(purpose, ["given"]) is True


def test_page_events_hold_no_more_than_they_say(browser: Browser) -> None:
    browser.says(analytics=True)
    browser.views("https://shop.example/p?token=SECRET", product=LAMP | {"note": "SECRET"})
    rows = browser.scene.database.read_now(
        lambda c: str(list(c.execute(table(PageEvent).select()).mappings()))
    )
    assert "SECRET" not in rows
