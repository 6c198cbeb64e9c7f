"""Serves the demo shop on an origin of its own, under a content policy as strict as shops have.

Pages are put together from the templates in widget/demo with everything escaped. Files are read
once, so an address can only ever name one of them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from aiohttp import web

from server.demo import shop_words
from server.demo.people import DEMO_SHOP
from server.demo.products import CATEGORIES, PRODUCTS, Category, Product, product_by_sku
from server.demo.shop_system import NotPlaced, ShopSystem
from server.demo.words import LOCALES, Locale, Words

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_LANGS: dict[Locale, str] = {"en": "en", "zh": "zh-CN"}
_NAMES: dict[Locale, str] = {"en": "English", "zh": "中文"}
_ACCOUNT = "mori-oak-account"
_ACCOUNT_S = 180 * 86_400
_SALE = Category("sale", shop_words.SHOP_WORDS["sale"], shop_words.SHOP_WORDS["sale_line"])


@dataclass(frozen=True, slots=True)
class _Html:
    """Text that is markup already."""

    text: str


@dataclass(frozen=True, slots=True)
class _Shop:
    """What every page needs: templates and files by name, and where the desk is."""

    templates: dict[str, Template]
    assets: dict[str, tuple[bytes, str]]
    desk_url: str
    site_key: str
    system: ShopSystem | None

    def fill(self, name: str, locale: Locale, **values: str | _Html) -> _Html:
        """A template with the shop's words and ``values``; all but markup is escaped."""
        words = {key: escape(text.say(locale)) for key, text in shop_words.SHOP_WORDS.items()}
        own = {
            key: value.text if isinstance(value, _Html) else escape(value)
            for key, value in values.items()
        }
        return _Html(self.templates[name].substitute(words | {"locale": locale} | own))


def storefront_app(
    *, desk_url: str, site_key: str, system: ShopSystem | None = None
) -> web.Application:
    """The demo shop as an application; its pages embed the widget of the desk at ``desk_url``.

    ``desk_url`` is the desk's address as a browser reaches it. Orders go to ``system``; without it
    none are taken. Addresses: ``/{en|zh}/``,
    ``/{locale}/c/{category}``, ``/{locale}/p/{sku}``, ``/{locale}/cart``, ``/{locale}/checkout``,
    ``/assets/...`` and, for links from elsewhere, ``/product.html?sku=``.
    """
    folder = Path(str(files("widget").joinpath("demo")))
    shop = _Shop(_templates(folder), _assets(folder), desk_url.rstrip("/"), site_key, system)

    async def asset(request: web.Request) -> web.Response:
        found = shop.assets.get(request.match_info["path"])
        if found is None:
            return _missing(shop, request)
        body, content_type = found
        return web.Response(
            body=body,
            content_type=content_type,
            charset="utf-8",
            headers={"Cache-Control": "no-cache"},
        )

    async def page(request: web.Request) -> web.Response:
        locale = _locale(request.match_info["locale"])
        text = _page(shop, locale, request.match_info["rest"]) if locale else None
        return _html(text) if text else _missing(shop, request)

    async def front(request: web.Request) -> web.Response:
        raise web.HTTPSeeOther(f"/{_preferred(request)}/")

    async def by_number(request: web.Request) -> web.Response:
        product = product_by_sku(request.query.get("sku", ""))
        if product is None:
            return _missing(shop, request)
        raise web.HTTPSeeOther(f"/{_preferred(request)}/p/{product.sku}")

    async def checkout(request: web.Request) -> web.Response:
        return await _place(shop, request)

    async def nowhere(request: web.Request) -> web.Response:
        return _missing(shop, request)

    app = web.Application(client_max_size=4096)
    app.router.add_get("/", front)
    app.router.add_get("/product.html", by_number)
    app.router.add_get("/assets/{path:.+}", asset)
    app.router.add_get("/{locale:en|zh}/requests", partial(_requests, shop))
    app.router.add_get("/{locale:en|zh}/{rest:.*}", page)
    app.router.add_post("/{locale:en|zh}/checkout", checkout)
    app.router.add_post("/{locale:en|zh}/sign-out", _sign_out)
    app.router.add_get("/{rest:.*}", nowhere)
    policy = content_policy(shop.desk_url)

    async def guard(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"

    app.on_response_prepare.append(guard)
    return app


async def _place(shop: _Shop, request: web.Request) -> web.Response:
    """Takes an order: JSON with ``lines``, pieces by article number.

    Only a page of the shop can send JSON here: no other origin is let to.
    """
    locale = _locale(request.match_info["locale"])
    asked = None
    if request.content_type == "application/json" and locale is not None:
        try:
            asked = json.loads(await request.text())
        except ValueError:
            asked = None
    lines = asked.get("lines") if isinstance(asked, dict) else None
    if shop.system is None:
        return web.json_response({"ok": False})
    if locale is None or not isinstance(lines, dict):
        return web.json_response({"ok": False}, status=400)
    try:
        account = request.cookies.get(_ACCOUNT, "")
        placed = await shop.system.place(lines, locale, account=account)
    except NotPlaced:
        return web.json_response({"ok": False})
    response = web.json_response(
        {"ok": True, "number": placed.number, "identity": placed.identity},
        headers={"Cache-Control": "no-store"},
    )
    response.set_cookie(
        _ACCOUNT, placed.account, max_age=_ACCOUNT_S, httponly=True, samesite="Strict", path="/"
    )
    return response


async def _requests(shop: _Shop, request: web.Request) -> web.Response:
    """Leads who has ordered to their requests in the desk's portal, signed in by the shop.

    The identity stands behind the ``#``, where no server and no log sees it.
    """
    locale = _locale(request.match_info["locale"]) or "en"
    portal = f"{shop.desk_url}/portal"
    account = request.cookies.get(_ACCOUNT, "")
    word = shop.system.word_for(account, locale) if shop.system and account else None
    if word is None:
        raise web.HTTPSeeOther(f"{portal}?lang={locale}")
    return web.Response(
        status=303,
        headers={"Location": f"{portal}/enter?lang={locale}#{word}", "Cache-Control": "no-store"},
    )


async def _sign_out(request: web.Request) -> web.Response:
    """Lets the browser forget as whom it ordered; the page signs out of the chat."""
    if request.content_type != "application/json":
        return web.json_response({"ok": False}, status=400)
    response = web.json_response({"ok": True}, headers={"Cache-Control": "no-store"})
    response.del_cookie(_ACCOUNT, path="/", httponly=True, samesite="Strict")
    return response


def content_policy(desk_url: str) -> str:
    """The shop's content policy: its own files, and scripts and connections of the desk alone.

    >>> content_policy("http://desk.example").split("; ")[2]
    "connect-src 'self' http://desk.example ws://desk.example"
    """
    address = urlsplit(desk_url)
    desk = f"{address.scheme}://{address.netloc}"
    socket = f"{'wss' if address.scheme == 'https' else 'ws'}://{address.netloc}"
    return (
        f"default-src 'none'; script-src 'self' {desk}; connect-src 'self' {desk} {socket}; "
        "style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _templates(folder: Path) -> dict[str, Template]:
    return {path.stem: Template(path.read_text("utf-8")) for path in folder.glob("*.html")}


def _assets(folder: Path) -> dict[str, tuple[bytes, str]]:
    found = (path for path in folder.rglob("*") if path.suffix in _TYPES)
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), _TYPES[path.suffix])
        for path in found
    }


def _locale(text: str) -> Locale | None:
    return next((locale for locale in LOCALES if locale == text), None)


def _preferred(request: web.Request) -> Locale:
    """The language that the browser asks for first of the two."""
    asked = request.headers.get("Accept-Language", "").lower()
    places = {locale: asked.find(locale) for locale in LOCALES if locale in asked}
    return min(places, key=lambda locale: places[locale]) if places else "zh"


def _html(body: _Html, *, status: int = 200) -> web.Response:
    return web.Response(
        text=body.text,
        status=status,
        content_type="text/html",
        headers={"Cache-Control": "no-cache"},
    )


def _missing(shop: _Shop, request: web.Request) -> web.Response:
    locale = _locale(request.path.split("/")[1]) or _preferred(request)
    body = shop.fill("missing", locale)
    title = shop_words.SHOP_WORDS["missing_title"].say(locale)
    return _html(_layout(shop, locale, "", body, title=title), status=404)


def _page(shop: _Shop, locale: Locale, rest: str) -> _Html | None:
    """The page at an address below the language, or None where there is none."""
    kind, _, key = rest.partition("/")
    match kind, key:
        case "", "":
            return _home(shop, locale)
        case "c", _:
            shelf = next((one for one in (*CATEGORIES, _SALE) if one.key == key), None)
            return _category(shop, locale, shelf) if shelf else None
        case "p", _:
            product = product_by_sku(key)
            return _product(shop, locale, product) if product else None
        case "cart", "":
            return _cart(shop, locale)
        case "checkout", "":
            return _checkout(shop, locale)
    return None


def _layout(
    shop: _Shop,
    locale: Locale,
    rest: str,
    body: _Html,
    *,
    title: str,
    description: str = "",
    script: str = "shop.js",
) -> _Html:
    other: Locale = "en" if locale == "zh" else "zh"
    shelves = [
        _Html(
            f'<a href="/{locale}/c/{shelf.key}"{_current(rest == f"c/{shelf.key}")}>'
            f"{escape(shelf.name.say(locale))}</a>"
        )
        for shelf in (*CATEGORIES, _SALE)
    ]
    return shop.fill(
        "layout",
        locale,
        lang=_LANGS[locale],
        other_lang=_LANGS[other],
        other_name=_NAMES[other],
        other_url=f"/{other}/{rest}",
        shop_name=DEMO_SHOP.name.say(locale),
        page_title=title,
        page_description=description or shop_words.SHOP_WORDS["hero_text"].say(locale),
        desk_url=shop.desk_url,
        site_key=shop.site_key,
        shelf_links=_joined(shelves),
        cart_current=_Html(_current(rest == "cart")),
        script=script,
        articles_on_sale=json.dumps(
            {p.sku: [p.title.say(locale), p.price_minor] for p in PRODUCTS}, ensure_ascii=False
        ),
        body=body,
    )


def _home(shop: _Shop, locale: Locale) -> _Html:
    tiles = [
        _Html(
            f'<a class="tile {shelf.key}" href="/{locale}/c/{shelf.key}">'
            f"<b>{escape(shelf.name.say(locale))}</b><span>{escape(shelf.line.say(locale))}</span></a>"
        )
        for shelf in CATEGORIES
    ]
    body = shop.fill("home", locale, tiles=_joined(tiles), cards=_cards(shop, locale, PRODUCTS))
    title = shop_words.SHOP_WORDS["home_title"].say(locale)
    return _layout(shop, locale, "", body, title=title)


def _category(shop: _Shop, locale: Locale, shelf: Category) -> _Html:
    on_it = [product for product in PRODUCTS if _stands_on(product, shelf)]
    name, line = shelf.name.say(locale), shelf.line.say(locale)
    cards = _cards(shop, locale, on_it)
    body = shop.fill("category", locale, heading=name, line=line, cards=cards)
    return _layout(shop, locale, f"c/{shelf.key}", body, title=name, description=line)


def _stands_on(product: Product, shelf: Category) -> bool:
    return product.was_minor is not None if shelf is _SALE else product.category == shelf.key


def _product(shop: _Shop, locale: Locale, product: Product) -> _Html:
    shelf = next(one for one in CATEGORIES if one.key == product.category)
    title, story = product.title.say(locale), product.story.say(locale)
    others = [one for one in PRODUCTS if one.category == product.category and one is not product]
    more = [one for one in PRODUCTS if one.category != product.category]
    first = PRODUCTS.index(product) % len(more)
    # Questions stand in the middle of a sentence in the scenes, here they begin one.
    asks = [
        f'<li><button type="button" data-question="{escape(_sentence(question, locale))}">'
        f"{escape(_sentence(question, locale))}</button></li>"
        for question, _ in product.asks
    ]
    body = shop.fill(
        "product",
        locale,
        **_facts(product, locale),
        picture_of=shop_words.PICTURE_OF.say(locale).format(title=title),
        stock=shop_words.IN_STOCK.say(locale).format(count=product.stock),
        category=shelf.key,
        category_name=shelf.name.say(locale),
        asks=_Html("".join(asks)),
        cards=_cards(shop, locale, [*others, *more[first:], *more][:4]),
    )
    return _layout(shop, locale, f"p/{product.sku}", body, title=title, description=story)


def _sentence(question: Words, locale: Locale) -> str:
    text = question.say(locale)
    return text[0].upper() + text[1:]


def _cart(shop: _Shop, locale: Locale) -> _Html:
    lines = []
    for product in PRODUCTS:
        title = product.title.say(locale)
        labels = {
            "one_less": shop_words.ONE_LESS,
            "one_more": shop_words.ONE_MORE,
            "quantity_of": shop_words.QUANTITY_OF,
            "remove": shop_words.REMOVE,
        }
        said = {key: words.say(locale).format(title=title) for key, words in labels.items()}
        lines.append(shop.fill("line", locale, **_facts(product, locale), **said))
    body = shop.fill("cart", locale, lines=_joined(lines))
    title = shop_words.SHOP_WORDS["cart_title"].say(locale)
    return _layout(shop, locale, "cart", body, title=title, script="cart_page.js")


def _checkout(shop: _Shop, locale: Locale) -> _Html:
    prices = json.dumps({product.sku: product.price_minor for product in PRODUCTS})
    body = shop.fill("checkout", locale, prices=prices)
    title = shop_words.SHOP_WORDS["checkout_title"].say(locale)
    return _layout(shop, locale, "checkout", body, title=title, script="checkout_page.js")


def _cards(shop: _Shop, locale: Locale, products: Iterable[Product]) -> _Html:
    return _joined(shop.fill("card", locale, **_facts(product, locale)) for product in products)


def _facts(product: Product, locale: Locale) -> dict[str, str | _Html]:
    return {
        "sku": product.sku,
        "title": product.title.say(locale),
        "story": product.story.say(locale),
        "made_of": product.made_of.say(locale),
        "size": product.size.say(locale),
        "care": product.care.say(locale),
        "price_minor": str(product.price_minor),
        "price": _price(product),
        "was": _was(product, locale),
    }


def _price(product: Product) -> _Html:
    text = f"¥{product.price_minor // 100}"
    return _Html(f'<span class="now">{text}</span>' if product.was_minor else text)


def _was(product: Product, locale: Locale) -> _Html:
    if product.was_minor is None:
        return _Html("")
    before = escape(shop_words.WAS.say(locale))
    return _Html(f' <span class="hidden-text">{before}</span><s>¥{product.was_minor // 100}</s>')


def _joined(parts: Iterable[_Html]) -> _Html:
    return _Html("".join(part.text for part in parts))


def _current(here: bool) -> str:  # noqa: FBT001 - one yes-or-no, named at every call by what it asks
    return ' aria-current="page"' if here else ""
