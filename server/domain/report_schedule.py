"""Reports that go out by themselves: when one is due, and which days it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from server.domain.periods import local_date

Every = Literal["day", "week", "month"]
EVERY: tuple[Every, ...] = ("day", "week", "month")
# Every month has them.
LAST_DAY = 28
MOST_METRICS = 20
MOST_RECIPIENTS = 20
MAX_NAME = 100
# From one due day to the next there are never more days.
_LOOK_AHEAD = 33


@dataclass(frozen=True, slots=True)
class Schedule:
    """A report that is mailed again and again.

    ``every`` says how often and with it of which period: the day before, the last whole week from
    Monday to Sunday, or the last whole month. ``day`` is the weekday (Monday is 0) or the day of
    the month (1 to 28) and 0 for every day, ``hour`` the hour of the shop's clock. ``recipients``
    are ids of people. ``problem`` is why the last one did not go out.
    """

    id: str
    name: str
    metrics: tuple[str, ...]
    by: str | None
    every: Every
    hour: int
    day: int
    locale: Literal["en", "zh"]
    recipients: tuple[str, ...]
    enabled: bool = True
    due_at_ms: int = 0
    agent_id: str | None = None
    report_id: str | None = None
    sent_at_ms: int | None = None
    problem: str | None = None


def next_due_ms(schedule: Schedule, after_ms: int, tz: ZoneInfo) -> int:
    """The first instant after another at which a report is due.

    An hour that the clocks leave out is due when it would have been, one that comes twice at its
    first time.
    """
    today = local_date(after_ms, tz)
    for ahead in range(-1, _LOOK_AHEAD):
        day = today + timedelta(days=ahead)
        if _falls_on(schedule, day):
            at = datetime.combine(day, time(schedule.hour), tz)
            at_ms = int(at.timestamp()) * 1000
            if at_ms > after_ms:
                return at_ms
    raise AssertionError("a schedule has a day in every month")


def days_of(schedule: Schedule, due_at_ms: int, tz: ZoneInfo) -> tuple[date, date]:
    """First and last day of the period that a report due then is about; it is over by then.

    >>> weekly = Schedule("", "", (), None, "week", 8, 0, "en", ())
    >>> days_of(weekly, 1_795_420_800_000, ZoneInfo("UTC"))
    (datetime.date(2026, 11, 16), datetime.date(2026, 11, 22))
    """
    today = local_date(due_at_ms, tz)
    match schedule.every:
        case "day":
            return today - timedelta(days=1), today - timedelta(days=1)
        case "week":
            last = today - timedelta(days=today.weekday() + 1)
            return last - timedelta(days=6), last
        case "month":
            last = today.replace(day=1) - timedelta(days=1)
            return last.replace(day=1), last


def latest_due_ms(schedule: Schedule, now_ms: int, tz: ZoneInfo) -> int:
    """Of the times that have come since it was due, the last: what was missed is not sent late."""
    due_at_ms = schedule.due_at_ms
    while (following := next_due_ms(schedule, due_at_ms, tz)) <= now_ms:
        due_at_ms = following
    return due_at_ms


def _falls_on(schedule: Schedule, day: date) -> bool:
    match schedule.every:
        case "day":
            return True
        case "week":
            return day.weekday() == schedule.day
        case "month":
            return day.day == schedule.day
