"""The demo shop as a person sees it: both languages, desk and phone, under its content policy."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Page, expect

from server.demo import shop_words
from server.demo.people import DEMO_SHOP
from server.demo.products import PRODUCTS
from server.demo.words import LOCALES, Locale, Words
from tests.demo.serving import storefront
from tests.support.browser import Pages, axe, sights, texts_of
from tests.support.ports import free_port
from tests.support.tools import require
from tests.support.waiting import LIMIT_S, wait_until

WIDTHS = (1440, 390)
ADDRESSES = ("", "c/sale", "p/LMP-207", "cart", "checkout", "nowhere")


@pytest.fixture(scope="module")
def desk_url() -> str:
    """Where a desk would be; nothing listens there, as when the shop's helpdesk is away."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def shop_url(desk_url: str) -> Iterator[str]:
    with storefront(desk_url=desk_url, site_key="site-1") as url:
        yield url


def watched(page: Page) -> list[str]:
    """Console errors of a page, without the one line that says that the desk is not reachable."""
    errors: list[str] = []
    page.on(
        "console",
        lambda said: (
            errors.append(said.text)
            if said.type == "error" and "ERR_CONNECTION_REFUSED" not in said.text
            else None
        ),
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


def fetch(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_product_has_a_page_and_a_drawing(shop_url: str, locale: Locale) -> None:
    for product in PRODUCTS:
        status, text, _ = fetch(f"{shop_url}/{locale}/p/{product.sku}")
        assert status == 200
        assert product.title.say(locale) in text
        assert fetch(f"{shop_url}/assets/art/{product.sku}.svg")[0] == 200


def test_the_pages_embed_the_widget_of_the_desk(shop_url: str, desk_url: str) -> None:
    _, text, _ = fetch(f"{shop_url}/en/p/LMP-207")
    assert f'<script src="{desk_url}/widget/loader.js" data-site="site-1"' in text
    assert "</script> async" not in text


def test_the_policy_lets_only_the_desk_in(shop_url: str, desk_url: str) -> None:
    _, text, headers = fetch(f"{shop_url}/zh/")
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'self' {desk_url}"
    assert policy["connect-src"] == f"'self' {desk_url} {desk_url.replace('http', 'ws')}"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert " style=" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../storefront.py",
        "/assets/%2e%2e/__init__.py",
        "/assets/..%2f__init__.py",
        "/assets/layout.html",
        "/assets//etc/passwd",
        "/en/p/..%2f..%2fcart",
        "/en/p/%3Cscript%3E",
        "/%00",
        "/fr/",
        "/product.html?sku=nothing",
    ],
)
def test_nothing_but_its_own_files_can_be_named(shop_url: str, path: str) -> None:
    status, text, headers = fetch(shop_url + path)
    assert status == 404
    assert "<script>" not in text
    assert "Content-Security-Policy" in headers


def test_the_front_door_speaks_the_browsers_language(shop_url: str) -> None:
    for asked, lang in (("en-GB,zh;q=0.5", "en"), ("zh-CN,en;q=0.5", "zh-CN"), ("fr", "zh-CN")):
        _, text, _ = fetch(shop_url + "/", **{"Accept-Language": asked})
        assert f'<html lang="{lang}">' in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_shopper_fills_changes_and_pays_a_cart(
    pages: Pages, shop_url: str, locale: Locale, width: int
) -> None:
    page = pages.context(width=width).new_page()
    errors = watched(page)
    page.goto(f"{shop_url}/{locale}/p/LMP-207")
    expect(page.locator("h1")).to_have_text(PRODUCTS[0].title.say(locale))
    told = texts_of(page.get_by_role("status"))
    page.locator("[data-add]").click()
    page.locator("[data-add]").click()
    expect(page.locator("[data-cart-count]")).to_have_text("2")
    assert any(told())
    page.goto(f"{shop_url}/{locale}/p/TBL-021")
    page.locator("[data-add]").click()
    page.locator("a.cart").click()
    expect(page.locator("[data-total]")).to_have_text("¥945")
    lamp = page.locator("[data-line=LMP-207]")
    lamp.locator("[data-less]").click()
    expect(lamp.locator("[data-sum]")).to_have_text("¥428")
    lamp.locator("[data-drop]").click()
    expect(lamp).to_be_hidden()
    expect(page.locator("[data-total]")).to_have_text("¥101")
    quantity = page.locator("[data-line=TBL-021] [data-quantity]")
    quantity.fill("3")
    quantity.blur()
    expect(page.locator("[data-total]")).to_have_text("¥267")
    page.reload()
    expect(page.locator("[data-total]")).to_have_text("¥267")
    page.locator("[data-filled] a.button").click()
    expect(page.locator("[data-total]")).to_have_text("¥267")
    page.locator("[data-place]").click()
    expect(page.locator("[data-after]")).to_be_visible()
    # Nobody takes orders here: the shop says so, and nothing is lost.
    expect(page.locator("[data-told]")).to_have_text(
        shop_words.SHOP_WORDS["not_placed"].say(locale)
    )
    expect(page.locator("[data-cart-count]")).to_have_text("3")
    assert errors == []


def test_what_is_paid_is_what_is_in_the_cart_by_then(pages: Pages, shop_url: str) -> None:
    page = pages.open(f"{shop_url}/en/")
    page.evaluate("localStorage.setItem('mori-oak.cart', '{\"LMP-207\": 1}')")
    page.goto(f"{shop_url}/en/checkout")
    expect(page.locator("[data-total]")).to_have_text("¥428")
    other = page.context.new_page()
    other.goto(f"{shop_url}/en/cart")
    other.locator("[data-line=LMP-207] [data-more]").click()
    expect(page.locator("[data-total]")).to_have_text("¥856")


def test_who_signs_out_is_told_and_asked_no_more(pages: Pages, shop_url: str) -> None:
    page = pages.open(f"{shop_url}/en/")
    button = page.get_by_role("button", name="Sign out")
    expect(button).to_be_hidden()
    page.evaluate("localStorage.setItem('mori-oak.account', 'in')")
    page.reload()
    told = texts_of(page.get_by_role("status"))
    button.click()
    wait_until(lambda: "You are signed out." in told())
    expect(button).to_be_hidden()
    assert page.evaluate("window.Shopbell.at(-1)") == ["logout"]


def test_the_language_switch_leads_to_the_same_page(pages: Pages, shop_url: str) -> None:
    page = pages.open(f"{shop_url}/en/p/STL-012")
    page.get_by_role("link", name="中文").click()
    expect(page).to_have_url(f"{shop_url}/zh/p/STL-012")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("a.brand")).to_have_text(DEMO_SHOP.name.zh)


def test_what_the_shop_tells_the_widget_waits_until_it_has_loaded(
    pages: Pages, shop_url: str
) -> None:
    page = pages.open(f"{shop_url}/en/p/LMP-207")
    page.locator("[data-ask]").click()
    page.locator("[data-question]").first.click()
    # The consent tool of the shop listens, too.
    told = [row for row in page.evaluate("() => window.Shopbell") if row[0] != "on"]
    card = told[0][1]["product"]
    assert (card["sku"], card["price_minor"], card["currency"]) == ("LMP-207", 42800, "CNY")
    assert card["image_url"] == f"{shop_url}/assets/art/LMP-207.svg"
    assert [row[0] for row in told] == ["page", "sendProduct", "prefill", "open"]
    assert told[1][1] == card


@pytest.mark.parametrize("locale", LOCALES)
def test_nobody_is_shut_out(pages: Pages, shop_url: str, locale: Locale) -> None:
    page = pages.open(f"{shop_url}/{locale}/")
    kept = '{"LMP-207": 1, "TBL-021": 2}'
    page.evaluate("(kept) => localStorage.setItem('mori-oak.cart', kept)", kept)
    for address in ADDRESSES:
        page.goto(f"{shop_url}/{locale}/{address}")
        for sight in sights(page, locale):
            assert axe(page) == [], f"{address} {sight}"
            fits = "document.documentElement.scrollWidth <= innerWidth"
            assert page.evaluate(fits), f"{address} {sight}"


def test_it_fits_the_smallest_phone(pages: Pages, shop_url: str) -> None:
    page = pages.context(width=320).new_page()
    for locale in LOCALES:
        for address in ADDRESSES:
            page.goto(f"{shop_url}/{locale}/{address}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, address


def test_the_scripts_keep_their_types() -> None:
    folder = files("widget").joinpath("demo")
    done = subprocess.run(
        [str(require("tsc")), "-p", str(folder.joinpath("jsconfig.json"))],
        capture_output=True,
        encoding="utf-8",
        timeout=150,
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_every_word_exists_in_both_languages() -> None:
    spoken = [words for words in vars(shop_words).values() if isinstance(words, Words)]
    spoken += shop_words.SHOP_WORDS.values()
    for product in PRODUCTS:
        spoken += [product.title, product.story, product.made_of, product.size, product.care]
        spoken += [words for pair in product.asks for words in pair]
    for words in spoken:
        assert words.en.strip()
        assert words.zh.strip()
        assert "," not in words.zh, "a Chinese text takes Chinese punctuation"
