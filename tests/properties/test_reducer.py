"""Laws of the reducer over any events in any order, with a clock that jumps as it likes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from server.domain.conversation import apply, opened
from server.domain.events import (
    EVENT_KINDS,
    STATUSES,
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    BotHandedOff,
    ConversationOpened,
    ConversationStatusChanged,
    ConversationTagged,
    CustomerLeft,
    CustomerReturned,
    Event,
    EventData,
    MessageFailed,
    MessagePosted,
    QueueEntered,
    QueueLeft,
    RatingAsked,
    RatingGiven,
    SessionEnded,
    SessionStarted,
    TurnDismissed,
    from_json,
    seen_by_shopper,
    to_json,
)
from server.domain.replay import Replayed, replay
from server.domain.turns import OUTCOMES
from tests.support.events import least_of

AGENTS = st.sampled_from(["A", "B"])
MESSAGES = st.sampled_from([f"m{n}" for n in range(12)])
DATA: st.SearchStrategy[EventData] = st.one_of(
    st.builds(
        MessagePosted,
        message_id=MESSAGES,
        visibility=st.sampled_from(["public", "public", "public", "private"]),
        origin=st.sampled_from(["typed", "typed", "macro", "kb", "bot", "auto", "campaign"]),
    ),
    st.builds(MessageFailed, message_id=MESSAGES),
    st.builds(ConversationStatusChanged, status=st.sampled_from(STATUSES)),
    st.builds(AssignmentAccepted, to=AGENTS),
    st.builds(AssignmentChanged, from_=AGENTS, to=AGENTS),
    st.builds(AssignmentEnded, from_=AGENTS),
    st.builds(QueueEntered, team_id=st.sampled_from([None, "t1", "t2"])),
    st.builds(QueueLeft),
    st.builds(BotHandedOff),
    st.builds(CustomerLeft),
    st.builds(CustomerReturned),
    st.builds(TurnDismissed),
    st.builds(SessionStarted, cause=st.sampled_from(["new", "gap", "reopen"])),
    st.builds(SessionEnded),
    st.builds(RatingAsked),
    st.builds(RatingGiven, score=st.integers(1, 5)),
    st.builds(ConversationTagged, add=st.just(("a",)), remove=st.just(("b",))),
    st.builds(ConversationOpened),
)
STEPS = st.lists(
    st.tuples(
        DATA,
        st.sampled_from(["customer", "customer", "agent", "agent", "bot", "system"]),
        AGENTS,
        st.integers(-100_000, 100_000_000),
    ),
    max_size=40,
)


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """An opening and any events after it."""
    events: list[Event] = []
    at_ms = 1_000_000
    visitor = 0
    steps = [(ConversationOpened(), "customer", "A", 0), *draw(STEPS)]
    for staff, (data, kind, agent, passed) in enumerate(steps, 1):
        at_ms += passed
        seen = seen_by_shopper(data)
        visitor += seen
        events.append(
            Event(
                seq=len(events) + 1,
                event_id=f"e{len(events)}",
                at_ms=at_ms,
                data=data,
                actor_kind=kind,  # type: ignore[arg-type]  # of the strategy's list
                actor_id=agent if kind == "agent" else None,
                conversation_id="c",
                customer_id="u",
                staff_seq=staff,
                visitor_seq=visitor if seen else None,
            )
        )
    return events


def folded(events: list[Event]) -> Replayed:
    found = replay(events)
    assert found is not None
    return found


@given(logs())
def test_the_shares_of_every_wait_add_up_to_it_and_nothing_is_negative(
    events: list[Event],
) -> None:
    for turn in folded(events).turns.values():
        assert turn.outcome in OUTCOMES
        spans = [(s.start_at_ms, s.end_at_ms) for s in turn.shares]
        assert all(start < end for start, end in spans)
        starts = [turn.ask_at_ms, *(end for _, end in spans)]
        assert [start for start, _ in spans] == starts[: len(spans)]
        if turn.elapsed_ms is not None:
            assert turn.elapsed_ms >= 0
            assert sum(end - start for start, end in spans) == turn.elapsed_ms
        assert (turn.outcome == "waiting") == (turn.end_at_ms is None) == (turn.end_seq is None)
        assert (turn.outcome == "answered") == (turn.reply_message_id is not None)


@given(logs())
def test_at_most_one_turn_waits_and_it_is_the_conversation_s(events: list[Event]) -> None:
    found = folded(events)
    waiting = [turn for turn in found.turns.values() if turn.outcome == "waiting"]
    state = found.conversation
    assert waiting == ([state.turn] if state.turn else [])
    assert state.waiting_since_ms == (waiting[0].ask_at_ms if waiting else None)
    assert sorted(found.turns) == list(range(1, len(found.turns) + 1))
    assert sorted(found.sessions) == list(range(1, len(found.sessions) + 1))


@given(logs())
def test_what_has_ended_lets_nobody_wait_and_is_in_no_queue(events: list[Event]) -> None:
    conversation = opened(events[0])
    for event in events[1:]:
        conversation = apply(conversation, event).conversation
        ended = isinstance(event.data, ConversationStatusChanged) and event.data.status in (
            "resolved",
            "closed",
            "spam",
        )
        if ended:
            assert conversation.turn is None
            assert conversation.queued_at_ms is None
            assert conversation.unanswered == 0
            assert not conversation.in_session


@given(logs())
def test_the_running_session_s_counts_are_never_negative(events: list[Event]) -> None:
    for session in folded(events).sessions.values():
        assert session.replies >= 0
    assert folded(events).conversation.unanswered >= 0


@given(logs())
def test_the_fold_of_any_prefix_is_the_state_at_that_point(events: list[Event]) -> None:
    conversation = opened(events[0])
    for number, event in enumerate(events[1:], 2):
        conversation = apply(conversation, event).conversation
        assert folded(events[:number]).conversation == conversation
        assert (conversation.staff_seq, conversation.last_seq) == (event.staff_seq, event.seq)


@given(logs())
def test_the_heads_count_what_each_audience_has_seen(events: list[Event]) -> None:
    state = folded(events).conversation
    assert state.staff_seq == len(events)
    assert state.visitor_seq == sum(1 for e in events if e.visitor_seq is not None)


@given(logs())
def test_a_log_survives_being_written_down(events: list[Event]) -> None:
    for event in events:
        assert from_json(event.kind, to_json(event.data)) == event.data


@given(logs())
def test_an_unknown_clock_changes_no_order(events: list[Event]) -> None:
    """With all times the same, outcomes are the same: seq alone is the order."""
    still = [replace(event, at_ms=0) for event in events]
    outcomes = [turn.outcome for turn in folded(still).turns.values()]
    told_twice = {SessionStarted}
    if not any(type(event.data) in told_twice for event in events):
        assert outcomes == [turn.outcome for turn in folded(events).turns.values()]


def test_every_kind_of_event_can_be_applied() -> None:
    conversation = opened(_event(ConversationOpened(), 1))
    for number, kind in enumerate(EVENT_KINDS, 2):
        conversation = apply(conversation, _event(least_of(kind), number)).conversation
        assert conversation.staff_seq == number


def _event(data: EventData, seq: int) -> Event:
    return Event(
        seq=seq,
        event_id=f"e{seq}",
        at_ms=seq,
        data=data,
        actor_kind="agent",
        actor_id="A",
        conversation_id="c",
        customer_id="u",
        staff_seq=seq,
        visitor_seq=None,
    )
