"""Who is signed in: cookies, CSRF tokens, and the person behind a request."""

from __future__ import annotations

import secrets
from concurrent.futures import Future
from typing import Literal

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from server.actions.sign_in import touch_sign_in
from server.domain.errors import AppError, NotAllowed, NotSignedIn
from server.domain.permissions import require
from server.domain.spans import MINUTE_MS
from server.http.bodies import field, read_form
from server.http.client import is_https, require_same_origin
from server.http.keys import DATABASE
from server.http.shoppers import portal_shopper
from server.storage.people import Person
from server.storage.sign_ins import ABSOLUTE_MS, SignedIn, signed_in_of_cookie

log = structlog.stdlib.get_logger("shopbell.http")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# These know nothing of cookies: a bearer token, a signature or Socket.IO's own origin check.
NO_CSRF_PATHS = ("/api/", "/hooks/", "/socket.io/", "/visitor/")
TOUCH_EVERY_MS = MINUTE_MS
MAX_COOKIE_CHARS = 200
_FOUND = web.RequestKey[SignedIn | None]("signed_in", object)  # type: ignore[arg-type]  # no type object for a union
_ANONYMOUS = web.RequestKey("csrf", str)


def cookie_name(request: web.Request, name: Literal["sid", "csrf"] = "sid") -> str:
    """The cookie's name; over https a prefix keeps other hosts of the domain from setting it."""
    return f"__Host-{name}" if is_https(request) else name


async def signed_in(request: web.Request) -> SignedIn | None:
    """The sign-in of the request's cookie, or None; looked up once a request."""
    if _FOUND in request:
        return request[_FOUND]
    cookie = request.cookies.get(cookie_name(request))
    found = None
    if cookie and len(cookie) <= MAX_COOKIE_CHARS:
        database = request.app[DATABASE]
        at_ms = database.clock()
        found = await database.read(lambda c: signed_in_of_cookie(c, cookie, at_ms))
        if found is not None and found.seen_at_ms < at_ms - TOUCH_EVERY_MS:
            _touch(request, found.token_hash)
    request[_FOUND] = found
    return found


async def current_person(request: web.Request) -> Person:
    """The person who is signed in. Raises NotSignedIn."""
    found = await signed_in(request)
    if found is None:
        raise NotSignedIn("Sign in first.")
    return found.person


async def require_person(request: web.Request, permission: str) -> Person:
    """The person who is signed in and may do this. Raises NotSignedIn or NotAllowed."""
    person = await current_person(request)
    require(person.actor, permission)
    return person


async def csrf_token(request: web.Request) -> str:
    """What the forms of this request's page must send back."""
    found = await signed_in(request)
    if found is not None:
        return found.csrf
    if _ANONYMOUS not in request:
        known = request.cookies.get(cookie_name(request, "csrf"), "")
        request[_ANONYMOUS] = known if 40 <= len(known) <= 64 else secrets.token_urlsafe(32)
    return request[_ANONYMOUS]


def keep_csrf_token(request: web.Request, response: web.StreamResponse) -> None:
    """Gives the browser the token of a form that was shown before anybody signed in."""
    if _ANONYMOUS in request:
        _set_cookie(request, response, "csrf", request[_ANONYMOUS], max_age=None)


def set_session_cookie(request: web.Request, response: web.StreamResponse, cookie: str) -> None:
    """Gives the browser its new sign-in."""
    _set_cookie(request, response, "sid", cookie, max_age=ABSOLUTE_MS // 1000)


def drop_session_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Takes the sign-in from the browser."""
    _set_cookie(request, response, "sid", "", max_age=0)


@web.middleware
async def csrf(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets an unsafe request through only from our own pages: by origin and by token, both."""
    unknown = request.match_info.http_exception is not None
    if request.method in SAFE_METHODS or unknown or request.path.startswith(NO_CSRF_PATHS):
        return await handler(request)
    require_same_origin(request)
    sent = request.headers.get("X-CSRF-Token")
    if request.content_type == "multipart/form-data":
        await _require_sender(request)  # before megabytes are read
    if sent is None:
        sent = field(await read_form(request), "csrf")
    if not secrets.compare_digest(sent.encode(), (await csrf_token(request)).encode()):
        raise NotAllowed("This page is too old. Open it again and repeat.", reason="csrf")
    return await handler(request)


async def _require_sender(request: web.Request) -> None:
    """Returns nothing. Raises NotSignedIn unless it is known who sends files with a form."""
    if not request.path.startswith("/portal/"):
        await current_person(request)
    elif await portal_shopper(request) is None:
        raise NotSignedIn("Sign in first.")


def _touch(request: web.Request, token_hash: str) -> None:
    """Notes the use without waiting; if that fails, a sign-in ends earlier, which does no harm."""

    def noted(future: Future[None]) -> None:
        if future.exception() is not None:
            log.warning("sign_in_not_touched", error=type(future.exception()).__name__)

    try:
        request.app[DATABASE].submit(lambda tx: touch_sign_in(tx, token_hash)).add_done_callback(
            noted
        )
    except AppError as error:
        log.warning("sign_in_not_touched", error=error.code)


def _set_cookie(
    request: web.Request,
    response: web.StreamResponse,
    name: Literal["sid", "csrf"],
    value: str,
    *,
    max_age: int | None,
) -> None:
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=max_age,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="Lax",
    )
