"""What figures need to know of a conversation: rows of turns, shares, sessions, messages, of it.

A second fold of the same log: the reducer decides what a turn is, this one notes beside it what
only figures ask for. A conversation that figures leave out (spam, a test) has no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any  # Any: fields of rows

from server.domain.conversation import (
    Conversation,
    Session,
    apply,
    is_counted_reply,
    opened,
    passed,
)
from server.domain.events import (
    AgentFocusRecorded,
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    AssignmentOffered,
    BotHandedOff,
    ConversationOpened,
    ConversationStatusChanged,
    Event,
    MessageFailed,
    MessagePosted,
    QueueEntered,
    TurnDismissed,
)
from server.domain.replay import voided
from server.domain.turns import Turn

TEST_TAG = "test"
# An agent who did nothing for longer than this in a conversation was not at work in it.
IDLE_CAP_MS = 120_000
_DAY_MS = 86_400_000
_OVER = frozenset({"resolved", "closed", "spam"})
# (team, from, to) -> business time between two instants; None where no hours were set.
Business = Callable[[str | None, int, int], int | None]


@dataclass(slots=True, kw_only=True)
class Row:
    """What all rows have. ``at_ms`` says to which day a row belongs.

    ``conversation`` is the number in the log of what opened the conversation. ``labels`` are tags
    as they stood, sorted, one a line. Times that did not come are None.
    """

    conversation: int
    customer_id: str
    channel: str
    at_ms: int
    session_no: int
    team_id: str | None = None
    agent_id: str | None = None
    labels: str = ""


@dataclass(slots=True, kw_only=True)
class TurnRow(Row):
    """A wait; ``agent_id`` answered it, else owned it last."""

    turn_no: int
    is_first_in_session: bool
    outcome: str
    end_at_ms: int | None
    biz_ms: int | None
    bot_reply_at_ms: int | None
    handed_off_at_ms: int | None
    queued: bool
    customer_messages: int


@dataclass(slots=True, kw_only=True)
class ShareRow(Row):
    """A stretch of a wait and who owned it; ``at_ms`` is when the turn was asked.

    ``done`` when what the owner was there for was reached: an agent's answer, a queue's handing on.
    """

    turn_no: int
    kind: str
    start_at_ms: int
    end_at_ms: int | None
    biz_ms: int | None
    done: bool
    passed_on: bool


@dataclass(slots=True, kw_only=True)
class SessionRow(Row):
    """A visit's talk in which the shopper wrote; ``at_ms`` is when it started.

    ``agent_id`` gave the first answer, else owned the first wait last. ``next_ask_at_ms`` is when
    the shopper asked something again after it had ended, thanks aside. ``most_replies_by`` has the
    most runs of replies in it; of several agents the one with more messages, then the last.
    """

    cause: str
    ended_at_ms: int | None
    first_ask_at_ms: int
    first_end_at_ms: int | None
    first_outcome: str
    last_outcome: str
    last_owner_id: str | None
    customer_messages: int = 0
    reply_runs: int = 0
    first_reply_at_ms: int | None = None
    first_reply_by: str | None = None
    last_reply_at_ms: int | None = None
    last_reply_by: str | None = None
    queued_at_ms: int | None = None
    offered_to: str | None = None
    transfers: int = 0
    transferred_by: str | None = None
    last_public_at_ms: int
    resolved_at_ms: int | None = None
    resolved_by: str | None = None
    next_ask_at_ms: int | None = None
    rating_asked_at_ms: int | None = None
    rating: int | None = None
    most_replies_by: str | None = None


@dataclass(slots=True, kw_only=True)
class MessageRow(Row):
    """A public message of the shopper or of an agent, bots and automatic ones left out.

    ``agent_id`` of a shopper's message is whose turn it was in. ``starts_run`` for the first reply
    after the shopper wrote.
    """

    seq: int
    of_customer: bool
    starts_run: bool
    turn_no: int


@dataclass(slots=True, kw_only=True)
class CaseRow(Row):
    """A whole conversation; ``at_ms`` is the shopper's first message.

    ``waited_ms`` is the sum of the waits that ended, ``open_ask_at_ms`` when the open one began.
    ``reached_people`` when it was queued, or a person had or answered it.
    """

    waited_ms: int
    open_ask_at_ms: int | None
    first_resolved_at_ms: int | None
    first_resolved_by: str | None
    resolved_at_ms: int | None
    resolved_by: str | None
    reached_people: bool


@dataclass(slots=True, kw_only=True)
class VisitRow(Row):
    """A session, whether or not the shopper wrote in it; ``at_ms`` is when it started.

    ``last_reply_at_ms`` is the last answer to a wait, ``agent_id`` who gave it. ``bot`` when a bot
    answered or handed over in it.
    """

    ended_at_ms: int | None
    resolved_by: str | None
    last_reply_at_ms: int | None
    bot: bool
    handed_off: bool


@dataclass(slots=True, kw_only=True)
class AnswerRow(Row):
    """How an agent ended a wait, in reply or by dismissing it; ``at_ms`` is the session's start.

    Of a reply, ``chars`` are those of all messages until the shopper wrote again, ``plain`` when
    none had an attachment or came from an article, ``macro_only`` when all were macros.
    """

    turn_no: int
    seq: int
    end_at_ms: int
    dismissal: bool
    chars: int
    plain: bool
    macro_only: bool


@dataclass(slots=True, kw_only=True)
class HandlingRow(Row):
    """An agent's work on a session; ``at_ms`` is the session's start.

    ``handle_ms`` is how long they had it in front of them, ``owned_ms`` how long it was theirs;
    ``owned_from_ms`` is since when it still is.
    """

    handle_ms: int
    owned_ms: int
    owned_from_ms: int | None
    ended: bool


@dataclass(slots=True, kw_only=True)
class OwnedRow(Row):
    """A stretch in which an agent owned a session; ``at_ms`` is the session's start."""

    start_at_ms: int
    end_at_ms: int | None


@dataclass(slots=True, kw_only=True)
class MarkRow:
    """A day of UTC on which something happened in a conversation; ``at_ms`` is the first of it."""

    conversation: int
    at_ms: int


@dataclass(slots=True)
class Facts:
    """The rows of one conversation, how far its log went, and the instants that they may stand at.

    ``marks`` are there for one that has no rows too: as of an earlier instant it may have had some.
    ``last_at_ms`` is the latest instant of its events: as of any later one the rows are the same.
    """

    conversation: int
    conversation_id: str
    last_seq: int
    last_at_ms: int
    instants: frozenset[int]
    marks: list[MarkRow] = field(default_factory=list)
    turns: list[TurnRow] = field(default_factory=list)
    shares: list[ShareRow] = field(default_factory=list)
    sessions: list[SessionRow] = field(default_factory=list)
    messages: list[MessageRow] = field(default_factory=list)
    cases: list[CaseRow] = field(default_factory=list)
    visits: list[VisitRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    handlings: list[HandlingRow] = field(default_factory=list)
    owned: list[OwnedRow] = field(default_factory=list)


@dataclass(slots=True)
class _Visit:
    """What is noted of a session while the log goes by."""

    customer_messages: int = 0
    reply_runs: int = 0
    first_reply_at_ms: int | None = None
    first_reply_by: str | None = None
    last_reply_at_ms: int | None = None
    last_reply_by: str | None = None
    queued_at_ms: int | None = None
    offered_to: str | None = None
    transfers: int = 0
    transferred_by: str | None = None
    last_public_at_ms: int = 0
    resolved_at_ms: int | None = None
    resolved_by: str | None = None
    team_id: str | None = None
    labels: str = ""
    # By agent: runs of replies, messages, when the last one was.
    written: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def wrote(self, agent_id: str | None, at_ms: int, *, starts_run: bool) -> None:
        """Notes a reply of an agent."""
        if agent_id is not None:
            runs, messages, _ = self.written.get(agent_id, (0, 0, 0))
            self.written[agent_id] = (runs + starts_run, messages + 1, at_ms)

    @property
    def most_replies_by(self) -> str | None:
        """The agent with the most replies, None where nobody replied."""
        return max(self.written, key=lambda who: (self.written[who], who), default=None)


@dataclass(slots=True)
class _Said:
    seq: int
    at_ms: int
    by: str | None
    of_customer: bool
    starts_run: bool
    session_no: int
    turn_no: int
    team_id: str | None


@dataclass(slots=True)
class _Line:
    """A public message of the shopper (``said`` None) or a counted reply."""

    seq: int
    said: MessagePosted | None


class _Fold:
    """One pass over the events of a conversation."""

    def __init__(self, first: Event, failed: frozenset[str]) -> None:
        self.state = opened(first)
        self.key = first.seq
        self.failed = failed
        self.turns: dict[int, Turn] = {}
        self.sessions: dict[int, Session] = {}
        self.visits: dict[int, _Visit] = {}
        self.said: list[_Said] = []
        self.asked_since = False
        self.wrote = self.state.initiator == "customer"
        self.handed_off: dict[int, int] = {}
        self.queued: set[int] = set()
        self.writings: dict[int, int] = {}
        self.reached_people = False
        self.first_resolved: tuple[int, str | None] | None = None
        self.resolved: tuple[int, str | None] | None = None
        self.lines: list[_Line] = []
        # Who owned it from when on, None for nobody.
        self.owners: list[tuple[int, str | None]] = []
        # By session and agent: what was in front of them from when to when.
        self.focused: dict[tuple[int, str], list[tuple[int, int]]] = {}
        self.handed: list[int] = []
        self.dismissed_by: dict[int, str] = {}

    def take(self, event: Event) -> None:
        before = self.state
        applied = apply(before, event)
        after = self.state = applied.conversation
        for turn in applied.turns:
            self.turns[turn.turn_no] = turn
        for session in applied.sessions:
            self.sessions[session.session_no] = session
        note = _NOTES.get(type(event.data))
        if note is not None:
            note(self, event, before, after)
        if after.owner.kind != "bot":
            self.reached_people = True
            if after.turn is not None and after.owner.kind == "queue":
                self.queued.add(after.turn.turn_no)
        if after.in_session:
            visit = self.visit(after.session_no)
            visit.team_id = after.team_id
            visit.labels = "\n".join(sorted(after.tags)) if after.tags else ""

    def visit(self, session_no: int) -> _Visit:
        found = self.visits.get(session_no)
        if found is None:
            found = self.visits[session_no] = _Visit()
        return found

    def posted(self, event: Event, before: Conversation, after: Conversation) -> None:
        data = event.data
        if not isinstance(data, MessagePosted) or data.visibility != "public":
            return
        of_customer = event.actor_kind == "customer"
        if of_customer or is_counted_reply(event, data):
            self.lines.append(_Line(event.seq, None if of_customer else data))
        turn = after.turn if of_customer else before.turn
        # Who asks again after a day of silence still waits, in the session of the question.
        session_no = turn.session_no if turn else after.session_no
        visit = self.visit(session_no)
        if of_customer:
            self.wrote = True
        if data.message_id in self.failed or not self.wrote:
            return
        visit.last_public_at_ms = max(visit.last_public_at_ms, event.at_ms)
        starts = False
        turn_no = turn.turn_no if turn else after.turn_no
        if of_customer:
            self.asked_since = True
            visit.customer_messages += 1
            self.writings[turn_no] = self.writings.get(turn_no, 0) + 1
        elif is_counted_reply(event, data):
            starts, self.asked_since = self.asked_since, False
            self.reached_people = True
            visit.reply_runs += starts
            if visit.first_reply_at_ms is None:
                visit.first_reply_at_ms, visit.first_reply_by = event.at_ms, event.actor_id
            visit.last_reply_at_ms, visit.last_reply_by = event.at_ms, event.actor_id
            visit.wrote(event.actor_id, event.at_ms, starts_run=starts)
        else:
            return
        self.said.append(
            _Said(
                event.seq,
                event.at_ms,
                None if of_customer else event.actor_id,
                of_customer,
                starts,
                session_no,
                turn_no,
                event.team_id,
            )
        )

    def queue(self, event: Event, _before: Conversation, after: Conversation) -> None:
        self.owners.append((event.at_ms, None))
        if isinstance(event.data, BotHandedOff):
            self.handed.append(event.at_ms)
            if after.turn is not None:
                self.handed_off.setdefault(after.turn.turn_no, event.at_ms)
        if after.in_session:
            visit = self.visit(after.session_no)
            if visit.queued_at_ms is None:
                visit.queued_at_ms = event.at_ms

    def offered(self, event: Event, _before: Conversation, after: Conversation) -> None:
        if isinstance(event.data, AssignmentOffered):
            self.visit(after.session_no).offered_to = event.data.to

    def accepted(self, event: Event, _before: Conversation, _after: Conversation) -> None:
        if isinstance(event.data, AssignmentAccepted):
            self.owners.append((event.at_ms, event.data.to or event.actor_id))

    def unassigned(self, event: Event, _before: Conversation, _after: Conversation) -> None:
        self.owners.append((event.at_ms, None))

    def focus(self, event: Event, _before: Conversation, _after: Conversation) -> None:
        data, agent_id, session_no = event.data, event.actor_id, event.session_no
        if isinstance(data, AgentFocusRecorded) and agent_id and session_no is not None:
            length = min(data.focused_ms, IDLE_CAP_MS)
            spans = self.focused.setdefault((session_no, agent_id), [])
            spans.append((event.at_ms - length, event.at_ms))

    def dismissed(self, event: Event, _before: Conversation, _after: Conversation) -> None:
        if event.actor_kind == "agent" and event.actor_id is not None:
            self.dismissed_by[event.seq] = event.actor_id

    def changed(self, event: Event, before: Conversation, after: Conversation) -> None:
        if isinstance(event.data, AssignmentChanged):
            self.owners.append((event.at_ms, event.data.to or event.actor_id))
        if isinstance(event.data, AssignmentChanged) and event.data.to is not None:
            giver = event.data.from_ or before.assignee_id
            if giver is not None and giver != event.data.to:
                visit = self.visit(after.session_no)
                visit.transfers += 1
                visit.transferred_by = visit.transferred_by or giver

    def status(self, event: Event, before: Conversation, _after: Conversation) -> None:
        if not isinstance(event.data, ConversationStatusChanged):
            return
        if event.data.status in _OVER:
            self.owners.append((event.at_ms, None))
        if event.data.status == "resolved":
            by = event.actor_id if event.actor_kind == "agent" else None
            self.resolved = (event.at_ms, by)
            self.first_resolved = self.first_resolved or self.resolved
            if before.in_session:
                visit = self.visit(before.session_no)
                visit.resolved_at_ms, visit.resolved_by = event.at_ms, by
        elif event.data.status == "open":
            self.resolved = None


_Note = Callable[[_Fold, Event, Conversation, Conversation], None]
_NOTES: dict[type, _Note] = {
    MessagePosted: _Fold.posted,
    QueueEntered: _Fold.queue,
    BotHandedOff: _Fold.queue,
    AgentFocusRecorded: _Fold.focus,
    AssignmentAccepted: _Fold.accepted,
    AssignmentChanged: _Fold.changed,
    AssignmentEnded: _Fold.unassigned,
    AssignmentOffered: _Fold.offered,
    TurnDismissed: _Fold.dismissed,
    ConversationStatusChanged: _Fold.status,
}


def facts_of(
    events: Sequence[Event], *, as_of_ms: int | None = None, business: Business | None = None
) -> Facts | None:
    """The rows of a conversation from its events in the order of the log.

    Of what happened after ``as_of_ms`` nothing is known, corrections aside. None when the events do
    not begin with an opening, or that came later.
    """
    skipped = voided(events)
    if as_of_ms is not None:
        events = [event for event in events if event.at_ms <= as_of_ms]
    if not events or not isinstance(events[0].data, ConversationOpened):
        return None
    failed = frozenset(
        event.data.message_id
        for event in events
        if isinstance(event.data, MessageFailed) and event.seq not in skipped
    )
    fold = _Fold(events[0], failed)
    teams = {}
    for event in events[1:]:
        teams[event.seq] = event.team_id
        if event.seq in skipped:
            fold.state = passed(fold.state, event)
        else:
            fold.take(event)
    instants = frozenset(event.at_ms for event in events)
    found = Facts(
        conversation=fold.key,
        conversation_id=fold.state.id,
        last_seq=events[-1].seq,
        last_at_ms=max(instants),
        instants=instants,
    )
    first: dict[int, int] = {}
    for at_ms in sorted(instants, reverse=True):
        first[at_ms // _DAY_MS] = at_ms
    found.marks = [MarkRow(conversation=fold.key, at_ms=at_ms) for at_ms in first.values()]
    if fold.state.status == "spam" or TEST_TAG in fold.state.tags:
        return found
    _Rows(fold, found, teams, business).write()
    return found


@dataclass(slots=True)
class _Rows:
    """The rows of a fold."""

    fold: _Fold
    found: Facts
    teams: dict[int, str | None]
    business: Business | None

    def write(self) -> None:
        turns = sorted(self.fold.turns.values(), key=lambda turn: turn.turn_no)
        self.visits(turns)
        if not turns:
            return
        for turn in turns:
            self.found.turns.append(self.turn(turn))
            self.found.shares.extend(self.shares(turn, self.found.turns[-1]))
        self.sessions()
        self.messages()
        self.case()

    def turn(self, turn: Turn) -> TurnRow:
        fold, state = self.fold, self.fold.state
        waiting = turn.end_at_ms is None
        team_id = state.team_id if waiting else self.teams.get(turn.end_seq or 0)
        return TurnRow(
            conversation=fold.key,
            customer_id=state.customer_id,
            channel=state.channel,
            at_ms=turn.ask_at_ms,
            session_no=turn.session_no,
            team_id=team_id,
            agent_id=turn.owner_id if waiting else turn.answered_by or turn.owner_id,
            labels=self.labels(turn.session_no),
            turn_no=turn.turn_no,
            is_first_in_session=turn.is_first_in_session,
            outcome=turn.outcome,
            end_at_ms=turn.end_at_ms,
            biz_ms=self.span(team_id, turn.ask_at_ms, turn.end_at_ms),
            bot_reply_at_ms=turn.bot_reply_at_ms,
            handed_off_at_ms=fold.handed_off.get(turn.turn_no),
            queued=turn.turn_no in fold.queued,
            customer_messages=fold.writings.get(turn.turn_no, 0),
        )

    def shares(self, turn: Turn, row: TurnRow) -> Iterable[ShareRow]:
        waiting = turn.end_at_ms is None
        owner = self.fold.state.owner
        spans: list[tuple[str, str | None, int, int | None]] = [
            (share.kind, share.id, share.start_at_ms, share.end_at_ms) for share in turn.shares
        ]
        if waiting:
            spans.append((owner.kind, owner.id, turn.shares_until_ms, None))
        for place, (kind, owner_id, start_at_ms, end_at_ms) in enumerate(spans):
            last = place + 1 == len(spans)
            team_id = owner_id if kind == "queue" else row.team_id
            if last:
                done = turn.outcome == "answered" and (
                    kind == "queue" or (kind == "agent" and owner_id == turn.answered_by)
                )
            else:
                done = kind == "queue" and spans[place + 1][0] == "agent"
            yield ShareRow(
                conversation=row.conversation,
                customer_id=row.customer_id,
                channel=row.channel,
                at_ms=row.at_ms,
                session_no=row.session_no,
                team_id=team_id,
                agent_id=owner_id if kind == "agent" else None,
                labels=row.labels,
                turn_no=row.turn_no,
                kind=kind,
                start_at_ms=start_at_ms,
                end_at_ms=end_at_ms,
                biz_ms=self.span(team_id, start_at_ms, end_at_ms),
                done=done,
                passed_on=kind == "agent" and not last,
            )

    def sessions(self) -> None:
        by_session: dict[int, list[TurnRow]] = {}
        for row in self.found.turns:
            by_session.setdefault(row.session_no, []).append(row)
        later: int | None = None
        rows: list[SessionRow] = []
        for session_no, turns in sorted(by_session.items(), reverse=True):
            first, last = turns[0], turns[-1]
            visit = self.fold.visit(session_no)
            session = self.fold.sessions.get(session_no)
            rows.append(
                SessionRow(
                    conversation=first.conversation,
                    customer_id=first.customer_id,
                    channel=first.channel,
                    at_ms=session.started_at_ms if session else first.at_ms,
                    session_no=session_no,
                    team_id=visit.team_id,
                    agent_id=first.agent_id,
                    labels=visit.labels,
                    cause=session.cause if session else "new",
                    ended_at_ms=session.ended_at_ms if session else None,
                    first_ask_at_ms=first.at_ms,
                    first_end_at_ms=first.end_at_ms,
                    first_outcome=first.outcome,
                    last_outcome=last.outcome,
                    last_owner_id=last.agent_id,
                    customer_messages=visit.customer_messages,
                    reply_runs=visit.reply_runs,
                    first_reply_at_ms=visit.first_reply_at_ms,
                    first_reply_by=visit.first_reply_by,
                    last_reply_at_ms=visit.last_reply_at_ms,
                    last_reply_by=visit.last_reply_by,
                    queued_at_ms=visit.queued_at_ms,
                    offered_to=visit.offered_to,
                    transfers=visit.transfers,
                    transferred_by=visit.transferred_by,
                    last_public_at_ms=visit.last_public_at_ms,
                    resolved_at_ms=visit.resolved_at_ms,
                    resolved_by=visit.resolved_by,
                    next_ask_at_ms=later,
                    rating_asked_at_ms=session.rating_asked_at_ms if session else None,
                    rating=session.rating if session else None,
                    most_replies_by=visit.most_replies_by,
                )
            )
            asked = [row.at_ms for row in turns if row.outcome != "dismissed"]
            later = min(asked) if asked else later
        self.found.sessions.extend(reversed(rows))

    def messages(self) -> None:
        whose = {row.turn_no: row.agent_id for row in self.found.turns}
        state = self.fold.state
        for said in self.fold.said:
            self.found.messages.append(
                MessageRow(
                    conversation=self.fold.key,
                    customer_id=state.customer_id,
                    channel=state.channel,
                    at_ms=said.at_ms,
                    session_no=said.session_no,
                    team_id=said.team_id,
                    agent_id=whose.get(said.turn_no) if said.of_customer else said.by,
                    labels=self.labels(said.session_no),
                    seq=said.seq,
                    of_customer=said.of_customer,
                    starts_run=said.starts_run,
                    turn_no=said.turn_no,
                )
            )

    def case(self) -> None:
        fold, turns = self.fold, self.found.turns
        still = [row.at_ms for row in turns if row.end_at_ms is None]
        first_at, first_by = fold.first_resolved or (None, None)
        last_at, last_by = fold.resolved or (None, None)
        self.found.cases.append(
            CaseRow(
                conversation=fold.key,
                customer_id=fold.state.customer_id,
                channel=fold.state.channel,
                at_ms=turns[0].at_ms,
                session_no=turns[-1].session_no,
                team_id=fold.state.team_id,
                agent_id=last_by or fold.state.assignee_id or turns[-1].agent_id,
                labels=self.labels(turns[-1].session_no),
                waited_ms=sum(
                    row.end_at_ms - row.at_ms for row in turns if row.end_at_ms is not None
                ),
                open_ask_at_ms=still[-1] if still else None,
                first_resolved_at_ms=first_at,
                first_resolved_by=first_by,
                resolved_at_ms=last_at,
                resolved_by=last_by,
                reached_people=fold.reached_people,
            )
        )

    def visits(self, turns: Sequence[Turn]) -> None:
        fold, state = self.fold, self.fold.state
        runs = _runs(fold.lines, {turn.end_seq for turn in turns})
        for session in fold.sessions.values():
            own = [turn for turn in turns if turn.session_no == session.session_no]
            ended = [turn for turn in own if turn.end_at_ms is not None]
            replies = [turn for turn in ended if turn.outcome == "answered" and turn.answered_by]
            end = session.ended_at_ms
            handed_off = any(
                session.started_at_ms <= at_ms and (end is None or at_ms <= end)
                for at_ms in fold.handed
            )
            same: dict[str, Any] = {  # Any: fields of rows
                "conversation": fold.key,
                "customer_id": state.customer_id,
                "channel": state.channel,
                "at_ms": session.started_at_ms,
                "session_no": session.session_no,
                "team_id": self.teams.get(ended[-1].end_seq or 0) if ended else state.team_id,
                "labels": self.labels(session.session_no),
            }
            self.found.visits.append(
                VisitRow(
                    **same,
                    agent_id=replies[-1].answered_by if replies else None,
                    ended_at_ms=end,
                    resolved_by=None if end is None else session.resolved_by,
                    last_reply_at_ms=replies[-1].end_at_ms if replies else None,
                    bot=handed_off or any(turn.bot_reply_at_ms is not None for turn in own),
                    handed_off=handed_off,
                )
            )
            self.found.answers.extend(self.answers(ended, runs, same))
            self.handled(session, same)

    def answers(
        self,
        ended: Iterable[Turn],
        runs: Mapping[int, Sequence[MessagePosted]],
        same: Mapping[str, Any],  # Any: fields of rows
    ) -> Iterable[AnswerRow]:
        for turn in ended:
            seq, end_at_ms = turn.end_seq, turn.end_at_ms
            if seq is None or end_at_ms is None:
                continue
            by = turn.answered_by if turn.outcome == "answered" else self.fold.dismissed_by.get(seq)
            if by is None or turn.outcome not in ("answered", "dismissed"):
                continue
            run = runs.get(seq, ())
            yield AnswerRow(
                **same,
                agent_id=by,
                turn_no=turn.turn_no,
                seq=seq,
                end_at_ms=end_at_ms,
                dismissal=turn.outcome == "dismissed",
                chars=sum(said.chars for said in run),
                plain=not any(said.attachment or said.origin == "kb" for said in run),
                macro_only=bool(run) and all(said.origin == "macro" for said in run),
            )

    def handled(self, session: Session, same: Mapping[str, Any]) -> None:  # Any: fields of rows
        spans = owned_spans(self.fold.owners, session.started_at_ms, session.ended_at_ms)
        by_agent: dict[str, tuple[int, int | None]] = {}
        for agent_id, start, end in spans:
            total, _ = by_agent.get(agent_id, (0, None))
            length = 0 if end is None else end - start
            by_agent[agent_id] = (total + length, start if end is None else None)
            self.found.owned.append(
                OwnedRow(**same, agent_id=agent_id, start_at_ms=start, end_at_ms=end)
            )
        focused = {
            agent_id: covered_ms(own)
            for (session_no, agent_id), own in self.fold.focused.items()
            if session_no == session.session_no
        }
        for agent_id in sorted({*by_agent, *focused}):
            owned_ms, owned_from_ms = by_agent.get(agent_id, (0, None))
            self.found.handlings.append(
                HandlingRow(
                    **same,
                    agent_id=agent_id,
                    handle_ms=focused.get(agent_id, 0),
                    owned_ms=owned_ms,
                    owned_from_ms=owned_from_ms,
                    ended=session.ended_at_ms is not None,
                )
            )

    def labels(self, session_no: int) -> str:
        visit = self.fold.visits.get(session_no)
        return visit.labels if visit else ""

    def span(self, team_id: str | None, start_at_ms: int, end_at_ms: int | None) -> int | None:
        if self.business is None or end_at_ms is None:
            return None
        return self.business(team_id, start_at_ms, end_at_ms)


def _runs(lines: Iterable[_Line], firsts: Container[int | None]) -> dict[int, list[MessagePosted]]:
    """All counted messages of the runs that begin with some numbers of the log, by these."""
    runs: dict[int, list[MessagePosted]] = {}
    run: list[MessagePosted] | None = None
    for line in lines:
        if line.said is None:
            run = None
            continue
        if line.seq in firsts:
            run = runs[line.seq] = []
        if run is not None:
            run.append(line.said)
    return runs


def owned_spans(
    owners: Iterable[tuple[int, str | None]], start_ms: int, end_ms: int | None
) -> list[tuple[str, int, int | None]]:
    """Who owned a session from when to when: from accepting it until passing it on or its end.

    ``owners`` are those of its conversation, from when on, in order. The last stretch of a session
    that goes on has no end.

    >>> owned_spans([(5, "amy"), (8, None), (9, "bo")], 7, 20)
    [('amy', 7, 8), ('bo', 9, 20)]
    """
    spans: list[tuple[str, int, int | None]] = []
    owner: str | None = None
    since = start_ms
    for at_ms, to in owners:
        until = max(at_ms, start_ms) if end_ms is None else min(max(at_ms, start_ms), end_ms)
        if owner is not None and until > since:
            spans.append((owner, since, until))
        owner, since = to, max(since, until)
        if end_ms is not None and at_ms >= end_ms:
            return spans
    if owner is not None and (end_ms is None or end_ms > since):
        spans.append((owner, since, end_ms))
    return spans


def covered_ms(spans: Iterable[tuple[int, int]]) -> int:
    """How much time spans cover together.

    >>> covered_ms([(0, 10), (5, 20), (30, 31)])
    21
    """
    total, until = 0, -1
    for start, end in sorted(spans):
        total += max(0, end - max(start, until))
        until = max(until, end)
    return total
