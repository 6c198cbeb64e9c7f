"""The page on which supervisors decide who is who, and take decisions back."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from server.actions import identity
from server.actions.desk import the_shop
from server.actions.identity import Merge, Unmerge
from server.actions.payload import parse
from server.domain.actors import Actor
from server.domain.errors import AppError, NotFound
from server.http.bodies import Form, field, read_form
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.views import done_of, problem_of, render
from server.storage import links
from server.storage.connection import Connection
from server.storage.identity import Json, identity_view
from server.storage.unit import Tx

ROOT = "/customers/review"
PERMISSION = "identity.manage"
DONE = frozenset({"merged", "apart", "undone", "allowed", "blocked"})


def add_identity(app: web.Application) -> None:
    """Serves the page and what is done on it."""
    router = app.router
    router.add_get(ROOT, show_identity)
    router.add_post(f"{ROOT}/cases/{{id}}", decide)
    router.add_post(f"{ROOT}/links/{{id}}/undo", undo)
    router.add_post(f"{ROOT}/values", set_value)


async def show_identity(request: web.Request, error: AppError | None = None) -> web.Response:
    """Cases that wait, links that can be undone, values that name nobody, and the log."""
    person = await require_person(request, PERMISSION)

    def look(connection: Connection) -> Json:
        return identity_view(connection, person.actor) | {"shop": the_shop(connection)}

    return await render(
        request,
        "identity.html",
        status=error.status if error else 200,
        nav="customers",
        wide=True,
        problem=await problem_of(request, error),
        done=done_of(request, DONE),
        **await request.app[DATABASE].read(look),
    )


async def decide(request: web.Request) -> web.Response:
    """Makes the two of a case one person, or keeps them apart."""

    def save(tx: Tx, actor: Actor, form: Form) -> str:
        case = links.load_case(tx.connection, request.match_info["id"])
        if case is None:
            raise NotFound("There is no such case.")
        pair = {"customer_id": case.customer_id, "other_id": case.other_id}
        payload = parse(Merge, pair | {"why": field(form, "why") or None})
        if field(form, "decision") == "merge":
            identity.merge(tx, actor, payload)
            return "merged"
        identity.keep_apart(tx, actor, payload)
        return "apart"

    return await _submit(request, save)


async def undo(request: web.Request) -> web.Response:
    """Undoes a link: every row is again what it was by itself."""

    def save(tx: Tx, actor: Actor, form: Form) -> str:
        values = {"link_id": request.match_info["id"], "why": field(form, "why") or None}
        identity.unmerge(tx, actor, parse(Unmerge, values))
        return "undone"

    return await _submit(request, save)


async def set_value(request: web.Request) -> web.Response:
    """Lets a value count again, or puts it back on the list."""

    def save(tx: Tx, actor: Actor, form: Form) -> str:
        state = field(form, "state")
        identity.set_shared(
            tx, actor, kind=field(form, "kind"), key=field(form, "key"), state=state
        )
        return state

    return await _submit(request, save)


async def _submit(request: web.Request, save: Callable[[Tx, Actor, Form], str]) -> web.Response:
    """Does what a form asks and shows the page again, with what was done or what was wrong."""
    person = await require_person(request, PERMISSION)
    form = await read_form(request)
    try:
        done = await request.app[DATABASE].write(lambda tx: save(tx, person.actor, form))
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_identity(request, error)
    raise web.HTTPSeeOther(f"{ROOT}?done={done}")
