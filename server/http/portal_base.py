"""What every page of the shopper's portal stands on: who is signed in, cookies, the frame."""

from __future__ import annotations

import re
import time
from typing import Any  # Any: values of a template

from aiohttp import web

from agent_ui.render import LANGUAGES
from server.domain.errors import AppError, NotFound, TooMany
from server.domain.text import MAX_BODY_CHARS
from server.http.api.pace import Paces
from server.http.client import is_https
from server.http.keys import DATABASE, SETTINGS
from server.http.shoppers import portal_reader
from server.http.views import locale_of, problem_of, render
from server.storage.portal import Reader
from server.storage.shop import load_shop

HOME = "/portal"
DONE = frozenset({"sent", "solved", "rated", "out", "made"})
# What a shopper may send with forms: more than anybody types, also one who has to try again.
FORMS_AT_ONCE = 30
FORMS_PER_S = 0.5
PACES = web.AppKey("portal_paces", Paces)
_TOKEN = re.compile(r"[\w-]{20,100}", re.ASCII)


async def required(request: web.Request) -> Reader:
    """Who is signed in; everybody else is led to where they can."""
    reader = await portal_reader(request)
    if reader is None:
        raise web.HTTPSeeOther(HOME)
    return reader


async def sender(request: web.Request) -> Reader:
    """As ``required``, for who sends a form. Raises TooMany for who sends very many."""
    reader = await required(request)
    if request.app[SETTINGS].rate_limits and reader.rows:
        try:
            request.app[PACES].take(reader.rows[0], time.monotonic())
        except TooMany as error:
            error.details["reason"] = "portal_fast"
            raise
    return reader


def mails(request: web.Request) -> bool:
    """True when a code can be mailed."""
    settings = request.app[SETTINGS]
    return settings.smtp_url is not None and settings.own_mail_address is not None


def cookie(request: web.Request, name: str) -> str | None:
    """A cookie of the portal that can be one of ours, or None."""
    value = request.cookies.get(_cookie_name(request, f"shopper_{name}"), "")
    return value if _TOKEN.fullmatch(value) else None


def set_cookie(
    request: web.Request, response: web.StreamResponse, name: str, value: str, *, max_age: int
) -> None:
    """Gives the browser a cookie of the portal; no seconds take it back."""
    response.set_cookie(
        _cookie_name(request, f"shopper_{name}"),
        value,
        max_age=max_age,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="Lax",
    )


async def page(
    request: web.Request,
    template: str,
    error: AppError | None,
    **context: Any,  # Any: values of a template
) -> web.Response:
    """A page of the portal; ``reader`` in the context is who is signed in."""
    shop = await request.app[DATABASE].read(load_shop)
    if shop is None:
        raise NotFound("There is no shop yet.")
    done = request.query.get("done")
    reader: Reader | None = context.pop("reader", None)
    return await render(
        request,
        template,
        status=error.status if error else 200,
        shop=shop,
        address=reader.name if reader else None,
        problem=await problem_of(request, _to_shopper(error)),
        done=done if done in DONE else None,
        mails=mails(request),
        write_to=request.app[SETTINGS].own_mail_address,
        languages=LANGUAGES,
        # A page that answers a form has no address of its own to be shown again at.
        here=request.path if request.method == "GET" else HOME,
        most=MAX_BODY_CHARS,
        now_ms=request.app[DATABASE].clock(),
        **context,
    )


async def language(request: web.Request) -> str:
    """The language in which a shopper's own words of a form are written."""
    return "zh" if (await locale_of(request)).startswith("zh") else "en"


def _to_shopper(error: AppError | None) -> AppError | None:
    """The error with words for shoppers, where those for staff would be wrong."""
    if error is not None and error.details.get("reason") == "blocked":
        error.details["reason"] = "portal_blocked"
    return error


def _cookie_name(request: web.Request, name: str) -> str:
    return f"__Host-{name}" if is_https(request) else name
