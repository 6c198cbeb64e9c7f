"""The segment that a customer was in when they asked."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from sqlalchemy import Connection

from server.domain.profile import NO_BUYER
from server.domain.spans import WEEK_MS
from server.reports.frames import Numbers, Texts
from server.reports.places import Places
from server.storage.facts import number_of
from server.storage.persons import customers_of_conversations
from server.storage.segment_columns import Changes, SegmentColumns, Standing, block_of
from server.storage.thresholds import current_limits

NOBODY = -1
# Of whom nothing is told, and who has never bought.
_UNTOLD, _PROSPECT = 0, 1
_OTHERS = Texts.of((None, NO_BUYER.segment))


class Segments:
    """The segments of customers as they were; for a report that is about the time from an instant.

    Earlier instants may be asked for too, which costs another look.
    """

    def __init__(self, connection: Connection, from_ms: int | None) -> None:
        self._connection = connection
        # Some figures look at a week before the period as well.
        self._block = 0 if from_ms is None else block_of(from_ms - WEEK_MS)
        self._courses: _Courses | None = None

    @cached_property
    def _known(self) -> bool:
        """Whether there are segments; not while the shop has no orders."""
        return current_limits(self._connection) is not None

    @cached_property
    def _columns(self) -> SegmentColumns:
        return SegmentColumns(self._connection)

    @cached_property
    def _customers(self) -> _Customers:
        return _Customers(self._columns.standing)

    def of_customers(self, customers: Numbers, instants: Numbers) -> Texts:
        """What each customer, as a number, was in at an instant, row by row.

        None while the shop has no orders, for who wants no profile, and for NOBODY.
        """
        if not self._known or not len(customers):
            return nobody(len(customers))
        courses = self._courses_since(block_of(int(instants.min())))
        asked = np.flatnonzero(customers != NOBODY)
        persons = self._customers.persons_of(customers[asked])
        found = courses.latest[persons]
        rows, before = courses.until_later(persons, instants[asked])
        found[rows] = before
        codes = np.full(len(customers), _UNTOLD, np.int32)
        codes[asked] = found
        return Texts(codes, courses.values)

    def of_conversations(self, conversations: Texts, instants: Numbers) -> Texts:
        """The same of the customers of conversations, by their ids; None for none."""
        if not self._known:
            return nobody(len(conversations))
        ids = [key for key in conversations.values if key is not None]
        whose = customers_of_conversations(self._connection, ids)
        numbers = [
            number_of(whose[key]) if key is not None and key in whose else NOBODY
            for key in conversations.values
        ]
        return self.of_customers(np.array([*numbers, NOBODY])[conversations.codes], instants)

    def _courses_since(self, block: int) -> _Courses:
        """The courses of a block and since."""
        if self._courses is None or block < self._block:
            self._block = min(block, self._block)
            self._courses = _Courses(self._customers, self._columns.changes(self._block))
        return self._courses


class _Customers:
    """All customers of whom anything is known, each with their person.

    A person is a place among the persons; one more is of who has no profile, and one of whom
    nothing is told. The last customer stands for all others.
    """

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.none = len(standing.persons)
        merged, tops = standing.merged, standing.tops
        # Who refused with one record refused with all of them.
        refused = standing.refused
        of = _found(merged, refused)
        refused = np.unique(np.where(of < 0, refused, np.append(tops, NOBODY)[of]))
        others = np.unique(np.concatenate([merged, refused]))
        others = others[_found(standing.persons, others) < 0]
        known, persons = standing.persons, np.arange(self.none)
        if len(others):
            between = np.searchsorted(known, others)
            known = np.insert(known, between, others)
            persons = np.insert(persons, between, self.none)
        of = _found(standing.persons, tops)
        persons[np.searchsorted(known, merged)] = np.where(of < 0, self.none, of)
        refused = np.concatenate([refused, merged[_found(refused, tops) >= 0]])
        persons[np.searchsorted(known, refused)] = self.none + 1
        self._persons = np.append(persons, self.none)
        self._known = Places(known)

    def persons_of(self, customers: Numbers) -> Numbers:
        """The person of each."""
        return np.asarray(self._persons[self._known.of(customers)])


class _Courses:
    """What persons, by their places, were in since a time: until each change, and at last."""

    def __init__(self, customers: _Customers, changes: Changes) -> None:
        latest, persons = customers.standing.latest, customers.standing.persons
        texts = Texts.joined([_OTHERS, latest, changes.before])
        self.values = texts.values
        self._before = texts.codes[2 + len(latest) :]
        others = np.array([_PROSPECT, _UNTOLD], np.int32)
        self.latest = np.append(texts.codes[2 : 2 + len(latest)], others)
        starts = np.flatnonzero(np.diff(changes.persons, prepend=NOBODY))
        self._starts = np.append(starts, len(changes.persons))
        self._at_ms = changes.at_ms
        # Everybody who changed is one of the persons.
        self._changed = np.full(customers.none + 2, -1)
        changed = np.searchsorted(persons, changes.persons[starts])
        self._changed[changed] = np.arange(len(starts))

    def until_later(self, whose: Numbers, instants: Numbers) -> tuple[Numbers, Numbers]:
        """The rows of persons who changed after their instant, with what they were until then.

        Each goes through the changes of their person: in some weeks there are few of them.
        """
        changed = self._changed[whose]
        rows = np.flatnonzero(changed >= 0)
        found, ends = self._starts[changed[rows]], self._starts[changed[rows] + 1]
        at_ms = instants[rows]
        early = np.flatnonzero(self._at_ms[found] <= at_ms)
        while len(early):
            found[early] += 1
            early = early[found[early] < ends[early]]
            early = early[self._at_ms[found[early]] <= at_ms[early]]
        later = found < ends
        return rows[later], self._before[found[later]]


def _found(known: Numbers, numbers: Numbers) -> Numbers:
    """Where some numbers stand among known ones, which are in order; -1 for those that do not."""
    places = np.searchsorted(known, numbers)
    return np.where(np.append(known, NOBODY)[places] == numbers, places, -1)


def nobody(n: int) -> Texts:
    """A column without any text."""
    return Texts(np.zeros(n, np.int32), (None,))
