"""The segment that a customer was in when they asked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, func, select

from server.domain.profile import NO_BUYER
from server.reports.frames import Numbers, Texts
from server.storage.customers import CUSTOMER
from server.storage.profiles import PROFILE, SEGMENT_CHANGE, refused_profiling
from server.storage.rows import CONVERSATION
from server.storage.thresholds import current_limits

# SQLite takes at most 32,766 values in a statement.
_PORTION = 5_000

_PERSONS = (
    select(CONVERSATION.c.id, func.coalesce(CUSTOMER.c.person_id, CUSTOMER.c.id))
    .join_from(CONVERSATION, CUSTOMER, CUSTOMER.c.id == CONVERSATION.c.customer_id)
    .where(CONVERSATION.c.id.in_(bindparam("ids", expanding=True)))
)
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


def segments(connection: Connection, conversations: Texts, instants: Numbers) -> Texts:
    """What the customer of each conversation was in at an instant, row by row.

    None while the shop has no orders, for who has refused profiling, and for rows of nobody.
    """
    if current_limits(connection) is None:
        return Texts.of([None] * len(conversations))
    persons = _persons(connection, {key for key in conversations.values if key is not None})
    courses = _courses(connection, set(persons.values()))
    refused = refused_profiling(connection)
    prospect = _Course([NO_BUYER.segment])

    def segment(conversation_id: str | None, at_ms: int) -> str | None:
        person = persons.get(conversation_id or "")
        if person is None or person in refused:
            return None
        return courses.get(person, prospect).at(at_ms)

    pairs = zip(conversations.tolist(), instants.tolist(), strict=True)
    return Texts.of(segment(key, at_ms) for key, at_ms in pairs)


def _persons(connection: Connection, conversation_ids: Collection[str]) -> dict[str, str]:
    ids = sorted(conversation_ids)
    found: dict[str, str] = {}
    for start in range(0, len(ids), _PORTION):
        rows = connection.execute(_PERSONS, {"ids": ids[start : start + _PORTION]})
        found.update((row[0], row[1]) for row in rows)
    return found


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
