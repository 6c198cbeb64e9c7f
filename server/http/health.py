"""Whether the process is up, and whether it should get traffic."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.domain.errors import Unavailable
from server.http.bodies import json_response
from server.http.keys import DATABASE, DEGRADED, NOT_READY
from server.storage.event_log import last_seq

READ_LIMIT_S = 3.0


def add_health(app: web.Application) -> None:
    """Serves both answers, without sign-in."""
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)


async def healthz(_request: web.Request) -> web.Response:
    """The process is up and its event loop turns."""
    return json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """The database answers and nothing else is in the way. Raises Unavailable with the reason.

    ``degraded`` names what does not work and only costs delay.
    """
    not_ready = request.app.get(NOT_READY)
    reason = not_ready() if not_ready is not None else None
    if reason is not None:
        raise Unavailable("Not ready.", reason=reason)
    try:
        async with asyncio.timeout(READ_LIMIT_S):
            await request.app[DATABASE].read(last_seq)
    except (TimeoutError, Unavailable):
        raise Unavailable("Not ready.", reason="database") from None
    degraded = request.app[DEGRADED]() if DEGRADED in request.app else []
    answer: dict[str, str | list[str]] = {"status": "ready"}
    return json_response(answer | {"degraded": degraded} if degraded else answer)
