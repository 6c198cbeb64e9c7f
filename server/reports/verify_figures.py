"""Comparing the kept columns of figures with the log.

Rows have no order, so each day is compared by how many rows it has and by the sum of their marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from sqlalchemy import Connection, select

from server.domain.events import Event
from server.domain.facts import Business, facts_of
from server.storage import figures as kept
from server.storage.columns import Column, unpacked
from server.storage.facts import KINDS
from server.storage.figure_log import LOG_KINDS, load_log_columns
from server.storage.hours import HoursBook

_MARK_BYTES = 8
Sums = dict[tuple[str, int], tuple[int, int]]


class KeptFigures:
    """What the log says of the rows of each day, gathered while the log goes by."""

    def __init__(self, connection: Connection, book: HoursBook) -> None:
        self._connection = connection
        self._head = kept.head_seq(connection)
        self._business: Business | None = None
        if book.version:
            self._business = lambda team, start, end: book.of_team(team).wait_ms(start, end)
        self._expected: Sums = {}
        self._changed: list[int] = []

    def add(self, events: Sequence[Event]) -> None:
        """Takes a conversation in by its whole log."""
        if not self._head or not events:
            return
        if events[-1].seq > self._head:
            self._changed.append(events[0].seq)
            return
        found = facts_of(events, business=self._business)
        if found is None:
            return
        for source in KINDS:
            if getattr(found, KINDS[source][0]):
                _add(self._expected, source, kept.facts_columns(source, [found]))

    def differences(self) -> Iterator[str]:
        """What is kept otherwise than the log says, one sentence a day."""
        if not self._head:
            return
        found: Sums = {}
        changed = np.array(self._changed, np.int64)
        day, column = kept.DAY.c, kept.COLUMN.c
        for row in self._connection.execute(select(kept.DAY).order_by(day.source, day.day)).all():
            parts = self._connection.execute(
                select(column.name, column.data).where(
                    column.source == row.source, column.day == row.day
                )
            )
            columns = {name: unpacked(data) for name, data in parts}
            lengths = {len(one) for one in columns.values()}
            names = set(kept.COLUMN_NAMES.get(row.source, ()))
            if lengths != {row.n} or set(columns) != names:
                yield f"Figures of {row.source}, day {row.day}: the columns do not fit together."
                continue
            if "conversation" in columns:
                left = ~np.isin(np.asarray(columns["conversation"]), changed)
                columns = {name: one[left] for name, one in columns.items()}
            _add(found, row.source, columns)
        for source in LOG_KINDS:
            columns = load_log_columns(self._connection, source, after_seq=0, up_to_seq=self._head)
            _add(self._expected, source, columns)
        for source, number in sorted(found.keys() | self._expected.keys()):
            if found.get((source, number)) != self._expected.get((source, number)):
                rows = found.get((source, number), (0, 0))[0]
                right = self._expected.get((source, number), (0, 0))[0]
                yield (
                    f"Figures of {source}, day {number}: {rows} rows are kept that differ"
                    f" from the {right} of the log."
                )


def _add(sums: Sums, source: str, columns: Mapping[str, Column]) -> None:
    names = sorted(columns)
    lists = [columns[name].tolist() for name in names]
    days = kept.day_of(source, np.asarray(columns["at_ms"])).tolist()
    for number, *values in zip(days, *lists, strict=True):
        mark = blake2b(repr(values).encode(), digest_size=_MARK_BYTES).digest()
        count, total = sums.get((source, number), (0, 0))
        sums[source, number] = (count + 1, total + int.from_bytes(mark, "big"))
