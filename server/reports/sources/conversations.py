"""Turns, shares, sessions, messages and cases: the rows that are folded from conversations.

What a scope needs is loaded once for all five. Conversations that changed since the kept columns
were made, or after the instant of the report, are folded anew from the log; all others come from
the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any  # Any: a number, or an array of them

import numpy as np
from sqlalchemy import Connection, select

from server.domain.events import MessagePosted
from server.domain.facts import Facts
from server.domain.metrics import GOAL_MS, METRICS
from server.domain.metrics.outcomes import RATING_MATURE_MS
from server.domain.periods import LocalTime, LocalTimes, zone
from server.reports.by_segment import segments
from server.reports.frames import Frame, Maker, Numbers, Texts
from server.reports.scope import Scope, held
from server.reports.sources.online import any_online
from server.storage import figures as kept
from server.storage.facts import KINDS, load_facts
from server.storage.hours import HoursBook, load_book
from server.storage.rows import EVENT

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
QUARTER_MS = 900_000
BOT = "bot"
# Beyond so many changed conversations it pays to ask first which of them a period touches.
_MANY = 2_000
NO_LIMIT = 2**62

NumbersMaker = Callable[[], Numbers]


class Conversations:
    """The rows of one scope's conversations, by source."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self.connection = connection
        self.scope = scope
        self._frames: dict[str, Frame] = {}
        self._days: dict[str, list[kept.KeptDay]] = {}

    def frame(self, source: str) -> Frame:
        """The rows of a source within the scope, in no order."""
        if source in _MADE and source not in self._frames:
            self._frames[source] = _MADE[source](self)
        if source not in self._frames:
            parts = [self._kept(source), self._folded(source)]
            whole = Frame.joined([part for part in parts if part is not None])
            self._frames[source] = held(self._derived(source, whole), self.scope)
        return self._frames[source]

    @cached_property
    def _changed(self) -> list[str]:
        """The conversations with events that the kept columns may not know, in the period."""
        ids = kept.changed_since(self.connection, kept.head_seq(self.connection))
        scope = self.scope
        if len(ids) <= _MANY or (scope.from_ms is None and scope.to_ms is None):
            return ids
        c = EVENT.c
        statement = select(c.conversation_id).where(c.kind == MessagePosted.kind)
        # A row stands at the instant of a message; a session may have begun just before its first.
        if scope.from_ms is not None:
            statement = statement.where(c.at_ms >= scope.from_ms)
        if scope.to_ms is not None:
            statement = statement.where(c.at_ms < scope.to_ms + HOUR_MS)
        touched = set(self.connection.execute(statement.distinct()).scalars())
        return [key for key in ids if key in touched]

    @cached_property
    def _again(self) -> Numbers:
        """The conversations whose kept rows are not used, by the numbers of their openings."""
        keys = {*kept.keys_of(self.connection, self._changed), *self._late}
        return np.array(sorted(keys), np.int64)

    @cached_property
    def _late(self) -> set[int]:
        """The kept conversations that went on after the instant or the row of the report."""
        found: set[int] = set()
        for source in KINDS:
            days = self._kept_days(source)
            if any(self._is_late(day.last_seq, day.last_at_ms) for day in days):
                seqs, times, keys = (
                    np.asarray(kept.kept_column(self.connection, source, name, days))
                    for name in ("last_seq", "last_at_ms", "conversation")
                )
                found.update(np.unique(keys[self._is_late(seqs, times)]).tolist())
        return found

    def _is_late(self, last_seq: Any, last_at_ms: Any) -> Any:  # Any: numbers, or one
        limit = NO_LIMIT if self.scope.as_of_seq is None else self.scope.as_of_seq
        return (last_seq > limit) | (last_at_ms > self.scope.as_of_ms)

    @cached_property
    def _facts(self) -> list[Facts]:
        """What is folded anew."""
        ids = {*self._changed, *kept.ids_of(self.connection, self._late).values()}
        scope = self.scope
        return list(
            load_facts(self.connection, ids, as_of_seq=scope.as_of_seq, as_of_ms=scope.as_of_ms)
        )

    def _folded(self, source: str) -> Frame:
        return Frame(kept.facts_columns(source, self._facts))

    def _kept_days(self, source: str) -> list[kept.KeptDay]:
        if source not in self._days:
            scope = self.scope
            self._days[source] = kept.kept_days(self.connection, source, scope.from_ms, scope.to_ms)
        return self._days[source]

    def _kept(self, source: str) -> Frame | None:
        """The kept rows of the days of the period, without those that are folded anew."""
        days = self._kept_days(source)
        if not days:
            return None

        def maker(name: str) -> Maker:
            return lambda: kept.kept_column(self.connection, source, name, days)

        names = [*kept.COLUMN_NAMES[source], "last_seq", "last_at_ms"]
        makers = {name: maker(name) for name in names}
        frame = Frame({}, n=sum(day.n for day in days), makers=makers)
        if not len(self._again):
            return frame
        return frame.select(~np.isin(frame.numbers("conversation"), self._again))

    def _derived(self, source: str, frame: Frame) -> Frame:
        """The frame with the columns that follow from its own and from the instant."""
        local = _Local(self.scope, frame)
        return _DERIVED[source](self, frame).making(
            day=local.day,
            hour=local.hour,
            weekday=local.weekday,
            segment=lambda: self._segments(frame),
            conversation_id=lambda: self._names(frame),
        )

    def _names(self, frame: Frame) -> Texts:
        """The ids of the conversations of rows: for the few that are shown."""
        names = kept.ids_of(self.connection, set(frame.numbers("conversation").tolist()))
        return Texts.of(names[key] for key in frame.numbers("conversation").tolist())

    def _segments(self, frame: Frame) -> Texts:
        return segments(self.connection, self._names(frame), frame.numbers("at_ms"))

    @cached_property
    def _book(self) -> HoursBook:
        return load_book(self.connection, up_to_seq=self.scope.as_of_seq)

    def until(self, ends: Numbers) -> Numbers:
        """When each span ended, or the instant of the report."""
        return np.where(ends < 0, self.scope.as_of_ms, ends)

    def business(self, frame: Frame, starts: Numbers, ends: Numbers) -> Numbers:
        """The business time of spans, of those that last so far; -1 where no hours were set."""
        known = frame.numbers("biz_ms").copy()
        lasting = np.flatnonzero(ends < 0)
        if len(lasting) and self._book.version:
            teams = frame.texts("team_id")[lasting].tolist()
            for place, team_id, start in zip(
                lasting.tolist(), teams, starts[lasting].tolist(), strict=True
            ):
                span = self._book.of_team(team_id).wait_ms(start, self.scope.as_of_ms)
                known[place] = -1 if span is None else span
        return known

    def turns(self, frame: Frame) -> Frame:
        """Turns with their waits: for a person, for anybody's answer, after the hand-over."""
        end, at_ms = lazily(frame, "end_at_ms"), lazily(frame, "at_ms")

        def wait() -> Numbers:
            return _floored(self.until(end()) - at_ms())

        def bot_first() -> Numbers:
            bot = frame.numbers("bot_reply_at_ms")
            return np.asarray((bot >= 0) & ((end() < 0) | (bot <= end()) | ~answered()))

        def answered() -> Numbers:
            return _is(frame, "outcome", "answered")

        def any_wait() -> Numbers:
            bot = frame.numbers("bot_reply_at_ms")
            return _floored(np.where(bot_first(), bot, self.until(end())) - at_ms())

        def handoff_wait() -> Numbers:
            start = frame.numbers("handed_off_at_ms")
            return np.where(start < 0, 0, np.maximum(0, self.until(end()) - start))

        return frame.making(
            ask_at_ms=at_ms,
            wait_ms=wait,
            business_ms=lambda: self.business(frame, at_ms(), end()),
            answered=answered,
            waiting=lambda: _is(frame, "outcome", "waiting"),
            any_wait_ms=any_wait,
            any_answered=lambda: answered() | bot_first(),
            any_waiting=lambda: _is(frame, "outcome", "waiting") & ~bot_first(),
            any_agent_id=lambda: _where(bot_first(), BOT, frame.texts("agent_id")),
            handed_off=lambda: frame.numbers("handed_off_at_ms") >= 0,
            handoff_wait_ms=handoff_wait,
        )

    def shares(self, frame: Frame) -> Frame:
        """Stretches of waits with their length."""
        start, end = lazily(frame, "start_at_ms"), lazily(frame, "end_at_ms")
        return frame.making(
            ask_at_ms=lazily(frame, "at_ms"),
            span_ms=lambda: np.maximum(0, self.until(end()) - start()),
            business_ms=lambda: self.business(frame, start(), end()),
            lasts=lambda: end() < 0,
            served_ms=lambda: np.where(
                frame.numbers("done"), np.maximum(0, self.until(end()) - start()), 0
            ),
        )

    def sessions(self, frame: Frame) -> Frame:
        """Sessions with their first wait, their length, and who was there when they began."""
        end = lazily(frame, "first_end_at_ms")

        def over() -> Numbers:
            silent = frame.numbers("last_public_at_ms") < self.scope.as_of_ms - DAY_MS
            return np.asarray((frame.numbers("ended_at_ms") >= 0) | silent)

        def length() -> Numbers:
            last = np.where(over(), frame.numbers("last_public_at_ms"), self.scope.as_of_ms)
            return _floored(last - frame.numbers("first_ask_at_ms"))

        def team_start() -> Numbers:
            return np.maximum(frame.numbers("queued_at_ms"), frame.numbers("first_ask_at_ms"))

        def team_wait() -> Numbers:
            return _floored(self.until(frame.numbers("first_reply_at_ms")) - team_start())

        def online() -> Numbers:
            return any_online(self.connection, self.scope, frame.numbers("at_ms"))

        return frame.making(
            first_wait_ms=lambda: np.maximum(
                0, self.until(end()) - frame.numbers("first_ask_at_ms")
            ),
            answered=lambda: _is(frame, "first_outcome", "answered"),
            waiting=lambda: _is(frame, "first_outcome", "waiting"),
            over=over,
            lasts=lambda: ~over(),
            duration_ms=length,
            team_wait_ms=team_wait,
            replied=lambda: frame.numbers("first_reply_at_ms") >= 0,
            open_unreplied=lambda: (
                (frame.numbers("first_reply_at_ms") < 0) & _is(frame, "last_outcome", "waiting")
            ),
            queued=lambda: frame.numbers("queued_at_ms") >= 0,
            resolved=lambda: frame.numbers("resolved_at_ms") >= 0,
            transferred=lambda: frame.numbers("transfers") > 0,
            asked=lambda: frame.numbers("rating_asked_at_ms") >= 0,
            rated=lambda: frame.numbers("rating") > 0,
            maturing=lambda: (
                frame.numbers("rating_asked_at_ms") > self.scope.as_of_ms - RATING_MATURE_MS
            ),
            giver_id=lambda: _first_of(frame.texts("transferred_by"), frame.texts("agent_id")),
            offered_id=lambda: _first_of(frame.texts("offered_to"), frame.texts("last_owner_id")),
            online=online,
            unattended=lambda: ~online(),
            unreplied=lambda: frame.numbers("first_reply_at_ms") < 0,
            team_start_ms=team_start,
        )

    def cases(self, frame: Frame) -> Frame:
        """Conversations with what their shopper waited in all, and until they were resolved."""
        opened = lazily(frame, "at_ms")

        def waited() -> Numbers:
            still = frame.numbers("open_ask_at_ms")
            lasting = np.where(still < 0, 0, np.maximum(0, self.scope.as_of_ms - still))
            return np.asarray(frame.numbers("waited_ms") + lasting)

        def until(name: str) -> Numbers:
            return _floored(self.until(frame.numbers(name)) - opened())

        return frame.making(
            waited_so_far_ms=waited,
            waiting=lambda: frame.numbers("open_ask_at_ms") >= 0,
            first_resolved_ms=lambda: until("first_resolved_at_ms"),
            first_resolved=lambda: frame.numbers("first_resolved_at_ms") >= 0,
            first_unresolved=lambda: frame.numbers("first_resolved_at_ms") < 0,
            full_resolved_ms=lambda: until("resolved_at_ms"),
            full_resolved=lambda: frame.numbers("resolved_at_ms") >= 0,
            full_unresolved=lambda: frame.numbers("resolved_at_ms") < 0,
            first_resolver_id=lambda: _first_of(
                frame.texts("first_resolved_by"), frame.texts("agent_id")
            ),
        )

    def messages(self, frame: Frame) -> Frame:
        """Messages with what they count for."""
        return frame.making(
            of_agent=lambda: ~frame.numbers("of_customer"),
            lasts=lambda: np.zeros(frame.n, bool),
        )

    def customer_days(self) -> Frame:
        """Customers with a matured turn in the assessed hours of a day; one late turn fails them.

        A row stands at the first turn of that day, in its channel; team and agent are nobody's.
        """
        turns = self.frame("turn")
        goal = METRICS["r3m_turn"]
        as_of_ms = self.scope.as_of_ms
        turns = turns.select(np.asarray(goal.counts(turns, as_of_ms), bool))
        days = turns.texts("day")
        order = np.lexsort((turns.numbers("at_ms"), days.codes, turns.numbers("customer")))
        turns = turns.select(order)
        good = _within(turns)
        customer, day = turns.numbers("customer"), turns.texts("day").codes
        starts = np.flatnonzero(_changes(customer) | _changes(day))
        rows = turns.select(starts)
        if not len(starts):
            return rows.having(in_time=good)
        none = Texts.of([None] * rows.n)
        return rows.having(
            agent_id=none,
            in_time=np.logical_and.reduceat(good, starts),
            waiting=np.logical_or.reduceat(turns.numbers("waiting"), starts),
        )

    def first_contacts(self) -> Frame:
        """Sessions with how long before and after them the customer had contact otherwise."""
        scope = self.scope
        wide = replace(
            Scope(timezone=scope.timezone, as_of_ms=scope.as_of_ms, as_of_seq=scope.as_of_seq),
            from_ms=None if scope.from_ms is None else scope.from_ms - WEEK_MS,
            to_ms=None if scope.to_ms is None else scope.to_ms + WEEK_MS + 1,
        )
        frame = Conversations(self.connection, wide).frame("session")
        at_ms, customer = frame.numbers("at_ms"), frame.numbers("customer")
        frame = frame.select(np.lexsort((frame.numbers("session_no"), at_ms, customer)))
        at_ms, customer = frame.numbers("at_ms"), frame.numbers("customer")
        gap = np.diff(at_ms)
        same = np.diff(customer) == 0
        near = same & (gap <= WEEK_MS)
        before = np.concatenate([[False], near]) if frame.n else np.zeros(0, bool)
        after = np.concatenate([near, [False]]) if frame.n else np.zeros(0, bool)
        frame = frame.having(
            is_first_contact=~before, further_contact=after, no_further_contact=~after
        )
        return held(frame, scope)


def _within(turns: Frame) -> Numbers:
    found: Numbers = turns.numbers("answered") & (turns.numbers("wait_ms") <= GOAL_MS)
    return found


def _changes(column: Numbers) -> Numbers:
    """Where a value differs from the one before; the first does."""
    return np.concatenate([np.ones(min(1, len(column)), bool), column[1:] != column[:-1]])


# Sources that are made of the rows of others.
_MADE = {
    "customer_day": Conversations.customer_days,
    "first_contact": Conversations.first_contacts,
}
CONVERSATION_SOURCES = (*KINDS, *_MADE)
_DERIVED = {
    "turn": Conversations.turns,
    "share": Conversations.shares,
    "session": Conversations.sessions,
    "message": Conversations.messages,
    "case": Conversations.cases,
}


def _floored(spans: Any) -> Numbers:  # Any: what numpy's sums give
    """Spans, none of them below 0: a clock may have been set back."""
    return np.asarray(np.maximum(0, spans))


def lazily(frame: Frame, name: str) -> NumbersMaker:
    """A column of numbers, when it is asked for."""
    return lambda: frame.numbers(name)


def _is(frame: Frame, name: str, text: str) -> Numbers:
    found: Numbers = frame.texts(name) == text
    return found


def _where(mask: Numbers, text: str, otherwise: Texts) -> Texts:
    """The text where the mask says so, the other column elsewhere."""
    values = (*otherwise.values, *(() if text in otherwise.values else (text,)))
    codes = np.where(mask, values.index(text), otherwise.codes).astype(np.int32)
    return Texts(codes, values)


def _first_of(wanted: Texts, otherwise: Texts) -> Texts:
    """The first column, the other one where that has None."""
    both = Texts.joined([wanted, otherwise])
    first, second = both.codes[: len(wanted)], both.codes[len(wanted) :]
    if None not in both.values:
        return Texts(first, both.values)
    none = both.values.index(None)
    return Texts(np.where(first == none, second, first).astype(np.int32), both.values)


class _Local:
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


def load_source(
    connection: Connection, scope: Scope, _sessions: object = None, *, source: str
) -> Frame:
    """The rows of one source in a scope."""
    return Conversations(connection, scope).frame(source)
