"""Business time equals what somebody finds who looks at the clock on the wall minute by minute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.errors import InvalidInput
from server.domain.hours import (
    Calendar,
    Hours,
    Override,
    Span,
    calendar_of,
    from_json,
    in_words,
    spans_of,
    to_json,
)
from server.domain.periods import instant_ms, zone
from server.domain.spans import MINUTE_MS

ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
]
# Around changes of daylight saving in three of the zones, one of them of half an hour.
STARTS = [
    "2026-03-07T00:00+00:00",
    "2026-03-28T00:00+00:00",
    "2026-10-24T00:00+00:00",
    "2026-10-31T12:00+00:00",
    "2026-04-04T00:00+00:00",
    "2026-10-03T00:00+00:00",
]
UTC = ZoneInfo("UTC")


@st.composite
def day_spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """Up to three spans of a day that do not overlap; the last may run past midnight."""
    count = draw(st.integers(0, 3))
    drawn = draw(st.sets(st.integers(0, 1439), min_size=2 * count, max_size=2 * count))
    cuts = sorted(drawn)
    found = [Span(cuts[2 * n], cuts[2 * n + 1]) for n in range(count)]
    if found and draw(st.sampled_from([True, False])):
        found[-1] = Span(found[-1].start_min, draw(st.integers(1440, found[-1].start_min + 1440)))
    return tuple(found)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    weekly = draw(st.lists(day_spans(), min_size=7, max_size=7))
    days = st.dates(date(2026, 3, 1), date(2026, 11, 10)).map(date.isoformat)
    overrides = draw(st.dictionaries(days, st.builds(Override, day_spans()), max_size=20))
    return Calendar(draw(st.sampled_from(ZONES)), tuple(weekly), overrides)


@st.composite
def stretches(draw: st.DrawFn) -> tuple[int, int]:
    """A stretch of whole minutes, up to three days."""
    start = instant_ms(draw(st.sampled_from(STARTS)), UTC)
    start += draw(st.integers(0, 2880)) * MINUTE_MS
    return start, start + draw(st.integers(0, 4320)) * MINUTE_MS


def is_open(calendar: Calendar, at_ms: int) -> bool:
    """What a look at the wall says: today's spans, and those of yesterday past midnight."""
    wall = datetime.fromtimestamp(at_ms / 1000, zone(calendar.timezone))
    minute = wall.hour * 60 + wall.minute
    today, yesterday = wall.date(), wall.date() - timedelta(days=1)
    return any(s.start_min <= minute < s.end_min for s in calendar.spans_of(today)) or any(
        s.start_min <= minute + 1440 < s.end_min for s in calendar.spans_of(yesterday)
    )


def walked(versions: list[tuple[int, Calendar | None]], start: int, end: int) -> list[int]:
    """The minutes of a stretch at which the calendar then in force says open."""
    found = []
    for minute in range(start, end, MINUTE_MS):
        calendar = None
        for from_ms, version in versions:
            if from_ms <= minute:
                calendar = version
        if calendar is None or is_open(calendar, minute):
            found.append(minute)
    return found


@settings(max_examples=60)
@given(calendars(), stretches())
def test_business_time_is_what_the_clock_on_the_wall_says(
    calendar: Calendar, stretch: tuple[int, int]
) -> None:
    start, end = stretch
    minutes = walked([(0, calendar)], start, end)
    hours = Hours([(0, calendar)])
    assert hours.between_ms(start, end) == len(minutes) * MINUTE_MS
    intervals = list(hours.open_intervals(start, end))
    assert all(a < b for a, b in intervals)
    assert all(one[1] < two[0] for one, two in pairwise(intervals))
    opening = hours.next_opening(start)
    if minutes:
        assert opening == minutes[0]
        assert hours.open_at(minutes[-1])
        assert hours.after(start, len(minutes) * MINUTE_MS) == minutes[-1] + MINUTE_MS
    else:
        assert opening is None or opening >= end


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 7000), st.none() | calendars()), max_size=3), stretches())
def test_each_version_holds_from_its_time_on(
    drawn: list[tuple[int, Calendar | None]], stretch: tuple[int, int]
) -> None:
    start, end = stretch
    origin = start - 1440 * MINUTE_MS
    versions = sorted(
        ((origin + minute * MINUTE_MS, calendar) for minute, calendar in drawn), key=lambda v: v[0]
    )
    hours = Hours(versions)
    minutes = walked(versions, start, end)
    assert hours.between_ms(start, end) == len(minutes) * MINUTE_MS
    if minutes:
        assert hours.after(start, len(minutes) * MINUTE_MS) == minutes[-1] + MINUTE_MS
    without = hours.calendar_at(start) is None
    assert hours.wait_ms(start, end) == (None if without else len(minutes) * MINUTE_MS)


@settings(max_examples=40)
@given(calendars(), stretches(), st.integers(0, 4320 * MINUTE_MS))
def test_business_time_adds_up_and_after_undoes_between(
    calendar: Calendar, stretch: tuple[int, int], offset: int
) -> None:
    start, end = stretch
    middle = min(start + offset, end)
    hours = Hours([(0, calendar)])
    whole = hours.between_ms(start, end)
    assert hours.between_ms(start, middle) + hours.between_ms(middle, end) == whole
    if whole:
        due = hours.after(start, whole)
        assert due is not None
        assert due <= end
        assert hours.between_ms(start, due) == whole


@given(calendars().filter(lambda c: any(c.weekly)))
def test_a_calendar_survives_its_json(calendar: Calendar) -> None:
    assert from_json(to_json(calendar)) == calendar


def nine_to_six(timezone: str, **overrides: str) -> Hours:
    dates = {key[1:].replace("_", "-"): (line, "") for key, line in overrides.items()}
    return Hours([(0, calendar_of(timezone, ["9:00-18:00"] * 5 + ["", ""], dates))])


def test_a_make_up_working_day_is_open_and_a_holiday_is_not() -> None:
    # National Day 2026: closed from Thursday on, and the Saturday after is worked instead.
    hours = nine_to_six("Asia/Shanghai", d2026_10_01="", d2026_10_10="10:00-16:00")
    tz = zone("Asia/Shanghai")
    wednesday, friday = instant_ms("2026-09-30T17:00", tz), instant_ms("2026-10-02T10:00", tz)
    assert hours.between_ms(wednesday, friday) == 2 * 60 * MINUTE_MS
    saturday = instant_ms("2026-10-10", tz)
    assert hours.next_opening(saturday) == instant_ms("2026-10-10T10:00", tz)
    assert hours.between_ms(saturday, instant_ms("2026-10-11", tz)) == 6 * 60 * MINUTE_MS


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_of_daylight_saving_counts_as_it_was_lived(day: str, hours: int) -> None:
    always = Hours([(0, calendar_of("Europe/Berlin", ["00:00-24:00"] * 7, {}))])
    tz = zone("Europe/Berlin")
    start, end = instant_ms(day, tz), instant_ms(day, tz, end=True)
    assert always.between_ms(start, end) == hours * 60 * MINUTE_MS


def test_where_no_hours_are_set_the_shop_is_open_and_nothing_is_measured() -> None:
    assert Hours().open_at(1_000)
    assert Hours().between_ms(1_000, 4_000) == 3_000
    assert Hours().wait_ms(1_000, 4_000) is None
    assert Hours().after(1_000, 500) == 1_500


def test_due_at_closing_time_is_not_moved_to_the_next_morning() -> None:
    hours = nine_to_six("Asia/Shanghai")
    tz = zone("Asia/Shanghai")
    asked = instant_ms("2026-11-20T14:00", tz)
    assert hours.after(asked, 4 * 60 * MINUTE_MS) == instant_ms("2026-11-20T18:00", tz)
    assert hours.after(asked, 4 * 60 * MINUTE_MS + 1) == instant_ms("2026-11-23T09:00", tz) + 1


@pytest.mark.parametrize(
    "line", ["9-", "25:00-26:00", "9:75-10:00", "9:00-12:00, 11:00-13:00", "a-b", "24:00-25:00"]
)
def test_hours_that_make_no_sense_are_refused(line: str) -> None:
    with pytest.raises(InvalidInput):
        spans_of(line)


def test_lines_are_read_as_people_write_them() -> None:
    assert in_words(spans_of("9:00–12:00，13：00-18:00")) == "09:00-12:00, 13:00-18:00"
    assert in_words(spans_of("22:00-02:00")) == "22:00-02:00"
    assert spans_of("  ") == ()


def test_a_week_that_never_opens_is_no_calendar() -> None:
    with pytest.raises(InvalidInput, match="at least once"):
        calendar_of("Asia/Shanghai", [""] * 7, {})
