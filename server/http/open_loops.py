"""The page of what is open past its target: everything that waits for the shop, on one list."""

from __future__ import annotations

from functools import partial
from typing import Any  # Any: values of a template

from aiohttp import web

from server.actions.desk import the_shop
from server.actions.open_loops import READ, set_mail_right
from server.domain.actors import Actor
from server.domain.errors import AppError
from server.http.bodies import Form, field
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.settings import submit
from server.http.views import problem_of, render
from server.storage import people
from server.storage.connection import Connection
from server.storage.open_loops import MOST, count_open_loops, open_loops
from server.storage.views import TARGETS

PATH = "/tickets/open-loops"


def add_open_loops(app: web.Application) -> None:
    """Serves the page; before the page of one ticket, whose address would catch it."""
    app.router.add_get(PATH, show_open_loops)
    app.router.add_post(PATH, settle_mail)


async def show_open_loops(request: web.Request, error: AppError | None = None) -> web.Response:
    """What is late, the latest first."""
    await require_person(request, READ)
    database = request.app[DATABASE]
    at_ms = database.clock()
    found = await database.read(partial(_found, at_ms=at_ms))
    return await render(
        request,
        "open_loops.html",
        status=error.status if error else 200,
        nav="tickets",
        wide=True,
        now_ms=at_ms,
        problem=await problem_of(request, error),
        done=request.query.get("done") == "settled",
        **found,
    )


def _found(connection: Connection, *, at_ms: int) -> dict[str, Any]:  # Any: values of a template
    limit_ms = TARGETS["limit_ms"]
    counts = count_open_loops(connection, at_ms=at_ms, limit_ms=limit_ms)
    return {
        "loops": open_loops(connection, at_ms=at_ms, limit_ms=limit_ms),
        "counts": counts,
        "total": sum(counts.values()),
        "most": MOST,
        "names": people.names(connection),
        "teams": {team.id: team for team in people.load_teams(connection)},
        "shop": the_shop(connection),
    }


async def settle_mail(request: web.Request) -> web.Response:
    """Notes that a mail that was set aside needs nothing."""

    async def settle(actor: Actor, form: Form) -> str:
        job = partial(set_mail_right, actor=actor, mail_id=field(form, "mail")[:64])
        await request.app[DATABASE].write(job)
        return f"{PATH}?done=settled"

    return await submit(request, READ, settle, show_open_loops)
