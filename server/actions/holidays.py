"""Holidays and make-up working days from a calendar file (iCalendar, RFC 5545)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any  # Any: what the library has no types for

from server.domain.errors import InvalidInput, TooLarge
from server.domain.hours import MAX_NAME, MAX_OVERRIDES, Calendar, Override

MAX_BYTES = 1024 * 1024
MAX_EVENTS = 5_000
MAX_DAYS = 60
# Files of Chinese holidays name the weekend days that are worked instead: 补班, 调休上班.
_WORKED = re.compile(r"班|make-?up\s+(?:work|day)|working\s+day", re.IGNORECASE)
_HOLIDAY = re.compile(r"休息|放假|no\s+work")


@dataclass(frozen=True, slots=True)
class Holiday:
    """One date of a file: its name, and whether it is worked though it would not be."""

    day: date
    name: str
    worked: bool


def read_holidays(data: bytes, *, first: date, last: date) -> list[Holiday]:
    """The dates of a calendar file between two days, in order; each once.

    Raises InvalidInput for what is no such file or has no such date, TooLarge.
    """
    from icalendar import Calendar as File  # noqa: PLC0415  # takes 0.1 s, and few ever need it

    if not data:
        raise InvalidInput("Choose a file.", field="file", reason="ics_missing")
    if len(data) > MAX_BYTES:
        raise TooLarge("The file has more than 1 MB.", field="file", reason="ics_too_large")
    try:
        events = File.from_ical(data).walk("VEVENT")[:MAX_EVENTS]
        found = {one.day: one for event in events for one in _days(event, first, last)}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        raise InvalidInput(
            "This is no calendar file that can be read.", field="file", reason="ics_unreadable"
        ) from None
    if not found:
        raise InvalidInput("The file has no date from today on.", field="file", reason="ics_empty")
    return [found[day] for day in sorted(found)]


def with_holidays(calendar: Calendar, holidays: Iterable[Holiday]) -> Calendar:
    """The calendar with the dates of a file: closed, or open like the first day that is open.

    What the shop has already said about a date stays.
    """
    working = next((spans for spans in calendar.weekly if spans), ())
    added = {
        one.day.isoformat(): Override(working if one.worked else (), one.name) for one in holidays
    }
    together = added | dict(calendar.overrides)
    if len(together) > MAX_OVERRIDES:
        raise InvalidInput(
            f"At most {MAX_OVERRIDES} dates.", field="overrides", reason="too_many_dates"
        )
    return Calendar(calendar.timezone, calendar.weekly, dict(sorted(together.items())))


def _days(event: Any, first: date, last: date) -> Iterator[Holiday]:  # Any: the library's
    start = event.get("DTSTART")
    if start is None or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    name = " ".join(str(event.get("SUMMARY", "")).split())[:MAX_NAME]
    worked = bool(_WORKED.search(name)) and not _HOLIDAY.search(name)
    begins = _date(start.dt)
    length = _length(event, begins)
    for day in _occurrences(event, begins, first - timedelta(days=length), last):
        for offset in range(length):
            one = day + timedelta(days=offset)
            if first <= one <= last:
                yield Holiday(one, name, worked)


def _length(event: Any, begins: date) -> int:  # Any: the library's
    """How many days an event takes; its end is exclusive where it is a date."""
    end = event.get("DTEND")
    if end is not None:
        whole = not isinstance(end.dt, datetime)
        days = (_date(end.dt) - begins).days + (0 if whole else 1)
    elif (span := event.get("DURATION")) is not None:
        days = span.dt.days
    else:
        days = 1
    return max(1, min(days, MAX_DAYS))


def _occurrences(event: Any, begins: date, first: date, last: date) -> Iterator[date]:  # Any: same
    """When an event begins: once, or as its rule says."""
    rule = event.get("RRULE")
    if rule is None:
        if first <= begins <= last:
            yield begins
        return
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # noqa: PLC0415  # as icalendar, without types

    text = re.sub(r"(UNTIL=\d{8})T\d{6}Z?", r"\1", rule.to_ical().decode())
    if re.search(r"FREQ=(HOURLY|MINUTELY|SECONDLY)", text):
        return  # no days, and very many of them
    origin = datetime.combine(begins, datetime.min.time())
    rules = rrulestr(text, dtstart=origin)
    until = datetime.combine(last, datetime.min.time())
    for moment in rules.xafter(datetime.combine(first, datetime.min.time()), count=400, inc=True):
        if moment > until:
            return
        yield moment.date()


def _date(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
