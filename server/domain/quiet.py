"""Hours in which a customer does not want to hear from the shop."""

from __future__ import annotations

import re
from datetime import datetime

from server.domain.errors import InvalidInput
from server.domain.periods import zone
from server.domain.spans import MINUTE_MS

DAY_MINUTES = 24 * 60
CHANNELS = ("chat", "email", "phone", "sms", "none")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def minute_of_day(text: str) -> int:
    """Minutes since midnight of a time as people write it. Raises InvalidInput.

    >>> minute_of_day("22:30")
    1350
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise InvalidInput("A time of day is written 22:30.", field="quiet_hours")
    return int(found[1]) * 60 + int(found[2])


def clock_time(minute: int) -> str:
    """A minute of the day as people write it.

    >>> clock_time(1350), clock_time(5)
    ('22:30', '00:05')
    """
    return f"{minute // 60:02}:{minute % 60:02}"


def is_quiet(start: int | None, end: int | None, *, at_ms: int, timezone: str) -> bool:
    """True when an instant lies in quiet hours, from one minute of the local day up to another.

    They go over midnight when the end is smaller; without both there are none.

    >>> is_quiet(1320, 480, at_ms=0, timezone="UTC"), is_quiet(60, 480, at_ms=0, timezone="UTC")
    (True, False)
    """
    if start is None or end is None or start == end:
        return False
    moment = datetime.fromtimestamp(at_ms / 1000, zone(timezone))
    now = moment.hour * 60 + moment.minute
    return start <= now < end if start < end else now >= start or now < end


def quiet_until(end: int, *, at_ms: int, timezone: str) -> int:
    """The next instant at which it is this minute of the local day.

    >>> quiet_until(480, at_ms=0, timezone="UTC")
    28800000
    """
    moment = datetime.fromtimestamp(at_ms / 1000, zone(timezone))
    minutes = (end - moment.hour * 60 - moment.minute) % DAY_MINUTES or DAY_MINUTES
    return at_ms - at_ms % MINUTE_MS + minutes * MINUTE_MS
