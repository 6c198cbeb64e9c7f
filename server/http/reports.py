"""The report pages: response times, the turns behind each number, one turn with its messages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from aiohttp import web

from server.domain.errors import NotFound
from server.domain.metrics import GOAL_MS, METRICS
from server.domain.permissions import may
from server.http import report_views as views
from server.http.keys import DATABASE
from server.http.report_query import PERIODS, ReportQuery, days_of, read_query, scope_of
from server.http.sessions import current_person
from server.http.views import locale_of, render
from server.reports.response_times import Choices, response_times
from server.reports.rows import figures_csv
from server.reports.thread import load_turn
from server.reports.turn_list import load_turns
from server.reports.turns import NOBODY, Scope
from server.storage.event_log import last_seq, settled_seq
from server.storage.people import Person
from server.storage.shop import Shop, load_shop


def add_reports(app: web.Application) -> None:
    """Serves the report pages and their file."""
    app.router.add_get("/reports", show_report)
    app.router.add_get("/reports/export.csv", export_report)
    app.router.add_get("/reports/turns", show_turns)
    app.router.add_get("/reports/turns/{conversation_id}/{turn_no:[0-9]{1,9}}", show_turn)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, by whom, of which shop; ``own`` when a person sees only their own figures."""

    query: ReportQuery
    person: Person
    shop: Shop
    scope: Scope
    own: bool


async def show_report(request: web.Request) -> web.Response:
    """How long shoppers waited, in one page."""
    asked = await _asked(request)
    figures = await request.app[DATABASE].read(partial(response_times, scope=asked.scope))
    locale = await locale_of(request)
    scope, names = figures.scope, views.Names(figures.choices, locale)
    return await render(
        request,
        "report.html",
        nav="reports",
        shop=asked.shop,
        query=asked.query,
        pinned=_pinned(asked.query, scope),
        own=asked.own,
        figures=figures,
        metrics=METRICS,
        periods=PERIODS,
        nobody=NOBODY,
        goal_ms=GOAL_MS,
        names=names,
        days=days_of(scope),
        day_count=views.day_count(scope),
        period_words=views.period_words(scope, locale),
        filtered=views.filter_words(asked.query, names, locale),
        line_query=partial(views.line_query, _pinned(asked.query, scope)),
        zone=views.zone_words(scope.timezone, scope.as_of_ms),
        changes=views.changes(figures),
        histogram=views.histogram(figures, locale),
        trend=views.trend(figures, locale),
        bin_words=partial(views.bin_words, locale=locale),
        heat_hours=views.heat_hours(figures),
        heat_level=views.heat_level,
        short_span=views.short_span,
        misses_goal=views.misses_goal,
    )


async def export_report(request: web.Request) -> web.Response:
    """The same figures as CSV: in all, by agent, by day and by hour."""
    asked = await _asked(request)
    text = await request.app[DATABASE].read(partial(figures_csv, scope=asked.scope))
    # The mark at the start tells spreadsheets that this is UTF-8.
    return web.Response(
        body=b"\xef\xbb\xbf" + text.encode(),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="response-times.csv"'},
    )


async def show_turns(request: web.Request) -> web.Response:
    """The very turns that a number counts, as many as it says."""
    asked = await _asked(request)
    metric = METRICS[asked.query.metric]
    found = await request.app[DATABASE].read(
        partial(load_turns, scope=asked.scope, metric=metric, page=asked.query.page)
    )
    locale = await locale_of(request)
    names = views.Names(found.choices, locale)
    return await render(
        request,
        "report_turns.html",
        nav="reports",
        shop=asked.shop,
        query=asked.query,
        pinned=_pinned(asked.query, found.scope),
        own=asked.own,
        metric=metric,
        nobody=NOBODY,
        found=found,
        names=names,
        period_words=views.period_words(found.scope, locale),
        filtered=views.filter_words(asked.query, names, locale),
        zone=views.zone_words(found.scope.timezone, found.scope.as_of_ms),
    )


async def show_turn(request: web.Request) -> web.Response:
    """One turn: the messages themselves, with the clock drawn."""
    asked = await _asked(request)
    shown = await request.app[DATABASE].read(
        partial(
            load_turn,
            actor=asked.person.actor,
            conversation_id=request.match_info["conversation_id"],
            turn_no=int(request.match_info["turn_no"]),
            as_of_ms=asked.scope.as_of_ms,
        )
    )
    locale = await locale_of(request)
    at = views.WallClock(asked.shop.timezone)
    choices = Choices({}, {}, [])
    return await render(
        request,
        "report_turn.html",
        nav="reports",
        shop=asked.shop,
        query=asked.query,
        shown=shown,
        customer=views.Names(choices, locale).customer(shown.customer_id, shown.customer_name),
        zone=views.zone_words(asked.shop.timezone, shown.turn.ask_at_ms),
        clock=views.clock(shown, locale, at),
        exact_span=views.exact_span,
        owner_words=partial(views.owner_words, locale=locale),
        metrics=METRICS,
        at=at,
    )


async def _asked(request: web.Request) -> Asked:
    person = await current_person(request)
    query = read_query(request.query)
    database = request.app[DATABASE]
    shop = await database.read(load_shop)
    if shop is None:
        raise NotFound("There is no shop yet.")
    own = not may(person.actor, "report.read")
    scope = scope_of(
        query,
        timezone=shop.timezone,
        now_ms=database.clock(),
        agent_id=person.id if own else None,
    )
    if scope.as_of_seq is None:
        # What the page names as its end must give the same figures again.
        settled = await database.read(settled_seq)
        scope = replace(scope, as_of_seq=min(settled, await database.read(last_seq)))
    return Asked(query, person, shop, scope, own)


def _pinned(query: ReportQuery, scope: Scope) -> ReportQuery:
    """The query bound to the state that was read, so that its links lead to the same numbers."""
    return replace(query, as_of=scope.as_of_ms, seq=scope.as_of_seq)
