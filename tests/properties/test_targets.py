"""The clocks of targets equal a simulation that walks minute by minute and keeps a tally."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.errors import InvalidInput
from server.domain.events import (
    AssignmentAccepted,
    ConversationOpened,
    ConversationStatusChanged,
    CustomerLeft,
    Event,
    EventData,
    MessageFailed,
    MessagePosted,
    QueueEntered,
    SessionStarted,
    TicketCreated,
    TicketMoved,
    TicketStateChanged,
)
from server.domain.hours import Calendar, Hours, calendar_of
from server.domain.periods import instant_ms, zone
from server.domain.spans import MINUTE_MS
from server.domain.target_clocks import TargetClock, clocks, explain, next_due
from server.domain.targets import (
    DEFAULTS,
    TARGETS,
    Facts,
    Policy,
    Target,
    Unit,
    from_json,
    policy_of,
    to_json,
)
from tests.properties.test_hours import STARTS, UTC, calendars, is_open

HORIZON = 4000
OVER = ("resolved", "closed", "spam")
STATES = ("open", "pending_customer", "on_hold", "resolved", "closed")


class Story:
    """Events of one chat or ticket, written minute by minute."""

    def __init__(self, start_ms: int, channel: str) -> None:
        self.start_ms = start_ms
        self.events: list[Event] = []
        self.add(0, ConversationOpened(channel=channel), "customer")

    def add(self, minute: int, data: EventData, kind: str = "system") -> None:
        number = len(self.events) + 1
        self.events.append(
            Event(
                seq=number,
                event_id=f"e{number}",
                at_ms=self.start_ms + minute * MINUTE_MS,
                data=data,
                actor_kind=kind,  # type: ignore[arg-type]  # one of the four
                actor_id="A" if kind == "agent" else None,
                conversation_id="c",
                customer_id="u",
                staff_seq=number,
            )
        )

    def say(self, minute: int, kind: str, *, visibility: str = "public", origin: str = "") -> None:
        origin = origin or ("bot" if kind == "bot" else "typed")
        data = MessagePosted(
            message_id=f"m{len(self.events)}", visibility=visibility, origin=origin
        )
        self.add(minute, data, kind)

    def state(self, minute: int, to: str) -> None:
        """The ticket's state, and its thread's as the desk sets it."""
        self.add(minute, TicketStateChanged(to=to), "agent")
        status = to if to in OVER else "open"
        self.add(minute, ConversationStatusChanged(status=status), "agent")


@dataclass
class Tally:
    """One clock as somebody with a notebook keeps it."""

    started: int
    running: bool = True
    used: int = 0
    due: int | None = None
    warn: int | None = None
    ended: int | None = None
    met: bool = False

    def end(self, minute: int, *, met: bool) -> None:
        if self.ended is None:
            self.ended, self.met, self.running = minute, met, False


@dataclass
class Notebook:
    """The tallies of a ticket or chat; minutes are counted between what happens."""

    policy: Policy
    calendar: Calendar
    start_ms: int
    tallies: dict[tuple[str, int], Tally] = field(default_factory=dict)

    def begin(self, target: str, number: int, minute: int, *, running: bool = True) -> Tally:
        return self.tallies.setdefault((target, number), Tally(minute, running))

    def live(self, target: str) -> list[Tally]:
        return [t for (name, _), t in self.tallies.items() if name == target and t.ended is None]

    def pass_minute(self, minute: int) -> None:
        open_now = is_open(self.calendar, self.start_ms + minute * MINUTE_MS)
        for (name, _), tally in self.tallies.items():
            target = self.policy.targets[name]
            if not tally.running or tally.ended is not None:
                continue
            if target.clock == "business" and not open_now:
                continue
            tally.used += 1
            limit = int(target.amount)
            if tally.used == limit * target.warn_percent // 100:
                tally.warn = minute + 1
            if tally.used == limit:
                tally.due = minute + 1


def target() -> st.SearchStrategy[Target]:
    return st.builds(
        Target,
        amount=st.integers(1, 90).map(lambda n: float(n * 10)),
        unit=st.just("minute"),
        clock=st.sampled_from(["business", "calendar"]),
        warn_percent=st.integers(1, 10).map(lambda n: n * 10),
    )


def policy_with(*names: str) -> st.SearchStrategy[Policy]:
    return st.fixed_dictionaries({name: target() for name in names}).map(
        lambda targets: Policy("p", {}, targets)
    )


def scripts(*actions: str) -> st.SearchStrategy[dict[int, str]]:
    """What happens in which minute, at most one thing a minute."""
    return st.dictionaries(st.integers(1, HORIZON - 1), st.sampled_from(actions), max_size=14)


def compare(found: list[TargetClock], book: Notebook, as_of: int) -> None:
    def minute(at_ms: int | None) -> int | None:
        if at_ms is None:
            return None
        whole, rest = divmod(at_ms - book.start_ms, MINUTE_MS)
        assert rest == 0
        return whole

    assert {clock.key for clock in found} == set(book.tallies)
    for clock in found:
        tally = book.tallies[clock.key]
        assert minute(clock.started_at_ms) == tally.started
        assert clock.used_ms == tally.used * MINUTE_MS
        assert minute(clock.ended_at_ms) == tally.ended
        over = as_of if tally.ended is None else tally.ended
        for ours, theirs in ((clock.due_at_ms, tally.due), (clock.warn_at_ms, tally.warn)):
            if theirs is None:
                assert ours is None or (minute(ours) or 0) > over
            else:
                assert minute(ours) == theirs
        missed = tally.due is not None and tally.due < over
        assert minute(clock.missed_at_ms) == (tally.due if missed else None)
        if tally.ended is not None:
            assert clock.outcome == ("met" if tally.met and not missed else "stopped")
        else:
            assert clock.outcome == ("running" if tally.running else "paused")


def compare_explained(found: list[TargetClock], hours: Hours, as_of_ms: int) -> None:
    """The steps of each clock follow each other and add up to what was used."""
    for clock in found:
        steps = explain(clock, hours, as_of_ms=as_of_ms)
        assert sum(s.end_at_ms - s.start_at_ms for s in steps if s.kind == "counts") == (
            clock.used_ms
        )
        assert all(one.end_at_ms == two.start_at_ms for one, two in pairwise(steps))
        if steps:
            assert steps[0].start_at_ms == clock.started_at_ms
            assert steps[-1].end_at_ms == (clock.ended_at_ms or as_of_ms)


@settings(max_examples=35)
@given(
    calendars(),
    policy_with("first_response", "next_response", "resolution"),
    scripts("ask", "reply", "note", "bot", "move", *STATES),
    st.sampled_from(STARTS),
    st.integers(1, HORIZON),
)
def test_the_clocks_of_a_ticket_are_what_a_walk_by_minutes_finds(  # noqa: C901  # a branch for each thing that happens
    calendar: Calendar, policy: Policy, script: dict[int, str], start: str, as_of: int
) -> None:
    start_ms = instant_ms(start, UTC)
    story, book = Story(start_ms, "ticket"), Notebook(policy, calendar, start_ms)
    story.add(0, TicketCreated(number="T-1"), "agent")
    first = book.begin("first_response", 1, 0)
    solve = book.begin("resolution", 1, 0)
    state, waits, waiting = "new", 0, False
    for now in range(as_of + 1):
        what = script.get(now)
        if what == "ask":
            story.say(now, "customer")
            if not waiting:
                waiting, waits = True, waits + 1
                if first.ended is not None:
                    book.begin("next_response", waits, now)
        elif what == "reply":
            story.say(now, "agent")
            waiting = False
            first.end(now, met=True)
            for tally in book.live("next_response"):
                tally.end(now, met=True)
        elif what == "note":
            story.say(now, "agent", visibility="private")
        elif what == "bot":
            story.say(now, "bot")
        elif what == "move":
            story.add(now, TicketMoved(team_id="t2"), "agent")
        elif what in STATES:
            story.state(now, what)
            if what in OVER:
                waiting = False
                first.end(now, met=False)
                for tally in book.live("next_response"):
                    tally.end(now, met=False)
                if solve.ended is None:
                    solve.end(now, met=True)
            else:
                solve.ended = None
                solve.running = what == "open"
            state = what
        if now < as_of:
            book.pass_minute(now)
    assert state in ("new", *STATES)
    hours = Hours([(0, calendar)])
    as_of_ms = start_ms + as_of * MINUTE_MS
    found = clocks(story.events, policy, hours, as_of_ms=as_of_ms)
    compare(found, book, as_of)
    compare_explained(found, hours, as_of_ms)


@settings(max_examples=35)
@given(
    calendars(),
    policy_with("queue_wait", "first_response", "round"),
    scripts("ask", "ask", "reply", "note", "bot", "queue", "accept", "resolve"),
    st.sampled_from(STARTS),
    st.integers(1, HORIZON),
)
def test_the_clocks_of_a_chat_are_what_a_walk_by_minutes_finds(  # noqa: C901  # a branch for each thing that happens
    calendar: Calendar, policy: Policy, script: dict[int, str], start: str, as_of: int
) -> None:
    start_ms = instant_ms(start, UTC)
    story, book = Story(start_ms, "chat"), Notebook(policy, calendar, start_ms)
    owner, session, rounds, stays = "bot", 0, 0, 0
    running_session = waiting = first_of_session = False
    for now in range(as_of + 1):
        what = script.get(now)
        if what == "ask":
            if not running_session:
                story.add(now, SessionStarted(), "system")
                running_session, first_of_session, session = True, True, session + 1
            story.say(now, "customer")
            if not waiting:
                waiting, rounds = True, rounds + 1
                book.begin("round", rounds, now)
                if first_of_session and owner == "agent":
                    book.begin("first_response", session, now)
        elif what == "reply":
            story.say(now, "agent")
            if waiting:
                for tally in book.live("round"):
                    tally.end(now, met=True)
                if first_of_session:
                    book.begin("first_response", session, now).end(now, met=True)
                waiting = first_of_session = False
        elif what == "note":
            story.say(now, "agent", visibility="private")
        elif what == "bot":
            story.say(now, "bot")
        elif what == "queue":
            story.add(now, QueueEntered(), "system")
            owner = "queue"
            if not book.live("queue_wait"):
                stays += 1
                book.begin("queue_wait", stays, now)
        elif what == "accept":
            story.add(now, AssignmentAccepted(to="A"), "system")
            owner = "agent"
            for tally in book.live("queue_wait"):
                tally.end(now, met=True)
            if waiting and first_of_session:
                book.begin("first_response", session, now)
        elif what == "resolve":
            story.add(now, ConversationStatusChanged(status="resolved"), "agent")
            for tally in book.tallies.values():
                tally.end(now, met=False)
            running_session = waiting = first_of_session = False
            owner = "bot"
        if now < as_of:
            book.pass_minute(now)
    hours = Hours([(0, calendar)])
    as_of_ms = start_ms + as_of * MINUTE_MS
    found = clocks(story.events, policy, hours, as_of_ms=as_of_ms)
    compare(found, book, as_of)
    compare_explained(found, hours, as_of_ms)


# by hand

SHANGHAI = zone("Asia/Shanghai")
NINE_TO_SIX = calendar_of("Asia/Shanghai", ["09:00-18:00"] * 5 + ["", ""], {})
HOURS = Hours([(0, NINE_TO_SIX)])
TICKETS = DEFAULTS[1]


def at(text: str) -> int:
    return instant_ms(text, SHANGHAI)


def ticket(created: str) -> Story:
    story = Story(at(created), "ticket")
    story.add(0, TicketCreated(number="T-1"), "agent")
    return story


def after(story: Story, text: str) -> int:
    """The minute of the story at a time."""
    return (at(text) - story.start_ms) // MINUTE_MS


def by_target(story: Story, as_of: str, policy: Policy = TICKETS) -> dict[str, TargetClock]:
    found = clocks(story.events, policy, HOURS, as_of_ms=at(as_of))
    return {clock.target: clock for clock in found}


def test_time_on_hold_is_taken_from_business_time_and_not_added_to_the_night() -> None:
    # Friday afternoon; on hold over the weekend costs nothing but business hours.
    story = ticket("2026-11-20T16:00")
    story.state(after(story, "2026-11-20T17:00"), "on_hold")
    story.state(after(story, "2026-11-23T10:00"), "open")
    solve = by_target(story, "2026-11-23T12:00")["resolution"]
    assert solve.limit_ms == 3 * 9 * 3_600_000
    assert solve.used_ms == 3 * 3_600_000
    # 27 hours: one on Friday, 8 on Monday, 9 on Tuesday, 9 on Wednesday.
    assert solve.due_at_ms == at("2026-11-25T18:00")
    assert [step.kind for step in explain(solve, HOURS, as_of_ms=at("2026-11-23T12:00"))] == [
        "counts",
        "paused",
        "counts",
    ]


def test_a_pause_hides_when_it_is_due_and_a_reopening_goes_on_with_what_is_left() -> None:
    story = ticket("2026-11-16T09:00")
    story.state(after(story, "2026-11-16T12:00"), "pending_customer")
    paused = by_target(story, "2026-11-17T12:00")["resolution"]
    assert (paused.outcome, paused.due_at_ms) == ("paused", None)
    story.state(after(story, "2026-11-17T13:00"), "resolved")
    assert by_target(story, "2026-11-17T14:00")["resolution"].outcome == "met"
    story.state(after(story, "2026-11-18T09:00"), "open")
    again = by_target(story, "2026-11-18T10:00")["resolution"]
    assert again.used_ms == 4 * 3_600_000
    assert again.due_at_ms == at("2026-11-20T15:00")


def test_first_response_counts_from_creation_and_never_begins_anew() -> None:
    story = ticket("2026-11-16T10:00")
    story.say(1, "customer")
    story.say(30, "agent", visibility="private")
    story.say(40, "agent", origin="auto")
    story.add(60, TicketMoved(team_id="other"), "agent")
    story.state(90, "pending_customer")
    story.state(95, "open")
    first = by_target(story, "2026-11-16T15:00")["first_response"]
    assert first.due_at_ms == at("2026-11-16T14:00")
    assert first.missed_at_ms == first.due_at_ms
    story.say(after(story, "2026-11-16T15:30"), "agent")
    late = by_target(story, "2026-11-17T15:00")["first_response"]
    assert (late.outcome, late.missed_at_ms) == ("stopped", at("2026-11-16T14:00"))


def test_next_response_runs_from_the_oldest_message_that_nobody_answered() -> None:
    story = ticket("2026-11-16T10:00")
    story.say(10, "agent")
    story.say(60, "customer")
    story.say(180, "customer")
    found = by_target(story, "2026-11-16T14:00")["next_response"]
    assert found.started_at_ms == at("2026-11-16T11:00")
    assert found.due_at_ms == at("2026-11-17T10:00")
    story.say(200, "agent")
    assert by_target(story, "2026-11-16T14:00")["next_response"].outcome == "met"


def test_a_reply_that_never_arrived_lets_the_clock_run_on() -> None:
    story = ticket("2026-11-16T10:00")
    story.say(60, "agent")
    assert by_target(story, "2026-11-16T12:00")["first_response"].outcome == "met"
    data = story.events[-1].data
    assert isinstance(data, MessagePosted)
    story.add(90, MessageFailed(message_id=data.message_id), "system")
    assert by_target(story, "2026-11-16T12:00")["first_response"].outcome == "running"


def test_a_shopper_who_leaves_is_owed_no_answer() -> None:
    story = Story(at("2026-11-16T10:00"), "chat")
    story.add(0, SessionStarted())
    story.say(0, "customer")
    story.add(0, QueueEntered())
    story.add(2, CustomerLeft(), "customer")
    policy = Policy("Chats", {}, {**DEFAULTS[2].targets, "queue_wait": Target(60, "second")})
    found = by_target(story, "2026-11-16T11:00", policy)
    assert found["round"].outcome == "stopped"
    assert found["queue_wait"].missed_at_ms == at("2026-11-16T10:01")
    assert found["round"].missed_at_ms is None


def test_a_round_warns_after_100_seconds_of_its_180() -> None:
    story = Story(at("2026-11-16T10:00"), "chat")
    story.add(0, SessionStarted())
    story.say(0, "customer")
    found = by_target(story, "2026-11-16T10:01", DEFAULTS[2])["round"]
    assert found.due_at_ms == at("2026-11-16T10:03")
    assert found.warn_at_ms is not None
    assert 100_000 <= found.warn_at_ms - found.started_at_ms < 101_000


def test_what_is_due_next_comes_from_what_runs() -> None:
    story = ticket("2026-11-16T10:00")
    found = clocks(story.events, TICKETS, HOURS, as_of_ms=at("2026-11-16T10:30"))
    due = next_due(found)
    assert due is not None
    assert due.target == "first_response"


def test_the_first_policy_that_matches_holds_and_only_when_it_is_on() -> None:
    urgent = Facts("ticket", priority="urgent", category=("vip", "late"), team="t1")
    assert policy_of(DEFAULTS, urgent) is DEFAULTS[0]
    assert policy_of(DEFAULTS, Facts("ticket", priority="low")) is DEFAULTS[1]
    assert policy_of(DEFAULTS, Facts("chat")) is None
    own = Policy("Late", {"category": ("late",), "team": ("t1", "t2")}, {})
    assert policy_of((own, *DEFAULTS), urgent) is own
    assert policy_of((own, *DEFAULTS), Facts("ticket", category=("late",))) is DEFAULTS[1]


@given(
    st.lists(
        st.builds(
            Policy,
            name=st.text("abcdefgh", min_size=1, max_size=8),
            match=st.fixed_dictionaries({}, optional={"channel": st.just(("chat",))}),
            targets=st.dictionaries(
                st.sampled_from(TARGETS),
                st.builds(
                    Target,
                    amount=st.floats(0.5, 100),
                    unit=st.sampled_from(get_args(Unit)),
                    warn_percent=st.integers(1, 100),
                ),
            ),
        ),
        max_size=5,
        unique_by=lambda policy: policy.name,
    )
)
def test_policies_survive_their_json(policies: list[Policy]) -> None:
    assert from_json(to_json(policies)) == tuple(policies)


@pytest.mark.parametrize(
    "values",
    [
        {},
        [{"name": ""}],
        [{"name": "a"}, {"name": "A"}],
        [{"name": "a", "targets": {"never": {"amount": 1, "unit": "hour"}}}],
        [{"name": "a", "targets": {"round": {"amount": 0, "unit": "hour"}}}],
        [{"name": "a", "targets": {"round": {"amount": 1, "unit": "year"}}}],
        [{"name": "a", "match": {"weather": ["rain"]}}],
    ],
)
def test_policies_that_make_no_sense_are_refused(values: object) -> None:
    with pytest.raises(InvalidInput):
        from_json(values)
