"""The segment that a customer was in when they asked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any  # Any: keys of conversations

import numpy as np
from sqlalchemy import Connection, bindparam, select

from server.domain.profile import NO_BUYER
from server.reports.frames import Numbers, Texts
from server.storage.persons import persons_of_conversations, persons_of_openings
from server.storage.profiles import PROFILE, SEGMENT_CHANGE, refused_profiling
from server.storage.thresholds import current_limits

# SQLite takes at most 32,766 values in a statement.
_PORTION = 5_000

_NOW = select(PROFILE.c.person_id, PROFILE.c.segment).where(
    PROFILE.c.person_id.in_(bindparam("ids", expanding=True))
)
_CHANGES = (
    select(
        SEGMENT_CHANGE.c.person_id,
        SEGMENT_CHANGE.c.at_ms,
        SEGMENT_CHANGE.c.segment_from,
        SEGMENT_CHANGE.c.segment_to,
    )
    .where(SEGMENT_CHANGE.c.person_id.in_(bindparam("ids", expanding=True)))
    .order_by(SEGMENT_CHANGE.c.person_id, SEGMENT_CHANGE.c.at_ms, SEGMENT_CHANGE.c.id)
)


@dataclass(slots=True)
class _Course:
    """The segments of a person through time: ``segments`` has one more than ``changed_at_ms``."""

    segments: list[str]
    changed_at_ms: list[int] = field(default_factory=list)

    def at(self, at_ms: int) -> str:
        """The segment at an instant."""
        return self.segments[bisect_right(self.changed_at_ms, at_ms)]


class Segments:
    """The segments of customers as they were; what was looked up once is not looked up again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._courses: dict[object, _Course | None] = {}

    @cached_property
    def _known(self) -> bool:
        """Whether there are segments; not while the shop has no orders."""
        return current_limits(self._connection) is not None

    @cached_property
    def _refused(self) -> frozenset[str]:
        return frozenset(refused_profiling(self._connection))

    def of_openings(self, openings: Numbers, instants: Numbers) -> Texts:
        """What the customer of each conversation was in at an instant, row by row.

        Conversations by the numbers of their first events. None while the shop has no orders, for
        who has refused profiling, and for rows of nobody.
        """
        if not self._known:
            return nobody(len(openings))
        keys, places = np.unique(openings, return_inverse=True)
        names = keys.tolist()
        missing = [key for key in names if key >= 0 and key not in self._courses]
        self._load(missing, persons_of_openings(self._connection, missing))
        courses = [self._courses.get(key) for key in names]
        return _at(courses, places, instants)

    def of_conversations(self, conversations: Texts, instants: Numbers) -> Texts:
        """The same by the ids of conversations."""
        if not self._known:
            return nobody(len(conversations))
        missing = [key for key in conversations.values if key and key not in self._courses]
        self._load(missing, persons_of_conversations(self._connection, missing))
        courses = [self._courses.get(key) for key in conversations.values]
        return _at(courses, conversations.codes, instants)

    def _load(self, keys: Sequence[object], persons: Mapping[Any, str]) -> None:  # Any: of keys
        courses = _courses(self._connection, set(persons.values()))
        prospect = _Course([NO_BUYER.segment])
        for key in keys:
            person = persons.get(key)
            known = person is not None and person not in self._refused
            self._courses[key] = courses.get(person or "", prospect) if known else None


def nobody(n: int) -> Texts:
    """A column without any text."""
    return Texts(np.zeros(n, np.int32), (None,))


def _at(courses: Sequence[_Course | None], places: Numbers, instants: Numbers) -> Texts:
    """The segments of courses at instants; most customers never changed theirs."""
    same = Texts.of(None if one is None else one.segments[-1] for one in courses)
    changing = np.array([one is not None and bool(one.changed_at_ms) for one in courses], bool)
    found = Texts(same.codes[places], same.values)
    if not changing.any():
        return found
    rows = np.flatnonzero(changing[places])
    then = Texts.of(
        one.at(at_ms)
        for place, at_ms in zip(places[rows].tolist(), instants[rows].tolist(), strict=True)
        if (one := courses[place]) is not None
    )
    both = Texts.joined([found, then])
    codes = both.codes[: len(places)].copy()
    codes[rows] = both.codes[len(places) :]
    return Texts(codes, both.values)


def _courses(connection: Connection, person_ids: Collection[str]) -> dict[str, _Course]:
    ids = sorted(person_ids)
    found: dict[str, _Course] = {}
    for start in range(0, len(ids), _PORTION):
        some = {"ids": ids[start : start + _PORTION]}
        found.update((row[0], _Course([row[1]])) for row in connection.execute(_NOW, some))
        for person_id, at_ms, before, after in connection.execute(_CHANGES, some):
            course = found.get(person_id)
            if course is None or not course.changed_at_ms:
                # Until the first change that is known it was what that change came from.
                course = found[person_id] = _Course([before])
            course.changed_at_ms.append(at_ms)
            course.segments.append(after)
    return found
