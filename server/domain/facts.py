"""What figures need to know of a conversation: rows of turns, shares, sessions, messages, of it.

A second fold of the same log: the reducer decides what a turn is, this one notes beside it what
only figures ask for. A conversation that figures leave out (spam, a test) has no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from server.domain.conversation import (
    Conversation,
    Session,
    apply,
    is_counted_reply,
    opened,
    passed,
)
from server.domain.events import (
    AssignmentChanged,
    AssignmentOffered,
    BotHandedOff,
    ConversationOpened,
    ConversationStatusChanged,
    Event,
    MessageFailed,
    MessagePosted,
    QueueEntered,
)
from server.domain.replay import voided
from server.domain.turns import Turn

TEST_TAG = "test"
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


@dataclass(slots=True)
class Facts:
    """The rows of one conversation, how far its log went, and the instants that they may stand at.

    ``last_at_ms`` is the latest instant of its events: as of any later one the rows are the same.
    """

    conversation: int
    conversation_id: str
    last_seq: int
    last_at_ms: int
    instants: frozenset[int]
    turns: list[TurnRow] = field(default_factory=list)
    shares: list[ShareRow] = field(default_factory=list)
    sessions: list[SessionRow] = field(default_factory=list)
    messages: list[MessageRow] = field(default_factory=list)
    cases: list[CaseRow] = field(default_factory=list)


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
        if isinstance(event.data, BotHandedOff) and after.turn is not None:
            self.handed_off.setdefault(after.turn.turn_no, event.at_ms)
        if after.in_session:
            visit = self.visit(after.session_no)
            if visit.queued_at_ms is None:
                visit.queued_at_ms = event.at_ms

    def offered(self, event: Event, _before: Conversation, after: Conversation) -> None:
        if isinstance(event.data, AssignmentOffered):
            self.visit(after.session_no).offered_to = event.data.to

    def changed(self, event: Event, before: Conversation, after: Conversation) -> None:
        if isinstance(event.data, AssignmentChanged) and event.data.to is not None:
            giver = event.data.from_ or before.assignee_id
            if giver is not None and giver != event.data.to:
                visit = self.visit(after.session_no)
                visit.transfers += 1
                visit.transferred_by = visit.transferred_by or giver

    def status(self, event: Event, before: Conversation, _after: Conversation) -> None:
        if not isinstance(event.data, ConversationStatusChanged):
            return
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
    AssignmentOffered: _Fold.offered,
    AssignmentChanged: _Fold.changed,
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
    if fold.state.status == "spam" or TEST_TAG in fold.state.tags or not fold.turns:
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
        for turn in sorted(self.fold.turns.values(), key=lambda turn: turn.turn_no):
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

    def labels(self, session_no: int) -> str:
        visit = self.fold.visits.get(session_no)
        return visit.labels if visit else ""

    def span(self, team_id: str | None, start_at_ms: int, end_at_ms: int | None) -> int | None:
        if self.business is None or end_at_ms is None:
            return None
        return self.business(team_id, start_at_ms, end_at_ms)
