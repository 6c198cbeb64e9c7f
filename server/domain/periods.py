"""Instants and days as a shop lives them: its IANA zone, daylight saving included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.domain.errors import InvalidInput
from server.domain.spans import MINUTE_MS

MAX_AT_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_QUARTER_MS = 15 * MINUTE_MS


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises InvalidInput for a name that there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"There is no time zone {name!r}.", timezone=name) from None


def instant_ms(text: str, tz: ZoneInfo, *, end: bool = False) -> int:
    """Milliseconds UTC of an ISO 8601 time; without a zone it is local time in ``tz``.

    A bare date is the start of that local day, or with ``end`` the start of the next one, so that
    ends stay exclusive. Raises InvalidInput for what is no such time.

    >>> instant_ms("2026-11-20", zone("Asia/Shanghai"), end=True)
    1795190400000
    """
    text = text.strip()
    try:
        if _BARE_DATE.fullmatch(text):
            day = date.fromisoformat(text)
            return day_start_ms(day + timedelta(days=1) if end else day, tz)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=tz)
        return _at_ms(moment)
    except (ValueError, OverflowError):
        raise InvalidInput(
            "A time must be ISO 8601, such as 2026-11-20 or 2026-11-20T09:30.", given=text[:64]
        ) from None


def day_start_ms(day: date, tz: ZoneInfo) -> int:
    """The instant at which a local day begins; a day may have 23 or 25 hours."""
    return _at_ms(datetime.combine(day, time(), tz))


def local_date(at_ms: int, tz: ZoneInfo) -> date:
    """The local day of an instant."""
    return datetime.fromtimestamp(at_ms / 1000, tz).date()


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The day, hour and weekday (Monday is 0) that the clock on the shop's wall shows."""

    day: str
    hour: int
    weekday: int


class LocalTimes:
    """Local times of many instants in one zone.

    Offsets from UTC are multiples of 15 minutes in every zone of today, so one conversion serves
    all instants of a quarter of an hour.
    """

    def __init__(self, tz: ZoneInfo) -> None:
        self._tz = tz
        self._known: dict[int, LocalTime] = {}

    def __call__(self, at_ms: int) -> LocalTime:
        """The local time of an instant in ms UTC."""
        quarter = at_ms // _QUARTER_MS
        known = self._known.get(quarter)
        if known is None:
            moment = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, self._tz)
            known = LocalTime(moment.date().isoformat(), moment.hour, moment.weekday())
            self._known[quarter] = known
        return known


def _at_ms(moment: datetime) -> int:
    seconds = (moment - datetime.fromtimestamp(0, ZoneInfo("UTC"))) // timedelta(milliseconds=1)
    if not 0 <= seconds <= MAX_AT_MS:
        raise ValueError("out of bounds")
    return seconds
