"""What sources are made of: rows of conversations of a longer time, persons, events of the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: untyped rows

import numpy as np
import orjson
from sqlalchemy import Connection, select
from sqlalchemy.sql.elements import ColumnElement

from server.domain.events import MessagePosted
from server.domain.replay import replay
from server.domain.spans import DAY_MS
from server.domain.turns import COUNTED_ORIGINS
from server.reports.by_segment import nobody
from server.reports.frames import Column, Frame, Numbers, Texts
from server.reports.local import LocalColumns
from server.reports.scope import Scope, held
from server.reports.sources.conversations import Conversations
from server.reports.sources.logged import Log
from server.storage.among import among
from server.storage.corrections import voided_seqs
from server.storage.event_log import conversation_events
from server.storage.figures import person_numbers
from server.storage.rows import CONVERSATION, EVENT

# For ever, in numbers that columns and sums of them hold.
NEVER_MS = 2**53
# What began before a period may be answered in it, what follows it may be due to it.
BEFORE_MS = 7 * DAY_MS
AFTER_MS = 30 * DAY_MS
_PORTION = 5_000


class Visits:
    """What several sources of one report are made of, loaded once for all of them."""

    def __init__(self, connection: Connection, conversations: Conversations) -> None:
        self.connection = connection
        self.conversations = conversations
        self._made: dict[str, Any] = {}  # Any: what the caller made

    def once(self, name: str, make: Callable[[], Any]) -> Any:  # Any: what the caller makes
        """What ``make`` gives, made once by this name."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def around(self, source: str, *names: str) -> Frame:
        """The rows of a source of conversations of some time before and after the period too.

        Spam and tests are left out, and threads of tickets unless the report's channel names them;
        no other filter is looked at. The columns of these names are read in one go.
        """
        if names:
            self.wide.read(source, *names, "at_ms", "channel")
        return self.wide.frame(source)

    @property
    def wide(self) -> Conversations:
        """The conversations of some time before and after the period too."""
        return self.conversations.around(BEFORE_MS, AFTER_MS)

    @property
    def log(self) -> Log:
        """The rows that are one event each."""
        return self.conversations.log

    def persons(self, customers: Numbers) -> Numbers:
        """The persons of customers, both as numbers."""
        return person_numbers(self.conversations.merged, customers)

    def customers_of(self, persons: Numbers) -> Numbers:
        """All customers who are of some persons, both as numbers; in no order, some twice."""
        customers, known = self.conversations.merged
        if not len(known):
            return persons
        return np.concatenate([persons, customers[np.isin(known, persons)]])


def within(frame: Frame, from_ms: int | None, to_ms: int | None) -> Frame:
    """The rows of a time."""
    at_ms = frame.numbers("at_ms")
    early = np.ones(frame.n, bool) if from_ms is None else at_ms >= from_ms
    return frame.select(early if to_ms is None else early & (at_ms < to_ms))


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as sources need it; ``data`` is its JSON."""

    seq: int
    at_ms: int
    kind: str
    conversation_id: str | None
    session_no: int | None
    customer_id: str | None
    actor_kind: str
    actor_id: str | None
    channel: str | None
    team_id: str | None
    data: dict[str, Any]  # Any: JSON


_LOGGED = (
    *("seq", "at_ms", "kind", "conversation_id", "session_no", "customer_id"),
    *("actor_kind", "actor_id", "channel", "team_id", "data"),
)


def is_reply(event: Logged) -> bool:
    """True for a public message that a person typed or took from a macro or an article."""
    return (
        event.kind == MessagePosted.kind
        and event.actor_kind == "agent"
        and event.data.get("visibility", "public") == "public"
        and event.data.get("origin", "typed") in COUNTED_ORIGINS
    )


def load_events(
    connection: Connection,
    scope: Scope,
    kinds: Sequence[str],
    *,
    from_ms: int | None = None,
    to_ms: int | None = None,
) -> list[Logged]:
    """The events of some kinds in a time, up to the instant of the report, in the order of the log.

    What a correction has voided is left out. One look into the index per kind.
    """
    c = EVENT.c
    found: list[Logged] = []
    for kind in kinds:
        statement = select(*(c[name] for name in _LOGGED)).where(
            c.kind == kind, c.at_ms <= scope.as_of_ms, *_known(scope)
        )
        if from_ms is not None:
            statement = statement.where(c.at_ms >= from_ms)
        if to_ms is not None:
            statement = statement.where(c.at_ms < to_ms)
        found += map(_logged, connection.execute(statement).all())
    return _without_voided(connection, scope, found)


def load_events_of(
    connection: Connection,
    scope: Scope,
    kinds: Collection[str],
    conversation_ids: Iterable[str],
) -> list[Logged]:
    """As ``load_events``, those of some conversations at any time up to the instant."""
    c = EVENT.c
    statement = select(*(c[name] for name in _LOGGED)).where(
        among(c.conversation_id, "ids"),
        c.kind.in_(kinds),
        c.at_ms <= scope.as_of_ms,
        *_known(scope),
    )
    ids = sorted(set(conversation_ids))
    found: list[Logged] = []
    for start in range(0, len(ids), _PORTION):
        portion = {"ids": ids[start : start + _PORTION]}
        found += map(_logged, connection.execute(statement, portion).all())
    return _without_voided(connection, scope, found)


def is_spam(connection: Connection, scope: Scope, conversation_ids: Iterable[str]) -> set[str]:
    """Those of some conversations that were spam, as the log knew them."""
    c = CONVERSATION.c
    statement = select(c.id, c.status, c.last_seq).where(among(c.id, "ids"))
    ids = sorted(set(conversation_ids))
    found: set[str] = set()
    for start in range(0, len(ids), _PORTION):
        portion = {"ids": ids[start : start + _PORTION]}
        for key, status, seq in connection.execute(statement, portion).all():
            then = status
            if scope.as_of_seq is not None and seq > scope.as_of_seq:
                events = conversation_events(connection, key, up_to_seq=scope.as_of_seq)
                replayed = replay(events)
                then = replayed.conversation.status if replayed else status
            if then == "spam":
                found.add(key)
    return found


def _known(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope.as_of_seq is None else [EVENT.c.seq <= scope.as_of_seq]


def _logged(row: Any) -> Logged:  # Any: untyped row
    values = dict(zip(_LOGGED, row, strict=True))
    return Logged(**values | {"data": orjson.loads(values["data"])})


def _without_voided(connection: Connection, scope: Scope, events: list[Logged]) -> list[Logged]:
    gone = voided_seqs(connection, up_to_seq=scope.as_of_seq)
    kept = [event for event in events if event.seq not in gone] if gone else events
    kept.sort(key=lambda event: event.seq)
    return kept


def framed(
    sessions: Visits,
    scope: Scope,
    rows: Sequence[Mapping[str, Any]],  # Any: column values
    *,
    texts: Sequence[str],
    numbers: Sequence[str],
    makers: Mapping[str, Callable[[], Texts]] | None = None,
) -> Frame:
    """The rows that pass the filters of a scope as a frame, with the local time of ``at_ms``.

    Every row has agent_id, team_id, channel and labels besides its own columns; what ``makers`` has
    is made of all rows when it is asked for. Agent and team are chosen by the metric.
    """
    columns: dict[str, Column] = {
        name: Texts.of(row[name] for row in rows)
        for name in ("agent_id", "team_id", "channel", "labels", *texts)
        if name not in (makers or {})
    }
    for name in ("at_ms", *numbers):
        values = [row[name] for row in rows]
        truths = bool(values) and isinstance(values[0], bool)
        columns[name] = np.array(values, bool if truths else np.int64)
    frame = Frame(columns, n=len(rows))
    local = LocalColumns(scope, frame)
    later = {"segment": lambda: _segments(sessions, frame), **(makers or {})}
    placed = frame.making(day=local.day, hour=local.hour, weekday=local.weekday)
    return held(placed.making(**later), scope)


def _segments(sessions: Visits, frame: Frame) -> Texts:
    if "conversation_id" not in frame.columns:
        return nobody(frame.n)
    ids, at_ms = frame.texts("conversation_id"), frame.numbers("at_ms")
    return sessions.conversations.segments.of_conversations(ids, at_ms)
