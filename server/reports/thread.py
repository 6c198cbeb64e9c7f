"""One turn with the messages around it, and who the shopper waited for when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from server.domain.actors import Actor
from server.domain.errors import NotFound
from server.domain.turns import Owner, OwnerKind, Share, Turn, reopen
from server.storage.customers import CUSTOMER
from server.storage.people import TEAM, names
from server.storage.rows import CONVERSATION, MESSAGE, TURN, load_conversation, turn_from_row
from server.storage.views import sees

MISSING = "There is no such turn."
_MESSAGES = 200
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

    author_kind: str
    author: str | None
    visibility: str
    origin: str
    body: str
    at_ms: int
    role: str | None


@dataclass(frozen=True, slots=True)
class TurnShown:
    """A turn, the stretches that add up to its wait, its messages, and whose it is."""

    turn: Turn
    customer_id: str
    customer_name: str | None
    channel: str
    wait_ms: int
    until_ms: int
    stretches: Sequence[Stretch]
    messages: Sequence[Said]
    answered_by: str | None


def load_turn(
    connection: Connection, actor: Actor, conversation_id: str, turn_no: int, *, as_of_ms: int
) -> TurnShown:
    """A turn as it stood at ``as_of_ms``, with the two messages before it and all until its end.

    An agent sees the turns of the conversations that they may see, and those they had a part in.
    Raises NotFound, also for a turn that is hidden or was asked later.
    """
    row = (
        connection.execute(
            select(TURN).where(TURN.c.conversation_id == conversation_id, TURN.c.turn_no == turn_no)
        )
        .mappings()
        .first()
    )
    conversation = load_conversation(connection, conversation_id)
    if row is None or conversation is None or row["ask_at_ms"] > as_of_ms:
        raise NotFound(MISSING)
    turn = turn_from_row(row)
    part = {turn.answered_by, turn.owner_id, *(share.id for share in turn.shares)}
    if actor.id not in part and not sees(actor, conversation.team_id, conversation.assignee_id):
        raise NotFound(MISSING)
    if turn.end_at_ms is not None and turn.end_at_ms > as_of_ms:
        turn = reopen(turn)
    until_ms = as_of_ms if turn.end_at_ms is None else turn.end_at_ms
    people = names(connection)
    customer_id, customer_name = customer_names(connection, {conversation_id})[conversation_id]
    return TurnShown(
        turn=turn,
        customer_id=customer_id,
        customer_name=customer_name,
        channel=conversation.channel,
        wait_ms=max(0, until_ms - turn.ask_at_ms),
        until_ms=until_ms,
        stretches=_stretches(turn, conversation.owner, until_ms, people, _team_names(connection)),
        messages=_messages(connection, turn, until_ms, people, customer_name),
        answered_by=people.get(turn.answered_by or ""),
    )


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
    return [
        Said(
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
