"""What every answer carries, and one log line for every request."""

from __future__ import annotations

import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from server.domain.errors import TooLarge
from server.http.bodies import JSON_BYTES, form_limit
from server.http.client import is_https
from server.http.errors import INCIDENT, errors, route_name
from server.http.keys import DATABASE
from server.http.preferences import language_of_person
from server.http.sessions import csrf

log = structlog.stdlib.get_logger("shopbell.http")
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self' ws: wss:; font-src 'self'; frame-src 'self'; frame-ancestors 'none';"
    " base-uri 'none'; form-action 'self'"
)
OTHER_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers send "Origin: null" with our own forms, and over plain http
    # nothing else tells them from a foreign site's. Other sites get no referrer either way.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
YEAR_S = 365 * 86_400
# The loudest routes tell nothing new; they are logged only when they fail.
QUIET_PATHS = ("/static/", "/widget/", "/socket.io/", "/healthz", "/readyz", "/metrics")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Files are counted as they come, by who sends them; no setting allows more than this.
MOST_FILE_BYTES = 200 * 1024 * 1024
BODY_LIMITS = (
    ("/visitor/files", MOST_FILE_BYTES),
    ("/console/files", MOST_FILE_BYTES),
    ("/api/v1/files", MOST_FILE_BYTES),
    ("/socket.io/", 2 * JSON_BYTES),
    ("/api/", JSON_BYTES),
    ("/hooks/", 2 * JSON_BYTES),
)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Adds the security headers that the handler has not set; a signal of the application."""
    headers = response.headers
    for name, value in COMMON_HEADERS.items():
        headers.setdefault(name, value)
    if response.content_type == "text/html":
        headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    else:
        headers.setdefault("Content-Security-Policy", OTHER_POLICY)
    if is_https(request):
        headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_S}")
    headers.popall("Server", None)


@web.middleware
async def log_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One line for each request: method, route pattern, status, time; nothing of its content.

    A bug's line has its incident too. Each request is also counted for ``/metrics``.
    """
    began = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as answer:
        status = answer.status
        raise
    finally:
        route, took_s = route_name(request), time.perf_counter() - began
        method = request.method if request.method in METHODS else "other"
        # A websocket is no answer that somebody waited for.
        request.app[DATABASE].stats.requested(
            method, route, status, took_s=took_s if status != 101 else None
        )
        if status >= 400 or not request.path.startswith(QUIET_PATHS):
            more = {"incident": request[INCIDENT]} if INCIDENT in request else {}
            log.info(
                "request",
                method=method,
                route=route,
                status=status,
                ms=round(took_s * 1000, 1),
                **more,
            )
    return response


@web.middleware
async def limit_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a body that says itself that it is too large, before anything reads it."""
    path = request.path
    limit = next((n for begin, n in BODY_LIMITS if path.startswith(begin)), form_limit(request))
    if (request.content_length or 0) > limit:
        raise TooLarge(f"At most {limit} bytes.", limit=limit)
    return await handler(request)


MIDDLEWARES = (log_request, errors, limit_body, csrf, language_of_person)
"""In the order in which a request meets them."""
