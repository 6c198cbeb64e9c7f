"""What a person of the desk is to know: how much there is, for the console."""

from __future__ import annotations

from aiohttp import web

from server.http.bodies import json_response
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.storage import tickets

READ = "ticket.read"
# The console shows 99+ from here on.
MOST = 100


def add_notices(app: web.Application) -> None:
    """Serves the counts."""
    app.router.add_get("/notices/count", count)


async def count(request: web.Request) -> web.Response:
    """How many tickets of the person or their teams are late."""
    actor = (await require_person(request, READ)).actor
    database = request.app[DATABASE]
    at_ms = database.clock()
    late = await database.read(lambda c: tickets.count_late(c, actor, at_ms=at_ms, most=MOST))
    return json_response({"late": late})
