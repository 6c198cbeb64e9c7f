"""Settings: when the shop and its teams are open, for supervisors and admins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from aiohttp import web

from server.actions import hours as actions
from server.actions.desk import the_shop
from server.actions.holidays import read_holidays, with_holidays
from server.actions.hours import MANAGE
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.hours import Calendar, Hours, calendar_of, dates_of, in_words, spans_of
from server.domain.periods import zone
from server.http.bodies import Form, field, read_files, read_form, version_in
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.http.views import locale_of
from server.storage import hours, people
from server.storage.connection import Connection
from server.storage.hours import Version
from server.storage.people import TeamRecord
from server.storage.shop import Shop

ROOT = "/settings/hours"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PREVIEW_DAYS = 14
HOLIDAY_DAYS = 800
SHOWN_VERSIONS = 30
_CLOSED = {"en": "closed", "zh": "休"}
_STANDARD = ("09:00-18:00",) * 5 + ("", "")


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored: the shop, its teams, and every version of the hours."""

    shop: Shop
    teams: list[TeamRecord]
    versions: list[Version]


def add_hours_settings(app: web.Application) -> None:
    """Serves the page of business hours."""
    router = app.router
    router.add_get(ROOT, show_hours)
    router.add_post(ROOT, save_hours)
    router.add_post(f"{ROOT}/restore", restore)
    router.add_post(f"{ROOT}/holidays", take_holidays)


async def show_hours(
    request: web.Request,
    error: AppError | None = None,
    *,
    draft: Calendar | None = None,
    added: int | None = None,
) -> web.Response:
    """The hours of the shop or of a team, the next two weeks, and who changed what when.

    ``draft`` is what has not been saved yet, ``added`` how many dates of a file are in it.
    """
    await require_person(request, MANAGE)
    known = await request.app[DATABASE].read(_known)
    form = await read_form(request) if request.method == "POST" else {}
    team_id = _team(request, form)
    if team_id is not None and team_id not in {team.id for team in known.teams}:
        raise NotFound("There is no such team.")
    latest = hours.latest_of(known.versions, team_id)
    held = latest.calendar if latest else None
    shop_hours = hours.latest_of(known.versions, None)
    fallback = held or (shop_hours.calendar if shop_hours else None)
    shown = draft or fallback
    now_ms = request.app[DATABASE].clock()
    locale = await locale_of(request)
    return await settings_page(
        request,
        "settings_hours.html",
        error,
        tab="hours",
        teams=known.teams,
        team_id=team_id,
        team_names={
            one.id: (one.name_zh or one.name) if locale == "zh" else one.name for one in known.teams
        },
        held=held,
        own_kept=team_id is None or held is not None,
        typed=_typed(form, error) or _lines(shown, known.shop.timezone, closed=_CLOSED[locale]),
        draft=draft is not None,
        added=added,
        preview=_preview(shown, now_ms) if shown else None,
        days=DAYS,
        version=known.versions[-1].number if known.versions else 0,
        versions=list(reversed(known.versions))[:SHOWN_VERSIONS],
        summary=_summary,
        timezone=known.shop.timezone,
        now_ms=now_ms,
    )


async def save_hours(request: web.Request) -> web.Response:
    """Saves the hours, shows what they would mean, or goes back to no hours."""
    form = await read_form(request)
    if field(form, "do") == "preview":
        await require_person(request, MANAGE)
        try:
            return await show_hours(request, draft=_calendar(form))
        except InvalidInput as error:
            return await show_hours(request, error)

    async def save(actor: Actor, form: Form) -> str:
        team_id = _team(request, form)
        calendar = None if field(form, "do") == "clear" else _calendar(form)
        await request.app[DATABASE].write(
            partial(
                actions.set_hours,
                actor=actor,
                calendar=calendar,
                team_id=team_id,
                version=version_in(form),
            )
        )
        return _saved(team_id)

    return await submit(request, MANAGE, save, show_hours)


async def restore(request: web.Request) -> web.Response:
    """Goes back to the hours of an older version, from now on."""

    async def save(actor: Actor, form: Form) -> str:
        await request.app[DATABASE].write(
            partial(
                actions.restore_hours,
                actor=actor,
                number=version_in(form, "number"),
                version=version_in(form),
            )
        )
        return _saved(_team(request, form))

    return await submit(request, MANAGE, save, show_hours)


async def take_holidays(request: web.Request) -> web.Response:
    """Shows the hours with the dates of a file, to be looked at and saved."""
    await require_person(request, MANAGE)
    form = await read_form(request)
    known = await request.app[DATABASE].read(_known)
    latest = hours.latest_of(known.versions, _team(request, form))
    shop_hours = hours.latest_of(known.versions, None)
    calendar = (
        (latest.calendar if latest else None)
        or (shop_hours.calendar if shop_hours else None)
        or calendar_of(known.shop.timezone, _STANDARD, {})
    )
    today = datetime.fromtimestamp(
        request.app[DATABASE].clock() / 1000, zone(calendar.timezone)
    ).date()
    try:
        files = await read_files(request)
        last = today + timedelta(days=HOLIDAY_DAYS)
        found = read_holidays(files[0][1] if files else b"", first=today, last=last)
        return await show_hours(request, draft=with_holidays(calendar, found), added=len(found))
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_hours(request, error)


def _known(connection: Connection) -> Known:
    shop = the_shop(connection)
    return Known(shop, people.load_teams(connection), hours.load_versions(connection))


def _saved(team_id: str | None) -> str:
    return f"{ROOT}?done=saved" + (f"&team={team_id}" if team_id else "")


def _team(request: web.Request, form: Form) -> str | None:
    return field(form, "team") or request.query.get("team") or None


def _calendar(form: Form) -> Calendar:
    """The hours of a form. Raises InvalidInput that names the field that cannot be read."""
    with _about("timezone"):
        zone(field(form, "timezone").strip())
    for day in DAYS:
        with _about(day):
            spans_of(field(form, day))
    with _about("dates"):
        dates = dates_of(field(form, "dates"))
        # In a week that is open, so that what is wrong is one of the dates.
        calendar_of("UTC", _STANDARD, dates)
    with _about(DAYS[0]):
        weekly = [field(form, day) for day in DAYS]
        return calendar_of(field(form, "timezone").strip(), weekly, dates)


@contextmanager
def _about(name: str) -> Iterator[None]:
    """Lets a refusal name a field of the form."""
    try:
        yield
    except InvalidInput as error:
        named = error.details | {"field": name}
        raise InvalidInput(error.message, **named) from None


def _typed(form: Form, error: AppError | None) -> Mapping[str, str] | None:
    """What stood in the form, when it could not be taken."""
    if error is None or "timezone" not in form:
        return None
    return {name: field(form, name) for name in (*DAYS, "timezone", "dates")}


def _lines(calendar: Calendar | None, timezone: str, *, closed: str) -> Mapping[str, str]:
    """The hours as the form shows them; the hours of many shops where none are set."""
    weekly = [in_words(spans) for spans in calendar.weekly] if calendar else _STANDARD
    overrides = calendar.overrides if calendar else {}
    dates = [
        f"{day} {in_words(one.spans).replace(', ', ',') or closed} {one.name}".strip()
        for day, one in overrides.items()
    ]
    return dict(zip(DAYS, weekly, strict=True)) | {
        "timezone": calendar.timezone if calendar else timezone,
        "dates": "\n".join(dates),
    }


def _preview(calendar: Calendar, now_ms: int) -> list[dict[str, object]]:
    """The next two weeks, a day each: its date, hours, how long it is open, and what is special."""
    tz = zone(calendar.timezone)
    today = datetime.fromtimestamp(now_ms / 1000, tz).date()
    clock = Hours([(0, calendar)])
    found: list[dict[str, object]] = []
    for number in range(PREVIEW_DAYS):
        day = today + timedelta(days=number)
        override = calendar.overrides.get(day.isoformat())
        start, end = (_midnight_ms(d, calendar.timezone) for d in (day, day + timedelta(days=1)))
        found.append(
            {
                "day": day.isoformat(),
                "weekday": DAYS[day.weekday()],
                "hours": _lived(clock, start, end, calendar.timezone),
                "open_ms": clock.between_ms(start, end),
                "special": override is not None,
                "name": override.name if override else "",
            }
        )
    return found


def _lived(clock: Hours, start_ms: int, end_ms: int, timezone: str) -> str:
    """When a day is open by the clock on the wall, what began the day before included."""
    tz = zone(timezone)

    def wall(at_ms: int) -> str:
        return f"{datetime.fromtimestamp(at_ms / 1000, tz):%H:%M}"

    return ", ".join(
        f"{wall(opens)}-{'24:00' if closes == end_ms else wall(closes)}"
        for opens, closes in clock.open_intervals(start_ms, end_ms)
    )


def _midnight_ms(day: date, timezone: str) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone(timezone)).timestamp()) * 1000


def _summary(calendar: Calendar) -> list[tuple[str, str, str]]:
    """The week in few words: from which day to which day, and the hours."""
    found: list[tuple[str, str, str]] = []
    for day, spans in zip(DAYS, calendar.weekly, strict=True):
        words = in_words(spans)
        if found and found[-1][2] == words:
            found[-1] = (found[-1][0], day, words)
        else:
            found.append((day, day, words))
    return [one for one in found if one[2]]
