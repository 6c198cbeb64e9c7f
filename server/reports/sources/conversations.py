"""The rows that are folded from conversations: turns, shares, sessions, messages, answers, ...

What a scope needs is loaded once for all of them. Conversations that changed since the kept columns
were made, or after the instant of the report, are folded anew from the log; all others come from
the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any  # Any: a number, or an array of them

import numpy as np
from sqlalchemy import Connection, select

from server.domain.events import MessagePosted
from server.domain.facts import Facts
from server.domain.metrics import GOAL_MS, METRICS
from server.domain.metrics.care import GREETING_CHARS
from server.domain.metrics.outcomes import RATING_MATURE_MS
from server.domain.spans import DAY_MS, HOUR_MS, WEEK_MS
from server.reports.by_segment import Segments, nobody
from server.reports.frames import Frame, Maker, Numbers, Texts
from server.reports.local import LocalColumns
from server.reports.ordering import places_by, starts_of
from server.reports.scope import TICKET_CHANNEL, Scope, held
from server.reports.sources.logged import Log, load_online
from server.storage import figures as kept
from server.storage.columns import Numerals
from server.storage.facts import load_facts
from server.storage.hours import HoursBook, load_book
from server.storage.rows import EVENT

BOT = "bot"
# Beyond so many changed conversations it pays to ask first which of them a period touches.
_MANY = 2_000
NO_LIMIT = 2**62
# No conversation has as many sessions.
MOST_SESSIONS = 2**16

NumbersMaker = Callable[[], Numbers]
NumbersOf = Callable[[Numbers], Numbers]


class _Shared:
    """What is the same for all periods of one report."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self.connection = connection
        self.scope = scope
        self.columns = kept.KeptColumns(connection, scope.from_ms, scope.to_ms)
        self.windows: dict[Scope, Conversations] = {}
        self.folded: dict[str, Facts | None] = {}
        self.segments = Segments(connection, scope.from_ms)
        self.log = Log(connection, scope)

    @cached_property
    def merged(self) -> tuple[Numbers, Numbers]:
        """The customers who are of another one's person, and these persons."""
        return kept.merged_customers(self.connection)

    @cached_property
    def changed(self) -> list[str]:
        """The conversations with events that the kept columns may not know."""
        return kept.changed_since(self.connection, self.log.head_seq)

    @cached_property
    def online(self) -> NumbersOf:
        """Tells of instants whether an agent was online or busy then."""
        return load_online(self.log)

    @cached_property
    def book(self) -> HoursBook:
        """The business hours as the report knows them."""
        return load_book(self.connection, up_to_seq=self.scope.as_of_seq)

    def facts(self, ids: Collection[str]) -> list[Facts]:
        """What is folded anew of conversations, each once."""
        missing = [key for key in ids if key not in self.folded]
        if missing:
            scope = self.scope
            self.folded |= dict.fromkeys(missing)
            for one in load_facts(
                self.connection, missing, as_of_seq=scope.as_of_seq, as_of_ms=scope.as_of_ms
            ):
                self.folded[one.conversation_id] = one
        return [found for key in ids if (found := self.folded[key]) is not None]


class Conversations:
    """The rows of one scope's conversations, by source."""

    def __init__(self, connection: Connection, scope: Scope, shared: _Shared | None = None) -> None:
        self.connection = connection
        self.scope = scope
        self._shared = shared or _Shared(connection, scope)
        self._frames: dict[str, Frame] = {}
        self._unfiltered: dict[str, Frame] = {}
        self._days: dict[str, list[kept.KeptDay]] = {}

    @property
    def columns(self) -> kept.KeptColumns:
        """The kept columns that all sources and periods of the report share."""
        return self._shared.columns

    @property
    def log(self) -> Log:
        """The rows that are one event each, for all sources and periods."""
        return self._shared.log

    @property
    def merged(self) -> tuple[Numbers, Numbers]:
        """The customers who are of another one's person, in order, and these persons."""
        return self._shared.merged

    @property
    def segments(self) -> Segments:
        """The segments of customers, looked up once for all sources and periods."""
        return self._shared.segments

    def beside(self, scope: Scope) -> Conversations | None:
        """The conversations of a period next to this one, read together with it; None if far away.

        To be asked for before any row of either.
        """
        mine = self.scope
        if (mine.as_of_seq, mine.as_of_ms) != (scope.as_of_seq, scope.as_of_ms):
            return None
        starts = [one.from_ms for one in (mine, scope) if one.from_ms is not None]
        ends = [one.to_ms for one in (mine, scope) if one.to_ms is not None]
        if len(starts) + len(ends) < 4 or max(starts) - min(ends) > WEEK_MS:
            return None
        self._shared.columns = kept.KeptColumns(self.connection, min(starts), max(ends))
        self._shared.segments = Segments(self.connection, min(starts))
        return Conversations(self.connection, scope, self._shared)

    def around(self, before_ms: int, after_ms: int) -> Conversations:
        """The conversations of a longer time, by no other filter; those of tickets as here."""
        scope = self.scope
        wide = Scope(
            timezone=scope.timezone,
            as_of_ms=scope.as_of_ms,
            as_of_seq=scope.as_of_seq,
            from_ms=None if scope.from_ms is None else max(0, scope.from_ms - before_ms),
            to_ms=None if scope.to_ms is None else scope.to_ms + after_ms,
            channel=TICKET_CHANNEL if scope.channel == TICKET_CHANNEL else None,
        )
        windows = self._shared.windows
        if wide not in windows:
            windows[wide] = Conversations(self.connection, wide, self._shared)
        return windows[wide]

    def frame(self, source: str) -> Frame:
        """The rows of a source within the scope, in no order."""
        if source in _MADE and source not in self._frames:
            self._frames[source] = _MADE[source](self)
        if source not in self._frames:
            self._frames[source] = held(self.unfiltered(source), self.scope)
        return self._frames[source]

    def unfiltered(self, source: str) -> Frame:
        """The rows of a source of all days that the scope touches, before anything is left out.

        For who needs few of the rows: ``held`` by the scope, those are what ``frame`` has of them.
        """
        if source not in self._unfiltered:
            parts = [self._kept(source), self._folded(source)]
            whole = Frame.joined([part for part in parts if part is not None])
            self._unfiltered[source] = self._derived(source, whole)
        return self._unfiltered[source]

    def read(self, source: str, *names: str) -> None:
        """Reads the kept columns of these names in one go."""
        self.columns.read(source, names, self._kept_days(source))

    @cached_property
    def _changed(self) -> list[str]:
        """The conversations with events that the kept columns may not know, in the period."""
        ids, scope = self._shared.changed, self.scope
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
        changed = kept.keys_of(self.connection, self._changed) if self._changed else ()
        keys = {*changed, *self._late}
        return np.array(sorted(keys), np.int64)

    @cached_property
    def _late(self) -> set[int]:
        """The kept conversations that went on after the instant or the row of the report."""
        days = self._kept_days("mark")
        if not any(self._is_late(day.last_seq, day.last_at_ms) for day in days):
            return set()
        seqs, times, keys = (
            np.asarray(self._shared.columns.column("mark", name, days))
            for name in ("last_seq", "last_at_ms", "conversation")
        )
        return set(np.unique(keys[self._is_late(seqs, times)]).tolist())

    def _is_late(self, last_seq: Any, last_at_ms: Any) -> Any:  # Any: numbers, or one
        limit = NO_LIMIT if self.scope.as_of_seq is None else self.scope.as_of_seq
        return (last_seq > limit) | (last_at_ms > self.scope.as_of_ms)

    @cached_property
    def _facts(self) -> list[Facts]:
        """What is folded anew."""
        return self._shared.facts(
            {*self._changed, *kept.ids_of(self.connection, self._late).values()}
        )

    def _folded(self, source: str) -> Frame:
        return Frame(kept.facts_columns(source, self._facts))

    def _kept_days(self, source: str) -> list[kept.KeptDay]:
        if source not in self._days:
            scope = self.scope
            columns = self._shared.columns
            self._days[source] = columns.days(source, scope.from_ms, scope.to_ms)
        return self._days[source]

    def _kept(self, source: str) -> Frame | None:
        """The kept rows of the days of the period, without those that are folded anew."""
        days = self._kept_days(source)
        if not days:
            return None

        def maker(name: str) -> Maker:
            return lambda: self._shared.columns.column(source, name, days)

        makers = {name: maker(name) for name in kept.COLUMN_NAMES[source]}
        frame = Frame({}, n=sum(day.n for day in days), makers=makers)
        if not len(self._again):
            return frame
        return frame.select(~np.isin(frame.numbers("conversation"), self._again))

    def _derived(self, source: str, frame: Frame) -> Frame:
        """The frame with the columns that follow from its own and from the instant."""
        return self.placed(_DERIVED[source](self, frame))

    def placed(self, frame: Frame) -> Frame:
        """The frame with local times, the ids of conversations, and segments."""
        local = LocalColumns(self.scope, frame)
        return frame.making(
            day=local.day,
            hour=local.hour,
            weekday=local.weekday,
            segment=lambda: self.segments.of_customers(
                frame.numbers("customer"), frame.numbers("at_ms")
            ),
        ).following(conversation_id=self._names)

    def _names(self, frame: Frame) -> Texts:
        """The ids of the conversations of rows; None where a row has none."""
        keys, places = np.unique(frame.numbers("conversation"), return_inverse=True)
        names = kept.ids_of(self.connection, [key for key in keys.tolist() if key >= 0])
        ids = Texts.of(names.get(key) for key in keys.tolist())
        return Texts(ids.codes[places], ids.values)

    def until(self, ends: Numbers) -> Numbers:
        """When each span ended, or the instant of the report."""
        return np.where(ends < 0, self.scope.as_of_ms, ends)

    def business(self, frame: Frame, starts: Numbers, ends: Numbers) -> Numbers:
        """The business time of spans, of those that last so far; -1 where no hours were set."""
        known = frame.numbers("biz_ms").copy()
        lasting = np.flatnonzero(ends < 0)
        if len(lasting) and self._shared.book.version:
            teams = frame.texts("team_id")[lasting].tolist()
            for place, team_id, start in zip(
                lasting.tolist(), teams, starts[lasting].tolist(), strict=True
            ):
                span = self._shared.book.of_team(team_id).wait_ms(start, self.scope.as_of_ms)
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
            return self._shared.online(frame.numbers("at_ms"))

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

    def visits(self, frame: Frame) -> Frame:
        """Sessions as somebody was served in them, or not; ``anchor_ms`` is when that was."""
        reply = lazily(frame, "last_reply_at_ms")
        return frame.making(
            served=lambda: reply() >= 0,
            unserved=lambda: reply() < 0,
            anchor_ms=lambda: np.where(reply() < 0, frame.numbers("at_ms"), reply()),
        ).following(waiting=lambda rows: np.zeros(rows.n, bool))

    def answers(self, frame: Frame) -> Frame:
        """Answers and dismissals, with how little an answer was."""
        return frame.making(
            answer=lambda: ~frame.numbers("dismissal"),
            greeting_only=lambda: (
                ~frame.numbers("dismissal")
                & frame.numbers("plain")
                & (frame.numbers("chars") <= GREETING_CHARS)
            ),
            waiting=lambda: np.zeros(frame.n, bool),
        )

    def handlings(self, frame: Frame) -> Frame:
        """Agents' work on sessions, with what they own up to the instant."""

        def owned() -> Numbers:
            since = frame.numbers("owned_from_ms")
            lasting = np.where(since < 0, 0, np.maximum(0, self.scope.as_of_ms - since))
            return np.asarray(frame.numbers("owned_ms") + lasting)

        return frame.making(
            owned_ms=owned,
            session=lambda: told_apart(session_keys(frame)),
            waiting=lambda: ~frame.numbers("ended"),
        )

    def owned(self, frame: Frame) -> Frame:
        """Stretches of ownership."""
        return frame

    def endings(self) -> Frame:
        """The sessions that an agent ended, with when they had last been answered."""
        visits = self.frame("visit")
        ended = (visits.texts("resolved_by") != None) & (visits.numbers("ended_at_ms") >= 0)  # noqa: E711  # a column
        visits = visits.select(np.asarray(ended))
        return visits.making(
            agent_id=lambda: visits.texts("resolved_by"),
            replied=lambda: visits.numbers("served"),
            unreplied=lambda: visits.numbers("unserved"),
            since_reply_ms=lambda: np.where(
                visits.numbers("served"),
                visits.numbers("ended_at_ms") - visits.numbers("last_reply_at_ms"),
                -1,
            ),
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
        turns = turns.select(
            places_by(turns.numbers("customer"), days.codes, turns.numbers("at_ms"))
        )
        good = _within(turns)
        customer, day = turns.numbers("customer"), turns.texts("day").codes
        starts = np.flatnonzero(starts_of(customer) | starts_of(day))
        rows = turns.select(starts)
        if not len(starts):
            return rows.having(in_time=good)
        return rows.having(
            agent_id=nobody(rows.n),
            in_time=np.logical_and.reduceat(good, starts),
            waiting=np.logical_or.reduceat(turns.numbers("waiting"), starts),
        )

    def first_contacts(self) -> Frame:
        """Sessions with how long before and after them the customer had contact otherwise."""
        scope = self.scope
        frame = self.around(WEEK_MS, WEEK_MS + 1).frame("session")
        order = places_by(*map(frame.numbers, ("customer", "at_ms", "session_no")))
        frame = frame.select(order)
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


# Sources that are made of the rows of others.
_MADE = {
    "customer_day": Conversations.customer_days,
    "first_contact": Conversations.first_contacts,
    "ending": Conversations.endings,
}
_DERIVED = {
    "turn": Conversations.turns,
    "share": Conversations.shares,
    "session": Conversations.sessions,
    "message": Conversations.messages,
    "case": Conversations.cases,
    "visit": Conversations.visits,
    "answer": Conversations.answers,
    "handling": Conversations.handlings,
    "owned": Conversations.owned,
}
CONVERSATION_SOURCES = (*_DERIVED, *_MADE)


def _floored(spans: Any) -> Numbers:  # Any: what numpy's sums give
    """Spans, none of them below 0: a clock may have been set back."""
    return np.asarray(np.maximum(0, spans))


def session_keys(frame: Frame) -> Numbers:
    """A number for the session of each row."""
    return np.asarray(frame.numbers("conversation") * MOST_SESSIONS + frame.numbers("session_no"))


def told_apart(keys: Numbers) -> Texts:
    """Numbers as texts, of which a figure counts how many there are."""
    if np.all(keys[1:] >= keys[:-1]):
        starts = starts_of(keys)
        found, codes = keys[starts], np.cumsum(starts) - 1
    else:
        found, codes = np.unique(keys, return_inverse=True)
    return Texts(codes.astype(np.int32), Numerals(found))


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
