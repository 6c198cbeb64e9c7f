"""Kept reports: keeping one, looking at it, and making it again to compare."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from server.actions import stored_reports as actions
from server.actions.stored_reports import READ
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.periods import MAX_AT_MS
from server.domain.text import whole_number
from server.http.bodies import Form, entered, field, read_form
from server.http.keys import DATABASE
from server.http.report_words import Names
from server.http.sessions import require_person
from server.http.views import done_of, locale_of, problem_of, render
from server.reports.pages import load_choices
from server.reports.rows import iso
from server.reports.scope import FILTERS, NOBODY
from server.reports.stored import Again, make_again, make_report, rows_of
from server.storage import stored_reports
from server.storage.connection import Connection
from server.storage.event_log import lasting_seq
from server.storage.shop import load_shop
from server.storage.stored_reports import Stored

ROOT = "/reports/stored"
SHOWN = 200
BY = ("agent", "team", "channel", "day", "hour")
DEFAULT = "frt, rt, r3m_turn"


def add_stored_reports(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(ROOT, show_all)
    router.add_post(ROOT, keep)
    router.add_get(f"{ROOT}/{{id}}", show_one)
    router.add_get(f"{ROOT}/{{id}}/rows.json", send_rows)
    router.add_post(f"{ROOT}/{{id}}", check_or_drop)


async def show_all(request: web.Request, error: AppError | None = None) -> web.Response:
    """Every kept report, and the form to keep one more."""
    await require_person(request, READ)
    database = request.app[DATABASE]
    form: Form = await read_form(request) if error is not None else {}
    shop = await database.read(load_shop)
    return await render(
        request,
        "stored_reports.html",
        status=error.status if error else 200,
        nav="reports",
        reports=await database.read(partial(stored_reports.load_reports, limit=SHOWN)),
        entered=entered(form),
        problem=await problem_of(request, error),
        groups=BY,
        default=DEFAULT,
        done=done_of(request, ("kept", "removed")),
        timezone=shop.timezone if shop else "UTC",
    )


async def keep(request: web.Request) -> web.Response:
    """Keeps a report under a name."""
    person = await require_person(request, READ)
    form = await read_form(request)
    database = request.app[DATABASE]
    asked = [name.strip() for name in field(form, "metrics").split(",") if name.strip()]
    try:
        seq = await database.read(lasting_seq)
        asked_seq, as_of_ms = _number(form, "as_of_seq"), _number(form, "as_of_ms")
        made = await database.read(
            partial(
                make_report,
                metric_ids=asked,
                now_ms=database.clock(),
                from_=field(form, "from") or None,
                to=field(form, "to") or None,
                by=field(form, "by") or None,
                as_of=None if as_of_ms is None else iso(as_of_ms),
                as_of_seq=seq if asked_seq is None else min(seq, asked_seq),
                only={name: value for name in FILTERS if (value := field(form, name))},
            )
        )
        job = partial(actions.keep_report, actor=person.actor, made=made, name=field(form, "name"))
        report_id = await database.write(job)
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_all(request, error)
    raise web.HTTPSeeOther(f"{ROOT}/{report_id}?done=kept")


def _number(form: Form, name: str) -> int | None:
    text = field(form, name)
    number = whole_number(text, digits=16)
    if text and (number is None or number > MAX_AT_MS):
        raise InvalidInput(f"{name} must be a whole number.", field=name)
    return number


async def show_one(request: web.Request, again: Again | None = None) -> web.Response:
    """A kept report with its rows; ``again`` is what came of making it once more."""
    await require_person(request, READ)
    stored = await _stored(request)
    shop = await request.app[DATABASE].read(load_shop)
    choices = await request.app[DATABASE].read(load_choices)
    names = Names(choices, await locale_of(request))
    return await render(
        request,
        "stored_report.html",
        nav="reports",
        stored=stored,
        rows=rows_of(stored.body),
        again=again,
        filters=[
            (name, names.of(name, None if key == NOBODY else key))
            for name in FILTERS
            if (key := stored.query.get(name)) is not None
        ],
        done=done_of(request, ("kept",)),
        timezone=shop.timezone if shop else "UTC",
    )


async def send_rows(request: web.Request) -> web.Response:
    """The very bytes that were kept."""
    await require_person(request, READ)
    stored = await _stored(request)
    return web.Response(
        body=stored.body.encode(),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="report.json"'},
    )


async def check_or_drop(request: web.Request) -> web.Response:
    """Makes a report again and compares, or lets go of it."""
    person = await require_person(request, READ)
    form = await read_form(request)
    stored = await _stored(request)
    if field(form, "do") == "remove":
        job = partial(actions.drop_report, actor=person.actor, report_id=stored.id)
        await request.app[DATABASE].write(job)
        raise web.HTTPSeeOther(f"{ROOT}?done=removed")
    again = await request.app[DATABASE].read(partial(make_again, stored=stored))
    return await show_one(request, again)


async def _stored(request: web.Request) -> Stored:
    key = request.match_info["id"]

    def look(connection: Connection) -> Stored | None:
        return stored_reports.load_report(connection, key)

    found = await request.app[DATABASE].read(look)
    if found is None or found.id != key:
        raise NotFound("There is no such report.")
    return found
