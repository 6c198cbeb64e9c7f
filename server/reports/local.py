"""Day, hour and weekday of rows on the shop's clock, as columns."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from server.domain.periods import LocalTime, LocalTimes, zone
from server.reports.frames import Frame, Numbers, Texts
from server.reports.scope import Scope

QUARTER_MS = 900_000


class LocalColumns:
    """Day, hour and weekday of the rows of a frame on the shop's clock."""

    def __init__(self, scope: Scope, frame: Frame) -> None:
        self._scope = scope
        self._frame = frame

    @cached_property
    def _quarters(self) -> tuple[Numbers, list[LocalTime]]:
        """The place of each row's quarter of an hour among those that there are, and these."""
        quarters = self._frame.numbers("at_ms") // QUARTER_MS
        if not len(quarters):
            return quarters, []
        first = int(quarters.min())
        present = np.bincount(quarters - first) > 0
        places = np.cumsum(present) - 1
        local = LocalTimes(zone(self._scope.timezone))
        known = [local((first + n) * QUARTER_MS) for n in np.flatnonzero(present).tolist()]
        return places[quarters - first], known

    def day(self) -> Texts:
        """The local day, such as 2026-11-20."""
        places, known = self._quarters
        days = Texts.of(one.day for one in known)
        return Texts(days.codes[places], days.values)

    def hour(self) -> Numbers:
        """The hour, 0 to 23."""
        places, known = self._quarters
        return np.array([one.hour for one in known], np.int64)[places]

    def weekday(self) -> Numbers:
        """The day of the week; Monday is 0."""
        places, known = self._quarters
        return np.array([one.weekday for one in known], np.int64)[places]
