"""What is noted beside the reducer while the log of a conversation goes by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from server.domain.conversation import (
    Conversation,
    Session,
    apply,
    is_counted_reply,
    opened,
)
from server.domain.events import (
    AgentFocusRecorded,
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    AssignmentOffered,
    BotHandedOff,
    ConversationStatusChanged,
    Event,
    MessagePosted,
    QueueEntered,
    TurnDismissed,
)
from server.domain.turns import Turn

# An agent who did nothing for longer than this in a conversation was not at work in it.
IDLE_CAP_MS = 120_000
_OVER = frozenset({"resolved", "closed", "spam"})


@dataclass(slots=True)
class Noted:
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
class Said:
    """A message as it was noted; ``by`` is who wrote it."""

    seq: int
    at_ms: int
    by: str | None
    of_customer: bool
    starts_run: bool
    session_no: int
    turn_no: int
    team_id: str | None


@dataclass(slots=True)
class Line:
    """A public message of the shopper (``said`` None) or a counted reply."""

    seq: int
    said: MessagePosted | None


class Fold:
    """One pass over the events of a conversation."""

    def __init__(self, first: Event, failed: frozenset[str]) -> None:
        self.state = opened(first)
        self.key = first.seq
        self.failed = failed
        self.turns: dict[int, Turn] = {}
        self.sessions: dict[int, Session] = {}
        self.noted: dict[int, Noted] = {}
        self.said: list[Said] = []
        self.asked_since = False
        self.wrote = self.state.initiator == "customer"
        self.handed_off: dict[int, int] = {}
        self.queued: set[int] = set()
        self.writings: dict[int, int] = {}
        self.reached_people = False
        self.first_resolved: tuple[int, str | None] | None = None
        self.resolved: tuple[int, str | None] | None = None
        self.lines: list[Line] = []
        # Who owned it from when on, None for nobody.
        self.owners: list[tuple[int, str | None]] = []
        # By session and agent: what was in front of them from when to when.
        self.focused: dict[tuple[int, str], list[tuple[int, int]]] = {}
        self.handed: list[int] = []
        self.dismissed_by: dict[int, str] = {}

    def take(self, event: Event) -> None:
        """Applies an event and notes what only figures ask for."""
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
            noted = self.note_of(after.session_no)
            noted.team_id = after.team_id
            noted.labels = "\n".join(sorted(after.tags)) if after.tags else ""

    def note_of(self, session_no: int) -> Noted:
        """What is noted of a session."""
        found = self.noted.get(session_no)
        if found is None:
            found = self.noted[session_no] = Noted()
        return found

    def posted(self, event: Event, before: Conversation, after: Conversation) -> None:
        """Notes a message: whose run it is of, and what of its session it was."""
        data = event.data
        if not isinstance(data, MessagePosted) or data.visibility != "public":
            return
        of_customer = event.actor_kind == "customer"
        if of_customer or is_counted_reply(event, data):
            self.lines.append(Line(event.seq, None if of_customer else data))
        turn = after.turn if of_customer else before.turn
        # Who asks again after a day of silence still waits, in the session of the question.
        session_no = turn.session_no if turn else after.session_no
        noted = self.note_of(session_no)
        if of_customer:
            self.wrote = True
        if data.message_id in self.failed or not self.wrote:
            return
        noted.last_public_at_ms = max(noted.last_public_at_ms, event.at_ms)
        starts = False
        turn_no = turn.turn_no if turn else after.turn_no
        if of_customer:
            self.asked_since = True
            noted.customer_messages += 1
            self.writings[turn_no] = self.writings.get(turn_no, 0) + 1
        elif is_counted_reply(event, data):
            starts, self.asked_since = self.asked_since, False
            self.reached_people = True
            noted.reply_runs += starts
            if noted.first_reply_at_ms is None:
                noted.first_reply_at_ms, noted.first_reply_by = event.at_ms, event.actor_id
            noted.last_reply_at_ms, noted.last_reply_by = event.at_ms, event.actor_id
            noted.wrote(event.actor_id, event.at_ms, starts_run=starts)
        else:
            return
        self.said.append(
            Said(
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
        """Notes that nobody owns it any more, and since when people are waited for."""
        self.owners.append((event.at_ms, None))
        if isinstance(event.data, BotHandedOff):
            self.handed.append(event.at_ms)
            if after.turn is not None:
                self.handed_off.setdefault(after.turn.turn_no, event.at_ms)
        if after.in_session:
            noted = self.note_of(after.session_no)
            if noted.queued_at_ms is None:
                noted.queued_at_ms = event.at_ms

    def offered(self, event: Event, _before: Conversation, after: Conversation) -> None:
        """Notes to whom it was offered."""
        if isinstance(event.data, AssignmentOffered):
            self.note_of(after.session_no).offered_to = event.data.to

    def accepted(self, event: Event, _before: Conversation, _after: Conversation) -> None:
        """Notes its new owner."""
        if isinstance(event.data, AssignmentAccepted):
            self.owners.append((event.at_ms, event.data.to or event.actor_id))

    def unassigned(self, event: Event, _before: Conversation, _after: Conversation) -> None:
        """Notes that nobody owns it."""
        self.owners.append((event.at_ms, None))

    def focus(self, event: Event, _before: Conversation, _after: Conversation) -> None:
        """Notes what was in front of an agent from when to when."""
        data, agent_id, session_no = event.data, event.actor_id, event.session_no
        if isinstance(data, AgentFocusRecorded) and agent_id and session_no is not None:
            length = min(data.focused_ms, IDLE_CAP_MS)
            spans = self.focused.setdefault((session_no, agent_id), [])
            spans.append((event.at_ms - length, event.at_ms))

    def dismissed(self, event: Event, _before: Conversation, _after: Conversation) -> None:
        """Notes who said that a wait needs no answer."""
        if event.actor_kind == "agent" and event.actor_id is not None:
            self.dismissed_by[event.seq] = event.actor_id

    def changed(self, event: Event, before: Conversation, after: Conversation) -> None:
        """Notes its new owner, and who passed it on."""
        if isinstance(event.data, AssignmentChanged):
            self.owners.append((event.at_ms, event.data.to or event.actor_id))
        if isinstance(event.data, AssignmentChanged) and event.data.to is not None:
            giver = event.data.from_ or before.assignee_id
            if giver is not None and giver != event.data.to:
                noted = self.note_of(after.session_no)
                noted.transfers += 1
                noted.transferred_by = noted.transferred_by or giver

    def status(self, event: Event, before: Conversation, _after: Conversation) -> None:
        """Notes when and by whom it was resolved."""
        if not isinstance(event.data, ConversationStatusChanged):
            return
        if event.data.status in _OVER:
            self.owners.append((event.at_ms, None))
        if event.data.status == "resolved":
            by = event.actor_id if event.actor_kind == "agent" else None
            self.resolved = (event.at_ms, by)
            self.first_resolved = self.first_resolved or self.resolved
            if before.in_session:
                noted = self.note_of(before.session_no)
                noted.resolved_at_ms, noted.resolved_by = event.at_ms, by
        elif event.data.status == "open":
            self.resolved = None


_Note = Callable[[Fold, Event, Conversation, Conversation], None]
_NOTES: dict[type, _Note] = {
    MessagePosted: Fold.posted,
    QueueEntered: Fold.queue,
    BotHandedOff: Fold.queue,
    AgentFocusRecorded: Fold.focus,
    AssignmentAccepted: Fold.accepted,
    AssignmentChanged: Fold.changed,
    AssignmentEnded: Fold.unassigned,
    AssignmentOffered: Fold.offered,
    TurnDismissed: Fold.dismissed,
    ConversationStatusChanged: Fold.status,
}
