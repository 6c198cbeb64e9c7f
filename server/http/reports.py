"""The report pages: figures, the rows behind each of them, and the messages behind each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any  # Any: values of a template

from aiohttp import web

from agent_ui.render import Locale
from server.actions.desk import the_shop
from server.domain.actors import Actor
from server.domain.dimensions import DIMENSIONS
from server.domain.errors import NotAllowed
from server.domain.metrics import METRICS, Metric, metric_of
from server.domain.permissions import may
from server.http import report_rows, report_views, report_words
from server.http.csv_files import csv_file
from server.http.keys import DATABASE
from server.http.report_address import Wrong, refused, told, unknown_names, without
from server.http.report_blocks import Desk
from server.http.report_figures import Teller
from server.http.report_pages import DIVISIONS, PAGES, Page
from server.http.report_query import (
    COMPARE,
    PARAMETERS,
    PERIODS,
    ReportQuery,
    compared_with,
    days_of,
    pinned_scope,
    read_query,
)
from server.http.segment_views import look
from server.http.sessions import current_person
from server.http.views import locale_of, render
from server.reports.page_csv import page_csv
from server.reports.pages import known, load_choices, load_page
from server.reports.row_list import load_rows
from server.reports.rows import iso
from server.reports.scope import FILTERS, NOBODY, Scope
from server.reports.thread import Story, load_session, load_turn
from server.storage.connection import Connection
from server.storage.people import Person
from server.storage.shop import Shop

NUMBER = "[0-9]{1,9}"


def add_reports(app: web.Application) -> None:
    """Serves the report pages and their files."""
    router = app.router
    for page in PAGES.values():
        router.add_get(page.path, told(partial(show_page, page=page)))
    router.add_get("/reports/export.csv", told(export_report))
    router.add_get("/reports/rows", told(show_rows))
    router.add_get("/reports/turns", told(show_rows))
    router.add_get(f"/reports/turns/{{conversation_id}}/{{number:{NUMBER}}}", told(show_turn))
    router.add_get(f"/reports/sessions/{{conversation_id}}/{{number:{NUMBER}}}", told(show_session))


@dataclass(frozen=True, slots=True)
class Ignored:
    """Parameters of an address that no report knows, and the address without them."""

    names: tuple[str, ...]
    address: str

    @property
    def shown(self) -> str:
        """Their names as a text of bearable length."""
        return ", ".join(f"“{name[:40]}”" for name in self.names[:5])


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, by whom, of which shop; ``own`` when a person sees only their own figures."""

    query: ReportQuery
    person: Person
    shop: Shop
    scope: Scope
    own: bool
    ignored: Ignored | None

    @property
    def pinned(self) -> ReportQuery:
        """The query bound to the state that is read, so that its links lead to the same numbers."""
        return replace(self.query, as_of=self.scope.as_of_ms, seq=self.scope.as_of_seq)


async def show_page(request: web.Request, *, page: Page) -> web.Response:
    """One of the pages: its figures, charts and tables."""
    asked = await _asked(request)
    if asked.own and not page.own:
        raise NotAllowed("These figures are for supervisors.")
    page = page.divided(asked.query.by)
    locale = await locale_of(request)
    database = request.app[DATABASE]
    wants = page.wants(asked.query.view)
    figures = await database.read(
        partial(
            load_page,
            wants=wants,
            scope=asked.scope,
            compared=compared_with(asked.query, asked.scope),
        )
    )
    names = report_words.Names(figures.choices, locale)
    teller = Teller(locale, asked.shop.currency, asked.pinned)
    desk = Desk(figures, asked.query, asked.pinned, names, teller, own=asked.own)
    blocks = [one for block in page.blocks if (one := report_views.show(block, desk))]
    return await render(
        request,
        "report.html",
        nav="reports",
        page=page,
        pages=[one for one in PAGES.values() if one.own or not asked.own],
        figures=figures,
        blocks=blocks,
        open_now=sum(one.n_open for one in figures.whole.values()),
        quality=figures.quality,
        metrics=figures.metrics,
        compared="" if figures.compared is None else _period(figures.compared, locale),
        periods=PERIODS,
        comparisons=COMPARE,
        divisions=DIVISIONS.get(page.id, ()),
        choices=report_words.choices_of(names),
        segment_look=look,
        days=days_of(figures.scope),
        kept_as=_kept_as(figures.scope),
        dimensions=DIMENSIONS,
        **_around(asked, names, locale),
    )


async def export_report(request: web.Request) -> web.Response:
    """The figures as CSV: in all, by agent, by day and by hour; ``metrics`` keeps to some."""
    asked = await _asked(request)
    # A page says beside its figures what it left aside; a file could not.
    if unknown := unknown_names(request.query, PARAMETERS | {"metrics"}):
        raise refused(*unknown)
    wanted = [name for name in request.query.get("metrics", "").split(",") if name][:60]
    text = await request.app[DATABASE].read(
        partial(page_csv, scope=asked.scope, metrics=known(wanted or METRICS))
    )
    return csv_file(text.encode(), "report.csv")


async def show_rows(request: web.Request) -> web.Response:
    """The very rows that a number counts, as many as it says."""
    asked = await _asked(request)
    metric = metric_of(asked.query.metric)
    found = await request.app[DATABASE].read(
        partial(
            load_rows,
            scope=asked.scope,
            metric=metric,
            hit=asked.query.hit,
            page=asked.query.page,
        )
    )
    locale = await locale_of(request)
    names = report_words.Names(found.choices, locale)
    teller = Teller(locale, asked.shop.currency, asked.pinned)
    return await render(
        request,
        "report_rows.html",
        nav="reports",
        metric=metric,
        found=found,
        noun=teller.noun(metric, found.count),
        table=report_rows.table(found, metric, names, teller, asked.shop.timezone),
        back=_page_of(metric),
        **_around(asked, names, locale),
    )


async def show_turn(request: web.Request) -> web.Response:
    """One turn: the messages themselves, with the clock drawn."""
    return await _show_story(request, load_turn)


async def show_session(request: web.Request) -> web.Response:
    """One session: each of its waits with its clock, and every message."""
    return await _show_story(request, load_session)


async def _show_story(
    request: web.Request, load: Callable[[Connection, Actor, str, int, int], Story]
) -> web.Response:
    asked = await _asked(request)
    conversation_id = request.match_info["conversation_id"]
    number, as_of_ms = int(request.match_info["number"]), asked.scope.as_of_ms
    actor = asked.person.actor
    story, choices = await request.app[DATABASE].read(
        lambda c: (load(c, actor, conversation_id, number, as_of_ms), load_choices(c))
    )
    locale = await locale_of(request)
    names = report_words.Names(choices, locale)
    at = report_words.WallClock(asked.shop.timezone)
    return await render(
        request,
        "report_story.html",
        nav="reports",
        story=story,
        metric=metric_of(asked.query.metric),
        customer=names.customer(story.customer_id, story.customer_name),
        clocks=[(one, report_views.clock(one, locale, at)) for one in story.clocks],
        exact_span=report_words.exact_span,
        owner_words=partial(report_words.owner_words, locale=locale),
        at=at,
        **_around(asked, names, locale),
    )


def _nobody(connection: Connection, *, query: ReportQuery) -> tuple[Wrong, ...]:
    """The person and the team of an address, where there is no such one."""
    wanted = {"agent": query.agent, "team": query.team}
    chosen = {name: key for name, key in wanted.items() if key not in {None, NOBODY}}
    known = load_choices(connection)
    there = {"agent": known.agents, "team": known.teams}
    return tuple(Wrong(n, str(key), "nobody") for n, key in chosen.items() if key not in there[n])


def _around(
    asked: Asked, names: report_words.Names, locale: Locale
) -> dict[str, Any]:  # Any: values of a template
    """What every report page says about its question."""
    return {
        "shop": asked.shop,
        "ignored": asked.ignored,
        "query": asked.query,
        "pinned": asked.pinned,
        "own": asked.own,
        "names": names,
        "scope": asked.scope,
        "period_words": _period(asked.scope, locale),
        "filters": report_words.filters(asked.query, names, locale),
        "zone": report_words.zone_words(asked.shop.timezone, asked.scope.as_of_ms),
    }


def _kept_as(scope: Scope) -> dict[str, str | int | None]:
    """What the form that keeps a page says of its state: where it ends, and what it looks at."""
    return {
        "from": iso(scope.from_ms),
        "to": iso(scope.to_ms),
        "as_of_ms": scope.as_of_ms,
        "as_of_seq": scope.as_of_seq,
        **{name: getattr(scope, field) for name, field in FILTERS.items()},
    }


def _period(scope: Scope, locale: Locale) -> str:
    return report_words.period_words(scope, locale)


def _page_of(metric: Metric) -> str:
    """The page on which a metric stands first."""
    for page in PAGES.values():
        if any(ask.metric == metric.id for block in page.blocks for ask in block.asks):
            return page.path
    return "/reports"


async def _asked(request: web.Request) -> Asked:
    person = await current_person(request)
    query = read_query(request.query)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    own = not may(person.actor, "report.read")
    if not own and (query.agent or query.team):
        wrong = await database.read(partial(_nobody, query=query))
        if wrong:
            raise refused(*wrong)
    scope = await pinned_scope(
        database, query, timezone=shop.timezone, agent_id=person.id if own else None
    )
    names = tuple(one.name for one in unknown_names(request.query, PARAMETERS))
    ignored = Ignored(names, without(request, names)) if names else None
    return Asked(query, person, shop, scope, own, ignored)
