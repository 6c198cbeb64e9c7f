"""The live wall: the desk at this moment, big enough to be read across a room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import web

from agent_ui.render import Locale, sentence
from server.actions.desk import the_shop
from server.domain.metrics import METRICS, Figures
from server.http.keys import DATABASE
from server.http.report_figures import Shown, Teller
from server.http.report_pages import PAGES
from server.http.report_query import ReportQuery
from server.http.report_words import WallClock
from server.http.sessions import require_person
from server.http.views import locale_of, render
from server.reports.scope import Scope
from server.reports.wall import TODAY, Wall, load_today, load_wall
from server.storage.open_loops import count_open_loops
from server.storage.views import TARGETS

READ = "report.read"
PATH = "/reports/live"
REFRESH_S = 5
# The figures of the day need more of the log than the moment does, and change less.
KEEP_TODAY_MS = 15_000


@dataclass(slots=True)
class _Today:
    """The figures of the day as last read, and until when they are shown again."""

    scope: Scope | None = None
    figures: Mapping[str, Figures] | None = None
    until_ms: int = 0


KEPT = web.AppKey("wall_today", _Today)


def add_wall(app: web.Application) -> None:
    """Serves the page."""
    app[KEPT] = _Today()
    app.router.add_get(PATH, show_wall)


async def show_wall(request: web.Request) -> web.Response:
    """The wall; with ``tv`` nothing but it."""
    await require_person(request, READ)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    at_ms = database.clock()
    locale = await locale_of(request)
    wall = await database.read(
        partial(
            load_wall,
            at_ms=at_ms,
            warn_ms=TARGETS["warn_ms"],
            limit_ms=TARGETS["limit_ms"],
        )
    )
    loops = await database.read(
        partial(count_open_loops, at_ms=at_ms, limit_ms=TARGETS["limit_ms"])
    )
    kept = request.app[KEPT]
    if kept.scope is None or not kept.until_ms - KEEP_TODAY_MS <= at_ms < kept.until_ms:
        kept.scope, kept.figures = await database.read(
            partial(load_today, timezone=shop.timezone, at_ms=at_ms)
        )
        kept.until_ms = at_ms + KEEP_TODAY_MS
    return await render(
        request,
        "report_live.html",
        nav="reports",
        wide=True,
        shop=shop,
        pages=list(PAGES.values()),
        tv=request.query.get("tv") == "1",
        wall=wall,
        loops=sum(loops.values()),
        today=_today(kept, locale, shop.currency),
        state=_longest(wall),
        team=partial(_team, wall, locale),
        code=_code,
        clock=WallClock(shop.timezone),
        refresh_s=REFRESH_S,
        targets=TARGETS,
    )


def _today(kept: _Today, locale: Locale, currency: str) -> list[Shown]:
    if kept.scope is None or kept.figures is None:
        return []
    query = ReportQuery(period="today", as_of=kept.scope.as_of_ms, seq=kept.scope.as_of_seq)
    teller = Teller(locale, currency, query)
    shown = (
        teller.show(METRICS[name], kept.figures[name], stat="median" if name == "frt" else "value")
        for name in TODAY
    )
    return [_explained(one, locale) for one in shown]


def _explained(shown: Shown, locale: Locale) -> Shown:
    """A figure that says why there is none: before the first question of a day nothing is wrong."""
    if shown.value or shown.n or shown.n_open:
        return shown
    why = "live.none_rated" if shown.metric.id == "csat" else "live.none_asked"
    return replace(shown, words=sentence(locale, why))


def _longest(wall: Wall) -> str:
    """How the longest wait stands."""
    return wall.waiting[0].state if wall.waiting else "calm"


def _team(wall: Wall, locale: Locale, team_id: str | None) -> str:
    """A team by its name; no team is said to be none."""
    if team_id is None or team_id not in wall.teams:
        return sentence(locale, "reports.no_team")
    name, name_zh = wall.teams[team_id]
    return name_zh if locale == "zh" and name_zh else name


def _code(customer_id: str) -> str:
    """The last characters of a shopper's id: a screen in a room shows no names of shoppers."""
    return customer_id[-4:].upper()
