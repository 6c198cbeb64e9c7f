"""What a person of the desk is to know of their tickets: the page, and counts for the console."""

from __future__ import annotations

from functools import partial
from typing import Any  # Any: values of a template

from aiohttp import web

from server.actions import notices as actions
from server.actions.desk import the_shop
from server.domain.actors import Actor
from server.domain.cursors import cursor_of, place_of
from server.domain.errors import InvalidInput
from server.domain.text import whole_number
from server.http.bodies import field, json_response, read_form
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.views import render
from server.storage import notices, people, ticket_lists
from server.storage.connection import Connection

READ = "ticket.read"
PAGE = 50
# The console shows 99+ from here on.
MOST = 100


def add_notices(app: web.Application) -> None:
    """Serves the page, its form and the counts."""
    app.router.add_get("/notices", show_notices)
    app.router.add_post("/notices", mark)
    app.router.add_get("/notices/count", count)


async def show_notices(request: web.Request) -> web.Response:
    """What happened, the newest first; ``show=unread`` only what was not read."""
    actor = (await require_person(request, READ)).actor
    unread = request.query.get("show") == "unread"
    bound = {"show": "unread" if unread else None}
    try:
        place = place_of(request.query.get("cursor"), "notices", bound)
    except InvalidInput:
        place = None
    database = request.app[DATABASE]
    found = await database.read(
        lambda c: _found(c, actor, before=place[0] if place else None, unread=unread)
    )
    last = found["notices"][-1].seq if found["more"] else None
    return await render(
        request,
        "notices.html",
        nav="notices",
        show_unread=unread,
        begun=place is not None,
        now_ms=database.clock(),
        bell=found["unread"],
        older=last and cursor_of("notices", bound, (last, "")),
        **found,
    )


def _found(
    connection: Connection, actor: Actor, *, before: int | None, unread: bool
) -> dict[str, Any]:  # Any: values of a template
    rows = notices.page(connection, actor, before=before, unread=unread, limit=PAGE + 1)
    newest = (
        rows[:1]
        if before is None
        else notices.page(connection, actor, before=None, unread=False, limit=1)
    )
    return {
        "notices": rows[:PAGE],
        "more": len(rows) > PAGE,
        "unread": notices.count_unread(connection, actor),
        "most": notices.MOST_UNREAD,
        "up_to": newest[0].seq if newest else 0,
        "names": people.names(connection),
        "shop": the_shop(connection),
    }


async def mark(request: web.Request) -> web.Response:
    """Marks one notice as read, or all that the page knew of."""
    actor = (await require_person(request, READ)).actor
    form = await read_form(request)
    seq, up_to = (whole_number(field(form, name), digits=18) for name in ("seq", "up_to"))
    await request.app[DATABASE].write(partial(actions.mark_read, actor=actor, seq=seq, up_to=up_to))
    shown = "?show=unread" if field(form, "show") == "unread" else ""
    raise web.HTTPSeeOther(f"/notices{shown}")


async def count(request: web.Request) -> web.Response:
    """How much the person has not read, and how many tickets of them or their teams are late."""
    actor = (await require_person(request, READ)).actor
    database = request.app[DATABASE]
    at_ms = database.clock()
    unread, late = await database.read(
        lambda c: (
            notices.count_unread(c, actor),
            ticket_lists.count_late(c, actor, at_ms=at_ms, most=MOST),
        )
    )
    return json_response({"unread": unread, "late": late})
