"""What a log makes of a conversation, its sessions and above all its turns."""

from __future__ import annotations

import pytest

from server.domain.conversation import REOPEN_WINDOW_MS, SESSION_GAP_MS, needs_session
from server.domain.events import (
    AssignmentChanged,
    AssignmentEnded,
    BotHandedOff,
    ConversationStatusChanged,
    ConversationTagged,
    CustomerLeft,
    CustomerReturned,
    MessageEdited,
    MessageFailed,
    MessagePosted,
    MessageRedacted,
    QueueEntered,
    QueueLeft,
    RatingAsked,
    RatingGiven,
    RatingRevised,
    SessionEnded,
    SessionStarted,
    TurnDismissed,
)
from server.domain.replay import replay
from tests.domain.log import Log, S, shares


@pytest.fixture
def log() -> Log:
    """A conversation that has just been opened."""
    return Log().open()


def worked_example() -> Log:
    """C1 of the specification of the metrics, in seconds from 10:00:00."""
    log = Log().open()
    log.say(0, "customer")
    log.say(1, "bot", origin="auto")
    log.add(5, BotHandedOff(), "bot")
    log.add(5, QueueEntered())
    log.say(20, "customer")
    log.add(30, QueueLeft())
    log.accept(30, "A")
    log.say(50, "A")
    log.say(60, "A", origin="macro")
    log.say(180, "customer")
    log.say(190, "A", visibility="private")
    log.add(240, AssignmentChanged(from_="A", to="B"), "A")
    log.say(330, "B", origin="kb")
    log.say(360, "customer")
    log.add(390, TurnDismissed(reason="courtesy"), "B")
    log.add(390, ConversationStatusChanged(status="resolved"), "B")
    log.add(390, SessionEnded(cause="resolved"), "B")
    log.add(391, RatingAsked())
    log.add(480, RatingGiven(score=5), "customer")
    next_day = 25 * 3600
    log.add(next_day, ConversationStatusChanged(status="open"), "customer")
    log.add(next_day, SessionStarted(cause="reopen"), "customer")
    log.say(next_day, "customer")
    log.add(next_day, QueueEntered())
    return log


def test_the_worked_example_has_the_four_turns_of_the_specification() -> None:
    turns = worked_example().turns
    assert [(t.outcome, t.answered_by) for t in turns] == [
        ("answered", "A"),
        ("answered", "B"),
        ("dismissed", None),
        ("waiting", None),
    ]
    assert [t.elapsed_ms for t in turns] == [50 * S, 150 * S, 30 * S, None]
    assert [t.is_first_in_session for t in turns] == [True, False, False, True]
    assert [t.session_no for t in turns] == [1, 1, 1, 2]


def test_the_shares_of_the_worked_example_are_the_specification_s() -> None:
    turns = worked_example().turns
    assert shares(turns[0]) == [("bot", None, 5), ("queue", None, 25), ("agent", "A", 20)]
    assert shares(turns[1]) == [("agent", "A", 60), ("agent", "B", 90)]
    assert shares(turns[2]) == [("agent", "B", 30)]
    last = worked_example()
    last.accept(25 * 3600 + 600, "B")
    assert shares(last.turn) == [("queue", None, 600)]


def test_the_worked_example_s_first_session_was_rated_and_the_second_runs() -> None:
    first, second = worked_example().sessions
    assert (first.rating, first.replies, first.resolved_by) == (5, 2, "B")
    assert (first.ended_at_ms, second.cause, second.ended_at_ms) == (390 * S, "reopen", None)
    state = worked_example().state
    assert (state.status, state.reopened, state.queued_at_ms) == ("open", True, 90_000 * S)


def test_consecutive_questions_are_one_turn_that_begins_with_the_first(log: Log) -> None:
    first = log.say(0, "customer")
    log.say(10, "customer")
    log.say(20, "customer")
    assert len(log.turns) == 1
    assert (log.turn.ask_at_ms, log.turn.ask_message_id) == (0, first)
    assert log.state.unanswered == 3
    reply = log.say(30, "A")
    assert (log.turn.elapsed_ms, log.turn.reply_message_id) == (30 * S, reply)
    assert log.state.unanswered == 0


@pytest.mark.parametrize(
    ("who", "visibility", "origin"),
    [
        ("A", "private", "typed"),
        ("A", "public", "auto"),
        ("A", "public", "campaign"),
        ("A", "public", "system"),
        ("bot", "public", "bot"),
        ("bot", "public", "typed"),
        ("system", "public", "typed"),
    ],
)
def test_what_is_not_a_person_s_public_reply_answers_nothing(
    log: Log, who: str, visibility: str, origin: str
) -> None:
    log.say(0, "customer")
    log.say(10, who, visibility=visibility, origin=origin)  # type: ignore[arg-type]  # of the table
    assert log.turn.outcome == "waiting"
    assert log.state.unanswered == 1


@pytest.mark.parametrize("origin", ["typed", "macro", "kb"])
def test_a_person_s_public_reply_answers_however_it_was_written(log: Log, origin: str) -> None:
    log.say(0, "customer")
    log.say(10, "A", origin=origin)  # type: ignore[arg-type]  # of the table
    assert log.turn.outcome == "answered"


def test_a_bot_s_first_answer_is_noted_and_the_wait_goes_on(log: Log) -> None:
    log.say(0, "customer")
    log.say(3, "bot", origin="bot")
    log.say(6, "bot", origin="bot")
    assert (log.turn.bot_reply_at_ms, log.turn.outcome) == (3 * S, "waiting")


def test_an_agent_who_writes_first_waits_for_nobody(log: Log) -> None:
    log.say(0, "A")
    assert log.turns == []
    log.say(10, "customer")
    log.say(15, "A")
    assert [t.elapsed_ms for t in log.turns] == [5 * S]


def test_a_transfer_divides_the_wait(log: Log) -> None:
    log.accept(0, "A")
    log.say(0, "customer")
    log.add(20, AssignmentChanged(from_="A", to="B"), "A")
    log.add(50, AssignmentEnded(from_="B"))
    log.add(50, QueueEntered(team_id="t"))
    log.add(90, QueueLeft())
    log.accept(90, "A")
    log.say(100, "A")
    assert shares(log.turn) == [
        ("agent", "A", 20),
        ("agent", "B", 30),
        ("queue", "t", 40),
        ("agent", "A", 10),
    ]
    assert (log.turn.answered_by, log.turn.owner_id) == ("A", "A")


def test_who_replies_need_not_be_who_owns(log: Log) -> None:
    log.accept(0, "A")
    log.say(0, "customer")
    log.say(10, "B")
    assert (log.turn.answered_by, log.turn.owner_id) == ("B", "A")
    assert shares(log.turn) == [("agent", "A", 10)]


def test_a_shopper_who_leaves_has_given_up(log: Log) -> None:
    log.say(0, "customer")
    log.add(40, CustomerLeft())
    assert (log.turn.outcome, log.turn.elapsed_ms) == ("abandoned", 40 * S)
    assert log.state.unanswered == 1


def test_a_shopper_who_comes_back_still_has_the_question(log: Log) -> None:
    log.say(0, "customer")
    log.add(40, CustomerLeft())
    log.add(60, CustomerReturned())
    assert log.turn.outcome == "waiting"
    log.say(100, "A")
    assert (len(log.turns), log.turn.outcome, log.turn.elapsed_ms) == (1, "answered", 100 * S)
    assert log.sessions[0].replies == 1


def test_a_reply_that_came_meanwhile_is_the_answer_once_the_shopper_is_back(log: Log) -> None:
    log.say(0, "customer")
    log.add(40, CustomerLeft())
    reply = log.say(50, "A")
    log.say(55, "B")
    assert log.turn.outcome == "abandoned"
    log.add(90, CustomerReturned())
    assert (log.turn.outcome, log.turn.answered_by) == ("answered", "A")
    assert (log.turn.elapsed_ms, log.turn.reply_message_id) == (50 * S, reply)
    assert log.sessions[0].replies == 1


def test_who_owned_the_wait_while_the_shopper_was_away_is_kept(log: Log) -> None:
    log.say(0, "customer")
    log.add(5, QueueEntered())
    log.add(10, CustomerLeft())
    log.add(30, QueueLeft())
    log.accept(30, "A")
    log.say(50, "A")
    log.add(60, AssignmentChanged(from_="A", to="B"), "A")
    log.add(90, CustomerReturned())
    assert shares(log.turn) == [("bot", None, 5), ("queue", None, 25), ("agent", "A", 20)]


def test_leaving_twice_is_leaving_once(log: Log) -> None:
    log.say(0, "customer")
    log.add(10, CustomerLeft())
    log.add(20, CustomerLeft())
    assert log.turn.elapsed_ms == 10 * S
    log.add(30, CustomerReturned())
    assert log.turn.outcome == "waiting"


def test_a_shopper_back_in_a_conversation_that_was_resolved_meanwhile_waits_for_nothing(
    log: Log,
) -> None:
    log.say(0, "customer")
    log.add(10, CustomerLeft())
    log.add(20, ConversationStatusChanged(status="resolved"), "A")
    log.add(25, ConversationStatusChanged(status="open"), "A")
    log.add(30, CustomerReturned())
    assert log.turn.outcome == "abandoned"
    assert log.state.turn is None


def test_a_message_that_failed_has_answered_nothing(log: Log) -> None:
    log.say(0, "customer")
    log.accept(0, "A")
    reply = log.say(20, "A")
    log.add(60, MessageFailed(message_id=reply))
    assert (log.turn.outcome, log.turn.elapsed_ms, log.state.unanswered) == ("waiting", None, 1)
    assert log.sessions[0].replies == 0
    log.say(80, "A")
    assert (len(log.turns), log.turn.elapsed_ms) == (1, 80 * S)
    assert log.sessions[0].replies == 1


def test_a_message_that_failed_without_having_answered_changes_nothing(log: Log) -> None:
    log.say(0, "customer")
    log.say(20, "A")
    extra = log.say(30, "A")
    log.add(60, MessageFailed(message_id=extra))
    assert log.turn.outcome == "answered"


def test_a_reply_that_failed_after_the_end_leaves_the_question_unanswered(log: Log) -> None:
    log.accept(0, "A")
    log.say(0, "customer")
    reply = log.say(20, "A")
    log.add(50, ConversationStatusChanged(status="resolved"), "A")
    log.add(60, MessageFailed(message_id=reply))
    assert (log.turn.outcome, log.turn.elapsed_ms) == ("closed_unanswered", 50 * S)
    assert shares(log.turn) == [("agent", "A", 20), ("agent", "A", 30)]
    assert log.state.turn is None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("resolved", "closed_unanswered"),
        ("closed", "closed_unanswered"),
        ("spam", "dismissed"),
    ],
)
def test_an_end_ends_the_wait(log: Log, status: str, outcome: str) -> None:
    log.say(0, "customer")
    log.add(45, ConversationStatusChanged(status=status), "A")
    assert (log.turn.outcome, log.turn.elapsed_ms) == (outcome, 45 * S)
    assert log.state.waiting_since_ms is None
    assert log.sessions[0].ended_at_ms == 45 * S


def test_a_snooze_ends_no_wait(log: Log) -> None:
    log.say(0, "customer")
    log.add(5, ConversationStatusChanged(status="snoozed", until_ms=900 * S), "A")
    assert (log.state.snoozed_until_ms, log.turn.outcome) == (900 * S, "waiting")
    log.add(900, ConversationStatusChanged(status="open"))
    assert log.state.snoozed_until_ms is None
    log.say(910, "A")
    assert log.turn.elapsed_ms == 910 * S


def test_a_reopened_conversation_is_measured_anew(log: Log) -> None:
    log.say(0, "customer")
    log.say(10, "A")
    log.add(20, ConversationStatusChanged(status="resolved"), "A")
    days = 5 * 86_400
    log.add(days, ConversationStatusChanged(status="open"), "customer")
    log.add(days, SessionStarted(cause="reopen"), "customer")
    log.say(days, "customer")
    log.say(days + 600, "A")
    assert (log.turn.session_no, log.turn.elapsed_ms) == (2, 600 * S)
    assert log.turn.is_first_in_session
    assert log.state.resolved_at_ms is None


def test_editing_and_redacting_move_no_clock(log: Log) -> None:
    message = log.say(0, "customer")
    before = log.replayed
    log.add(10, MessageEdited(message_id=message), "customer")
    log.add(20, MessageRedacted(message_id=message))
    assert log.replayed.turns == before.turns
    assert log.state.last_activity_at_ms == 0


def test_a_clock_set_back_gives_no_negative_wait_and_still_adds_up(log: Log) -> None:
    log.say(3600, "customer")
    log.add(3610, QueueEntered())
    log.accept(20, "A")
    log.say(30, "A")
    assert log.turn.elapsed_ms == 10 * S
    assert shares(log.turn) == [("bot", None, 10)]


def test_a_rating_is_the_session_s_and_can_be_revised(log: Log) -> None:
    log.say(0, "customer")
    log.say(5, "A")
    log.add(10, RatingAsked(session_no=1))
    log.add(20, RatingGiven(score=2, session_no=1), "customer")
    log.add(30, RatingRevised(score=4, session_no=1), "customer")
    session = log.sessions[0]
    assert (session.rating, session.rated_at_ms, session.rating_asked_at_ms) == (
        4,
        30 * S,
        10 * S,
    )


def test_tags_are_put_on_once_and_taken_off(log: Log) -> None:
    log.add(0, ConversationTagged(add=("a", "b")))
    log.add(0, ConversationTagged(add=("b", "c"), remove=("a",)))
    assert log.state.tags == ("b", "c")


def test_a_session_goes_on_for_a_day_of_silence_and_no_longer(log: Log) -> None:
    log.say(0, "customer")
    state = log.state
    assert needs_session(state, at_ms=SESSION_GAP_MS) is None
    assert needs_session(state, at_ms=SESSION_GAP_MS + 1) == "gap"
    log.add(10, ConversationStatusChanged(status="resolved"), "A")
    assert needs_session(log.state, at_ms=20 * S) == "reopen"


def test_a_private_note_breaks_no_silence(log: Log) -> None:
    log.say(0, "customer")
    log.say(3600, "A", visibility="private")
    assert log.state.last_activity_at_ms == 0
    assert log.state.last_message is not None
    assert log.state.last_message.visibility == "private"


def test_the_window_for_reopening_is_a_week() -> None:
    assert REOPEN_WINDOW_MS == 7 * 24 * 3600 * S


def test_a_log_that_does_not_begin_with_an_opening_tells_nothing() -> None:
    log = worked_example()
    assert replay(log.events[1:]) is None
    assert replay([]) is None


def test_what_was_imported_leaves_nobody_at_the_widget() -> None:
    log = Log().open()
    log.say(0, "customer")
    assert log.state.customer_present
    log.add(1, MessagePosted(message_id="old"), "customer", imported=True)
    assert not log.state.customer_present
