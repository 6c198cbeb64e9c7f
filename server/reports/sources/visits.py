"""Sessions as they stood at the instant of a report, with who answered in them.

Sources of outcomes, people and care are made of these. Conversations that changed after
``as_of_seq`` are folded anew from the log, the others read from their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any  # Any: untyped rows

import numpy as np
import orjson
from sqlalchemy import Connection, Select, and_, func, select
from sqlalchemy.sql.elements import ColumnElement

from server.domain.events import (
    ConversationTagged,
    Event,
    MessagePosted,
    RatingGiven,
    RatingRevised,
)
from server.domain.facts import TEST_TAG
from server.domain.periods import LocalTimes, zone
from server.domain.replay import replay
from server.domain.turns import COUNTED_ORIGINS
from server.reports.by_segment import segments
from server.reports.frames import Column, Frame, Texts
from server.reports.scope import TICKET_CHANNEL, Scope, held
from server.storage.among import among
from server.storage.corrections import voided_seqs
from server.storage.customers import CUSTOMER
from server.storage.event_log import conversation_events
from server.storage.rows import CONVERSATION, EVENT, SESSION, TURN, event_from_row

DAY_MS = 24 * 60 * 60 * 1000
# For ever, in numbers that columns and sums of them hold.
NEVER_MS = 2**53
_CHUNK = 300
_LONG_MS = 62 * DAY_MS
_PORTION = 5_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A counted reply: the first of a run, which ended a shopper's wait."""

    at_ms: int
    agent_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A session as it stood; what had not happened by then is None.

    ``person_id`` is the shopper, whichever of their browsers wrote. ``labels`` are the tags at the
    session's end, sorted, one a line. ``opened_at_ms`` is the conversation's. ``replies`` are in
    order; ``dismissed`` are the numbers in the log of what dismissed a turn.
    """

    conversation_id: str
    session_no: int
    started_at_ms: int
    ended_at_ms: int | None
    resolved_by: str | None
    asked_at_ms: int | None
    rating: int | None
    channel: str
    team_id: str | None
    customer_id: str
    person_id: str
    opened_at_ms: int
    labels: str = ""
    replies: tuple[Reply, ...] = ()
    dismissed: tuple[int, ...] = ()
    bot_answered: bool = False

    @property
    def key(self) -> str:
        """The name of the session among all."""
        return f"{self.conversation_id}:{self.session_no}"


@dataclass(slots=True)
class _Owner:
    """What is known of a conversation besides its sessions."""

    channel: str
    team_id: str | None
    customer_id: str
    person_id: str
    opened_at_ms: int


class Visits:
    """The sessions of one report, loaded once for all sources that are made of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loaded: list[tuple[Scope, bool, list[Visit]]] = []
        self._made: dict[str, Any] = {}  # Any: what the caller made

    def once(self, name: str, make: Callable[[], Any]) -> Any:  # Any: what the caller makes
        """What ``make`` gives, made once by this name."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def started(self, scope: Scope, *, turns: bool = True) -> list[Visit]:
        """The sessions that started in the period of a scope, in the order of their starts.

        Spam and tests are left out, and threads of tickets unless the report's channel names them;
        no other filter is looked at. Without ``turns`` they may lack what is known from these:
        replies, dismissals, the bot. Of the scope only the period may differ from the report's.
        """
        for known, has_turns, visits in self._loaded:
            if (has_turns or not turns) and _covers(known, scope):
                if (known.from_ms, known.to_ms) == (scope.from_ms, scope.to_ms):
                    return visits
                return [visit for visit in visits if started_in(scope, visit.started_at_ms)]
        visits = load_visits(self._connection, scope, turns=turns)
        self._loaded.append((scope, turns, visits))
        return visits


def _covers(known: Scope, scope: Scope) -> bool:
    """True when all of a scope's period is in another's."""
    early = known.from_ms is None or (scope.from_ms is not None and scope.from_ms >= known.from_ms)
    # Nothing starts after the instant of the report.
    last = min(scope.as_of_ms + 1, scope.as_of_ms + 1 if scope.to_ms is None else scope.to_ms)
    return early and (known.to_ms is None or known.to_ms >= last)


def load_visits(connection: Connection, scope: Scope, *, turns: bool = True) -> list[Visit]:
    """As ``Visits.started``, from the database."""
    found = [*_from_rows(connection, scope, turns=turns), *_from_log(connection, scope)]
    found.sort(key=lambda visit: (visit.started_at_ms, visit.conversation_id, visit.session_no))
    return _labelled(connection, scope, found)


def _labelled(connection: Connection, scope: Scope, visits: list[Visit]) -> list[Visit]:
    """The sessions with the tags that they bore; those of conversations tagged as a test go."""
    marks: dict[str, list[Logged]] = {}
    for event in _tagged(connection, scope, visits):
        marks.setdefault(event.conversation_id or "", []).append(event)
    kept = []
    for visit in visits:
        events = marks.get(visit.conversation_id)
        if events is None:
            kept.append(visit)
            continue
        at_end = [
            event
            for event in events
            if visit.ended_at_ms is None or event.at_ms <= visit.ended_at_ms
        ]
        if TEST_TAG not in _tags(events):
            kept.append(replace(visit, labels="\n".join(sorted(_tags(at_end)))))
    return kept


def _tagged(connection: Connection, scope: Scope, visits: list[Visit]) -> list[Logged]:
    """What was tagged in the conversations of some sessions, whenever that was."""
    kinds = (ConversationTagged.kind,)
    first_ms = min((visit.started_at_ms for visit in visits), default=0)
    older = {visit.conversation_id for visit in visits if visit.opened_at_ms < first_ms}
    found = load_events_around(connection, scope, kinds, visits)
    found = [event for event in found if event.conversation_id not in older]
    return found + (load_events_of(connection, scope, kinds, older) if older else [])


def _tags(events: Iterable[Logged]) -> set[str]:
    tags: set[str] = set()
    for event in events:
        tags |= set(event.data.get("add", ()))
        tags -= set(event.data.get("remove", ()))
    return tags


def _started(scope: Scope) -> ColumnElement[bool]:
    c = SESSION.c
    conditions = [c.started_at_ms <= scope.as_of_ms]
    if scope.from_ms is not None:
        conditions.append(c.started_at_ms >= scope.from_ms)
    if scope.to_ms is not None:
        conditions.append(c.started_at_ms < scope.to_ms)
    if scope.channel == TICKET_CHANNEL:
        conditions.append(CONVERSATION.c.channel == TICKET_CHANNEL)
    else:
        conditions.append(CONVERSATION.c.channel != TICKET_CHANNEL)
    return and_(*conditions)


def _from_rows(connection: Connection, scope: Scope, *, turns: bool) -> Iterator[Visit]:
    c, t = SESSION.c, TURN.c
    unchanged = [CONVERSATION.c.status != "spam"]
    if scope.as_of_seq is not None:
        unchanged.append(CONVERSATION.c.last_seq <= scope.as_of_seq)
    sessions = _of_customers(
        select(
            c.conversation_id,
            c.session_no,
            c.started_at_ms,
            c.ended_at_ms,
            c.resolved_by,
            c.rating_asked_at_ms,
            c.rating,
            c.rated_at_ms,
        ),
        scope,
    ).where(*unchanged)
    of_turns = (
        select(
            t.conversation_id,
            t.session_no,
            t.turn_no,
            t.outcome,
            t.end_at_ms,
            t.end_seq,
            t.answered_by,
            t.bot_reply_at_ms,
            EVENT.c.team_id,
        )
        .join_from(SESSION, CONVERSATION, CONVERSATION.c.id == c.conversation_id)
        .join(TURN, (t.conversation_id == c.conversation_id) & (t.session_no == c.session_no))
        .outerjoin(EVENT, EVENT.c.seq == t.end_seq)
        .where(_started(scope), *unchanged)
    )
    found: dict[tuple[str, int], list[Any]] = {}  # Any: untyped rows
    for row in connection.execute(of_turns).all() if turns else ():
        found.setdefault((row[0], row[1]), []).append(row)
    for row in connection.execute(sessions).all():
        own = sorted(
            found.get((row.conversation_id, row.session_no), ()), key=lambda turn: turn.turn_no
        )
        known = _owner(row)
        ended = _ended(own, scope.as_of_ms)
        team_id = ended[-1].team_id if ended else row.team_id
        visit = _visit(row, known, own, team_id, scope.as_of_ms)
        if row.rated_at_ms is not None and row.rated_at_ms > scope.as_of_ms:
            events = conversation_events(
                connection, visit.conversation_id, up_to_seq=scope.as_of_seq
            )
            rating = _rating_then(events, visit.session_no, scope.as_of_ms)
            visit = replace(visit, rating=rating)
        yield visit


def _of_customers(statement: Select[Any], scope: Scope) -> Select[Any]:  # Any: untyped rows
    c = CONVERSATION.c
    return (
        statement.add_columns(
            c.channel,
            c.team_id,
            c.customer_id,
            c.opened_at_ms,
            func.coalesce(CUSTOMER.c.person_id, c.customer_id).label("person_id"),
        )
        .join_from(SESSION, CONVERSATION, c.id == SESSION.c.conversation_id)
        .outerjoin(CUSTOMER, CUSTOMER.c.id == c.customer_id)
        .where(_started(scope))
    )


def _owner(row: Any) -> _Owner:  # Any: untyped row
    return _Owner(
        row.channel, row.team_id, row.customer_id, row.person_id, opened_at_ms=row.opened_at_ms
    )


def _visit(
    session: Any,  # Any: a row or a Session
    known: _Owner,
    turns: Sequence[Any],  # Any: rows or Turns
    team_id: str | None,
    as_of_ms: int,
) -> Visit:
    """The session as it stood; ``turns`` are all of its turns, in order."""
    ended = _ended(turns, as_of_ms)

    def by_then(at_ms: int | None) -> int | None:
        return None if at_ms is None or at_ms > as_of_ms else at_ms

    ended_at_ms = by_then(session.ended_at_ms)
    return Visit(
        conversation_id=session.conversation_id,
        session_no=session.session_no,
        started_at_ms=session.started_at_ms,
        ended_at_ms=ended_at_ms,
        resolved_by=None if ended_at_ms is None else session.resolved_by,
        asked_at_ms=by_then(session.rating_asked_at_ms),
        rating=None if by_then(session.rated_at_ms) is None else session.rating,
        channel=known.channel,
        team_id=team_id,
        customer_id=known.customer_id,
        person_id=known.person_id,
        opened_at_ms=known.opened_at_ms,
        replies=tuple(
            Reply(turn.end_at_ms, turn.answered_by, turn.end_seq)
            for turn in ended
            if turn.outcome == "answered" and turn.answered_by is not None
        ),
        dismissed=tuple(turn.end_seq for turn in ended if turn.outcome == "dismissed"),
        bot_answered=any(by_then(turn.bot_reply_at_ms) is not None for turn in turns),
    )


def _ended(turns: Sequence[Any], as_of_ms: int) -> list[Any]:  # Any: rows or Turns
    return [t for t in turns if t.end_at_ms is not None and t.end_at_ms <= as_of_ms]


def _rating_then(events: Iterable[Event], session_no: int, as_of_ms: int) -> int | None:
    """The rating of a session that was given or revised after the instant of the report."""
    rating = None
    for event in events:
        data = event.data
        if not isinstance(data, RatingGiven | RatingRevised):
            continue
        if event.session_no == session_no and event.at_ms <= as_of_ms:
            rating = data.score
    return rating


def _from_log(connection: Connection, scope: Scope) -> Iterator[Visit]:
    """Sessions of conversations that changed after ``as_of_seq``, folded anew from the log."""
    if scope.as_of_seq is None:
        return
    statement = _of_customers(select(SESSION.c.conversation_id).distinct(), scope).where(
        CONVERSATION.c.last_seq > scope.as_of_seq
    )
    known = {row.conversation_id: _owner(row) for row in connection.execute(statement)}
    ids = sorted(known)
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(EVENT)
            .where(
                EVENT.c.conversation_id.in_(ids[start : start + _CHUNK]),
                EVENT.c.seq <= scope.as_of_seq,
            )
            .order_by(EVENT.c.seq)
        ).mappings()
        histories: dict[str, list[Event]] = {}
        for row in rows:
            histories.setdefault(row["conversation_id"], []).append(event_from_row(row))
        for key, history in histories.items():
            yield from _folded(history, known[key], scope)


def _folded(history: list[Event], known: _Owner, scope: Scope) -> Iterator[Visit]:
    replayed = replay(history)
    if replayed is None or replayed.conversation.status == "spam":
        return
    teams = {event.seq: event.team_id for event in history}
    for session in replayed.sessions.values():
        begun = session.started_at_ms <= scope.as_of_ms
        if not begun or not started_in(scope, session.started_at_ms):
            continue
        own = [t for t in replayed.turns.values() if t.session_no == session.session_no]
        ended = _ended(own, scope.as_of_ms)
        team_id = teams.get(ended[-1].end_seq or 0) if ended else replayed.conversation.team_id
        visit = _visit(session, known, own, team_id, scope.as_of_ms)
        if session.rated_at_ms is not None and session.rated_at_ms > scope.as_of_ms:
            rating = _rating_then(history, session.session_no, scope.as_of_ms)
            visit = replace(visit, rating=rating)
        yield visit


def started_in(scope: Scope, at_ms: int) -> bool:
    """True for an instant within the period of a scope."""
    return (scope.from_ms is None or at_ms >= scope.from_ms) and (
        scope.to_ms is None or at_ms < scope.to_ms
    )


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


def load_events_around(
    connection: Connection, scope: Scope, kinds: Sequence[str], visits: Sequence[Visit]
) -> list[Logged]:
    """As ``load_events``, all that happened in the conversations of some sessions since they began.

    Others may be among them. By the time where that is little more than the period, else by
    conversation.
    """
    if not visits:
        return []
    first_ms = min(visit.started_at_ms for visit in visits)
    last_ms = max(visit.started_at_ms for visit in visits)
    if scope.as_of_ms - last_ms <= _LONG_MS + (last_ms - first_ms):
        return load_events(connection, scope, kinds, from_ms=first_ms)
    ids = {visit.conversation_id for visit in visits}
    return load_events_of(connection, scope, kinds, ids)


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
    connection: Connection,
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
    local = LocalTimes(zone(scope.timezone))
    times = [local(row["at_ms"]) for row in rows]
    columns: dict[str, Column] = {
        name: Texts.of(row[name] for row in rows)
        for name in ("agent_id", "team_id", "channel", "labels", *texts)
        if name not in (makers or {})
    }
    columns["day"] = Texts.of(time.day for time in times)
    columns["hour"] = np.array([time.hour for time in times], np.int64)
    columns["weekday"] = np.array([time.weekday for time in times], np.int64)
    for name in ("at_ms", *numbers):
        values = [row[name] for row in rows]
        truths = bool(values) and isinstance(values[0], bool)
        columns[name] = np.array(values, bool if truths else np.int64)
    frame = Frame(columns, n=len(rows))
    later = {"segment": lambda: _segments(connection, frame), **(makers or {})}
    return held(frame.making(**later), scope)


def _segments(connection: Connection, frame: Frame) -> Texts:
    if "conversation_id" not in frame.columns:
        return Texts.of([None] * frame.n)
    return segments(connection, frame.texts("conversation_id"), frame.numbers("at_ms"))
