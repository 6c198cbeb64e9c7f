"""What every page of the shopper's portal stands on: who is signed in, cookies, the frame."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any  # Any: values of a template

from aiohttp import web

from agent_ui.render import LANGUAGES
from server.domain.errors import AppError, NotFound, TooMany
from server.domain.files import MEGABYTE
from server.domain.text import MAX_BODY_CHARS
from server.http.api.pace import Paces
from server.http.bodies import FILE_FORM_BYTES
from server.http.client import is_https
from server.http.keys import DATABASE, FILES, SETTINGS
from server.http.middleware import PAGE_POLICY
from server.http.report_words import zone_words
from server.http.shoppers import portal_reader
from server.http.views import done_of, problem_of, render
from server.storage.portal import Reader
from server.storage.shop import load_shop

HOME = "/portal"
DONE = frozenset({"sent", "solved", "rated", "out", "made"})
# What a shopper may send with forms: more than anybody types, also one who has to try again.
FORMS_AT_ONCE = 30
FORMS_PER_S = 0.5
PACES = web.AppKey("portal_paces", Paces)
_TOKEN = re.compile(r"[\w-]{20,100}", re.ASCII)
_OWN = "img-src 'self' data:"
_HOST = re.compile(r"https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?(?=[/?#]|$)", re.IGNORECASE)


async def required(request: web.Request) -> Reader:
    """Who is signed in; everybody else is led to where they can."""
    reader = await portal_reader(request)
    if reader is None:
        raise web.HTTPSeeOther(HOME)
    return reader


async def sender(request: web.Request) -> Reader:
    """As ``required``, for who sends a form. Raises TooMany for who sends very many."""
    reader = await required(request)
    if request.app[SETTINGS].rate_limits:
        try:
            request.app[PACES].take((*reader.rows, reader.name)[0], time.monotonic())
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
    *,
    pictures: Sequence[str] = (),
    **context: Any,  # Any: values of a template
) -> web.Response:
    """A page of the portal; ``reader`` in the context is who is signed in.

    ``pictures`` are the shop's own, whose hosts the page may load from.
    """
    shop = await request.app[DATABASE].read(load_shop)
    if shop is None:
        raise NotFound("There is no shop yet.")
    now_ms = request.app[DATABASE].clock()
    reader: Reader | None = context.pop("reader", None)
    response = await render(
        request,
        template,
        status=error.status if error else 200,
        shop=shop,
        address=reader.name if reader else None,
        problem=await problem_of(request, _to_shopper(error)),
        done=done_of(request, DONE),
        mails=mails(request),
        write_to=request.app[SETTINGS].own_mail_address,
        languages=LANGUAGES,
        # A page that answers a form has no address of its own to be shown again at.
        here=request.path if request.method == "GET" else HOME,
        most=MAX_BODY_CHARS,
        now_ms=now_ms,
        zone=zone_words(shop.timezone, now_ms),
        most_mb=request.app[FILES].limits.shopper_bytes // MEGABYTE,
        # With room for the words.
        most_all_mb=FILE_FORM_BYTES // MEGABYTE - 1,
        **context,
    )
    hosts = sorted({host for one in pictures if (host := _host_of(one))})
    if hosts:
        wider = PAGE_POLICY.replace(_OWN, " ".join([_OWN, *hosts]))
        response.headers["Content-Security-Policy"] = wider
    return response


def _host_of(address: str) -> str | None:
    """The origin of a picture as a policy may name it, None for what is no plain address.

    >>> _host_of("https://cdn.example:8443/a.jpg"), _host_of("https://a.example;script-src */x")
    ('https://cdn.example:8443', None)
    """
    found = _HOST.match(address)
    return found[0] if found else None


def _to_shopper(error: AppError | None) -> AppError | None:
    """The error with words for shoppers, where those for staff would be wrong."""
    if error is not None and error.details.get("reason") == "blocked":
        error.details["reason"] = "portal_blocked"
    return error


def _cookie_name(request: web.Request, name: str) -> str:
    return f"__Host-{name}" if is_https(request) else name
