"""Settings: repair of rifts and follow-up calls, with what came of them."""

from __future__ import annotations

from functools import partial
from typing import Any  # Any: values of a template

from aiohttp import web

from server.actions import follow_up_calls, repairs
from server.actions.desk import the_shop
from server.actions.payload import parse
from server.dispatch import run
from server.domain.actors import Actor
from server.domain.care import KINDS
from server.domain.errors import AppError, InvalidInput
from server.domain.money import decimal_text, to_minor
from server.domain.periods import instant_ms, zone
from server.domain.segment import SEGMENTS
from server.domain.spans import DAY_MS
from server.domain.ticket_number import read_number
from server.http.bodies import Form, entered, field, read_form
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.http.ticket_page import show_ticket
from server.storage import care, people, saved_segments
from server.storage import tickets as stored
from server.storage.connection import Connection

MANAGE = repairs.MANAGE
PAGE = "/settings/care"
# Figures of calls are those of so many days.
FIGURE_DAYS = 90
SHOWN = 50


def add_care_settings(app: web.Application) -> None:
    """Serves the page, and takes what came of a call; before the other forms of a ticket."""
    router = app.router
    router.add_get(PAGE, show_care)
    router.add_post(PAGE, save)
    router.add_post(f"{PAGE}/plans", save_plan)
    router.add_post("/tickets/{number}/call", take_outcome)


async def show_care(request: web.Request, error: AppError | None = None) -> web.Response:
    """Both, with the log of repairs and the figures of calls."""
    await require_person(request, MANAGE)
    database = request.app[DATABASE]
    at_ms = database.clock()
    found = await database.read(partial(_all, at_ms=at_ms))
    return await settings_page(
        request, "settings_care.html", error, tab="care", kinds=KINDS, now_ms=at_ms, **found
    )


def _all(connection: Connection, *, at_ms: int) -> dict[str, Any]:  # Any: values of a template
    shop = the_shop(connection)
    kept = repairs.repairs_of(shop)
    return {
        "shop": shop,
        "repairs": kept,
        "refund": decimal_text(kept.refund_minor, shop.currency),
        "made": care.latest_repairs(connection, limit=SHOWN),
        "plans": care.load_plans(connection),
        "figures": care.outcomes(connection, since_ms=at_ms - FIGURE_DAYS * DAY_MS, at_ms=at_ms),
        "figure_days": FIGURE_DAYS,
        "teams": people.load_teams(connection),
        "segments": SEGMENTS,
        "saved": saved_segments.shared(connection),
    }


async def save(request: web.Request) -> web.Response:
    """Keeps when a relation needs mending and whose task it is."""

    async def keep(actor: Actor, form: Form) -> str:
        shop = await request.app[DATABASE].read(the_shop)
        texts = entered(form)
        read = repairs.read_form(
            texts,
            kinds=form.get("kind", []),
            refund_minor=_minor(texts.get("refund", ""), shop.currency),
        )
        await request.app[DATABASE].write(partial(repairs.save_repairs, actor=actor, repairs=read))
        return f"{PAGE}?done=saved"

    return await submit(request, MANAGE, keep, show_care)


async def save_plan(request: web.Request) -> web.Response:
    """Adds, changes or removes a plan of calls."""

    async def keep(actor: Actor, form: Form) -> str:
        plan_id = field(form, "plan")[:64]
        job: Any  # Any: one of two jobs
        if field(form, "do") == "remove":
            job = partial(follow_up_calls.remove_plan, actor=actor, plan_id=plan_id)
        else:
            job = partial(
                follow_up_calls.save_plan,
                actor=actor,
                plan_id=plan_id or None,
                texts=entered(form),
                enabled=field(form, "enabled") == "1",
            )
        await request.app[DATABASE].write(job)
        return f"{PAGE}?done=saved#calls"

    return await submit(request, MANAGE, keep, show_care)


async def take_outcome(request: web.Request) -> web.Response:
    """Keeps what came of a call and shows its ticket again, or the one that the call led to."""
    person = await require_person(request, "ticket.write")
    form = await read_form(request)
    database = request.app[DATABASE]
    number = read_number(request.match_info["number"][:64]) or ""

    def find(connection: Connection) -> tuple[str | None, str]:
        shop = the_shop(connection)
        return stored.id_of_number(connection, number), shop.timezone

    ticket_id, timezone = await database.read(find)
    try:
        values: dict[str, Any] = {  # Any: values of the payload
            "ticket_id": ticket_id or "none",
            "outcome": field(form, "outcome"),
            "remarks": field(form, "remarks"),
        }
        if values["outcome"] == "not_reached" and field(form, "until"):
            values["until_ms"] = _instant(field(form, "until"), timezone)
        payload = parse(follow_up_calls.CallOutcome, values)
        answer = await run(database, follow_up_calls.record, person.actor, payload)
    except AppError as error:
        if error.status >= 500 or error.status == 404:
            raise
        return await show_ticket(request, error)
    led = answer["problem_id"]
    if led is not None:
        numbers = await database.read(partial(stored.numbers_of, ids=[led]))
        number = numbers[led]
    raise web.HTTPSeeOther(f"/tickets/{number}?done={'made' if led else 'saved'}")


def _instant(text: str, timezone: str) -> int:
    try:
        return instant_ms(text, zone(timezone))
    except InvalidInput:
        raise InvalidInput("This is no time.", field="until_ms") from None


def _minor(text: str, currency: str) -> int:
    """An amount as people write it, in the smallest unit. Raises InvalidInput."""
    refused = InvalidInput("An amount of money.", field="refund", reason="care_number")
    try:
        minor = to_minor(text.replace(",", ""), currency)
    except InvalidInput:
        raise refused from None
    if not 1 <= minor <= 10**12:
        raise refused
    return minor
