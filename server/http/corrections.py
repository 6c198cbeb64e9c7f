"""Corrections: what counts no more, one event to be left out, and letting it count again."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from server.actions.corrections import WRITE, Void, void
from server.actions.payload import parse
from server.domain.corrections import REASONS, VOIDABLE
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.events import Event
from server.http.bodies import field, read_form
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.views import done_of, problem_of, render
from server.reports.corrections import VoidShown, load_voids
from server.storage import people
from server.storage.connection import Connection
from server.storage.corrections import load_event
from server.storage.shop import load_shop
from server.storage.tickets import messages_between

ROOT = "/reports/corrections"
DONE = ("voided", "counted")
MOST = 500
SAID = "message.posted"


def add_corrections(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(ROOT, show_corrections)
    router.add_get(f"{ROOT}/{{seq:[0-9]{{1,15}}}}", show_event)
    router.add_post(f"{ROOT}/{{seq:[0-9]{{1,15}}}}", void_event)


async def show_corrections(request: web.Request) -> web.Response:
    """Everything that was left out and still is, the latest first."""
    await require_person(request, WRITE)
    database = request.app[DATABASE]
    shop = await database.read(load_shop)
    return await render(
        request,
        "corrections.html",
        nav="reports",
        voids=(await database.read(load_voids))[:MOST],
        names=await database.read(people.names),
        timezone=shop.timezone if shop else "UTC",
        done=done_of(request, DONE),
    )


async def show_event(request: web.Request, error: AppError | None = None) -> web.Response:
    """One event, and why it should not count."""
    await require_person(request, WRITE)
    form = await read_form(request) if error is not None else {}
    seq = int(request.match_info["seq"])
    database = request.app[DATABASE]

    def look(connection: Connection) -> tuple[Event, VoidShown | None, str]:
        event = load_event(connection, seq)
        if event is None or event.kind not in VOIDABLE:
            raise NotFound("There is no such event.")
        held = (one for one in load_voids(connection) if one.target.seq == seq)
        chat = event.conversation_id or ""
        said = messages_between(connection, chat, seq, seq) if event.kind == SAID else []
        return event, next(held, None), said[0].body if said else ""

    event, held, body = await database.read(look)
    shop = await database.read(load_shop)
    return await render(
        request,
        "correction.html",
        status=error.status if error else 200,
        nav="reports",
        event=event,
        held=held,
        body=body,
        done=None if error else done_of(request, DONE),
        names=await database.read(people.names),
        reasons=REASONS,
        problem=await problem_of(request, error),
        back=_back(request.query.get("back") or field(form, "back")),
        timezone=shop.timezone if shop else "UTC",
    )


async def void_event(request: web.Request) -> web.Response:
    """Leaves an event out, or with a correction's number lets what it left out count again."""
    person = await require_person(request, WRITE)
    form = await read_form(request)
    seq = int(request.match_info["seq"])
    again = field(form, "do") == "again"
    reason = "mistake" if again else field(form, "reason")
    try:
        if not reason:
            raise InvalidInput("Say why.", field="reason", reason="correction_why")
        payload = parse(Void, {"target_seq": seq, "reason": reason})
        await request.app[DATABASE].write(partial(void, actor=person.actor, payload=payload))
    except NotFound:
        raise
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_event(request, error)
    back = _back(field(form, "back"))
    if again or not back:
        raise web.HTTPSeeOther(back or f"{ROOT}?done={'counted' if again else 'voided'}")
    # A turn whose question counts no more has no page to go back to.
    raise web.HTTPSeeOther(f"{ROOT}/{seq}?{urlencode({'done': 'voided', 'back': back})}")


def _back(path: str | None) -> str | None:
    """The page of reports to go back to; other addresses are not followed."""
    if path and path.startswith("/reports/") and "\\" not in path and path.isprintable():
        return path[:1000]
    return None
