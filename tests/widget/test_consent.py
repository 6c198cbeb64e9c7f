"""Consent in the widget: asked in one small line, taken back as easily, heeded to the letter."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.browser import Pages
from tests.support.waiting import wait_until
from tests.widget.conftest import Shopper
from tests.widget.peer import Desk

PAGE_EVENTS = ("page.view", "page.search", "cart.update", "checkout.start")
PRODUCT = "{sku: 'LMP-207', title: 'Lamp', price_minor: 42800, currency: 'CNY'}"
LINE = "{sku: 'LMP-207', title: 'Lamp', quantity: 1, price_minor: 42800}"
CART = f"{{currency: 'CNY', total_minor: 42800, lines: [{LINE}]}}"
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"


@pytest.fixture
def asking(desk: Desk) -> Desk:
    """A desk that would like to know what shoppers look at."""
    desk.shop["page_events"] = True
    return desk


def noted(desk: Desk) -> list[str]:
    """The page events that came, in order."""
    return [name for name, _ in desk.commands if name in PAGE_EVENTS]


def test_a_shopper_agrees_goes_on_and_takes_it_back(asking: Desk, shopper: Shopper) -> None:
    shopper.visit("data-locale=en&mail=anna@shop.example", "p/1").open()
    shopper.run(f"Shopbell.page({{product: {PRODUCT}, cart: {CART}}}); 0")
    line = shopper.panel.locator(".consent")
    expect(line).to_contain_text("May we see which pages")
    assert noted(asking) == []
    line.get_by_role("button", name="Yes, share").click()
    wait_until(lambda: sorted(noted(asking)) == ["cart.update", "page.view"])
    view = asking.sent("page.view")[0]
    assert (view["url"].endswith("/p/1"), "mail" in str(view)) == (True, False)
    assert view["product"]["sku"] == "LMP-207"
    assert asking.sent("cart.update")[0]["token"]
    said = asking.sent("consent.set")[0]
    assert said == {
        "purposes": {"analytics": True},
        "text_version": "widget-1",
        "language": "en",
        "source": "widget",
    }
    # The next page is told without another question, and the same page is not told twice.
    shopper.visit("data-locale=en", "p/2")
    wait_until(lambda: len(asking.sent("page.view")) == 2)
    shopper.run("Shopbell.record('search', {term: 'warm lamp'}); Shopbell.record('checkout'); 0")
    wait_until(lambda: asking.sent("checkout.start"))
    wait_until(lambda: asking.sent("page.search") == [{"term": "warm lamp"}])
    shopper.panel.wait_for()  # open as it was before
    line.get_by_role("button", name="Stop sharing").click()
    expect(line).to_contain_text("We do not note")
    wait_until(lambda: len(asking.sent("consent.set")) == 2)
    before = len(noted(asking))
    shopper.run(
        f"Shopbell.page({{cart: {CART}, product: {PRODUCT}}}); Shopbell.record('checkout'); 0"
    )
    shopper.visit("data-locale=en", "p/3")
    shopper.panel.wait_for()
    expect(line).to_contain_text("We do not note")
    shopper.begin().writes("still here")
    wait_until(lambda: asking.bodies == ["still here"])
    assert len(noted(asking)) == before


def test_who_says_nothing_or_no_chats_all_the_same(asking: Desk, shopper: Shopper) -> None:
    shopper.visit("lang=zh").open()
    shopper.panel.get_by_role("button", name="不同意", exact=True).click()
    expect(shopper.panel.locator(".consent")).to_contain_text("我们不会记录")
    shopper.begin().writes("你好")
    wait_until(lambda: asking.bodies == ["你好"])
    assert noted(asking) == []


def test_the_shops_own_tool_speaks_for_the_shopper(asking: Desk, shopper: Shopper) -> None:
    early = (
        "window.Shopbell=[['consent',{analytics:true,profiling:false,odd:true},{version:'cmp-7'}]]"
    )
    shopper.visit(f"early={early}")
    wait_until(lambda: asking.sent("page.view"))
    assert asking.sent("consent.set") == [
        {
            "purposes": {"analytics": True, "profiling": False},
            "text_version": "cmp-7",
            "language": "en",
            "source": "page",
        }
    ]
    # Said again on every page, told once.
    shopper.visit(f"early={early}", "next")
    wait_until(lambda: len(asking.sent("page.view")) == 2)
    shopper.run("Shopbell.consent({analytics: false}); 0")
    wait_until(lambda: len(asking.sent("consent.set")) == 2)
    assert asking.sent("consent.set")[1]["purposes"] == {"analytics": False}


def test_what_the_shops_tool_repeats_does_not_undo_a_no_in_the_panel(
    asking: Desk, shopper: Shopper
) -> None:
    early = "early=window.Shopbell=[['consent',{analytics:true}]]"
    shopper.visit(early).open()
    wait_until(lambda: asking.sent("page.view"))
    shopper.panel.get_by_role("button", name="Stop sharing").click()
    wait_until(lambda: asking.consents["customer-1"] == {"analytics": "refused"})
    # What the desk has not confirmed here is told once more by the next page.
    wait_until(
        lambda: shopper.run("JSON.parse(localStorage[`shopbell.site-1.consent`]).wait") == {}
    )
    shopper.visit(early, "next")
    shopper.panel.wait_for()
    expect(shopper.panel.locator(".consent")).to_contain_text("We do not note")
    assert len(asking.sent("page.view")) == 1
    assert len(asking.sent("consent.set")) == 2
    # Another word of the tool is a new word.
    shopper.run("Shopbell.consent({analytics: false}); Shopbell.consent({analytics: true}); 0")
    wait_until(lambda: asking.consents["customer-1"] == {"analytics": "given"})


def test_a_no_of_the_shops_tool_alone_connects_nobody(asking: Desk, shopper: Shopper) -> None:
    shopper.visit("early=window.Shopbell=[['consent',{analytics:false}]]")
    shopper.page.wait_for_load_state("networkidle")
    assert asking.requests == ["/widget/loader.js"]


def test_global_privacy_control_is_heeded(asking: Desk, pages: Pages) -> None:
    context: BrowserContext = pages.context()
    context.add_init_script(GPC)
    shopper = Shopper(asking, context.new_page()).visit().open()
    expect(shopper.panel.locator(".consent")).to_contain_text("asks not to be tracked")
    expect(shopper.panel.locator(".consent button")).to_have_count(0)
    shopper.run("Shopbell.consent({analytics: true, marketing_email: true}); 0")
    wait_until(lambda: asking.sent("consent.set"))
    assert asking.sent("consent.set")[0]["purposes"] == {"marketing_email": True}
    shopper.begin().writes("hello")
    wait_until(lambda: asking.bodies == ["hello"])
    assert noted(asking) == []


def test_what_was_said_on_another_device_counts_here(asking: Desk, shopper: Shopper) -> None:
    shopper.visit().open()
    shopper.panel.get_by_role("button", name="Yes, share").click()
    wait_until(lambda: len(asking.sent("page.view")) == 1)
    asking.consents["customer-1"] = {"analytics": "refused"}
    shopper.visit("", "next")
    shopper.panel.wait_for()  # open as it was before
    expect(shopper.panel.locator(".consent")).to_contain_text("We do not note")
    assert len(asking.sent("page.view")) == 1


def test_a_yes_counts_in_a_tab_that_is_opened_later(
    asking: Desk, context: BrowserContext, shopper: Shopper
) -> None:
    shopper.visit().open()
    shopper.panel.get_by_role("button", name="Yes, share").click()
    wait_until(lambda: len(asking.sent("page.view")) == 1)
    # It hears the welcome of before from the tab that holds the line.
    other = Shopper(asking, context.new_page()).visit()
    other.panel.wait_for()  # open as it is in the first
    expect(other.panel.locator(".consent")).to_contain_text("You share the pages")
    wait_until(lambda: len(asking.sent("page.view")) == 2)
    assert len(asking.auths) == 1


def test_what_was_lost_with_the_line_is_told_once_there_is_one(
    asking: Desk, shopper: Shopper
) -> None:
    lost = {"ok": False, "error": {"code": "unavailable", "message": ""}}
    told = {"ok": True, "recorded": True}
    asking.canned = {"page.view": [lost, told], "page.search": [lost, told]}
    shopper.visit().open()
    shopper.panel.get_by_role("button", name="Yes, share").click()
    wait_until(lambda: asking.sent("page.view"))
    shopper.run("Shopbell.record('search', {term: 'warm lamp'}); 0")
    wait_until(lambda: asking.sent("page.search"))
    asking.stop()
    expect(shopper.banner).not_to_be_empty()
    asking.start()
    wait_until(lambda: len(asking.sent("page.view")) == 2)
    wait_until(lambda: asking.sent("page.search") == [{"term": "warm lamp"}] * 2)


def test_where_the_shop_does_not_ask_nothing_is_asked(desk: Desk, shopper: Shopper) -> None:
    shopper.visit().open()
    expect(shopper.panel.locator(".home .primary")).to_be_enabled()
    expect(shopper.panel.locator(".consent")).to_have_count(0)
