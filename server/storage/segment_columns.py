"""The segments of all customers through time, kept as columns.

A report asks for the segments of tens of thousands of customers at once. Three things decide them:
who is one person with whom, what that person is and was, and who wants no profile. All of it is
kept as columns, by the numbers of customers. Of whom the columns do not know the latest is noted in
``segment_mark``: a reader takes of these customers what the tables say, and of all others the
columns. Columns, notes and tables are of one state of the database, so that says the same as the
tables alone. A job does so from time to time and writes what it finds as the new columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar  # Any: columns of either kind

import numpy as np
from sqlalchemy import Connection, and_, bindparam, delete, func, select, update
from sqlalchemy import insert as insert_into
from sqlalchemy.sql.elements import ColumnElement

from server.domain.spans import DAY_MS
from server.storage.among import among
from server.storage.bulk import let_others
from server.storage.columns import Column, Numbers, Texts, packed, unpacked
from server.storage.consents import CONSENT
from server.storage.customers import CUSTOMER
from server.storage.database import BINARY
from server.storage.facts import number_of
from server.storage.prepared import insert
from server.storage.profiles import PROFILE, SEGMENT_CHANGE
from server.storage.segment_marks import MARK
from server.storage.tables import SegmentColumn, SegmentHead, table
from server.storage.unit import Tx

HEAD = table(SegmentHead)
COLUMN = table(SegmentColumn)

# Rises when columns mean something else than before; they are then made again.
SHAPE = 1
# So many notes cost a report 20 ms, on PostgreSQL 30; writing the columns costs half a second.
ENOUGH_MARKS = 1_000
# Instants of so many days differ by numbers of 32 bits.
BLOCK_MS = 32 * DAY_MS
# The block of what holds whatever the time.
_NOW = -1
_PORTION = 10_000

T = TypeVar("T")
# Which rows of a table, told of its column of customers.
Which = Callable[[ColumnElement[str]], ColumnElement[bool]]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What holds of customers, as numbers, whatever the time.

    ``merged`` are, in order, those who are of another one's person, ``tops`` these persons.
    ``refused``, in order, want no profile. ``persons``, in order, have or had one; ``latest`` are
    their segments since the last change.
    """

    merged: Numbers
    tops: Numbers
    refused: Numbers
    persons: Numbers
    latest: Texts


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Changes of segments in the order of persons and times, and the segments until then."""

    persons: Numbers
    at_ms: Numbers
    before: Texts


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Blocks of packed columns to be written over those of a version, and the notes in them.

    A block without columns is one that has no rows any more.
    """

    after: int
    anew: bool
    seen: Sequence[str]
    blocks: Mapping[int, Mapping[str, bytes]]


class SegmentColumns:
    """The segments of all customers, as one state of the database has them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._version, self._kept = _head(connection)
        self._notes = dict(map(tuple, connection.execute(select(MARK.c.id, MARK.c.customer_id))))
        ids = set(self._notes.values()) if self._kept else set()
        self._noted = np.sort(np.array([number_of(key) for key in ids], np.int64))
        if self._kept:
            fresh, self._fresh = _of_some(connection, ids)
            kept = _kept_standing(connection)
            self.standing = _replaced(kept, self._noted, fresh) if ids else kept
        else:
            self.standing, self._fresh = _of_all(connection)

    def changes(self, block: int) -> Changes:
        """The changes of a block and since, and some from before it."""
        kept = _kept_changes(self._connection, block) if self._kept else {}
        return _in_order([*map(self._unnoted, kept.values()), self._fresh])

    def rewrite(self) -> Rewrite:
        """The blocks that make the columns say all this without any note."""
        # They are packed here: who writes them keeps others from writing.
        blocks: dict[int, Mapping[str, bytes]] = {}
        if not self._kept or not _same(_kept_standing(self._connection), self.standing):
            blocks[_NOW] = _packed(self.standing)
        kept = _kept_changes(self._connection, 0) if self._kept else {}
        of_block = np.maximum(0, self._fresh.at_ms) // BLOCK_MS
        for block in {*kept, *np.unique(of_block).tolist()}:
            before = kept.get(block, _NO_CHANGES)
            after = _in_order([self._unnoted(before), _chosen(self._fresh, of_block == block)])
            if not _same(before, after):
                blocks[block] = _packed(after) if len(after.persons) else {}
        return Rewrite(self._version, not self._kept, tuple(self._notes), blocks)

    def _unnoted(self, changes: Changes) -> Changes:
        return _chosen(changes, ~_is_among(changes.persons, self._noted))


_NO_CHANGES = Changes(np.empty(0, np.int64), np.empty(0, np.int64), Texts.of(()))


def next_rewrite(connection: Connection, *, enough: int = ENOUGH_MARKS) -> Rewrite | None:
    """What is to be written over the columns; None while there is too little for that."""
    if connection.execute(select(func.count()).select_from(MARK)).scalar_one() >= enough:
        # Of a shop without buyers, too, whose notes would else become more and more.
        return SegmentColumns(connection).rewrite()
    somebody = select(PROFILE.c.person_id).limit(1)
    if _head(connection)[1] or connection.execute(somebody).first() is None:
        return None
    return SegmentColumns(connection).rewrite()


_BEGIN = insert(HEAD, conflict="ON CONFLICT DO NOTHING")


def write_segments(tx: Tx, rewrite: Rewrite) -> bool:
    """Writes the columns; False when another process was quicker, and nothing is written."""
    tx.write(_BEGIN, [{"id": 1, "version": 0, "shape": SHAPE}])
    if tx.execute(select(HEAD.c.version).with_for_update()).scalar_one() != rewrite.after:
        return False
    tx.later(update(HEAD).values(version=rewrite.after + 1, shape=SHAPE))
    if rewrite.anew:
        tx.later(delete(COLUMN))
    for block, columns in rewrite.blocks.items():
        tx.later(delete(COLUMN).where(COLUMN.c.block == block))
        if columns:
            tx.later(
                insert_into(COLUMN),
                [{"name": name, "block": block, "data": data} for name, data in columns.items()],
            )
    # By their own ids: who was noted once more meanwhile stays noted.
    for start in range(0, len(rewrite.seen), _PORTION):
        some = {"ids": rewrite.seen[start : start + _PORTION]}
        tx.later(delete(MARK).where(among(MARK.c.id, "ids")), some)
    return True


def differences(connection: Connection) -> Iterator[str]:
    """What the columns and notes say otherwise than the tables, a sentence for each block."""
    if not _head(connection)[1]:
        return
    mine = SegmentColumns(connection)
    standing, changes = _of_all(connection)
    if not _same(mine.standing, standing):
        yield "Segments: who is in which is kept otherwise than the tables say."
    if not _same(mine.changes(0), changes):
        yield "Segments: the changes are kept otherwise than the tables say."


def forget_segments(tx: Tx) -> None:
    """Lets nobody use the columns any more until they are made anew, by nobody who is at it."""
    tx.later(update(HEAD).values(version=HEAD.c.version + 1, shape=0))


def _head(connection: Connection) -> tuple[int, bool]:
    """The version of the columns, and whether they can be used."""
    row = connection.execute(select(HEAD.c.version, HEAD.c.shape)).first()
    return (0, False) if row is None else (row.version, row.version > 0 and row.shape == SHAPE)


def block_of(at_ms: int) -> int:
    """The block in which the changes of an instant are kept."""
    return max(0, at_ms) // BLOCK_MS


def _kept_standing(connection: Connection) -> Standing:
    statement = select(COLUMN.c.name, COLUMN.c.data).where(COLUMN.c.block == _NOW)
    found = connection.execute(statement, execution_options=BINARY)
    columns: dict[str, Any] = {name: unpacked(data) for name, data in found}
    return Standing(**columns)


def _kept_changes(connection: Connection, first: int) -> dict[int, Changes]:
    """The kept changes from a block on, by block."""
    c = COLUMN.c
    statement = select(c.block, c.name, c.data).where(c.block >= first).order_by(c.block)
    found: dict[int, dict[str, Any]] = {}
    for block, name, data in connection.execute(statement, execution_options=BINARY):
        found.setdefault(block, {})[name] = unpacked(data)
    return {block: Changes(**columns) for block, columns in found.items()}


# -- the same from the tables ----------------------------------------------------------------


def _of_some(connection: Connection, ids: Collection[str]) -> tuple[Standing, Changes]:
    """What the tables say of some customers."""
    every = sorted(ids)
    portions = [every[start : start + _PORTION] for start in range(0, len(every), _PORTION)]
    pointers = [_pointers(connection, _these, some) for some in portions]
    return _together(pointers, [_courses(connection, _these, some) for some in portions])


def _of_all(connection: Connection) -> tuple[Standing, Changes]:
    """What the tables say of everybody, some thousand at a time."""
    pointers = _pointers(connection, lambda column: column.is_not(None), ())
    return _together([pointers], [_courses(connection, which, ()) for which in _ranges(connection)])


def _these(column: ColumnElement[str]) -> ColumnElement[bool]:
    return among(column, "ids")


def _ranges(connection: Connection) -> Iterator[Which]:
    """Conditions that each hold for some thousand persons, and all together for everybody."""
    after, last = "", connection.execute(_LAST_OF_PORTION, {"after": ""}).scalar()
    while last is not None:
        yield partial(_between, after=after, last=last)
        # This is work of seconds, and other threads have messages to answer.
        let_others()
        after, last = last, connection.execute(_LAST_OF_PORTION, {"after": last}).scalar()
    yield lambda column: column > after


def _between(column: ColumnElement[str], *, after: str, last: str) -> ColumnElement[bool]:
    return and_(column > after, column <= last)


_LAST_OF_PORTION = (
    select(PROFILE.c.person_id)
    .where(PROFILE.c.person_id > bindparam("after"))
    .order_by(PROFILE.c.person_id)
    .offset(_PORTION - 1)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class _Pointers:
    """Customers, as numbers, with the persons they belong to, and those who want no profile."""

    tops: dict[int, int]
    refused: set[int]


def _pointers(connection: Connection, which: Which, ids: Collection[str]) -> _Pointers:
    tops = (
        select(CUSTOMER.c.id, CUSTOMER.c.person_id)
        .where(which(CUSTOMER.c.id))
        .where(CUSTOMER.c.person_id.is_not(None))
    )
    said = (
        select(CONSENT.c.customer_id, CONSENT.c.state)
        .where(which(CONSENT.c.customer_id), CONSENT.c.purpose == "profiling")
        .order_by(CONSENT.c.at_ms, CONSENT.c.id)
    )
    # The last word of each customer counts.
    words = {row[0]: row[1] for row in connection.execute(said, {"ids": ids})}
    return _Pointers(
        {number_of(row[0]): number_of(row[1]) for row in connection.execute(tops, {"ids": ids})},
        {number_of(key) for key, state in words.items() if state == "refused"},
    )


@dataclass(frozen=True, slots=True)
class _Courses:
    """Persons as numbers with their latest segments, and their changes."""

    latest: dict[int, str]
    changes: Changes


def _courses(connection: Connection, which: Which, ids: Collection[str]) -> _Courses:
    now = select(PROFILE.c.person_id, PROFILE.c.segment).where(which(PROFILE.c.person_id))
    c = SEGMENT_CHANGE.c
    changes = (
        select(c.person_id, c.at_ms, c.segment_from, c.segment_to)
        .where(which(c.person_id))
        .order_by(c.person_id, c.at_ms, c.id)
    )
    latest = {number_of(row[0]): row[1] for row in connection.execute(now, {"ids": ids})}
    persons, times, before = [], [], []
    for person_id, rows in groupby(connection.execute(changes, {"ids": ids}), itemgetter(0)):
        number, until = number_of(person_id), None
        for _, at_ms, changed_from, changed_to in rows:
            persons.append(number)
            times.append(at_ms)
            # Only of the first change it counts what it says was before.
            before.append(changed_from if until is None else until)
            until = latest[number] = changed_to
    return _Courses(
        latest, Changes(np.array(persons, np.int64), np.array(times, np.int64), Texts.of(before))
    )


def _together(
    pointers: Sequence[_Pointers], courses: Sequence[_Courses]
) -> tuple[Standing, Changes]:
    merged, tops = _by_number([one.tops for one in pointers])
    persons, latest = _by_number([one.latest for one in courses])
    refused = sorted(number for one in pointers for number in one.refused)
    standing = Standing(
        merged, np.array(tops, np.int64), np.array(refused, np.int64), persons, Texts.of(latest)
    )
    return standing, _in_order([_NO_CHANGES, *(one.changes for one in courses)])


def _by_number(parts: Sequence[Mapping[int, T]]) -> tuple[Numbers, list[T]]:
    """What is known by numbers, in the order of these."""
    numbers = np.array([number for part in parts for number in part], np.int64)
    values = [value for part in parts for value in part.values()]
    order = np.argsort(numbers)
    return numbers[order], [values[place] for place in order.tolist()]


# -- columns of the same kind ----------------------------------------------------------------


def _replaced(old: Standing, gone: Numbers, new: Standing) -> Standing:
    """What holds when of some customers, in order, the new holds instead of the old."""
    merged, tops = _instead((old.merged, old.tops), gone, (new.merged, new.tops))
    persons, latest = _instead((old.persons, old.latest), gone, (new.persons, new.latest))
    (refused,) = _instead((old.refused,), gone, (new.refused,))
    return Standing(merged, tops, refused, persons, latest)


def _instead(old: Sequence[Any], gone: Numbers, new: Sequence[Any]) -> list[Any]:  # Any: columns
    """Columns in the order of their first, some numbers of which are replaced."""
    # A search for these few in the many, not for the many in the few.
    places = np.searchsorted(old[0], gone)
    places = places[np.append(old[0], -1)[places] == gone]
    before = np.searchsorted(np.delete(old[0], places), new[0])
    found = []
    for one, other in zip(old, new, strict=True):
        both = [one, other]
        if isinstance(one, Texts):
            whole = Texts.joined([one, other])
            both = [whole.codes[: len(one)], whole.codes[len(one) :]]
        column = np.insert(np.delete(both[0], places), before, both[1])
        found.append(Texts(column, whole.values) if isinstance(one, Texts) else column)
    return found


def _is_among(numbers: Numbers, some: Numbers) -> Numbers:
    """Where a number is one of some, which are in order."""
    return np.asarray(np.append(some, -1)[np.searchsorted(some, numbers)] == numbers)


def _chosen(changes: Changes, chosen: Numbers) -> Changes:
    return Changes(changes.persons[chosen], changes.at_ms[chosen], changes.before[chosen])


def _in_order(parts: Sequence[Changes]) -> Changes:
    """Changes of several parts in the order of persons and times.

    Each part is so already as far as one person goes, and is later than those before it.
    """
    persons = np.concatenate([part.persons for part in parts])
    whole = Changes(
        persons,
        np.concatenate([part.at_ms for part in parts]),
        Texts.joined([part.before for part in parts]),
    )
    return _chosen(whole, np.argsort(persons, kind="stable"))


def _columns(what: Standing | Changes) -> dict[str, Column]:
    return {one.name: getattr(what, one.name) for one in fields(what)}


def _packed(what: Standing | Changes) -> dict[str, bytes]:
    return {name: packed(column) for name, column in _columns(what).items()}


def _same(one: Standing | Changes, other: Standing | Changes) -> bool:
    """Whether columns hold the same, however their texts are numbered."""
    pairs = zip(_columns(one).values(), _columns(other).values(), strict=True)
    return all(_same_column(*pair) for pair in pairs)


def _same_column(one: Any, other: Any) -> bool:  # Any: columns of one kind
    if isinstance(one, Texts):
        whole = Texts.joined([one, other]).codes
        one, other = whole[: len(one)], whole[len(one) :]
    return np.array_equal(one, other)
