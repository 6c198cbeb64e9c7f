"""The pages about customers: segments and stages, the face of one of them, what offers brought."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from aiohttp import web

from agent_ui.render import Locale
from server.actions.desk import the_shop
from server.domain.errors import NotFound
from server.domain.text import whole_number
from server.http import segment_views as views
from server.http.csv_files import csv_file
from server.http.keys import DATABASE
from server.http.report_address import Wrong, refused, told
from server.http.report_words import zone_words
from server.http.sessions import require_person
from server.http.views import locale_of, render
from server.reports import segments
from server.reports.offers import OfferReport, offer_report, offers_csv
from server.reports.persona import Persona, persona, persona_csv
from server.reports.segments import GROUPINGS, MAX_WEEKS, SegmentReport, segment_report
from server.storage.shop import Shop

READ = "report.read"
WEEKS = (1, 4, 12)
DAYS = (30, 90, 365)
FILES = {
    "segments": segments.segments_csv,
    "flows": segments.flows_csv,
    "curve": segments.curve_csv,
    "funnel": segments.funnel_csv,
}


# What took long to work out is shown for a while: with a million customers one look takes seconds
# of a processor, and page, files and weeks would each take them again.
KEEP_TIMES = 60
KEEP_MOST_MS = 600_000
KEEP_REPORTS = 4


@dataclass(frozen=True, slots=True)
class _Kept:
    """A report that may be shown again until a moment."""

    report: SegmentReport
    shop: Shop
    until_ms: int


KEPT = web.AppKey("segment_reports", dict[int, _Kept])


def add_segment_reports(app: web.Application) -> None:
    """Serves the pages and their files."""
    app[KEPT] = {}
    router = app.router
    router.add_get("/reports/segments", told(show_segments))
    router.add_get("/reports/segments/{part:[a-z]+}.csv", told(export_segments))
    router.add_get("/reports/segments/{grouping:[a-z]+}/{group:[a-z_]+}", show_persona)
    router.add_get("/reports/segments/{grouping:[a-z]+}/{group:[a-z_]+}.csv", export_persona)
    router.add_get("/reports/offers", told(show_offers))
    router.add_get("/reports/offers/export.csv", told(export_offers))


async def show_segments(request: web.Request) -> web.Response:
    """All customers in one page."""
    report, shop, weeks = await _read(request)
    locale = await locale_of(request)
    grouping = request.query.get("by", "segment")
    grouping = grouping if grouping in GROUPINGS else "segment"
    return await render(
        request,
        "report_segments.html",
        nav="segments",
        shop=shop,
        report=report,
        weeks=weeks,
        week_choices=WEEKS,
        by=grouping,
        groupings=GROUPINGS,
        money=views.Money(shop.currency),
        group_name=partial(views.group_name, locale),
        look=views.look,
        share=views.share,
        week_words=partial(views.week_words, locale=locale),
        share_chart=views.share_chart(report, grouping, locale),
        curve_rows=views.curve_rows(report),
        curve_chart=views.curve_chart(report, locale),
        flow_chart=views.flow_chart(report, locale),
        funnel_chart=views.funnel_chart(report.funnel, locale),
        newcomer_chart=views.funnel_chart(report.newcomers, locale),
        zone=zone_words(shop.timezone, report.at_ms),
    )


async def export_segments(request: web.Request) -> web.Response:
    """One of the tables as CSV."""
    await require_person(request, READ)
    part = request.match_info["part"]
    if part not in FILES:
        raise NotFound("There is no such file.")
    report, _, _ = await _read(request)
    return csv_file(FILES[part](report).encode(), f"customers-{part}.csv")


async def show_persona(request: web.Request) -> web.Response:
    """What the customers of a segment, cell or stage have in common."""
    found, shop = await _persona(request)
    locale = await locale_of(request)
    return await render(
        request,
        "report_persona.html",
        nav="segments",
        shop=shop,
        found=found,
        siblings=GROUPINGS[found.grouping],
        money=views.Money(shop.currency),
        group_name=partial(views.group_name, locale),
        look=views.look,
        heat_level=views.heat_level,
        zone=zone_words(shop.timezone, request.app[DATABASE].clock()),
    )


async def export_persona(request: web.Request) -> web.Response:
    """The same as CSV."""
    found, shop = await _persona(request)
    text = persona_csv(found, shop.currency)
    return csv_file(text.encode(), f"customers-{found.grouping}-{found.group}.csv")


async def show_offers(request: web.Request) -> web.Response:
    """What agents offered and what came of it."""
    report, shop, days = await _offers(request)
    return await render(
        request,
        "report_offers.html",
        nav="segments",
        shop=shop,
        report=report,
        days=days,
        day_choices=DAYS,
        money=views.Money(shop.currency),
        share=views.share,
    )


async def export_offers(request: web.Request) -> web.Response:
    """The same as CSV."""
    report, shop, _ = await _offers(request)
    return csv_file(offers_csv(report, shop.currency).encode(), "offers.csv")


async def _read(request: web.Request) -> tuple[SegmentReport, Shop, int]:
    await require_person(request, READ)
    weeks = _number(request, "weeks", 4, MAX_WEEKS)
    shop = await request.app[DATABASE].read(the_shop)
    database, kept = request.app[DATABASE], request.app[KEPT]
    at_ms = database.clock()
    known = kept.get(weeks)
    if known is None or known.shop != shop or not known.report.at_ms <= at_ms < known.until_ms:
        report = await database.read(partial(segment_report, shop=shop, at_ms=at_ms, weeks=weeks))
        took_ms = database.clock() - at_ms
        known = kept[weeks] = _Kept(report, shop, at_ms + min(KEEP_TIMES * took_ms, KEEP_MOST_MS))
        while len(kept) > KEEP_REPORTS:
            kept.pop(next(iter(kept)))
    return known.report, shop, weeks


async def _persona(request: web.Request) -> tuple[Persona, Shop]:
    await require_person(request, READ)
    shop = await request.app[DATABASE].read(the_shop)
    locale: Locale = await locale_of(request)
    database = request.app[DATABASE]
    found = await database.read(
        partial(
            persona,
            shop=shop,
            grouping=request.match_info["grouping"],
            group=request.match_info["group"],
            at_ms=database.clock(),
            locale=locale,
        )
    )
    return found, shop


async def _offers(request: web.Request) -> tuple[OfferReport, Shop, int]:
    await require_person(request, READ)
    days = _number(request, "days", 90, 3650)
    shop = await request.app[DATABASE].read(the_shop)
    database = request.app[DATABASE]
    found = await database.read(partial(offer_report, at_ms=database.clock(), days=days))
    return found, shop, days


def _number(request: web.Request, name: str, usual: int, most: int) -> int:
    said = request.query.get(name, "")
    if not said:
        return usual
    number = whole_number(said)
    if number is None or not 1 <= number <= most:
        raise refused(Wrong(name, said, "span", ("1", str(most))))
    return number
