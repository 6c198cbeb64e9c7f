"""Rendering pages: which language, which theme, for whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, cast  # Any: values of a template

from aiohttp import web

from agent_ui import render as templates
from agent_ui import static_version
from agent_ui.render import LOCALES, Locale
from server.domain.errors import AppError, Unavailable
from server.domain.permissions import may
from server.http.client import is_https
from server.http.keys import DATABASE
from server.http.sessions import csrf_token, keep_csrf_token, signed_in
from server.storage.notices import count_unread
from server.storage.shop import Shop, load_shop
from server.storage.sign_ins import SignedIn

THEMES = ("auto", "light", "dark")
LANGUAGE_COOKIE = "shopbell.lang"
THEME_COOKIE = "shopbell.theme"
YEAR_S = 365 * 86_400


def static_url() -> str:
    """The address of the static files, without a slash at its end."""
    return f"/static/{static_version()}"


async def locale_of(request: web.Request) -> Locale:
    """The language of the page.

    In this order: asked for in the address, the person's own, chosen in this browser before, the
    browser's, the shop's.
    """
    asked = known_locale(request.query.get("lang"))
    if asked:
        return asked
    found = await signed_in(request)
    said = known_locale(found.person.locale if found else None) or _said(request)
    if said:
        return said
    shop = await request.app[DATABASE].read(load_shop)
    return known_locale(shop.locale if shop else None) or "en"


def theme_of(request: web.Request) -> str:
    """auto, light or dark: asked for, else chosen here before."""
    for choice in (request.query.get("theme"), request.cookies.get(THEME_COOKIE)):
        if choice in THEMES:
            return choice
    return "auto"


def done_of(request: web.Request, known: Collection[str]) -> str | None:
    """What the address says was done, if it is one of these."""
    done = request.query.get("done")
    return done if done in known else None


async def render(
    request: web.Request,
    template: str,
    /,
    *,
    status: int = 200,
    **context: Any,  # Any: whatever the template shows
) -> web.Response:
    """The page of a template as an answer that nobody may keep."""
    found = await signed_in(request)
    locale = await locale_of(request)
    if "bell" not in context:
        context["bell"] = await _unread(request, found)
    text = templates.page(
        template,
        locale=locale,
        theme=theme_of(request),
        static_url=static_url(),
        csrf=await csrf_token(request),
        person=found.person if found else None,
        **context,
    )
    response = web.Response(text=text, status=status, content_type="text/html")
    keep_csrf_token(request, response)
    keep_preferences(request, response)
    return response


async def error_page(
    request: web.Request, status: int, shape: dict[str, object]
) -> web.StreamResponse:
    """A friendly page for an error. Asks nothing of the database where that may be what failed."""
    code = cast(str, shape["code"])
    details = cast(dict[str, object], shape["details"])
    # Shoppers are told by the shop, in their words, and led back to where shoppers are.
    shopper = request.path.startswith("/portal")
    # Who works here keeps the way to everything else.
    staff = not shopper and status < 500 and code != "too_many"
    found, unread = await _who_asks(request) if staff else (None, 0)
    locale = (
        known_locale(request.query.get("lang"))
        or known_locale(found.person.locale if found else None)
        or _said(request)
        or "en"
    )
    more: dict[str, Any] = {"bell": unread}  # Any: values of a template
    if shopper:
        more = {"shop": await _shop_that_answers(request) if status < 500 else None} | {
            "address": None,
            "done": None,
            "problem": None,
            "here": "/portal",
            "languages": templates.LANGUAGES,
        }
    text = templates.page(
        "portal_error.html" if shopper else "error.html",
        locale=locale,
        theme=theme_of(request),
        static_url=static_url(),
        csrf=found.csrf if found else "",
        person=found.person if found else None,
        status=status,
        title=templates.sentence(locale, f"error.title.{code}"),
        text=explain(locale, code, details, to="portal" if shopper else None),
        incident=details.get("incident"),
        **more,
    )
    return web.Response(text=text, status=status, content_type="text/html")


async def _unread(request: web.Request, found: SignedIn | None) -> int:
    """How many notices the person has not seen; none for who gets none."""
    actor = found.person.actor if found is not None else None
    if actor is None or not may(actor, "ticket.read"):
        return 0
    return await request.app[DATABASE].read(lambda c: count_unread(c, actor))


async def _who_asks(request: web.Request) -> tuple[SignedIn | None, int]:
    """Who is signed in, with their notices; nobody when that cannot be asked for."""
    with suppress(Unavailable):
        found = await signed_in(request)
        return found, await _unread(request, found)
    return None, 0


async def _shop_that_answers(request: web.Request) -> Shop | None:
    """The shop, or None when it cannot be asked for or is not there yet."""
    with suppress(Unavailable):
        return await request.app[DATABASE].read(load_shop)
    return None


def explain(
    locale: Locale, code: str, details: Mapping[str, object], *, to: str | None = None
) -> str:
    """An error in the words of a language: by its reason where that has words, else by its code.

    ``to`` names who has words of their own for some codes.
    """
    keys = (
        f"error.reason.{details.get('reason')}",
        f"error.field.{details.get('field')}",
        f"{to}.error.{code}",
        f"error.text.{code}",
    )
    key = next(key for key in keys if templates.has_sentence(locale, key))
    return templates.sentence(locale, key, seconds=details.get("retry_after_s", 1))


def keep_preferences(request: web.Request, response: web.StreamResponse) -> None:
    """Keeps a language or theme that the address asked for; the console's script reads them too."""
    for name, values, cookie in (
        ("lang", LOCALES, LANGUAGE_COOKIE),
        ("theme", THEMES, THEME_COOKIE),
    ):
        choice = request.query.get(name)
        if choice is not None and choice in values:
            response.set_cookie(
                cookie,
                choice,
                max_age=YEAR_S,
                path="/",
                secure=is_https(request),
                samesite="Lax",
            )


def known_locale(name: str | None) -> Locale | None:
    """A language tag as one of the languages we speak, or None.

    >>> known_locale("zh-TW"), known_locale("en-GB"), known_locale("fr")
    ('zh', 'en', None)
    """
    head = (name or "").strip().lower().split("-")[0]
    return next((locale for locale in LOCALES if locale == head), None)


def _said(request: web.Request) -> Locale | None:
    """The language that this browser was set to, here or in its own settings."""
    chosen = known_locale(request.cookies.get(LANGUAGE_COOKIE))
    if chosen:
        return chosen
    for part in request.headers.get("Accept-Language", "")[:200].split(","):
        spoken = known_locale(part.split(";")[0])
        if spoken:
            return spoken
    return None


async def problem_of(request: web.Request, error: AppError | None) -> dict[str, str] | None:
    """What a form says about an error: the field, empty when it is none of one, and a sentence."""
    if error is None:
        return None
    text = explain(await locale_of(request), error.code, error.details)
    return {"field": str(error.details.get("field") or ""), "text": text}
