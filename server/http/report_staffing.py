"""The page of staffing: what the next days bring, whom that needs, and how well it was foretold."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from agent_ui.hour_plot import HourMark, Legend, hour_plot
from agent_ui.render import Locale, number, percent, sentence
from server.actions.desk import the_shop
from server.domain.roster import (
    FEW_CHATS,
    FEW_LEFT,
    FEW_WEEKS,
    HOURS,
    Day,
    Goal,
    back_tests,
    roster,
    together,
)
from server.domain.staffing import WEEKS, BackTest
from server.domain.text import whole_number
from server.http.csv_files import csv_file
from server.http.keys import DATABASE
from server.http.report_address import Wrong, refused, told
from server.http.report_pages import PAGES
from server.http.report_query import ReportQuery
from server.http.report_words import short_day, zone_words
from server.http.sessions import require_person
from server.http.views import locale_of, render
from server.reports.staffing import (
    LONGEST_HOLD_MS,
    LONGEST_WAIT_MS,
    StaffingLog,
    load_staffing,
    roster_csv,
)
from server.storage.connection import Connection
from server.storage.shop import Shop

READ = "report.read"
PATH = "/reports/staffing"
_LIMITS = {"goal": (1, 99), "within": (1, 3600), "away": (0, 90), "day": (0, 6)}
MAX_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of the address: per cents, seconds, chats at once, and the day drawn.

    ``at_once`` is None for what the log says.
    """

    goal: int = 80
    within: int = 30
    at_once: float | None = None
    away: int = 30
    day: int = 0

    def address(self, path: str, **changes: float | None) -> str:
        """The address of a page with these parameters, some of them changed."""
        wanted = replace(self, **changes)  # type: ignore[arg-type]  # field by field
        pairs = [
            (field.name, f"{value:g}")
            for field in fields(wanted)
            if (value := getattr(wanted, field.name)) is not None and value != field.default
        ]
        return f"{path}?{urlencode(pairs)}" if pairs else path


def add_staffing(app: web.Application) -> None:
    """Serves the page and its file."""
    app.router.add_get(PATH, told(show_staffing))
    app.router.add_get(f"{PATH}/export.csv", told(export_staffing))


async def show_staffing(request: web.Request) -> web.Response:
    """Arrivals, the roster of a week, and the forecasts of the week before beside what came."""
    asked, log, shop, days = await _read(request)
    locale = await locale_of(request)
    tests = back_tests(log.work, log.today)
    yesterday = next((one for one in tests if one.day == log.today - timedelta(days=1)), None)
    chosen = days[asked.day]
    return await render(
        request,
        "report_staffing.html",
        nav="reports",
        shop=shop,
        pages=list(PAGES.values()),
        asked=asked,
        log=log,
        days=days,
        chosen=chosen,
        at_once=_at_once(asked, log),
        hours=HOURS,
        weeks=WEEKS,
        few={"chats": FEW_CHATS, "left": FEW_LEFT, "weeks": FEW_WEEKS},
        longest={"hold": LONGEST_HOLD_MS, "wait": LONGEST_WAIT_MS},
        tests=tests,
        whole=together(tests),
        yesterday=yesterday,
        came=partial(_came, log),
        day_chart=_day_chart(chosen, locale),
        back_chart=None if yesterday is None else _back_chart(yesterday, locale),
        heat=_heat(log),
        day_words=partial(_day_words, locale=locale, today=log.today),
        level=partial(_level, most=_most(days)),
        short_day=partial(short_day, locale=locale),
        zone=zone_words(shop.timezone, log.scope.as_of_ms),
    )


async def export_staffing(request: web.Request) -> web.Response:
    """The roster as CSV."""
    _, _, _, days = await _read(request)
    return csv_file(roster_csv(days).encode(), "staffing.csv")


async def _read(request: web.Request) -> tuple[Asked, StaffingLog, Shop, list[Day]]:
    await require_person(request, READ)
    asked = read_asked(request.query)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    timezone, at_ms = shop.timezone, database.clock()

    def read(connection: Connection) -> tuple[StaffingLog, list[Day]]:
        log = load_staffing(connection, timezone=timezone, at_ms=at_ms)
        goal = Goal(
            share=asked.goal / 100,
            within_ms=asked.within * 1000,
            at_once=_at_once(asked, log),
            away=asked.away / 100,
        )
        # With ten thousand chats a day this takes half a second: no chat is to wait for it.
        return log, roster(log.work, goal, log.today, is_open=log.is_open)

    log, days = await database.read(read)
    return asked, log, shop, days


def read_asked(given: object) -> Asked:
    """The parameters of an address. Raises InvalidInput for a value that makes no sense."""
    get = given.get  # type: ignore[attr-defined]  # a mapping of texts
    values: dict[str, int] = {}
    for name, (least, most) in _LIMITS.items():
        said = get(name, "").strip()
        if not said:
            continue
        number = whole_number(said)
        if number is None or not least <= number <= most:
            raise refused(Wrong(name, said, "span", (str(least), str(most))))
        values[name] = number
    at_once = get("at_once", "").strip()
    if not at_once:
        return Asked(**values)
    try:
        chats = float(at_once)
    except ValueError:
        chats = 0.0
    if not 1 <= chats <= MAX_AT_ONCE:
        raise refused(Wrong("at_once", at_once, "span", ("1", str(MAX_AT_ONCE))))
    return Asked(**values, at_once=round(chats, 1))


def _at_once(asked: Asked, log: StaffingLog) -> float:
    """Chats at once: as asked, or as it was."""
    return asked.at_once or round(max(1.0, log.at_once or 1.0), 1)


def _most(days: list[Day]) -> int:
    return max(
        (cell.need.agents for day in days for cell in day.cells if cell.need is not None),
        default=1,
    )


def _level(agents: int, *, most: int) -> int:
    """How dark a cell is, 0 to 8."""
    return 0 if agents <= 0 else 1 + round(7 * agents / max(most, 1))


def _came(log: StaffingLog, day: date) -> int:
    return sum(n for (on, _), n in log.work.counts.items() if on == day)


def _day_words(day: date, *, locale: Locale, today: date) -> str:
    weekday = sentence(locale, f"reports.weekday.{day.weekday()}")
    words = f"{weekday} {short_day(day, locale)}"
    return sentence(locale, "staffing.today", day=words) if day == today else words


def _heat(log: StaffingLog) -> list[tuple[int, list[tuple[int, int, int, str]]]]:
    """Per weekday the hours: (hour, chats, level, address of the rows)."""
    most = max(log.weekly.values(), default=1)
    first, last = log.today - timedelta(weeks=WEEKS), log.today - timedelta(days=1)
    query = ReportQuery(
        period="custom",
        from_=first.isoformat(),
        to=last.isoformat(),
        as_of=log.scope.as_of_ms,
        seq=log.scope.as_of_seq,
    )
    return [
        (
            weekday,
            [
                (
                    hour,
                    n := log.weekly.get((weekday, hour), 0),
                    _level(n, most=most),
                    query.address("/reports/rows", weekday=weekday, hour=hour),
                )
                for hour in HOURS
            ],
        )
        for weekday in range(7)
    ]


def _day_chart(day: Day, locale: Locale) -> str:
    marks = [
        HourMark(
            cell.forecast.expected,
            cell.forecast.low,
            cell.forecast.high,
            None,
            str(cell.need.agents) if cell.need is not None and cell.need.agents else "",
            f"{cell.forecast.hour:02}:00 · {number(cell.forecast.expected, 1)}",
            shut=not cell.open,
        )
        for cell in day.cells
    ]
    name = sentence(locale, "staffing.chart.day")
    return hour_plot(marks, name=name, legend=_legend(locale, came=False))


def _back_chart(test: BackTest, locale: Locale) -> str:
    marks = [
        HourMark(
            made.expected,
            made.low,
            made.high,
            came,
            "",
            f"{made.hour:02}:00 · {number(made.expected, 1)} · {number(came)}",
        )
        for made, came in test.hours
    ]
    name = sentence(locale, "staffing.chart.back", error=percent(test.error, 0))
    return hour_plot(marks, name=name, legend=_legend(locale, came=True))


def _legend(locale: Locale, *, came: bool) -> Legend:
    return Legend(
        sentence(locale, "staffing.expected"),
        sentence(locale, "staffing.band"),
        sentence(locale, "staffing.came") if came else None,
    )
