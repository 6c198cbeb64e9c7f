"""Business hours: when a shop is open, and how much of a stretch of time that was.

A shop is open while the clock on its wall shows a time within a span. A span belongs to the day on
which it begins and may run past midnight; what is said for a date (a holiday, a make-up working
day) replaces the spans that begin on that date. So an hour that daylight saving skips is no
business time, and an hour that comes twice counts twice: both as they were lived.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any  # Any: JSON values
from zoneinfo import ZoneInfo

from server.domain.errors import InvalidInput
from server.domain.periods import MAX_AT_MS, local_date, zone
from server.domain.spans import MINUTE_MS

DAY_MIN = 24 * 60
MAX_SPANS = 8
MAX_OVERRIDES = 1000
MAX_NAME = 80
MAX_DATES_CHARS = 60_000
_CLOSED = frozenset({"closed", "off", "-", "休", "休息", "放假", "闭店"})
# Beyond this nobody waits for an opening; hours that never come have no due time.
HORIZON_DAYS = 3660
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # the wall clock's own count
_FIRST_DAY = date(1970, 1, 3).toordinal()
_LAST_DAY = date(9999, 12, 29).toordinal()

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Open from ``start_min`` to ``end_min``, minutes of the wall clock from midnight.

    An end beyond 1440 is on the next day. The end is exclusive.
    """

    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Override:
    """What holds on one date in place of its weekday; without spans the shop is closed."""

    spans: tuple[Span, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours of a week, Monday first, and the dates that differ, by ISO date."""

    timezone: str
    weekly: tuple[tuple[Span, ...], ...]
    overrides: Mapping[str, Override] = field(default_factory=dict)

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """The spans that begin on a local day."""
        override = self.overrides.get(day.isoformat())
        return self.weekly[day.weekday()] if override is None else override.spans


class Hours:
    """The calendars of a desk in the order in which they took effect.

    ``versions`` are (from when in ms UTC, calendar); None is a time without hours, which counts
    whole, and so does the time before the first version. Days once worked out are remembered.
    """

    def __init__(self, versions: Sequence[tuple[int, Calendar | None]] = ()) -> None:
        self._from: list[int] = [0]
        self._days: list[_Days | None] = [None]
        for from_ms, calendar in versions:
            days = None if calendar is None else _Days(calendar)
            if from_ms <= self._from[-1]:
                self._days[-1] = days
            else:
                self._from.append(from_ms)
                self._days.append(days)

    def calendar_at(self, at_ms: int) -> Calendar | None:
        """The calendar in force at an instant, None where no hours are set."""
        days = self._days[self._version(at_ms)]
        return None if days is None else days.calendar

    def open_at(self, at_ms: int) -> bool:
        """True when the shop is open at an instant; always where no hours are set."""
        return any(self.open_intervals(at_ms, at_ms + 1))

    def open_intervals(self, start_at_ms: int, end_at_ms: int) -> Iterator[Interval]:
        """The stretches of business time between two instants, in order, neither touching."""
        last: Interval | None = None
        for start, end in self._pieces(start_at_ms, end_at_ms):
            if last is not None and start <= last[1]:
                last = (last[0], max(last[1], end))
                continue
            if last is not None:
                yield last
            last = (start, end)
        if last is not None:
            yield last

    def between_ms(self, start_at_ms: int, end_at_ms: int) -> int:
        """Milliseconds of business time between two instants; 0 when end is not after start."""
        return sum(end - start for start, end in self.open_intervals(start_at_ms, end_at_ms))

    def wait_ms(self, start_at_ms: int, end_at_ms: int) -> int | None:
        """As ``between_ms``, but None when no hours were set at the start: never a false 0."""
        if self.calendar_at(start_at_ms) is None:
            return None
        return self.between_ms(start_at_ms, end_at_ms)

    def after(self, at_ms: int, span_ms: int) -> int | None:
        """The first instant by which so much business time has passed; None beyond the horizon."""
        if span_ms <= 0:
            return at_ms
        left = span_ms
        for start, end in self._ahead(at_ms):
            if end - start >= left:
                return start + left
            left -= end - start
        return None

    def next_opening(self, at_ms: int) -> int | None:
        """The next instant from ``at_ms`` on at which the shop is open; None beyond the horizon."""
        return next((start for start, _ in self._ahead(at_ms)), None)

    def _ahead(self, at_ms: int) -> Iterator[Interval]:
        return self.open_intervals(
            at_ms, min(at_ms + HORIZON_DAYS * DAY_MIN * MINUTE_MS, MAX_AT_MS)
        )

    def _version(self, at_ms: int) -> int:
        return max(0, bisect_right(self._from, at_ms) - 1)

    def _pieces(self, start_at_ms: int, end_at_ms: int) -> Iterator[Interval]:
        """Stretches in the order of their starts; those of two days may overlap."""
        if end_at_ms <= start_at_ms:
            return
        for number in range(self._version(start_at_ms), len(self._from)):
            from_ms = max(self._from[number], start_at_ms)
            to_ms = end_at_ms
            if number + 1 < len(self._from):
                to_ms = min(to_ms, self._from[number + 1])
            if number == 0:
                from_ms = start_at_ms
            if from_ms >= to_ms:
                return
            days = self._days[number]
            if days is None:
                yield from_ms, to_ms
            else:
                yield from days.pieces(from_ms, to_ms)


class _Days:
    """The spans of one calendar's days as instants, each day worked out once."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._tz = zone(calendar.timezone)
        self._known: dict[int, tuple[Interval, ...]] = {}

    def pieces(self, from_ms: int, to_ms: int) -> Iterator[Interval]:
        first = (
            local_date(from_ms, self._tz).toordinal() - 1
        )  # a span may have begun the day before
        last = local_date(to_ms - 1, self._tz).toordinal()
        for ordinal in range(max(first, _FIRST_DAY), min(last, _LAST_DAY) + 1):
            known = self._known.get(ordinal)
            if known is None:
                known = self._known[ordinal] = self._lived(date.fromordinal(ordinal))
            for start, end in known:
                if start < to_ms and end > from_ms:
                    yield max(start, from_ms), min(end, to_ms)

    def _lived(self, day: date) -> tuple[Interval, ...]:
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001  # of the wall clock
        found: list[Interval] = []
        for span in self.calendar.spans_of(day):
            start = midnight + timedelta(minutes=span.start_min)
            found += lived(start, midnight + timedelta(minutes=span.end_min), self._tz)
        return tuple(sorted(found))


def lived(start: datetime, end: datetime, tz: ZoneInfo) -> list[Interval]:
    """The instants, in ms UTC, at which the wall clock of a zone shows a time in [start, end).

    >>> from datetime import datetime
    >>> lived(datetime(2026, 10, 25, 2), datetime(2026, 10, 25, 3), zone("Europe/Berlin"))
    [(1792886400000, 1792893600000)]
    """
    offsets = {
        _offset_s(edge.replace(tzinfo=tz, fold=fold)) for edge in (start, end) for fold in (0, 1)
    }
    start_s, end_s = _count_s(start), _count_s(end)
    if len(offsets) == 1:
        offset = offsets.pop()
        return [((start_s - offset) * 1000, (end_s - offset) * 1000)]
    low, high = start_s - max(offsets), end_s - min(offsets)
    change = _change_s(low, high, tz)
    pieces = [(low, change, _offset_at_s(low, tz)), (change, high, _offset_at_s(high, tz))]
    found: list[Interval] = []
    for piece_start, piece_end, offset in pieces:
        from_s, to_s = max(piece_start, start_s - offset), min(piece_end, end_s - offset)
        if from_s >= to_s:
            continue
        if found and found[-1][1] == from_s * 1000:
            found[-1] = (found[-1][0], to_s * 1000)
        else:
            found.append((from_s * 1000, to_s * 1000))
    return found


def _count_s(wall: datetime) -> int:
    return (wall - _EPOCH) // timedelta(seconds=1)


def _offset_s(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else offset // timedelta(seconds=1)


def _offset_at_s(at_s: int, tz: ZoneInfo) -> int:
    return _offset_s(datetime.fromtimestamp(at_s, UTC).astimezone(tz))


def _change_s(low: int, high: int, tz: ZoneInfo) -> int:
    """The second between two at which the zone's offset changes; ``high`` when it does not."""
    before = _offset_at_s(low, tz)
    if _offset_at_s(high, tz) == before:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_at_s(middle, tz) == before else (low, middle)
    return high


# in words and in JSON


def span_of(text: str) -> Span:
    """The span of a text such as 09:00-18:30; an end not after the start is on the next day.

    >>> span_of("22:00-02:00"), span_of("00:00–24:00")
    (Span(start_min=1320, end_min=1560), Span(start_min=0, end_min=1440))
    """
    start, found, end = text.replace("–", "-").replace("—", "-").replace("：", ":").partition("-")
    if not found:
        raise _no_span(text)
    start_min, end_min = _minutes(start, text), _minutes(end, text)
    if start_min >= DAY_MIN:
        raise _no_span(text)
    if end_min <= start_min:
        end_min += DAY_MIN
    return Span(start_min, end_min)


def spans_of(text: str) -> tuple[Span, ...]:
    """The spans of a line such as 09:00-12:00, 13:00-18:00, in order; empty for an empty line.

    Raises InvalidInput for what cannot be read, overlaps, or is too much.
    """
    parts = text.replace("，", ",").replace("、", ",").replace(";", ",").split(",")
    return _checked(tuple(sorted(span_of(part) for part in parts if part.strip())))


def in_words(spans: Sequence[Span]) -> str:
    """The spans as ``spans_of`` reads them.

    >>> in_words(spans_of("13:00-18:00, 9:00-12:00"))
    '09:00-12:00, 13:00-18:00'
    """
    return ", ".join(f"{_clock(span.start_min)}-{_clock(span.end_min)}" for span in spans)


def to_json(calendar: Calendar) -> dict[str, Any]:  # Any: JSON values
    """The calendar as JSON, which ``from_json`` reads."""
    return {
        "timezone": calendar.timezone,
        "weekly": [in_words(spans) for spans in calendar.weekly],
        "overrides": {
            day: {"spans": in_words(one.spans), "name": one.name}
            for day, one in sorted(calendar.overrides.items())
        },
    }


def from_json(values: Mapping[str, Any]) -> Calendar:  # Any: JSON values
    """The calendar of ``to_json``. Raises InvalidInput for what is no calendar."""
    try:
        weekly = [str(line) for line in values["weekly"]]
        overrides = {
            str(day): (str(one["spans"]), str(one.get("name", "")))
            for day, one in dict(values.get("overrides") or {}).items()
        }
        timezone = str(values["timezone"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InvalidInput("This is no calendar.", field="calendar") from None
    return calendar_of(timezone, weekly, overrides)


def calendar_of(
    timezone: str, weekly: Sequence[str], overrides: Mapping[str, tuple[str, str]]
) -> Calendar:
    """A calendar from lines of spans, Monday first, and by date spans and a name.

    Raises InvalidInput for no such zone or date, spans that overlap, or a week that never opens.
    """
    zone(timezone)
    days = tuple(spans_of(line) for line in weekly)
    if len(days) != 7:
        raise InvalidInput("A week has seven days.", field="weekly")
    if not any(days):
        raise InvalidInput(
            "Open at least once a week, or set no hours.", field="weekly", reason="never_open"
        )
    if len(overrides) > MAX_OVERRIDES:
        raise InvalidInput(
            f"At most {MAX_OVERRIDES} dates.", field="overrides", reason="too_many_dates"
        )
    dates = {
        _date(day): Override(spans_of(line), name.strip()[:MAX_NAME])
        for day, (line, name) in overrides.items()
    }
    return Calendar(timezone, days, dict(sorted(dates.items())))


def dates_of(text: str) -> dict[str, tuple[str, str]]:
    """Hours and name by date: a line each, the date, hours or closed, and perhaps a name.

    Raises InvalidInput for a line that says neither.

    >>> dates_of("2026-10-01 closed National Day")
    {'2026-10-01': ('', 'National Day')}
    """
    if len(text) > MAX_DATES_CHARS:
        raise InvalidInput("Too many dates.", field="dates", reason="too_many_dates")
    found: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        day, rest = words[0], words[1:]
        said: list[str] = []
        while rest and (rest[0][0].isdigit() and "-" in rest[0].replace("–", "-")):
            said.append(rest.pop(0))
        if not said and rest and rest[0].lower() in _CLOSED:
            rest.pop(0)
        elif not said:
            raise InvalidInput(
                f"Say after {day[:20]} when it is open, or that it is closed.",
                field="dates",
                reason="date_unsaid",
            )
        found[day] = (",".join(said), " ".join(rest))
    return found


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise InvalidInput(
            "A date must look like 2026-10-01.", field="overrides", reason="date_unreadable"
        ) from None


def _checked(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    if len(spans) > MAX_SPANS:
        raise InvalidInput(
            f"At most {MAX_SPANS} spans a day.", field="spans", reason="too_many_spans"
        )
    for one, following in pairwise(spans):
        if following.start_min < one.end_min:
            raise InvalidInput(
                f"{in_words([one])} and {in_words([following])} overlap.",
                field="spans",
                reason="spans_overlap",
                given=in_words([one, following]),
            )
    return spans


def _minutes(clock: str, text: str) -> int:
    hours, _, minutes = clock.strip().partition(":")
    minutes = minutes or "0"
    if not (hours.isascii() and hours.isdecimal() and minutes.isascii() and minutes.isdecimal()):
        raise _no_span(text)
    total = int(hours[:4]) * 60 + int(minutes[:4])
    if int(minutes[:4]) > 59 or total > DAY_MIN:
        raise _no_span(text)
    return total


def _clock(minutes: int) -> str:
    # Midnight that ends the day is 24:00; anything after it is a time of the next day.
    minutes = minutes if minutes <= DAY_MIN else minutes - DAY_MIN
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _no_span(text: str) -> InvalidInput:
    return InvalidInput(
        "Hours look like 09:00-18:00; several are separated by commas.",
        field="spans",
        reason="span_unreadable",
        given=text.strip()[:40],
    )
