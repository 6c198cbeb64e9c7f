"""When reports go out by themselves, and which days they are about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.periods import local_date
from server.domain.report_schedule import (
    EVERY,
    LAST_DAY,
    Every,
    Schedule,
    days_of,
    latest_due_ms,
    next_due_ms,
)
from server.domain.spans import DAY_MS

ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
instants = st.integers(min_value=1_577_836_800_000, max_value=1_893_456_000_000)
zones = st.sampled_from(ZONES).map(ZoneInfo)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    every = draw(st.sampled_from(EVERY))
    low, high = {"day": (0, 0), "week": (0, 6), "month": (1, LAST_DAY)}[every]
    return schedule(every, day=draw(st.integers(low, high)), hour=draw(st.integers(0, 23)))


def schedule(every: Every, *, day: int = 0, hour: int = 8, due_at_ms: int = 0) -> Schedule:
    return Schedule("", "", ("frt",), None, every, hour, day, "en", ("a",), due_at_ms=due_at_ms)


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@given(schedules(), instants, zones)
def test_the_next_one_comes_after_now_on_its_day_and_within_a_month(
    one: Schedule, now_ms: int, tz: ZoneInfo
) -> None:
    due_at_ms = next_due_ms(one, now_ms, tz)
    due = datetime.fromtimestamp(due_at_ms / 1000, tz)
    assert now_ms < due_at_ms <= now_ms + 33 * DAY_MS
    assert one.every != "week" or due.weekday() == one.day
    assert one.every != "month" or due.day == one.day
    # An hour that the clocks left out is due in the one after it.
    assert due.hour in (one.hour, (one.hour + 1) % 24)
    # None is left out between: nothing is due in the days before.
    assert next_due_ms(one, due_at_ms - 1, tz) == due_at_ms


@given(schedules(), instants, zones)
def test_what_a_report_is_about_is_over_and_whole(one: Schedule, now_ms: int, tz: ZoneInfo) -> None:
    due_at_ms = next_due_ms(one, now_ms, tz)
    first, last = days_of(one, due_at_ms, tz)
    assert first <= last < local_date(due_at_ms, tz)
    match one.every:
        case "day":
            assert first == last == local_date(due_at_ms, tz) - timedelta(days=1)
        case "week":
            assert (first.weekday(), (last - first).days) == (0, 6)
        case "month":
            assert first.day == 1
            assert (last + timedelta(days=1)).day == 1
            assert (first.year, first.month) == (last.year, last.month)


@given(schedules(), instants, zones)
def test_one_report_follows_the_other_without_a_gap_or_a_day_twice(
    one: Schedule, now_ms: int, tz: ZoneInfo
) -> None:
    due_at_ms = next_due_ms(one, now_ms, tz)
    _, last = days_of(one, due_at_ms, tz)
    first, _ = days_of(one, next_due_ms(one, due_at_ms, tz), tz)
    assert first == last + timedelta(days=1)


def test_after_a_long_stop_only_the_last_one_is_made() -> None:
    daily = schedule("day", due_at_ms=at("2026-11-02T08:00"))
    assert latest_due_ms(daily, at("2026-11-20T07:59"), ZoneInfo("UTC")) == at("2026-11-19T08:00")
    assert latest_due_ms(daily, at("2026-11-02T08:00"), ZoneInfo("UTC")) == at("2026-11-02T08:00")


@pytest.mark.parametrize(
    ("every", "due", "days"),
    [
        ("day", "2026-03-01T08:00", (date(2026, 2, 28), date(2026, 2, 28))),
        ("week", "2026-11-18T08:00", (date(2026, 11, 9), date(2026, 11, 15))),
        ("month", "2028-03-05T08:00", (date(2028, 2, 1), date(2028, 2, 29))),
    ],
)
def test_days_as_a_calendar_has_them(every: Every, due: str, days: tuple[date, date]) -> None:
    assert days_of(schedule(every, day=1), at(due), ZoneInfo("UTC")) == days


def test_an_hour_that_the_clocks_leave_out_is_not_lost() -> None:
    two = schedule("day", hour=2)
    tz = ZoneInfo("America/New_York")
    due_at_ms = next_due_ms(two, at("2026-03-08T01:00", "America/New_York"), tz)
    assert datetime.fromtimestamp(due_at_ms / 1000, UTC) == datetime(2026, 3, 8, 7, tzinfo=UTC)
