"""Rows that are one event each: orders paid and given back, agents coming and going.

They come from the kept columns, and from the log where that goes on beyond them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from typing import Any  # Any: whatever an array takes

import numpy as np
from sqlalchemy import Connection, select

from server.domain.spans import DAY_MS
from server.reports.frames import Column, Frame, Maker, Numbers
from server.reports.ordering import first_places, places_by, repeated, search
from server.reports.scope import Scope
from server.reports.sources.time_line import Members
from server.storage import figures as kept
from server.storage.corrections import voided_seqs
from server.storage.figure_log import LOG_KINDS, load_log_columns
from server.storage.rows import EVENT

# A column of some days of a source, by its name.
Reader = Callable[[str, str, Sequence[kept.KeptDay]], Column]
# Beyond every instant and every number of the log.
FAR = 2**63 - 1
_PORTION = 1_000
# So many days at a time: what is read of them stays in the processor's memory.
_DAYS = 64


class Log:
    """The rows of one report that are one event each, of any of its periods.

    What is needed for all of them is read once.
    """

    def __init__(self, connection: Connection, scope: Scope) -> None:
        """The log as the report of a scope knows it, whatever its period."""
        self._connection = connection
        self._scope = scope
        self._gone: dict[str, Numbers] = {}
        self._told: dict[str, Frame] = {}
        self._single: list[_Period] = []

    @cached_property
    def head_seq(self) -> int:
        """How far in the log the columns go."""
        return kept.head_seq(self._connection)

    def rows(
        self,
        source: str,
        from_ms: int | None,
        to_ms: int | None,
        *,
        columns: kept.KeptColumns | None = None,
    ) -> Frame:
        """The rows of a time as a report knows them, without voided events, in any order.

        Of ``columns`` each is read once for all that a report asks.
        """
        return Frame.joined(list(self.parts(source, from_ms, to_ms, columns=columns)))

    def parts(
        self,
        source: str,
        from_ms: int | None,
        to_ms: int | None,
        *,
        columns: kept.KeptColumns | None = None,
    ) -> Iterator[Frame]:
        """As ``rows``, some months at a time, the latest first.

        To look at each row once takes no more memory, and who has seen enough reads no further.
        """
        scope, period = self._scope, _Period(from_ms, to_ms)
        told = self._told_since(source)
        yield self._valid(source, told.select(_Known().rows(told, scope, period)))
        if not self.head_seq:
            return
        if columns is None:
            days = kept.kept_days(self._connection, source, from_ms, to_ms)
            read: Reader = partial(kept.kept_column, self._connection)
        else:
            days, read = columns.days(source, from_ms, to_ms), columns.column
        for known, some in reversed(_by_known(days, scope, source, period)):
            for end in range(len(some), 0, -_DAYS):
                frame = _of_days(read, source, some[max(0, end - _DAYS) : end])
                yield self._valid(source, frame.select(known.rows(frame, scope, period)))

    def orders(self, from_ms: int | None, to_ms: int | None, *, columns: kept.KeptColumns) -> Frame:
        """The orders paid in a time, each once; told several times, as the log has it first."""
        orders = self.rows("paid", from_ms, to_ms, columns=columns)
        period = _Period(from_ms, to_ms)
        # Of a time in which no order is told twice, none is in a part of it.
        if any(period.is_in(single, self._scope) for single in self._single):
            return orders
        numbers = orders.numbers("number")
        again = repeated(numbers)
        if not len(again):
            self._single.append(period)
            return orders
        several = np.flatnonzero(Members(again).among(numbers))
        several = several[np.argsort(orders.numbers("seq")[several])]
        chosen = np.ones(orders.n, bool)
        chosen[several] = False
        chosen[several[first_places(numbers[several])]] = True
        return orders.select(chosen)

    def _told_since(self, source: str) -> Frame:
        """The rows that the log has beyond the columns."""
        if source not in self._told:
            self._told[source] = Frame(
                load_log_columns(
                    self._connection,
                    source,
                    after_seq=self.head_seq,
                    up_to_seq=self._scope.as_of_seq,
                )
            )
        return self._told[source]

    def _valid(self, source: str, frame: Frame) -> Frame:
        if source not in self._gone:
            self._gone[source] = self._voided(source)
        gone = self._gone[source]
        return frame.select(~np.isin(frame.numbers("seq"), gone)) if len(gone) else frame

    @cached_property
    def _all_voided(self) -> list[int]:
        return sorted(voided_seqs(self._connection, up_to_seq=self._scope.as_of_seq))

    def _voided(self, source: str) -> Numbers:
        """The voided events of a source, by their numbers in order."""
        gone = self._all_voided
        c, found = EVENT.c, list[int]()
        for start in range(0, len(gone), _PORTION):
            some = c.seq.in_(gone[start : start + _PORTION])
            found += self._connection.execute(
                select(c.seq).where(some, c.kind.in_(LOG_KINDS[source].kinds))
            ).scalars()
        return np.array(found, np.int64)


@dataclass(frozen=True, slots=True)
class _Period:
    from_ms: int | None
    to_ms: int | None

    def is_in(self, other: _Period, scope: Scope) -> bool:
        """Whether the other has all of it, up to the instant of a report."""
        early = other.from_ms is None or (
            self.from_ms is not None and other.from_ms <= self.from_ms
        )
        late = min(FAR if self.to_ms is None else self.to_ms, scope.as_of_ms + 1)
        return early and (other.to_ms is None or late <= other.to_ms)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of some rows without a look: all told by then, all within the period."""

    told: bool = False
    within: bool = False

    def rows(self, frame: Frame, scope: Scope, period: _Period) -> Any:  # Any: a mask or a slice
        """Which rows are of the period, and known to the report."""
        masks: list[Numbers] = []
        if not self.told:
            masks.append(frame.numbers("told_at_ms") <= scope.as_of_ms)
            if scope.as_of_seq is not None:
                masks.append(frame.numbers("seq") <= scope.as_of_seq)
        if not self.within:
            masks.append(frame.numbers("at_ms") <= scope.as_of_ms)
            if period.from_ms is not None:
                masks.append(frame.numbers("at_ms") >= period.from_ms)
            if period.to_ms is not None:
                masks.append(frame.numbers("at_ms") < period.to_ms)
        return np.logical_and.reduce(masks) if masks else slice(None)


def _by_known(
    days: Sequence[kept.KeptDay], scope: Scope, source: str, period: _Period
) -> list[tuple[_Known, list[kept.KeptDay]]]:
    """The days in stretches, by what is known of all of their rows."""
    span = LOG_KINDS[source].days
    last_seq = FAR if scope.as_of_seq is None else scope.as_of_seq
    before = min(scope.as_of_ms + 1, FAR if period.to_ms is None else period.to_ms)

    def known(day: kept.KeptDay) -> _Known:
        return _Known(
            told=day.last_seq <= last_seq and day.last_at_ms <= scope.as_of_ms,
            within=(period.from_ms is None or day.day * DAY_MS >= period.from_ms)
            and (day.day + span) * DAY_MS <= before,
        )

    return [(same, list(some)) for same, some in groupby(days, known)]


def _of_days(read: Reader, source: str, days: list[kept.KeptDay]) -> Frame:
    def maker(name: str) -> Maker:
        return lambda: read(source, name, days)

    makers = {name: maker(name) for name in kept.COLUMN_NAMES[source]}
    return Frame({}, n=sum(day.n for day in days), makers=makers)


def load_online(log: Log) -> Callable[[Numbers], Numbers]:
    """Tells of instants whether an agent was online or busy then; for any period of a report."""
    frame = log.rows("presence", None, None)
    at_ms, seq = frame.numbers("at_ms"), frame.numbers("seq")
    agent, there = frame.texts("agent_id").codes, frame.numbers("there").astype(np.int64)
    order = places_by(agent, at_ms, seq)
    same = np.diff(agent[order], prepend=-1) == 0
    before = np.where(same, np.concatenate([[0], there[order][:-1]])[: frame.n], 0)
    in_time = places_by(at_ms[order])
    times = np.concatenate([[0], at_ms[order][in_time]])
    counts = np.concatenate([[0], np.cumsum((there[order] - before)[in_time])])
    return lambda instants: counts[search(times, instants, side="right") - 1] > 0
