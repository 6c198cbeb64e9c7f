"""Kept reports: keeping one, looking at it, and making it again to compare."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aiohttp import web

from agent_ui.render import Locale
from server.actions import stored_reports as actions
from server.actions.stored_reports import READ
from server.domain.dimensions import DIMENSIONS
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.metrics import METRICS, metric_of
from server.domain.periods import MAX_AT_MS
from server.domain.text import whole_number
from server.http.bodies import Form, entered, field, read_form
from server.http.keys import DATABASE
from server.http.report_words import Names, choices_of
from server.http.sessions import require_person
from server.http.views import done_of, locale_of, problem_of, render
from server.reports.pages import load_choices
from server.reports.rows import iso
from server.reports.scope import FILTERS, NOBODY
from server.reports.stored import Again, make_again, make_report, rows_of
from server.storage import figures, stored_reports
from server.storage.connection import Connection
from server.storage.event_log import lasting_seq
from server.storage.shop import load_shop
from server.storage.stored_reports import Stored

ROOT = "/reports/stored"
SHOWN = 200
# More rows than anybody reads; the file has all.
MOST_ROWS = 500
DEFAULT = ("frt", "rt", "r3m_turn")
# Figures that carry a number: the fields of the number, and the ids that they make.
NUMBERED = {"sl": "sl_{}", "inq_conv": "inq_conv_{}h", "repeat": "repeat_{}d"}
# What most ask for; the page folds the others away.
OFFERED = (
    "received",
    "frt",
    "rt",
    "sl_30",
    "r3m_turn",
    "abandon",
    "unanswered",
    "full_res",
    "fcr",
    "csat",
    "sla_met",
    "inq_conv_24h",
)


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
    locale = await locale_of(request)
    names = Names(await database.read(load_choices), locale)
    reports = await database.read(partial(stored_reports.load_reports, limit=SHOWN))
    chosen = asked_metrics(form) if error is not None else DEFAULT
    return await render(
        request,
        "stored_reports.html",
        status=error.status if error else 200,
        nav="reports",
        reports=reports,
        names={name: metric_name(name, locale) for one in reports for name in one.metrics},
        entered=entered(form),
        problem=await problem_of(request, error),
        dimensions=DIMENSIONS,
        chosen=chosen,
        choices=choices_of(names),
        labels=await database.read(figures.labels),
        **metric_choices(locale, chosen),
        done=done_of(request, ("kept", "removed")),
        timezone=shop.timezone if shop else "UTC",
    )


def metric_choices(locale: Locale, chosen: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """What a form offers of figures, (id, name) each: those that most ask for, and all others.

    Of the chosen ones, those with a number of their own stand among the others.
    """
    named = {name: metric_name(name, locale) for name in (*METRICS, *chosen)}
    rest = [(name, words) for name, words in named.items() if name not in OFFERED]
    return {"offered": [(name, named[name]) for name in OFFERED], "rest": rest}


def metric_name(metric_id: str, locale: Locale) -> str:
    """What a figure is called; its id where there is no such figure (any more)."""
    try:
        return metric_of(metric_id).name.of(locale)
    except InvalidInput:
        return metric_id


def _is_share(metric_id: str) -> bool:
    """True for a figure that people say in per cent."""
    try:
        return metric_of(metric_id).per_cent
    except InvalidInput:
        return True


def asked_metrics(form: Form) -> tuple[str, ...]:
    """The figures that a form names, each once; a field may name several with commas between."""
    names = [name.strip() for text in form.get("metrics", ()) for name in text.split(",")]
    names += [pattern.format(field(form, name)) for name, pattern in NUMBERED.items()]
    empty = {pattern.format("") for pattern in NUMBERED.values()}
    return tuple(dict.fromkeys(name for name in names if name and name not in empty))


async def keep(request: web.Request) -> web.Response:
    """Keeps a report under a name."""
    person = await require_person(request, READ)
    form = await read_form(request)
    database = request.app[DATABASE]
    asked = asked_metrics(form)
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
    rows = rows_of(stored.body)
    by = stored.query.get("by")
    shown = rows[:MOST_ROWS]
    skus = {str(row["group"]) for row in shown if by == "sku" and row["group"] is not None}
    choices = await request.app[DATABASE].read(lambda c: load_choices(c, skus=skus))
    names = Names(choices, await locale_of(request))
    return await render(
        request,
        "stored_report.html",
        nav="reports",
        stored=stored,
        rows=shown,
        more=len(rows) - len(shown),
        told=partial(names.told, None if by is None else str(by)),
        shares=[name for name in stored.metrics if _is_share(name)],
        names={name: metric_name(name, names.locale) for name in stored.metrics},
        dimensions=DIMENSIONS,
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
