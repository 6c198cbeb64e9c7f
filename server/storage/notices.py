"""Notices to people of the desk: one row for each person and event, shown as rights are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from server.domain.actors import Actor
from server.domain.events import Event
from server.storage.rows import EVENT, event_from_row
from server.storage.tables import DeskNotice, table
from server.storage.ticket_rows import TICKET, TICKET_TEXT
from server.storage.tickets import visible_to
from server.storage.unit import Tx

NOTICE = table(DeskNotice)
N = NOTICE.c
READER = "notices"
# What people are told of; a message only when a shopper wrote it.
KINDS = (
    *("assignment.accepted", "assignment.changed", "ticket.merged", "ticket.task_changed"),
    *("sla.warned", "sla.breached"),
)
MOST_UNREAD = 100
_ADD = text(
    "INSERT INTO desk_notice (agent_id, seq, ticket_id, kind, target, by_id, at_ms)"
    " VALUES (:agent_id, :seq, :ticket_id, :kind, :target, :by_id, :at_ms)"
    " ON CONFLICT (agent_id, seq) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class NoticesChanged:
    """Somebody's notices are other than before."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person is to know; ``by_id`` is who of the desk did it."""

    seq: int
    at_ms: int
    kind: str
    ticket_id: str
    number: str
    subject: str | None
    target: str | None
    by_id: str | None
    read: bool


def news(connection: Connection, *, after: int, up_to: int, limit: int) -> list[Event]:
    """The events of tickets between two numbers of the log of which somebody may be told."""
    c = EVENT.c
    posted = and_(c.kind == "message.posted", c.actor_kind == "customer")
    statement = (
        select(EVENT)
        .where(
            c.seq > after,
            c.seq <= up_to,
            c.channel == "ticket",
            ~c.imported,
            or_(c.kind.in_(KINDS), posted),
        )
        .order_by(c.seq)
        .limit(limit)
    )
    return [event_from_row(row) for row in connection.execute(statement).mappings()]


def add(
    tx: Tx, agent_ids: Sequence[str], event: Event, *, kind: str, target: str | None = None
) -> None:
    """Tells people of an event, once."""
    by_id = event.actor_id if event.actor_kind == "agent" else None
    for agent_id in agent_ids:
        values = {
            "agent_id": agent_id,
            "seq": event.seq,
            "ticket_id": event.conversation_id,
            "kind": kind,
            "target": target,
            "by_id": by_id,
            "at_ms": event.at_ms,
        }
        tx.later(_ADD, values)
        tx.notice(NoticesChanged(agent_id))


def page(
    connection: Connection, actor: Actor, *, before: int | None, unread: bool, limit: int
) -> list[Notice]:
    """Notices of a person, the newest first, of the tickets that they may see now."""
    statement = (
        select(NOTICE, TICKET.c.number, TICKET_TEXT.c.subject)
        .join_from(NOTICE, TICKET, TICKET.c.id == N.ticket_id)
        .outerjoin(TICKET_TEXT, TICKET_TEXT.c.ticket_id == N.ticket_id)
        .where(*_mine(actor, unread=unread))
        .order_by(N.seq.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(N.seq < before)
    return [
        Notice(
            row["seq"],
            row["at_ms"],
            row["kind"],
            row["ticket_id"],
            row["number"],
            row["subject"],
            row["target"],
            row["by_id"],
            row["read_at_ms"] is not None,
        )
        for row in connection.execute(statement).mappings()
    ]


def count_unread(connection: Connection, actor: Actor) -> int:
    """How many unread notices a person has, at most 100, of the tickets that they may see now."""
    some = (
        select(literal_column("1"))
        .join_from(NOTICE, TICKET, TICKET.c.id == N.ticket_id)
        .where(*_mine(actor, unread=True))
        .limit(MOST_UNREAD)
        .subquery()
    )
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def _mine(actor: Actor, *, unread: bool) -> list[ColumnElement[bool]]:
    mine: list[ColumnElement[bool]] = [N.agent_id == actor.id, visible_to(actor)]
    return [*mine, N.read_at_ms.is_(None)] if unread else mine


def has_unread_of(connection: Connection, agent_id: str, ticket_id: str) -> bool:
    """Whether a person has unread notices of one ticket."""
    statement = select(N.seq).where(
        N.agent_id == agent_id, N.read_at_ms.is_(None), N.ticket_id == ticket_id
    )
    return connection.execute(statement.limit(1)).first() is not None


def mark_read(
    tx: Tx,
    agent_id: str,
    *,
    seq: int | None = None,
    up_to: int | None = None,
    ticket_id: str | None = None,
) -> None:
    """Marks a person's notices as read: one, all up to a number, or all of a ticket."""
    statement = update(NOTICE).where(N.agent_id == agent_id, N.read_at_ms.is_(None))
    if seq is not None:
        statement = statement.where(N.seq == seq)
    if up_to is not None:
        statement = statement.where(N.seq <= up_to)
    if ticket_id is not None:
        statement = statement.where(N.ticket_id == ticket_id)
    tx.later(statement.values(read_at_ms=tx.at_ms))
    tx.notice(NoticesChanged(agent_id))


def forget(tx: Tx, *, before_ms: int, limit: int) -> int:
    """How many notices from before an instant were removed, a few at a time."""
    old = tx.connection.execute(
        select(N.agent_id, N.seq).where(N.at_ms < before_ms).order_by(N.at_ms).limit(limit)
    ).all()
    for row in old:
        tx.later(delete(NOTICE).where(N.agent_id == row.agent_id, N.seq == row.seq))
    return len(old)
