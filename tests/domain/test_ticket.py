"""Laws of tickets over any events and any attempts in any order."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.events import (
    AssignmentAccepted,
    AssignmentEnded,
    Event,
    EventData,
    MessageFailed,
    MessagePosted,
    TicketClosing,
    TicketCreated,
    TicketMerged,
    TicketPriorityChanged,
    TicketStateChanged,
    TicketTookIn,
    TurnDismissed,
)
from server.domain.hours import Hours, calendar_of
from server.domain.ticket import (
    LANES,
    PRIORITIES,
    STATES,
    TRANSITIONS,
    Ticket,
    apply,
    may_become,
    needs_reason,
    next_states,
    replay,
)
from server.domain.ticket_closing import Closing, after_days, plan
from server.domain.ticket_number import ALPHABET, number_of, read_number

WHO = ("agent", "lead", "shopper", "system")
DATA: st.SearchStrategy[EventData] = st.one_of(
    st.builds(
        MessagePosted,
        message_id=st.sampled_from(["a", "b", "c"]),
        visibility=st.sampled_from(["public", "public", "private"]),
        origin=st.sampled_from(["typed", "macro", "auto", "system"]),
    ),
    st.builds(MessageFailed, message_id=st.sampled_from(["a", "b", "c"])),
    st.builds(TurnDismissed),
    st.builds(TicketStateChanged, to=st.sampled_from(STATES)),
    st.builds(
        TicketPriorityChanged,
        to=st.sampled_from(PRIORITIES),
        source=st.sampled_from(["default", "manual", "rule", "segment", "escalation"]),
    ),
    st.builds(TicketMerged, into=st.sampled_from(["x", "y"]), undone=st.booleans()),
    st.builds(
        TicketTookIn,
        ticket_id=st.sampled_from(["x", "y"]),
        unanswered=st.booleans(),
        undone=st.booleans(),
    ),
    st.builds(TicketClosing, step=st.sampled_from(["reminded", "held", "let_go"])),
    st.builds(AssignmentAccepted, to=st.sampled_from(["A", "B"])),
    st.builds(AssignmentEnded, from_=st.just("A")),
)


def event(data: EventData, seq: int, kind: str = "agent", at_ms: int | None = None) -> Event:
    return Event(
        seq=seq,
        event_id=f"e{seq}",
        at_ms=seq * 1000 if at_ms is None else at_ms,
        data=data,
        actor_kind=kind,  # type: ignore[arg-type]  # of a list
        actor_id="A" if kind == "agent" else None,
        conversation_id="t",
        customer_id="u",
        staff_seq=seq,
    )


LOGS = st.lists(
    st.tuples(DATA, st.sampled_from(["customer", "agent", "agent", "system"])), max_size=25
).map(
    lambda steps: [
        event(TicketCreated(number="T-2222-2222"), 1, "customer"),
        *(event(data, at, kind) for at, (data, kind) in enumerate(steps, 2)),
    ]
)


def folded(events: list[Event]) -> Ticket:
    found = replay(events)
    assert found is not None
    return found


@given(LOGS)
def test_the_fold_is_total_and_every_prefix_is_the_state_then(events: list[Event]) -> None:
    ticket = folded(events[:1])
    for number, one in enumerate(events[1:], 2):
        ticket = apply(ticket, one)
        assert folded(events[:number]) == ticket
        assert ticket.state in STATES
        assert ticket.lane in LANES
        assert ticket.reopens >= 0
        assert (ticket.merged_into is None) == (ticket.before_merge is None)


@given(LOGS)
def test_what_a_person_set_as_priority_only_a_person_changes(events: list[Event]) -> None:
    ticket = folded(events[:1])
    for one in events[1:]:
        before, ticket = ticket, apply(ticket, one)
        by_rule = isinstance(one.data, TicketPriorityChanged) and one.data.source != "manual"
        if before.priority_source == "manual" and by_rule:
            assert ticket.priority == before.priority


@given(LOGS, st.sampled_from(STATES))
def test_merge_and_undo_leave_a_ticket_as_it_was(events: list[Event], state: str) -> None:
    ticket = folded(events)
    if ticket.merged_into is not None:
        return
    seq = len(events) + 1
    steps: list[EventData] = [
        TicketMerged(into="z"),
        TicketStateChanged(from_=ticket.state, to="merged"),
        TicketMerged(into="z", undone=True),
        TicketStateChanged(from_="merged", to=ticket.state),
    ]
    after = ticket
    for at, data in enumerate(steps):
        after = apply(after, event(data, seq + at))
    heads = ("updated_at_ms", "seq", "last_seq")
    assert {k: v for k, v in vars(after).items() if k not in heads} == {
        k: v for k, v in vars(ticket).items() if k not in heads
    }


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.just(""), st.just("")),
            st.tuples(st.just("reply"), st.just(""), st.just("")),
            st.tuples(st.just("note"), st.just(""), st.just("")),
            st.tuples(st.just("bounce"), st.just(""), st.just("")),
            st.tuples(st.just("join"), st.just(""), st.just("")),
            st.tuples(
                st.sampled_from(STATES),
                st.sampled_from(WHO),
                st.sampled_from(["", "", "other"]),
            ),
        ),
        max_size=40,
    )
)
def test_no_ticket_ends_without_an_answer_or_a_stated_reason(
    steps: list[tuple[str, str, str]],
) -> None:
    """Whatever is tried, by whomever: what the rules let through has an answer or a reason."""
    tried = Tried()
    for seq, (what, who, reason) in enumerate(steps, 2):
        if what in STATES:
            tried.end(seq, what, who, reason)
        else:
            getattr(tried, what)(seq)


class Tried:
    """What was tried with a ticket, beside a count of what was asked and answered."""

    def __init__(self) -> None:
        self.ticket = folded([event(TicketCreated(number="T-2222-2222"), 1, "customer")])
        # The places of the last question and of the last answer that arrived.
        self.asked, self.answered = 1, 0
        self.joined = False
        self.last_reply = ""

    def note_down(self, data: EventData, seq: int, kind: str = "agent") -> None:
        """Applies an event."""
        self.ticket = apply(self.ticket, event(data, seq, kind))

    def ask(self, seq: int) -> None:
        """The shopper writes."""
        self.note_down(MessagePosted(message_id=f"m{seq}"), seq, "customer")
        self.asked = seq
        if may_become(self.ticket, "open", "shopper"):
            self.note_down(TicketStateChanged(to="open"), seq)

    def reply(self, seq: int) -> None:
        """An agent answers where that is allowed."""
        if self.ticket.state not in ("closed", "merged", "spam"):
            self.last_reply = f"m{seq}"
            self.note_down(MessagePosted(message_id=self.last_reply), seq)
            self.answered, self.joined = seq, False

    def note(self, seq: int) -> None:
        """An agent writes among colleagues."""
        self.note_down(MessagePosted(message_id=f"m{seq}", visibility="private"), seq)

    def bounce(self, seq: int) -> None:
        """The last answer turns out not to have arrived."""
        self.note_down(MessageFailed(message_id=self.last_reply), seq)
        if self.last_reply and self.ticket.last_reply_id is None:
            self.answered = 0

    def join(self, seq: int) -> None:
        """Another ticket with an open question is joined to it."""
        if not self.ticket.over:
            self.note_down(TicketTookIn(ticket_id="x", unanswered=True), seq)
            self.joined = True

    def end(self, seq: int, state: str, who: str, reason: str) -> None:
        """Somebody tries to bring it into a state."""
        before = self.ticket
        if not may_become(before, state, who):  # type: ignore[arg-type]  # of WHO
            return
        if state == "merged" or (needs_reason(before, state) and not reason):
            return
        change = TicketStateChanged(from_=before.state, to=state, reason=reason or None)
        self.note_down(change, seq)
        if state in ("resolved", "closed") and not before.over:
            really = self.answered > self.asked and not self.joined
            assert really or self.ticket.reason == "other"


def test_every_state_leads_only_to_states_and_the_final_ones_nowhere() -> None:
    assert set(TRANSITIONS) == set(STATES)
    for state, onward in TRANSITIONS.items():
        assert set(onward) <= set(STATES) - {state, "new"}
    assert TRANSITIONS["closed"] == TRANSITIONS["merged"] == {}
    # An agent never closes, a shopper neither closes nor hides anything.
    for state in STATES:
        ticket = Ticket("t", "n", "u", 0, state=state)
        assert "closed" not in next_states(ticket, "agent")
        assert set(next_states(ticket, "shopper")) <= {"open", "resolved"}


@given(st.lists(st.integers(0, len(ALPHABET) - 1), min_size=7, max_size=7), st.data())
def test_a_number_is_read_again_and_no_single_slip_is_another(
    picks: list[int], data: st.DataObject
) -> None:
    left = iter(picks)
    number = number_of(lambda _: next(left))
    assert read_number(number) == number
    assert read_number(number.lower().replace("-", " ")) == number
    at = data.draw(st.sampled_from([2, 3, 4, 5, 7, 8, 9, 10]))
    wrong = data.draw(st.sampled_from([c for c in ALPHABET if c != number[at]]))
    assert read_number(number[:at] + wrong + number[at + 1 :]) is None


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        # Friday evening; the weekend does not count.
        ("2026-11-20T18:00", 2, "2026-11-24T18:00"),
        ("2026-11-18T09:00", 2, "2026-11-20T09:00"),
    ],
)
def test_business_days_pass_over_the_weekend(start: str, days: int, end: str) -> None:
    tz = ZoneInfo("Asia/Shanghai")
    calendar = calendar_of("Asia/Shanghai", ["09:00-18:00"] * 5 + ["", ""], {})
    hours = Hours([(0, calendar)])

    def ms(text: str) -> int:
        return (
            int(datetime.fromisoformat(text).replace(tzinfo=tz).astimezone(UTC).timestamp()) * 1000
        )

    assert after_days(ms(start), days, hours, tz) == ms(end)


def test_the_steps_of_closing_are_seen_before_they_come_and_none_while_held() -> None:
    tz, hours, rules = ZoneInfo("UTC"), Hours(), Closing(on=True)
    day = 24 * 3600 * 1000
    ticket = Ticket("t", "n", "u", 0, state="pending_customer", state_at_ms=day)
    steps = plan(ticket, rules, hours, tz)
    assert [(one.step, one.at_ms // day) for one in steps] == [
        ("remind", 3),
        ("resolve", 6),
        ("close", 13),
    ]
    held = Ticket("t", "n", "u", 0, state="pending_customer", state_at_ms=day, held=True)
    assert plan(held, rules, hours, tz) == []
    assert plan(Ticket("t", "n", "u", 0, state="open"), rules, hours, tz) == []
