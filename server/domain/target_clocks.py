"""The clocks of targets: a pure replay of what happened to one chat or ticket.

A clock counts while it is active and, in business time, while the shop is open. Pauses are taken
out of business time itself, so what was closed anyway is not taken out twice. It is due at the
instant at which all of its time has been counted, and missed when it is not stopped by then; that
is decided once, whatever happens later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from server.domain import ticket as tickets
from server.domain.conversation import Conversation, is_counted_reply
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    ConversationStatusChanged,
    CustomerLeft,
    Event,
    MessageFailed,
    MessagePosted,
    QueueEntered,
    QueueLeft,
    TicketCreated,
)
from server.domain.hours import Hours
from server.domain.replay import Replayed, replay, voided
from server.domain.targets import TICKET, Policy, Target
from server.domain.turns import Turn

Outcome = Literal["met", "stopped", "running", "paused"]
Stretch = tuple[int, int | None]
# A reopening goes on with what is left; these states take none of it.
PAUSING = frozenset({"pending_customer", "on_hold"})
_ALWAYS = Hours()
MAX_STEPS = 400


@dataclass(frozen=True, slots=True)
class TargetClock:
    """One clock at an instant. Spans are ms of its own clock, instants ms UTC.

    ``outcome`` is met or stopped (it was no longer owed) when it has ended, else running or
    paused. ``due_at_ms`` is None while a pause hides when it will be; ``missed_at_ms`` is when it
    was missed, and stays.
    """

    target: str
    number: int
    outcome: Outcome
    started_at_ms: int
    ended_at_ms: int | None
    limit_ms: int
    used_ms: int
    warn_at_ms: int | None
    due_at_ms: int | None
    missed_at_ms: int | None
    active: tuple[Stretch, ...]
    business: bool

    @property
    def over(self) -> bool:
        """True when it has ended, in time or not."""
        return self.outcome in ("met", "stopped")

    def warned_by(self, at_ms: int) -> bool:
        """True when by an instant most of its time had passed."""
        return self.warn_at_ms is not None and self.warn_at_ms <= at_ms

    @property
    def key(self) -> tuple[str, int]:
        """What names it within its chat or ticket."""
        return (self.target, self.number)


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of a clock's life: it counts, the shop is closed, or it is paused."""

    kind: Literal["counts", "closed", "paused"]
    start_at_ms: int
    end_at_ms: int
    used_ms: int


@dataclass(frozen=True, slots=True)
class _Life:
    """When a clock is active, and how it ended."""

    target: str
    number: int
    active: tuple[Stretch, ...]
    ended_at_ms: int | None
    met: bool


def clocks(
    events: Sequence[Event], policy: Policy, hours: Hours, *, as_of_ms: int
) -> list[TargetClock]:
    """All clocks of a chat or ticket at an instant, from its events in the order of the log."""
    skipped = voided(events)
    known = [event for event in events if event.at_ms <= as_of_ms]
    found = replay(known)
    if found is None:
        return []
    happened = [event for event in known if event.seq not in skipped]
    lives = (
        _ticket_lives(happened, found)
        if found.conversation.channel == TICKET
        else _chat_lives(happened, found)
    )
    return [
        clock_of(
            life.target,
            life.number,
            life.active,
            policy.targets[life.target],
            hours,
            ended_at_ms=life.ended_at_ms,
            met=life.met,
            as_of_ms=as_of_ms,
        )
        for life in lives
        if life.target in policy.targets
    ]


def clock_of(
    name: str,
    number: int,
    active: Sequence[Stretch],
    target: Target,
    hours: Hours,
    *,
    ended_at_ms: int | None,
    met: bool,
    as_of_ms: int,
) -> TargetClock:
    """The clock that is active in these stretches, of which only the last may still last."""
    counted = hours if target.clock == "business" else _ALWAYS
    started_at_ms = active[0][0]
    limit_ms = target.limit_ms(hours.calendar_at(started_at_ms))
    warn_ms = limit_ms * target.warn_percent // 100
    # When it would have been due says something after the end, too.
    lasting = active
    if ended_at_ms is not None and active[-1][1] == ended_at_ms:
        lasting = (*active[:-1], (active[-1][0], None))
    due_at_ms = reached_at(lasting, limit_ms, counted)
    warn_at_ms = reached_at(lasting, max(1, warn_ms), counted)
    over_at_ms = as_of_ms if ended_at_ms is None else ended_at_ms
    missed = due_at_ms is not None and over_at_ms > due_at_ms
    outcome: Outcome = "running" if active[-1][1] is None else "paused"
    if ended_at_ms is not None:
        outcome = "met" if met and not missed else "stopped"
    return TargetClock(
        target=name,
        number=number,
        outcome=outcome,
        started_at_ms=started_at_ms,
        ended_at_ms=ended_at_ms,
        limit_ms=limit_ms,
        used_ms=used_ms(active, counted, over_at_ms),
        warn_at_ms=warn_at_ms,
        due_at_ms=due_at_ms,
        missed_at_ms=due_at_ms if missed else None,
        active=tuple(active),
        business=target.clock == "business",
    )


def reached_at(active: Sequence[Stretch], span_ms: int, hours: Hours) -> int | None:
    """The instant at which so much has been counted; None when a pause or the end comes before."""
    left = span_ms
    for start, end in active:
        if end is None:
            return hours.after(start, left)
        counted = hours.between_ms(start, end)
        if counted >= left:
            return hours.after(start, left)
        left -= counted
    return None


def used_ms(active: Sequence[Stretch], hours: Hours, until_ms: int) -> int:
    """What has been counted up to an instant."""
    return sum(
        hours.between_ms(start, until_ms if end is None else min(end, until_ms))
        for start, end in active
    )


def next_due(found: Sequence[TargetClock]) -> TargetClock | None:
    """The clock that runs out next among those that run; what is overdue comes first."""
    running = [c for c in found if c.outcome == "running" and c.due_at_ms is not None]
    return min(running, key=lambda c: c.due_at_ms or 0, default=None)


def explain(clock: TargetClock, hours: Hours, *, as_of_ms: int) -> list[Step]:
    """The life of a clock as stretches that follow each other, with what was counted by then."""
    counted = hours if clock.business else _ALWAYS
    until_ms = as_of_ms if clock.ended_at_ms is None else clock.ended_at_ms
    steps: list[Step] = []
    used = 0
    at_ms = clock.started_at_ms
    for start, end in clock.active:
        stop = until_ms if end is None else min(end, until_ms)
        if start > at_ms:
            steps.append(Step("paused", at_ms, start, used))
        at_ms = start
        for opened, closed in counted.open_intervals(start, stop):
            if opened > at_ms:
                steps.append(Step("closed", at_ms, opened, used))
            used += closed - opened
            steps.append(Step("counts", opened, closed, used))
            at_ms = closed
        if stop > at_ms:
            steps.append(Step("closed", at_ms, stop, used))
            at_ms = stop
    if until_ms > at_ms:
        steps.append(Step("paused", at_ms, until_ms, used))
    return steps[:MAX_STEPS]


# what a chat and a ticket owe


def _chat_lives(events: Sequence[Event], found: Replayed) -> Iterator[_Life]:
    yield from _queue_lives(events)
    for turn in found.turns.values():
        yield _wait("round", turn.turn_no, turn, turn.ask_at_ms)
        if turn.is_first_in_session:
            taken_at_ms = _taken_at(turn, found.conversation)
            if taken_at_ms is not None:
                yield _wait("first_response", turn.session_no, turn, taken_at_ms)


def _queue_lives(events: Sequence[Event]) -> Iterator[_Life]:
    """Each stay in the queue, until an agent has the chat; who gives up is owed nothing more."""
    since: int | None = None
    number = 0
    for event in events:
        data = event.data
        if isinstance(data, QueueEntered):
            if since is None:
                since, number = event.at_ms, number + 1
            continue
        if since is None:
            continue
        met = isinstance(data, AssignmentAccepted | AssignmentChanged)
        left = isinstance(data, CustomerLeft) or (
            isinstance(data, QueueLeft) and data.reason != "assigned"
        )
        ended = isinstance(data, ConversationStatusChanged) and data.status != "open"
        if met or left or ended:
            at_ms = max(since, event.at_ms)
            yield _Life("queue_wait", number, ((since, at_ms),), at_ms, met)
            since = None
    if since is not None:
        yield _Life("queue_wait", number, ((since, None),), None, met=False)


def _wait(target: str, number: int, turn: Turn, start_at_ms: int) -> _Life:
    """The clock of a turn, from an instant within it."""
    end = None if turn.end_at_ms is None else max(start_at_ms, turn.end_at_ms)
    return _Life(target, number, ((start_at_ms, end),), end, turn.outcome == "answered")


def _taken_at(turn: Turn, conversation: Conversation) -> int | None:
    """When an agent first had the turn, None while nobody has."""
    for share in turn.shares:
        if share.kind == "agent":
            return share.start_at_ms
    if turn.end_at_ms is None and conversation.owner.kind == "agent":
        return max(turn.shares_until_ms, conversation.owner.since_ms)
    # Answered in the very instant in which it was taken.
    return turn.end_at_ms if turn.outcome == "answered" else None


def _ticket_lives(events: Sequence[Event], found: Replayed) -> Iterator[_Life]:
    states = list(_states(events))
    if not states:
        return
    created_at_ms = states[0][0]
    overs = [at_ms for at_ms, state in states if state in tickets.OVER]
    first = _first_reply(events, created_at_ms)
    ends = [at_ms for at_ms in (first, *overs[:1]) if at_ms is not None]
    end = min(ends, default=None)
    yield _Life("first_response", 1, ((created_at_ms, end),), end, end is not None and end == first)
    for turn in found.turns.values():
        # The first reply answers everything that came before it.
        if end is None or turn.ask_at_ms < end:
            continue
        yield _cut(_wait("next_response", turn.turn_no, turn, turn.ask_at_ms), overs)
    yield _resolution(states)


def _cut(life: _Life, overs: Sequence[int]) -> _Life:
    """The clock, ended where the ticket was over before it: nobody waits for an answer then."""
    start, end = life.active[0]
    over = next((at_ms for at_ms in overs if at_ms >= start and (end is None or at_ms < end)), None)
    if over is None:
        return life
    return _Life(life.target, life.number, ((start, over),), over, met=False)


def _resolution(states: Sequence[tuple[int, str]]) -> _Life:
    """From the beginning to the latest end, without the pauses and the times between."""
    active: list[Stretch] = []
    since: int | None = None  # when the stretch began that lasts
    ended: int | None = None
    last = ""
    for at_ms, state in states:
        counts = state not in PAUSING and state not in tickets.OVER
        if state not in tickets.OVER:
            ended = None
        elif ended is None:
            ended = at_ms
        if counts and since is None:
            since = at_ms
        elif not counts and since is not None:
            active.append((since, max(since, at_ms)))
            since = None
        last = state
    if since is not None:
        active.append((since, None))
    return _Life("resolution", 1, tuple(active), ended, last in ("resolved", "closed"))


def _states(events: Sequence[Event]) -> Iterator[tuple[int, str]]:
    """(since when, state) of a ticket, one after the other."""
    ticket: tickets.Ticket | None = None
    last: str | None = None
    at_ms = 0
    for event in events:
        if ticket is not None:
            ticket = tickets.apply(ticket, event)
        elif isinstance(event.data, TicketCreated):
            ticket = tickets.created(event)
        if ticket is not None and ticket.state != last:
            last = ticket.state
            at_ms = max(at_ms, event.at_ms)
            yield at_ms, last


def _first_reply(events: Sequence[Event], since_ms: int) -> int | None:
    """When a person of the shop first answered with what arrived."""
    failed = {e.data.message_id for e in events if isinstance(e.data, MessageFailed)}
    for event in events:
        data = event.data
        if (
            isinstance(data, MessagePosted)
            and data.message_id not in failed
            and is_counted_reply(event, data)
            and event.at_ms >= since_ms
        ):
            return event.at_ms
    return None
