"""The shapes of the rows that figures are made of."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    """A session in which the shopper wrote; ``at_ms`` is when it started.

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
