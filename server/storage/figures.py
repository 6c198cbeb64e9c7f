"""What reports keep ready: the rows of figures as columns, one set for each day of UTC.

``figure_head.seq`` says how far in the log the columns go: a conversation with a later event is not
trusted to them but folded anew. So the path of messages writes nothing for them, and a report is
exact however long ago the columns were made; they only make it quick.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any  # Any: an instant or several

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.domain.events import ConversationOpened
from server.domain.facts import Facts
from server.domain.spans import DAY_MS
from server.storage.among import among
from server.storage.columns import (
    Column,
    Numbers,
    joined,
    packed,
    texts_in,
    unpacked,
    unpacked_together,
)
from server.storage.customers import CUSTOMER
from server.storage.database import BINARY
from server.storage.facts import KINDS, columns_of, load_facts, number_of
from server.storage.figure_log import ALL_LOG_KINDS, LOG_KINDS, load_log_columns
from server.storage.rows import EVENT
from server.storage.tables import FigureColumn, FigureDay, FigureHead, table
from server.storage.unit import Tx

HEAD = table(FigureHead)
DAY = table(FigureDay)
COLUMN = table(FigureColumn)

# Rises when rows mean something else than before; what was kept is then made again.
SHAPE = 4
# What each source has; of a conversation also how far its log went.
COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    source: (*columns_of(kind, ()), "last_seq", "last_at_ms") for source, (_, kind) in KINDS.items()
} | {source: (*one.names, "seq", "told_at_ms") for source, one in LOG_KINDS.items()}
# So many conversations are folded at a time: a quarter of a second of work.
AT_ONCE = 300
_LOG_ROWS = 40_000


@dataclass(frozen=True, slots=True)
class KeptDay:
    """A day of a source: how many rows, and the end of the log and of time that they know."""

    day: int
    n: int
    last_seq: int
    last_at_ms: int


@dataclass(frozen=True, slots=True)
class Packed:
    """Days made anew, to be written where the columns still end at ``after_seq``."""

    after_seq: int
    seq: int
    conversations: int
    days: Mapping[tuple[str, int], Mapping[str, Column]] = field(default_factory=dict)
    anew: bool = False


def head_seq(connection: Connection) -> int:
    """How far in the log the columns go; 0 while there are none."""
    row = connection.execute(select(HEAD.c.seq, HEAD.c.shape)).first()
    return 0 if row is None or row.shape != SHAPE else int(row.seq)


def kept_days(
    connection: Connection, source: str, from_ms: int | None, to_ms: int | None
) -> list[KeptDay]:
    """The days of a source that overlap a period, in order."""
    c = DAY.c
    statement = select(c.day, c.n, c.last_seq, c.last_at_ms).where(c.source == source)
    if from_ms is not None:
        statement = statement.where(c.day >= day_of(source, from_ms))
    if to_ms is not None:
        statement = statement.where(c.day <= (to_ms - 1) // DAY_MS)
    return [KeptDay(*row) for row in connection.execute(statement.order_by(c.day))]


def day_of(source: str, at_ms: Any) -> Any:  # Any: an instant, or an array of them
    """The day under which an instant is kept: the first of those that go together."""
    span = LOG_KINDS[source].days if source in LOG_KINDS else 1
    return at_ms // DAY_MS // span * span


_DATA = (
    select(COLUMN.c.data)
    .where(
        COLUMN.c.source == bindparam("source"),
        COLUMN.c.name == bindparam("name"),
        COLUMN.c.day.between(bindparam("first"), bindparam("last")),
    )
    .order_by(COLUMN.c.day)
    .execution_options(**BINARY)
)


_SEVERAL = (
    select(COLUMN.c.name, COLUMN.c.day, COLUMN.c.data)
    .where(
        COLUMN.c.source == bindparam("source"),
        among(COLUMN.c.name, "names"),
        COLUMN.c.day.between(bindparam("first"), bindparam("last")),
    )
    .execution_options(**BINARY)
)


def kept_column(connection: Connection, source: str, name: str, days: Sequence[KeptDay]) -> Column:
    """One column over days in their order; there must be one day at least."""
    asked = {"source": source, "name": name, "first": days[0].day, "last": days[-1].day}
    return unpacked_together(connection.execute(_DATA, asked).scalars().all())


class KeptColumns:
    """Kept columns, each read once for all periods of one report.

    The days between ``from_ms`` and ``to_ms`` are read together, whichever of them is asked for
    first: they are what the report is about.
    """

    def __init__(self, connection: Connection, from_ms: int | None, to_ms: int | None) -> None:
        self._connection = connection
        self._about = _days_between(from_ms, to_ms)
        self._listed: tuple[int, int] | None = None
        self._days: dict[str, list[KeptDay]] = {}
        self._columns: dict[tuple[str, str], tuple[int, int, Column]] = {}

    def days(self, source: str, from_ms: int | None, to_ms: int | None) -> list[KeptDay]:
        """As ``kept_days``."""
        first, last = _days_between(from_ms, to_ms)
        first = first if from_ms is None else day_of(source, from_ms)
        self._list(min(first, self._about[0]), max(last, self._about[1]))
        return self._between(source, first, last)

    def column(self, source: str, name: str, days: Sequence[KeptDay]) -> Column:
        """As ``kept_column``; the days must be those of a period that ``days`` gave."""
        first, last = days[0].day, days[-1].day
        known = self._columns.get((source, name))
        if known is None:
            start, end = min(first, self._about[0]), max(last, self._about[1])
            parts = [self._read(source, name, start, end)]
        else:
            start, end, column = known
            parts = [column]
            if first < start:
                parts.insert(0, self._read(source, name, first, start - 1))
            if last > end:
                parts.append(self._read(source, name, end + 1, last))
        start, end = min(first, start), max(last, end)
        column = joined(parts)
        self._columns[source, name] = start, end, column
        before = sum(day.n for day in self._between(source, start, first - 1))
        return column[before : before + sum(day.n for day in days)]

    def read(self, source: str, names: Collection[str], days: Sequence[KeptDay]) -> None:
        """Reads columns that will be asked for in one go, those of which nothing was read yet."""
        missing = [name for name in names if (source, name) not in self._columns]
        if not days or not missing:
            return
        start, end = min(days[0].day, self._about[0]), max(days[-1].day, self._about[1])
        asked = {"source": source, "names": missing, "first": start, "last": end}
        parts: dict[str, dict[int, bytes]] = {name: {} for name in missing}
        for name, day, data in self._connection.execute(_SEVERAL, asked):
            parts[name][day] = data
        for name, of_days in parts.items():
            column = unpacked_together([of_days[day] for day in sorted(of_days)])
            self._columns[source, name] = start, end, column

    def _list(self, first: int, last: int) -> None:
        """Notes which days there are, of all sources at once, those that are not noted yet."""
        if self._listed is None:
            missing = [(first, last)]
        else:
            start, end = self._listed
            missing = [(first, min(last, start - 1)), (max(first, end + 1), last)]
            first, last = min(first, start), max(last, end)
        c = DAY.c
        for one, other in missing:
            if one > other:
                continue
            statement = select(c.source, c.day, c.n, c.last_seq, c.last_at_ms)
            if (one, other) != _ALL_DAYS:
                statement = statement.where(c.day.between(one, other))
            for source, *day in self._connection.execute(statement).all():
                self._days.setdefault(source, []).append(KeptDay(*day))
        for days in self._days.values():
            days.sort(key=lambda day: day.day)
        self._listed = first, last

    def _between(self, source: str, first: int, last: int) -> list[KeptDay]:
        return [day for day in self._days.get(source, ()) if first <= day.day <= last]

    def _read(self, source: str, name: str, first: int, last: int) -> Column:
        return kept_column(self._connection, source, name, self._between(source, first, last))


# From before the first day there can be to after the last.
_ALL_DAYS = (-(2**31), 2**31 - 1)


def _days_between(from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
    """The first and the last day of UTC of a period."""
    return (
        _ALL_DAYS[0] if from_ms is None else from_ms // DAY_MS,
        _ALL_DAYS[1] if to_ms is None else (to_ms - 1) // DAY_MS,
    )


def channels(connection: Connection) -> set[str]:
    """The channels that conversations have come by."""
    c, head = COLUMN.c, head_seq(connection)
    opened = select(EVENT.c.channel).where(EVENT.c.kind == ConversationOpened.kind)
    if not head:
        return set(connection.execute(opened.distinct()).scalars()) - {None}
    packed_ones = select(c.data).where(c.source == "visit", c.name == "channel")
    found = {text for data in connection.execute(packed_ones).scalars() for text in texts_in(data)}
    # By the number, not by the kind, of which there are a million.
    new = select(EVENT.c.kind, EVENT.c.channel).where(EVENT.c.seq > head)
    found |= {row[1] for row in connection.execute(new) if row[0] == ConversationOpened.kind}
    return {text for text in found if text is not None}


def labels(connection: Connection) -> list[str]:
    """The labels that chats have, of those days of which figures are kept; by name."""
    c = COLUMN.c
    packed_ones = select(c.data).where(c.source == "visit", c.name == "labels")
    found = {text for data in connection.execute(packed_ones).scalars() for text in texts_in(data)}
    return sorted({label for text in found if text for label in text.split("\n")})


def next_pack(connection: Connection, *, up_to: int) -> Packed | None:
    """The next days to be made anew, for what changed up to a row of the log; None for nothing.

    ``up_to`` is from an earlier look than this connection's: nothing below it is being written.
    """
    known = connection.execute(select(HEAD.c.seq, HEAD.c.shape)).first()
    anew = known is None or known.shape != SHAPE
    after = 0 if anew or known is None else int(known.seq)
    if after >= up_to and not anew:
        return None
    c = EVENT.c
    log = connection.execute(
        select(c.seq, c.conversation_id, c.kind)
        .where(c.seq > after, c.seq <= up_to)
        .order_by(c.seq)
        .limit(_LOG_ROWS)
    ).all()
    seq = up_to if len(log) < _LOG_ROWS else int(log[-1].seq)
    ids: dict[str, None] = {}
    logged = any(row.kind in ALL_LOG_KINDS for row in log)
    for row in log:
        if row.conversation_id is not None and row.conversation_id not in ids:
            if len(ids) == AT_ONCE:
                seq = int(row.seq) - 1
                break
            ids[row.conversation_id] = None
    days = _merged(None if anew else connection, list(load_facts(connection, ids)))
    if logged:
        days |= _longer(connection, after, seq, anew=anew)
    return Packed(0 if anew else after, seq, len(ids), days, anew)


def write_pack(tx: Tx, pack: Packed) -> bool:
    """Writes the days; False when another process was quicker, and nothing is written."""
    known = tx.execute(select(HEAD.c.seq, HEAD.c.shape).with_for_update()).first()
    if known is not None and not pack.anew and (known.shape, known.seq) != (SHAPE, pack.after_seq):
        return False
    if known is None and not pack.anew:
        return False
    if pack.anew:
        if known is not None and known.shape == SHAPE:
            return False
        for target in (DAY, COLUMN, HEAD):
            tx.later(delete(target))
        tx.later(insert(HEAD), {"id": 1, "seq": pack.seq, "shape": SHAPE})
    else:
        tx.later(update(HEAD).values(seq=pack.seq))
    for (source, day), columns in pack.days.items():
        tx.later(delete(DAY).where(DAY.c.source == source, DAY.c.day == day))
        tx.later(delete(COLUMN).where(COLUMN.c.source == source, COLUMN.c.day == day))
        write_day(tx, source, day, columns)
    return True


def write_day(tx: Tx, source: str, day: int, columns: Mapping[str, Column]) -> None:
    """Writes the columns of a day that has none."""
    n = len(columns["at_ms"])
    if not n:
        return
    tx.later(insert(DAY), day_values(source, day, columns))
    tx.later(insert(COLUMN), column_values(source, day, columns))


def day_values(source: str, day: int, columns: Mapping[str, Column]) -> dict[str, object]:
    """The row of a day."""
    seq, at_ms = ("seq", "told_at_ms") if source in LOG_KINDS else ("last_seq", "last_at_ms")
    return {
        "source": source,
        "day": day,
        "n": len(columns["at_ms"]),
        "last_seq": int(np.max(columns[seq])),  # type: ignore[arg-type]  # numbers
        "last_at_ms": int(np.max(columns[at_ms])),  # type: ignore[arg-type]  # numbers
    }


def column_values(
    source: str, day: int, columns: Mapping[str, Column]
) -> list[Mapping[str, object]]:
    """The rows of the columns of a day."""
    return [
        {"source": source, "name": name, "day": day, "data": packed(column)}
        for name, column in columns.items()
    ]


def facts_columns(source: str, facts: Iterable[Facts]) -> dict[str, Column]:
    """The rows of a source in facts as columns, with how far each conversation's log went."""
    name, kind = KINDS[source]
    every = list(facts)
    columns = columns_of(kind, [row for one in every for row in getattr(one, name)])
    counts = [len(getattr(one, name)) for one in every]
    columns["last_seq"] = np.repeat(np.array([one.last_seq for one in every], np.int64), counts)
    columns["last_at_ms"] = np.repeat(np.array([one.last_at_ms for one in every], np.int64), counts)
    return columns


def _merged(
    connection: Connection | None, facts: Sequence[Facts]
) -> dict[tuple[str, int], dict[str, Column]]:
    """The days that the facts touch, with their rows in place of those that were kept of them."""
    changed = np.array([one.conversation for one in facts], np.int64)
    # A row stands at the instant of an event: on no other day can there be one, of old or now.
    touched = sorted({at_ms // DAY_MS for one in facts for at_ms in one.instants})
    found: dict[tuple[str, int], dict[str, Column]] = {}
    for source in KINDS:
        new = facts_columns(source, facts)
        of_day = np.asarray(new["at_ms"]) // DAY_MS
        for day in touched:
            places = np.flatnonzero(of_day == day)
            columns = {name: column[places] for name, column in new.items()}
            old = {} if connection is None else _kept(connection, source, day)
            if old:
                left = np.flatnonzero(~np.isin(old["conversation"], changed))  # type: ignore[arg-type]  # numbers
                columns = {
                    name: joined([old[name][left], column]) for name, column in columns.items()
                }
            if old or len(places):
                found[source, day] = columns
    return found


def _longer(
    connection: Connection, after: int, seq: int, *, anew: bool
) -> dict[tuple[str, int], dict[str, Column]]:
    """The days that events of a stretch of the log belong to, with these and what they had."""
    found: dict[tuple[str, int], dict[str, Column]] = {}
    for source in LOG_KINDS:
        new = load_log_columns(connection, source, after_seq=after, up_to_seq=seq)
        of_day = day_of(source, np.asarray(new["at_ms"]))
        for day in np.unique(of_day).tolist():
            places = np.flatnonzero(of_day == day)
            columns = {name: column[places] for name, column in new.items()}
            old = {} if anew else _kept(connection, source, day)
            if old:
                columns = {name: joined([old[name], one]) for name, one in columns.items()}
            found[source, day] = columns
    return found


def _kept(connection: Connection, source: str, day: int) -> dict[str, Column]:
    c = COLUMN.c
    statement = select(c.name, c.data).where(c.source == source, c.day == day)
    return {row.name: unpacked(row.data) for row in connection.execute(statement)}


def changed_since(connection: Connection, seq: int) -> list[str]:
    """The conversations with an event after a row of the log."""
    c = EVENT.c
    if seq == 0:
        every = select(c.conversation_id).where(c.conversation_id.is_not(None)).distinct()
        return list(connection.execute(every).scalars())
    # Said so, SQLite goes through the numbers above; told DISTINCT, through all conversations.
    ids = connection.execute(select(c.conversation_id).where(c.seq > seq)).scalars()
    return [key for key in dict.fromkeys(ids) if key is not None]


def keys_of(connection: Connection, ids: Collection[str]) -> list[int]:
    """The numbers of the events that opened conversations."""
    c = EVENT.c
    statement = select(c.seq).where(among(c.conversation_id, "ids"), c.staff_seq == 1)
    return list(connection.execute(statement, {"ids": list(ids)}).scalars())


def ids_of(connection: Connection, keys: Collection[int]) -> dict[int, str]:
    """The conversations that events opened, by the numbers of these events."""
    found: dict[int, str] = {}
    every = sorted(keys)
    for start in range(0, len(every), 1_000):
        portion = every[start : start + 1_000]
        statement = select(EVENT.c.seq, EVENT.c.conversation_id).where(EVENT.c.seq.in_(portion))
        found.update((int(seq), key) for seq, key in connection.execute(statement))
    return found


def merged_customers(connection: Connection) -> tuple[Numbers, Numbers]:
    """The customers who are of another one's person, in order, and these persons, as numbers."""
    c = CUSTOMER.c
    statement = select(c.id, c.person_id).where(c.person_id.is_not(None))
    pairs = [(number_of(row[0]), number_of(row[1])) for row in connection.execute(statement)]
    found = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def person_numbers(merged: tuple[Numbers, Numbers], customers: Numbers) -> Numbers:
    """The persons of customers, all as numbers: themselves unless they are of another one."""
    known, persons = merged
    if not len(known):
        return customers
    places = np.minimum(np.searchsorted(known, customers), len(known) - 1)
    return np.where(known[places] == customers, persons[places], customers)
