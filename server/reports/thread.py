"""Waits with the messages around them, and who the shopper waited for when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select

from server.domain.actors import Actor
from server.domain.errors import NotFound
from server.domain.hours import Hours
from server.domain.turns import Owner, OwnerKind, Share, Turn, reopen
from server.storage.customers import CUSTOMER
from server.storage.hours import load_book
from server.storage.people import TEAM, names
from server.storage.rows import CONVERSATION, MESSAGE, TURN, load_conversation, turn_from_row
from server.storage.views import sees

MISSING = "There is no such turn."
_MESSAGES = 200
_TURNS = 100
_BEFORE = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the wait and who owned it: a bot, a queue or an agent (name None for nobody)."""

    kind: OwnerKind
    name: str | None
    start_at_ms: int
    end_at_ms: int

    @property
    def span_ms(self) -> int:
        """How long it was."""
        return self.end_at_ms - self.start_at_ms


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the thread; ``role`` is ask, reply or None for the others."""

    seq: int
    author_kind: str
    author: str | None
    visibility: str
    origin: str
    body: str
    at_ms: int
    role: str | None


@dataclass(frozen=True, slots=True)
class Shares:
    """A wait with its clock: the stretches that add up to it, and when the shop was closed.

    ``business_ms`` is the part of it within business hours, None where there are none.
    """

    turn: Turn
    wait_ms: int
    business_ms: int | None
    until_ms: int
    stretches: Sequence[Stretch]
    closed: Sequence[tuple[int, int]]
    messages: Sequence[Said]
    answered_by: str | None

    @property
    def from_ms(self) -> int:
        """When the clock starts: at the question."""
        return self.turn.ask_at_ms


@dataclass(frozen=True, slots=True)
class Story:
    """Waits of one conversation with the messages around them, and whose they are.

    ``session_no`` is None for the story of a single turn.
    """

    conversation_id: str
    customer_id: str
    customer_name: str | None
    channel: str
    session_no: int | None
    clocks: Sequence[Shares]
    messages: Sequence[Said]


def load_turn(
    connection: Connection, actor: Actor, conversation_id: str, turn_no: int, as_of_ms: int
) -> Story:
    """A turn as it stood at ``as_of_ms``, with the two messages before it and all until its end.

    An agent sees the turns of the conversations that they may see, and those they had a part in.
    Raises NotFound, also for a turn that is hidden or was asked later.
    """
    chosen = TURN.c.turn_no == turn_no
    story = _story(connection, actor, conversation_id, chosen, as_of_ms=as_of_ms)
    return replace(story, messages=story.clocks[0].messages)


def load_session(
    connection: Connection, actor: Actor, conversation_id: str, session_no: int, as_of_ms: int
) -> Story:
    """A session with each of its waits and every message, as it stood at ``as_of_ms``.

    Who may see it, and what is raised: as for a turn.
    """
    chosen = TURN.c.session_no == session_no
    story = _story(connection, actor, conversation_id, chosen, as_of_ms=as_of_ms)
    said = _said_in_session(connection, conversation_id, session_no, as_of_ms)
    roles = {
        message_id: role
        for clock in story.clocks
        for message_id, role in (
            (clock.turn.ask_message_id, "ask"),
            (clock.turn.reply_message_id, "reply"),
        )
    }
    messages = _as_said(said, roles, names(connection), story.customer_name)
    return replace(story, session_no=session_no, messages=messages)


def _story(
    connection: Connection,
    actor: Actor,
    conversation_id: str,
    chosen: ColumnElement[bool],
    *,
    as_of_ms: int,
) -> Story:
    found = connection.execute(
        select(TURN)
        .where(TURN.c.conversation_id == conversation_id, chosen, TURN.c.ask_at_ms <= as_of_ms)
        .order_by(TURN.c.turn_no)
        .limit(_TURNS)
    ).mappings()
    turns = [turn_from_row(row) for row in found]
    conversation = load_conversation(connection, conversation_id)
    if not turns or conversation is None:
        raise NotFound(MISSING)
    part = {id_ for one in turns for id_ in (one.answered_by, one.owner_id)}
    part |= {share.id for one in turns for share in one.shares}
    if actor.id not in part and not sees(actor, conversation.team_id, conversation.assignee_id):
        raise NotFound(MISSING)
    people, teams = names(connection), _team_names(connection)
    hours = load_book(connection).of_team(conversation.team_id)
    customer_id, customer_name = customer_names(connection, {conversation_id})[conversation_id]
    clocks = []
    for row in turns:
        open_then = row.end_at_ms is not None and row.end_at_ms > as_of_ms
        turn = reopen(row) if open_then else row
        until_ms = as_of_ms if turn.end_at_ms is None else turn.end_at_ms
        clocks.append(
            Shares(
                turn=turn,
                wait_ms=max(0, until_ms - turn.ask_at_ms),
                business_ms=hours.wait_ms(turn.ask_at_ms, until_ms),
                until_ms=until_ms,
                stretches=_stretches(turn, conversation.owner, until_ms, people, teams),
                closed=_closed(hours, turn.ask_at_ms, until_ms),
                messages=_messages(connection, turn, until_ms, people, customer_name),
                answered_by=people.get(turn.answered_by or ""),
            )
        )
    return Story(
        conversation_id=conversation_id,
        customer_id=customer_id,
        customer_name=customer_name,
        channel=conversation.channel,
        session_no=None,
        clocks=clocks,
        messages=(),
    )


def _closed(hours: Hours, from_ms: int, until_ms: int) -> list[tuple[int, int]]:
    """When the shop was closed between two instants."""
    found, at_ms = [], from_ms
    for start_ms, end_ms in hours.open_intervals(from_ms, until_ms):
        if start_ms > at_ms:
            found.append((at_ms, start_ms))
        at_ms = end_ms
    return [*found, (at_ms, until_ms)] if at_ms < until_ms else found


def _said_in_session(
    connection: Connection, conversation_id: str, session_no: int, as_of_ms: int
) -> list[RowMapping]:
    """The messages from the first question of a session to the first one of the next."""
    starts = (
        select(TURN.c.session_no, func.min(TURN.c.ask_seq).label("seq"))
        .where(TURN.c.conversation_id == conversation_id)
        .group_by(TURN.c.session_no)
    )
    first = {row.session_no: row.seq for row in connection.execute(starts)}
    c = MESSAGE.c
    statement = select(MESSAGE).where(
        c.conversation_id == conversation_id,
        c.seq >= first[session_no],
        c.at_ms <= as_of_ms,
    )
    after = min((seq for number, seq in first.items() if number > session_no), default=None)
    if after is not None:
        statement = statement.where(c.seq < after)
    return list(connection.execute(statement.order_by(c.seq).limit(_MESSAGES)).mappings())


def _stretches(
    turn: Turn, owner: Owner, until_ms: int, people: dict[str, str], teams: dict[str, str]
) -> list[Stretch]:
    """The wait cut at each change of owner; what is not yet cut belongs to the present owner."""
    found = [
        Stretch(s.kind, _owner_name(s, people, teams), s.start_at_ms, min(s.end_at_ms, until_ms))
        for s in turn.shares
        if s.start_at_ms < until_ms
    ]
    if turn.end_at_ms is None and turn.shares_until_ms < until_ms:
        name = _owner_name(owner, people, teams)
        found.append(Stretch(owner.kind, name, turn.shares_until_ms, until_ms))
    return found


def _owner_name(owner: Owner | Share, people: dict[str, str], teams: dict[str, str]) -> str | None:
    known = {"agent": people, "queue": teams}.get(owner.kind, {})
    return known.get(owner.id or "")


def _team_names(connection: Connection) -> dict[str, str]:
    return {row.id: row.name for row in connection.execute(select(TEAM.c.id, TEAM.c.name))}


def _messages(
    connection: Connection,
    turn: Turn,
    until_ms: int,
    people: dict[str, str],
    customer_name: str | None,
) -> list[Said]:
    """What was written from shortly before the question to the end of the wait."""
    c = MESSAGE.c
    of_conversation = select(MESSAGE).where(c.conversation_id == turn.conversation_id)
    before = of_conversation.where(c.seq < turn.ask_seq).order_by(c.seq.desc()).limit(_BEFORE)
    within = of_conversation.where(c.seq >= turn.ask_seq, c.at_ms <= until_ms)
    if turn.end_seq is not None:
        within = within.where(c.seq <= turn.end_seq)
    rows = [
        *reversed(connection.execute(before).mappings().all()),
        *connection.execute(within.order_by(c.seq).limit(_MESSAGES)).mappings(),
    ]
    roles = {turn.ask_message_id: "ask", turn.reply_message_id: "reply"}
    return _as_said(rows, roles, people, customer_name)


def _as_said(
    rows: Iterable[RowMapping],
    roles: Mapping[str | None, str],
    people: dict[str, str],
    customer_name: str | None,
) -> list[Said]:
    return [
        Said(
            seq=row["seq"],
            author_kind=row["sender_kind"],
            author=customer_name
            if row["sender_kind"] == "customer"
            else people.get(row["sender_id"] or ""),
            visibility=row["visibility"],
            origin=row["origin"],
            body=row["body"],
            at_ms=row["at_ms"],
            role=roles.get(row["id"]),
        )
        for row in rows
    ]


def customer_names(
    connection: Connection, conversation_ids: set[str]
) -> dict[str, tuple[str, str | None]]:
    """(customer id, name or None) of each conversation."""
    statement = (
        select(CONVERSATION.c.id, CUSTOMER.c.id.label("customer_id"), CUSTOMER.c.name)
        .join_from(CONVERSATION, CUSTOMER, CUSTOMER.c.id == CONVERSATION.c.customer_id)
        .where(CONVERSATION.c.id.in_(sorted(conversation_ids)))
    )
    return {row.id: (row.customer_id, row.name) for row in connection.execute(statement)}
