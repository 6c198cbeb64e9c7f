"""The one shape of an error: JSON for programs, a friendly page for people; nothing else leaks."""

from __future__ import annotations

import secrets
from typing import NamedTuple
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from server.domain.errors import (
    AppError,
    InvalidInput,
    NotFound,
    NotSignedIn,
    TooLarge,
    TooMany,
    Unavailable,
)
from server.http.bodies import json_response
from server.http.keys import DATABASE
from server.http.views import error_page

log = structlog.stdlib.get_logger("shopbell.http")
# These never answer with a page, whatever a client says that it accepts.
MACHINE_PATHS = (
    "/api/",
    "/hooks/",
    "/socket.io/",
    "/visitor/",
    "/console/files",
    "/widget/",
    "/static/",
    "/healthz",
    "/readyz",
    "/metrics",
)

# nginx's name for it; nobody reads it but the request log.
CLIENT_WENT_AWAY = 499
INCIDENT = web.RequestKey("incident", str)
"""The number of the bug that this request met, if it did."""


class Failure(NamedTuple):
    """What went wrong, ready for either form."""

    status: int
    shape: dict[str, object]
    headers: dict[str, str]


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns everything raised below it into the one error shape."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        return await _answer(request, _of_http(answer))
    except NotSignedIn as error:
        if _may_redirect(request):
            target = quote(request.rel_url.path_qs, safe="/")
            raise web.HTTPSeeOther(f"/sign-in?next={target}") from None
        return await _answer(request, _of_app(error))
    except AppError as error:
        return await _answer(request, _of_app(error))
    except web.RequestPayloadError:
        return await _answer(request, _of_app(InvalidInput("The body cannot be read.")))
    except Exception as error:  # noqa: BLE001  # the edge of the program: a bug must not leak
        if isinstance(error, ConnectionError) and _went_away(request):
            return web.Response(status=CLIENT_WENT_AWAY)
        return await _answer(request, _of_bug(request, error))


def _of_http(answer: web.HTTPException) -> Failure:
    """An error that aiohttp raised by itself."""
    if answer.status == 405:
        allowed = answer.headers.get("Allow", "")
        error: AppError = InvalidInput("This address does not take this method.", allowed=allowed)
        return Failure(405, error.shape(), {"Allow": allowed})
    if answer.status == 413:
        error = TooLarge("The request is too large.")
    elif answer.status == 404:
        error = NotFound("There is nothing at this address.")
    elif answer.status == 415:
        error = InvalidInput("Send JSON, with Content-Type: application/json.")
    else:
        error = InvalidInput("The request cannot be understood.")
    return Failure(answer.status, error.shape(), {})


def _of_app(error: AppError) -> Failure:
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.details.get("retry_after_s", 1))
    elif isinstance(error, Unavailable):
        headers["Retry-After"] = "2"
    return Failure(error.status, error.shape(), headers)


def _of_bug(request: web.Request, error: Exception) -> Failure:
    """A bug: its stack goes to the log once, its number to the client."""
    incident = secrets.token_hex(6)
    request[INCIDENT] = incident
    request.app[DATABASE].stats.incidents["http"] += 1
    log.error(
        "bug", incident=incident, method=request.method, route=route_name(request), exc_info=error
    )
    shape: dict[str, object] = {
        "code": "internal",
        "message": "Something went wrong on our side. It has been noted.",
        "details": {"incident": incident},
    }
    return Failure(500, shape, {})


def _went_away(request: web.Request) -> bool:
    """True when the client has closed the connection: no error, and nobody to tell."""
    return request.transport is None or request.transport.is_closing()


async def _answer(request: web.Request, failure: Failure) -> web.StreamResponse:
    # What was not read of the body would be taken for the next request.
    response: web.StreamResponse
    if wants_page(request):
        response = await error_page(request, failure.status, failure.shape)
    else:
        response = json_response({"error": failure.shape}, status=failure.status)
    response.headers.update(failure.headers)
    if failure.status == 401 and request.path.startswith("/api/"):
        response.headers["WWW-Authenticate"] = "Bearer"
    if request.can_read_body and not request.content.at_eof():
        response.force_close()
    return response


def wants_page(request: web.Request) -> bool:
    """True when a person looks at the answer."""
    if request.path.startswith(MACHINE_PATHS) or request.headers.get("Sec-Fetch-Dest") == "empty":
        return False
    return "text/html" in request.headers.get("Accept", "")


def _may_redirect(request: web.Request) -> bool:
    """True when whoever is not signed in should be led to the sign-in page."""
    if request.method not in ("GET", "HEAD") or request.path.startswith(MACHINE_PATHS):
        return False
    return wants_page(request) or (
        request.headers.get("Accept", "*/*") == "*/*"
        and request.headers.get("Sec-Fetch-Dest") != "empty"
    )


def route_name(request: web.Request) -> str:
    """The pattern of the route, which names no object and no person."""
    resource = request.match_info.route.resource
    return "unknown" if resource is None else resource.canonical
