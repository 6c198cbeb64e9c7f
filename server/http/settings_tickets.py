"""Settings: types of ticket, own names of states, automatic closing; for supervisors and admins."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any  # Any: values of a template

from aiohttp import web

from server.actions import ticket_jobs
from server.actions import ticket_settings as actions
from server.actions.desk import Look, the_shop
from server.actions.ticket_settings import MANAGE
from server.domain.actors import Actor
from server.domain.errors import AppError, NotFound
from server.domain.ticket import NAMED_STATES, PRIORITIES
from server.domain.ticket_types import BY_ID
from server.http.bodies import Form, entered, field, read_form
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.storage import people
from server.storage.connection import Connection
from server.storage.ticket_types import load_statuses, load_types

PAGE = "/settings/ticket-types"


def add_ticket_settings(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(PAGE, show)
    router.add_post(PAGE, add_type)
    router.add_post(f"{PAGE}/statuses", save_status)
    router.add_post(f"{PAGE}/closing", save_closing)
    router.add_get(f"{PAGE}/{{type}}", show_type)
    router.add_post(f"{PAGE}/{{type}}", save_type)


async def show(
    request: web.Request, error: AppError | None = None, *, would: Any = None, tried: Any = None
) -> web.Response:
    """All types, the names of states and the rules of closing."""
    await require_person(request, MANAGE)
    found = await request.app[DATABASE].read(_all)
    if tried is not None:
        found["closing"] = tried
    return await settings_page(
        request,
        "settings_tickets.html",
        error,
        tab="ticket-types",
        would=would,
        named_states=NAMED_STATES,
        priorities=PRIORITIES,
        **found,
    )


def _all(connection: Connection) -> dict[str, Any]:  # Any: values of a template
    shop = the_shop(connection)
    chosen = shop.settings.get("tickets")
    return {
        "kinds": load_types(connection),
        "shipped": BY_ID,
        "statuses": list(load_statuses(connection).values()),
        "teams": people.load_teams(connection),
        "closing": ticket_jobs.closing_of(shop),
        "vip": chosen.get("vip", True) if isinstance(chosen, dict) else True,
    }


async def show_type(request: web.Request, error: AppError | None = None) -> web.Response:
    """One type with its fields and what the shopper reads."""
    await require_person(request, MANAGE)
    found = await request.app[DATABASE].read(_all)
    kind = found["kinds"].get(request.match_info["type"])
    if kind is None:
        raise NotFound("There is no such type.")
    return await settings_page(
        request,
        "settings_ticket_type.html",
        error,
        tab="ticket-types",
        kind=kind,
        lines=actions.lines_of(kind),
        usual={state: actions.usual_words(state) for state in NAMED_STATES},
        named_states=NAMED_STATES,
        priorities=PRIORITIES,
        **found,
    )


async def add_type(request: web.Request) -> web.Response:
    """Adds a type of the shop's own."""

    async def save(actor: Actor, form: Form) -> str:
        job = partial(
            actions.save_type, actor=actor, type_id=field(form, "id"), texts=entered(form), new=True
        )
        await request.app[DATABASE].write(job)
        return f"{PAGE}/{field(form, 'id')}?done=saved"

    return await submit(request, MANAGE, save, show)


async def save_type(request: web.Request) -> web.Response:
    """Changes a type, or gives a shipped one back as it came."""
    type_id = request.match_info["type"]

    async def save(actor: Actor, form: Form) -> str:
        if field(form, "do") == "restore":
            job = partial(actions.restore_type, actor=actor, type_id=type_id)
        else:
            job = partial(
                actions.save_type, actor=actor, type_id=type_id, texts=entered(form), new=False
            )
        await request.app[DATABASE].write(job)
        return f"{PAGE}?done=saved"

    return await submit(request, MANAGE, save, show_type)


async def save_status(request: web.Request) -> web.Response:
    """Adds a name of a state, or takes one out of use and in again."""

    async def save(actor: Actor, form: Form) -> str:
        if field(form, "do") in ("stop", "start"):
            job = partial(
                actions.use_status,
                actor=actor,
                status_id=field(form, "status"),
                active=field(form, "do") == "start",
            )
        else:
            job = partial(actions.save_status, actor=actor, texts=entered(form))
        await request.app[DATABASE].write(job)
        return f"{PAGE}?done=saved#statuses"

    return await submit(request, MANAGE, save, show)


async def save_closing(request: web.Request) -> web.Response:
    """Keeps the rules of closing, or says what they would do now without doing it."""
    form = await read_form(request)
    if field(form, "do") == "preview":
        person = await require_person(request, MANAGE)
        try:
            rules = actions.read_rules(entered(form))
        except AppError as error:
            return await show(request, error)
        at_ms = request.app[DATABASE].clock()
        tried = replace(rules, on=True)
        would = await request.app[DATABASE].read(
            lambda c: ticket_jobs.preview(Look(c, person.actor, at_ms), tried), limit_s=20.0
        )
        return await show(request, would=would, tried=rules)

    async def save(actor: Actor, form: Form) -> str:
        texts = entered(form)
        job = partial(
            actions.save_rules,
            actor=actor,
            closing=actions.read_rules(texts),
            vip=texts.get("vip") == "1",
        )
        await request.app[DATABASE].write(job)
        return f"{PAGE}?done=saved#closing"

    return await submit(request, MANAGE, save, show)
