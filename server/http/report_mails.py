"""Reports by mail: the list, one of them, and what may be done with it."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from server.actions import report_schedules as actions
from server.actions.report_schedules import READ
from server.domain.actors import Actor
from server.domain.dimensions import DIMENSIONS
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.report_schedule import EVERY, LAST_DAY, Every, Schedule
from server.domain.text import whole_number
from server.http.bodies import Form, field, read_form
from server.http.keys import DATABASE, SETTINGS
from server.http.sessions import require_person
from server.http.settings import submit
from server.http.stored_reports import asked_metrics, metric_choices
from server.http.views import done_of, locale_of, problem_of, render
from server.storage import report_schedules
from server.storage.shop import load_shop

ROOT = "/reports/mails"
CHOSEN = ("received", "frt", "r3m_turn", "unanswered", "csat")
EARLY = 8
DONE = frozenset({"added", "saved", "stopped", "on", "now", "removed"})


def add_report_mails(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(ROOT, show_all)
    router.add_get(f"{ROOT}/new", show_one)
    router.add_post(f"{ROOT}/new", save)
    router.add_get(f"{ROOT}/{{id}}", show_one)
    router.add_post(f"{ROOT}/{{id}}", save)
    router.add_get(f"{ROOT}/{{id}}/remove", ask_remove)
    for what in ("on", "stop", "now", "remove"):
        router.add_post(f"{ROOT}/{{id}}/{what}", partial(do, what=what))


async def show_all(request: web.Request) -> web.Response:
    """Every report that goes out by itself, to whom, and when the next one is due."""
    await require_person(request, READ)
    database = request.app[DATABASE]
    shop = await database.read(load_shop)
    settings = request.app[SETTINGS]
    # Without an address of its own the desk sends nothing, whatever server there is.
    sends = settings.smtp_url is not None and settings.own_mail_address is not None
    done = done_of(request, DONE)
    return await render(
        request,
        "report_mails.html",
        nav="reports",
        schedules=await database.read(report_schedules.load_schedules),
        names={one.id: one.name for one in await database.read(actions.readers)},
        sends=sends,
        done=done if sends or done != "now" else None,
        timezone=shop.timezone if shop else "UTC",
    )


async def show_one(request: web.Request, error: AppError | None = None) -> web.Response:
    """One of them, or an empty form for a new one."""
    person = await require_person(request, READ)
    locale = await locale_of(request)
    held = await _held(request)
    shown = held or Schedule(
        id="",
        name="",
        metrics=CHOSEN,
        by=None,
        every="week",
        hour=EARLY,
        day=0,
        locale=locale,
        recipients=(person.id,),
    )
    if error is not None:
        shown = _entered(await read_form(request), shown.id)
    database = request.app[DATABASE]
    shop = await database.read(load_shop)
    return await render(
        request,
        "report_mail.html",
        status=error.status if error else 200,
        nav="reports",
        schedule=shown,
        **metric_choices(locale, shown.metrics),
        dimensions=DIMENSIONS,
        every=EVERY,
        last_day=LAST_DAY,
        readers=await database.read(actions.readers),
        problem=await problem_of(request, error),
        timezone=shop.timezone if shop else "UTC",
    )


async def save(request: web.Request) -> web.Response:
    """Adds or changes one."""
    held = await _held(request)

    async def keep(actor: Actor, form: Form) -> str:
        wanted = _entered(form, held.id if held else "")
        await request.app[DATABASE].write(
            partial(actions.save_schedule, actor=actor, wanted=wanted)
        )
        return f"{ROOT}?done={'saved' if held else 'added'}"

    return await submit(request, READ, keep, show_one)


async def ask_remove(request: web.Request) -> web.Response:
    """Asks before one is taken out."""
    await require_person(request, READ)
    held = await _held(request)
    return await render(request, "report_mail_remove.html", nav="reports", schedule=held)


async def do(request: web.Request, *, what: str) -> web.Response:
    """Stops one, lets it go on, sends it now or takes it out."""
    held = await _held(request)
    schedule_id = held.id if held else ""
    job = {
        "on": partial(actions.switch_schedule, schedule_id=schedule_id, enabled=True),
        "stop": partial(actions.switch_schedule, schedule_id=schedule_id, enabled=False),
        "now": partial(actions.send_now, schedule_id=schedule_id),
        "remove": partial(actions.drop_schedule, schedule_id=schedule_id),
    }[what]
    said = {"on": "on", "stop": "stopped", "now": "now", "remove": "removed"}[what]

    async def act(actor: Actor, _form: Form) -> str:
        await request.app[DATABASE].write(partial(job, actor=actor))
        return f"{ROOT}?done={said}"

    return await submit(request, READ, act, show_one)


async def _held(request: web.Request) -> Schedule | None:
    """The schedule of the address, None on the page of a new one. Raises NotFound."""
    await require_person(request, READ)
    schedule_id = request.match_info.get("id")
    if schedule_id is None:
        return None
    held = await request.app[DATABASE].read(
        lambda c: report_schedules.load_schedule(c, schedule_id)
    )
    if held is None:
        raise NotFound("There is no such report by mail.")
    return held


def _entered(form: Form, schedule_id: str) -> Schedule:
    """What a form says; what is wrong with it is found when it is saved."""
    every = _one_of(EVERY, field(form, "every"))
    days: dict[Every, str] = {"day": "0", "week": "weekday", "month": "monthday"}
    return Schedule(
        id=schedule_id,
        name=field(form, "name"),
        metrics=asked_metrics(form),
        by=field(form, "by") or None,
        every=every,
        hour=_number(form, "hour"),
        day=0 if every == "day" else _number(form, days[every]),
        locale="zh" if field(form, "locale") == "zh" else "en",
        recipients=tuple(form.get("recipients", ())),
    )


def _one_of(known: tuple[Every, ...], value: str) -> Every:
    for one in known:
        if one == value:
            return one
    raise InvalidInput(f"every must be one of {', '.join(known)}.", field="every")


def _number(form: Form, name: str) -> int:
    number = whole_number(field(form, name), digits=2)
    if number is None:
        raise InvalidInput(f"{name} must be a whole number.", field=name)
    return number
