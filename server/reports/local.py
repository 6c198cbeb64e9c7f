"""Day, hour and weekday of rows on the shop's clock, as columns."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property

import numpy as np

from server.domain.periods import zone
from server.domain.spans import DAY_MS, HOUR_MS, MINUTE_MS
from server.reports.frames import Frame, Numbers, Texts
from server.reports.scope import Scope

_QUARTER_MS = 15 * MINUTE_MS
_EPOCH = date(1970, 1, 1).toordinal()
# 1970 began on a Thursday.
_FIRST_WEEKDAY = 3


class LocalColumns:
    """Day, hour and weekday of the rows of a frame on the shop's clock.

    The offset from UTC is asked for at the ends of each day of UTC, and by the quarter of an hour
    only within days on which the clocks change: a report of a month asks thirty times.
    """

    def __init__(self, scope: Scope, frame: Frame) -> None:
        self._tz = zone(scope.timezone)
        self._frame = frame

    @cached_property
    def _local_ms(self) -> Numbers:
        """What the shop's clock showed, as if it were UTC."""
        at_ms = self._frame.numbers("at_ms")
        if not len(at_ms):
            return at_ms
        days = at_ms // DAY_MS
        first = int(days.min())
        edges = np.arange(first, int(days.max()) + 2) * DAY_MS
        offsets = np.array([self._offset_ms(edge) for edge in edges.tolist()])
        days -= first
        local_ms = np.asarray(at_ms + offsets[days])
        changing = np.flatnonzero((np.diff(offsets) != 0)[days])
        if len(changing):
            quarters, places = np.unique(at_ms[changing] // _QUARTER_MS, return_inverse=True)
            exact = [self._offset_ms(quarter * _QUARTER_MS) for quarter in quarters.tolist()]
            local_ms[changing] = at_ms[changing] + np.array(exact)[places]
        return local_ms

    def _offset_ms(self, at_ms: int) -> int:
        offset = datetime.fromtimestamp(at_ms / 1000, self._tz).utcoffset()
        assert offset is not None  # it has a zone
        return int(offset.total_seconds() * 1000)

    def day(self) -> Texts:
        """The local day, such as 2026-11-20."""
        days = self._local_ms // DAY_MS
        if not len(days):
            return Texts.of(())
        first = int(days.min())
        days -= first
        present = np.bincount(days) > 0
        known = np.flatnonzero(present) + _EPOCH + first
        values = tuple(date.fromordinal(day).isoformat() for day in known.tolist())
        return Texts((np.cumsum(present) - 1)[days].astype(np.int32), values)

    def hour(self) -> Numbers:
        """The hour, 0 to 23."""
        return np.asarray(self._local_ms // HOUR_MS % 24)

    def weekday(self) -> Numbers:
        """The day of the week; Monday is 0."""
        return np.asarray((self._local_ms // DAY_MS + _FIRST_WEEKDAY) % 7)
