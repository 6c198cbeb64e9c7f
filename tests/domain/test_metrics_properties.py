"""Random conversations: the reducer and the metrics agree with a second, naive implementation."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.actors import ActorKind
from server.domain.conversation import needs_session
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    BotHandedOff,
    ConversationOpened,
    ConversationStatusChanged,
    CustomerLeft,
    CustomerReturned,
    Event,
    EventData,
    MessageFailed,
    MessagePosted,
    QueueEntered,
    SessionStarted,
    TurnDismissed,
)
from server.domain.facts import facts_of
from server.domain.metrics import METRICS, measure
from server.domain.periods import LocalTimes, day_start_ms, zone
from server.domain.replay import Replayed, replay

SHANGHAI = "Asia/Shanghai"
START = 1_763_600_000_000
AGENTS = ("amy", "bo")


@dataclass(frozen=True)
class Step:
    """Something that happens, after a pause."""

    pause_ms: int
    kind: str
    agent: str


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from((0, 1_000, 17_000, 60_000, 180_000, 181_000, 3_600_000, 90_000_000)),
        st.sampled_from(
            [
                *("ask", "ask", "ask", "reply", "reply", "note", "greet", "bot", "queue"),
                *("handoff", "accept", "transfer", "release", "dismiss", "left", "returned"),
                *("resolve", "fail"),
            ]
        ),
        st.sampled_from(AGENTS),
    ),
    max_size=40,
)


def history(plan: list[Step]) -> list[Event]:
    """The events of a plan, with sessions as the desk starts them."""
    events: list[Event] = []

    def add(data: EventData, actor_kind: ActorKind = "system", actor_id: str | None = None) -> None:
        events.append(
            Event(
                seq=len(events) + 1,
                event_id=f"e{len(events) + 1}",
                at_ms=at_ms,
                data=data,
                actor_kind=actor_kind,
                actor_id=actor_id,
                conversation_id="c",
                customer_id="k",
                staff_seq=len(events) + 1,
            )
        )

    at_ms = START
    add(ConversationOpened(), "customer", "k")
    last_reply = "none"
    for step in plan:
        at_ms += step.pause_ms
        message = f"m{len(events)}"
        if step.kind == "ask":
            state = state_of(events).conversation
            if state.status != "open":
                add(ConversationStatusChanged(status="open"))
            cause = needs_session(state_of(events).conversation, at_ms=at_ms)
            if cause is not None:
                add(SessionStarted(cause=cause))
            add(MessagePosted(message_id=message), "customer", "k")
        elif step.kind == "reply":
            last_reply = message
            add(MessagePosted(message_id=message), "agent", step.agent)
        elif step.kind == "note":
            add(MessagePosted(message_id=message, visibility="private"), "agent", step.agent)
        elif step.kind == "greet":
            add(MessagePosted(message_id=message, origin="auto"), "agent", step.agent)
        elif step.kind == "bot":
            add(MessagePosted(message_id=message, origin="bot"), "bot")
        else:
            add(other(step, last_reply), "agent", step.agent)
    return events


def other(step: Step, last_reply: str) -> EventData:
    match step.kind:
        case "queue":
            return QueueEntered()
        case "handoff":
            return BotHandedOff()
        case "accept":
            return AssignmentAccepted(to=step.agent)
        case "transfer":
            return AssignmentChanged(to=step.agent)
        case "release":
            return AssignmentEnded()
        case "dismiss":
            return TurnDismissed()
        case "left":
            return CustomerLeft()
        case "returned":
            return CustomerReturned()
        case "resolve":
            return ConversationStatusChanged(status="resolved")
    return MessageFailed(message_id=last_reply)


def state_of(events: list[Event]) -> Replayed:
    found = replay(events)
    assert found is not None
    return found


@dataclass
class Naive:
    """A turn as a person with paper and pencil would keep it."""

    ask_at: int
    first: bool
    end_at: int | None = None
    outcome: str = "waiting"
    by: str | None = None
    reply: str | None = None


def by_hand(events: list[Event]) -> list[Naive]:  # noqa: C901  # one branch a kind of event
    """The turns of a log, worked out again without the reducer."""
    turns: list[Naive] = []
    asked_in_session = False
    closed_at: int | None = None
    left: Naive | None = None
    late: tuple[int, str | None, str] | None = None

    def finish(turn: Naive, at: int, outcome: str, by: str | None = None) -> None:
        turn.end_at, turn.outcome, turn.by = at, outcome, by

    for event in events:
        data = event.data
        turn = turns[-1] if turns and turns[-1].outcome == "waiting" else None
        if isinstance(data, SessionStarted):
            asked_in_session = False
        elif isinstance(data, MessagePosted) and event.actor_kind == "customer":
            left = late = None
            if turn is None:
                turns.append(Naive(event.at_ms, first=not asked_in_session))
                asked_in_session = True
        elif isinstance(data, MessagePosted):
            counts = data.visibility == "public" and data.origin == "typed"
            if event.actor_kind != "agent" or not counts:
                continue
            if turn is not None:
                finish(turn, event.at_ms, "answered", event.actor_id)
                turn.reply = data.message_id
            elif left is not None and late is None:
                late = (event.at_ms, event.actor_id, data.message_id)
        elif isinstance(data, MessageFailed):
            if late is not None and late[2] == data.message_id:
                late = None
            elif turn is None and turns and turns[-1].reply == data.message_id:
                turns[-1].reply = turns[-1].by = turns[-1].end_at = None
                turns[-1].outcome = "waiting"
                if closed_at is not None:
                    finish(turns[-1], closed_at, "closed_unanswered")
        elif isinstance(data, TurnDismissed) and turn is not None:
            finish(turn, event.at_ms, "dismissed")
        elif isinstance(data, CustomerLeft) and turn is not None:
            finish(turn, event.at_ms, "abandoned")
            left = turn
        elif isinstance(data, CustomerReturned):
            if left is not None:
                left.end_at, left.outcome = None, "waiting"
                if late is not None:
                    finish(left, late[0], "answered", late[1])
                    left.reply = late[2]
            left = late = None
        elif isinstance(data, ConversationStatusChanged):
            closed_at = event.at_ms if data.status == "resolved" else None
            if closed_at is not None:
                left = late = None
                if turn is not None:
                    finish(turn, closed_at, "closed_unanswered")
    return turns


@given(steps)
def test_the_reducer_finds_the_turns_that_pencil_and_paper_find(plan: list[Step]) -> None:
    events = history(plan)
    found = state_of(events).turns
    expected = by_hand(events)
    assert [
        (t.ask_at_ms, t.is_first_in_session, t.end_at_ms, t.outcome, t.answered_by)
        for _, t in sorted(found.items())
    ] == [(t.ask_at, t.first, t.end_at, t.outcome, t.by) for t in expected]


@given(steps)
def test_the_shares_of_a_wait_add_up_to_it(plan: list[Step]) -> None:
    for turn in state_of(history(plan)).turns.values():
        spans = [share.end_at_ms - share.start_at_ms for share in turn.shares]
        assert all(span > 0 for span in spans)
        if turn.elapsed_ms is not None:
            assert sum(spans) == turn.elapsed_ms
        for before, after in zip(turn.shares, turn.shares[1:], strict=False):
            assert before.end_at_ms == after.start_at_ms


@given(steps, st.integers(0, 3_600_000))
def test_a_clock_set_back_gives_no_negative_span(plan: list[Step], back_ms: int) -> None:
    events = history(plan)
    half = len(events) // 2
    shifted = [
        event if number < half else replace(event, at_ms=event.at_ms - back_ms)
        for number, event in enumerate(events)
    ]
    for turn in state_of(shifted).turns.values():
        spans = [share.end_at_ms - share.start_at_ms for share in turn.shares]
        assert all(span > 0 for span in spans)
        assert turn.elapsed_ms is None or turn.elapsed_ms == sum(spans)


def waits_at(events: list[Event], as_of_ms: int) -> list[SimpleNamespace]:
    """The turns of a log at an instant as rows of the metrics over turns."""
    local = LocalTimes(zone(SHANGHAI))
    found = facts_of(events, as_of_ms=as_of_ms)
    rows = []
    for turn in found.turns if found else ():
        end_at_ms = as_of_ms if turn.end_at_ms is None else turn.end_at_ms
        more = {
            "ask_at_ms": turn.at_ms,
            "wait_ms": max(0, end_at_ms - turn.at_ms),
            "answered": turn.outcome == "answered",
            "waiting": turn.outcome == "waiting",
            "hour": local(turn.at_ms).hour,
        }
        rows.append(SimpleNamespace(**asdict(turn), **more))
    return rows


def survivors(waits: list[tuple[int, bool]]) -> float:
    """The Kaplan-Meier median from its definition: a product over the distinct times of answers."""
    log_share = 0.0
    for at in sorted({wait for wait, answered in waits if answered}):
        at_risk = sum(wait >= at for wait, _ in waits)
        answers = sum(wait == at and answered for wait, answered in waits)
        if at_risk == answers:
            return at
        log_share += math.log(at_risk - answers) - math.log(at_risk)
        if math.exp(log_share) <= 0.5:
            return at
    return math.inf


@given(st.lists(steps, min_size=1, max_size=4), st.integers(0, 400_000_000))
def test_the_metrics_equal_a_naive_calculation(plans: list[list[Step]], after_ms: int) -> None:
    as_of = START + after_ms
    naive: list[Naive] = []
    waits: list[SimpleNamespace] = []
    for plan in plans:
        events = history(plan)
        waits += waits_at(events, as_of)
        naive += by_hand([event for event in events if event.at_ms <= as_of])
    for name, rows in (("frt", [t for t in naive if t.first]), ("rt", naive)):
        figures = measure(METRICS[name], waits, as_of_ms=as_of)
        spans = [((t.end_at or as_of) - t.ask_at, t.outcome == "answered") for t in rows]
        answered = [span for span, known in spans if known]
        assert figures.n == len(rows)
        assert figures.n_open == sum(t.outcome == "waiting" for t in rows)
        assert (math.inf if figures.median_ms is None else figures.median_ms) == survivors(spans)
        mean = None if not answered else math.floor(sum(answered) / len(answered) + 0.5)
        assert figures.mean_ms == mean
        assert figures.p90_ms is None or figures.n >= 29
    tz = ZoneInfo(SHANGHAI)
    matured = [
        t
        for t in naive
        if t.ask_at <= as_of - 180_000
        and t.outcome != "dismissed"
        and 8 <= datetime.fromtimestamp(t.ask_at / 1000, tz).hour < 23
    ]
    good = [t for t in matured if t.outcome == "answered" and (t.end_at or 0) - t.ask_at <= 180_000]
    figures = measure(METRICS["r3m_turn"], waits, as_of_ms=as_of)
    assert (figures.numerator, figures.denominator) == (len(good), len(matured))


@given(steps, st.integers(0, 60))
def test_an_instant_sees_only_what_had_happened(plan: list[Step], length: int) -> None:
    """What is said of an instant is what was said at that instant."""
    events = history(plan)
    as_of = events[min(length, len(events) - 1)].at_ms
    then = facts_of([event for event in events if event.at_ms <= as_of])
    assert facts_of(events, as_of_ms=as_of) == then
    assert facts_of(events, as_of_ms=events[-1].at_ms) == facts_of(events)


@given(steps)
def test_the_rows_of_figures_agree_with_the_turns_of_the_reducer(plan: list[Step]) -> None:
    events = history(plan)
    replayed, found = state_of(events), facts_of(events)
    assert found is not None
    assert [(t.turn_no, t.at_ms, t.end_at_ms, t.outcome) for t in found.turns] == [
        (number, turn.ask_at_ms, turn.end_at_ms, turn.outcome)
        for number, turn in sorted(replayed.turns.items())
    ]
    as_of = events[-1].at_ms
    for turn in found.turns:
        parts = [share for share in found.shares if share.turn_no == turn.turn_no]
        spans = [(as_of if s.end_at_ms is None else s.end_at_ms) - s.start_at_ms for s in parts]
        assert sum(spans) == (as_of if turn.end_at_ms is None else turn.end_at_ms) - turn.at_ms
    asked = {turn.session_no for turn in found.turns}
    assert {session.session_no for session in found.sessions} == asked
    # A session may begin while the question of the one before still waits; it has none of its own.
    assert sum(session.reply_runs for session in found.sessions) == sum(
        message.starts_run for message in found.messages if message.session_no in asked
    )


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_of_the_clock_change_has_its_own_length(day: str, hours: int) -> None:
    berlin = zone("Europe/Berlin")
    first = datetime.fromisoformat(day).date()
    start, end = day_start_ms(first, berlin), day_start_ms(first.replace(day=first.day + 1), berlin)
    assert end - start == hours * 3_600_000
    local = LocalTimes(berlin)
    seen = [local(at) for at in range(start, end, 3_600_000)]
    assert {one.day for one in seen} == {day}
    assert len(seen) == hours
