"""Policies by version, when clocks have to be looked at, and what they are chosen by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from server.domain.conversation import Conversation
from server.domain.targets import DEFAULTS, TICKET, Facts, Policy, from_json, to_json
from server.storage.people import AGENT
from server.storage.persons import person_of
from server.storage.profiles import load_profile
from server.storage.rows import CONVERSATION, EVENT
from server.storage.tables import TargetVersion, TargetWatch, table
from server.storage.ticket_rows import load_ticket
from server.storage.unit import Tx

TARGET_VERSION = table(TargetVersion)
TARGET_WATCH = table(TargetWatch)
V, W = TARGET_VERSION.c, TARGET_WATCH.c
READER = "targets"


@dataclass(frozen=True, slots=True)
class PolicyList:
    """The policies of a version; version 0 is what comes with the program."""

    version: int
    policies: tuple[Policy, ...]
    at_ms: int = 0
    by: str | None = None


SHIPPED = PolicyList(0, DEFAULTS)


@dataclass(frozen=True, slots=True)
class Watch:
    """When a chat or ticket is to be looked at again, and what of it is due next."""

    conversation_id: str
    look_at_ms: int | None
    due_at_ms: int | None
    target: str | None
    missed: bool


def load_lists(connection: Connection) -> list[PolicyList]:
    """Every version of the list, the shipped one first."""
    rows = connection.execute(_LISTS.order_by(V.version)).mappings()
    return [SHIPPED, *(_list(row) for row in rows)]


def current_list(connection: Connection) -> PolicyList:
    """The list that holds now."""
    return _first(connection, _LISTS.order_by(V.version.desc()))


def list_at(connection: Connection, at_ms: int) -> PolicyList:
    """The list that held at an instant."""
    return _first(connection, _LISTS.where(V.created_at_ms <= at_ms).order_by(V.version.desc()))


def load_list(connection: Connection, version: int) -> PolicyList | None:
    """The list of a version, or None."""
    if version == 0:
        return SHIPPED
    row = connection.execute(_LISTS.where(V.version == version)).mappings().first()
    return None if row is None else _list(row)


def add_list(tx: Tx, version: int, policies: Sequence[Policy], *, agent_id: str | None) -> None:
    """Writes down a list that holds from now on."""
    values = {
        "version": version,
        "policies": orjson.dumps(to_json(policies)).decode(),
        "agent_id": agent_id,
        "created_at_ms": tx.at_ms,
    }
    tx.later(insert(TARGET_VERSION), values)


def facts_of(connection: Connection, conversation: Conversation) -> Facts:
    """What a policy is chosen by for a chat or ticket, as it is now."""
    person_id = person_of(connection, conversation.customer_id)
    segment = load_profile(connection, person_id).segment
    if conversation.channel != TICKET:
        return Facts(
            channel=conversation.channel,
            category=conversation.tags,
            team=conversation.team_id,
            segment=segment,
        )
    ticket = load_ticket(connection, conversation.id)
    return Facts(
        channel=TICKET,
        priority=ticket.priority if ticket else None,
        type=ticket.type if ticket else None,
        category=conversation.tags,
        team=(ticket.team_id if ticket else None) or conversation.team_id,
        segment=segment,
    )


# looking at what has happened, and at what time does


def keep_watch(tx: Tx, watch: Watch) -> None:
    """Writes down when to look again."""
    tx.later(delete(TARGET_WATCH).where(W.conversation_id == watch.conversation_id))
    values = {
        "conversation_id": watch.conversation_id,
        "look_at_ms": watch.look_at_ms,
        "due_at_ms": watch.due_at_ms,
        "target": watch.target,
        "missed": watch.missed,
    }
    tx.later(insert(TARGET_WATCH), values)


def end_watch(tx: Tx, conversation_id: str) -> None:
    """Looks at it no more."""
    tx.later(delete(TARGET_WATCH).where(W.conversation_id == conversation_id))


def load_watch(connection: Connection, conversation_id: str) -> Watch | None:
    """What is due next of a chat or ticket, or None."""
    row = (
        connection.execute(select(TARGET_WATCH).where(W.conversation_id == conversation_id))
        .mappings()
        .first()
    )
    return None if row is None else Watch(**row)


def due_watches(connection: Connection, *, at_ms: int, limit: int) -> list[str]:
    """What is to be looked at by an instant, the longest overdue first."""
    statement = select(W.conversation_id).where(W.look_at_ms <= at_ms)
    return list(connection.execute(statement.order_by(W.look_at_ms).limit(limit)).scalars())


def touched(
    connection: Connection,
    *,
    after: int,
    up_to: int,
    channels: Collection[str] | None,
    limit: int,
) -> tuple[list[str], int]:
    """What something happened to between two numbers of the log, and up to where that is.

    Imports and what the clocks themselves have written are passed over; ``channels`` None means
    every channel.
    """
    c = EVENT.c
    statement = (
        select(c.seq, c.conversation_id)
        .where(
            c.seq > after,
            c.seq <= up_to,
            c.conversation_id.is_not(None),
            ~c.imported,
            ~c.kind.like("sla.%"),
        )
        .order_by(c.seq)
        .limit(limit)
    )
    if channels is not None:
        statement = statement.where(c.channel.in_(sorted(channels)))
    rows = connection.execute(statement).all()
    place = int(rows[-1].seq) if len(rows) == limit else up_to
    return list(dict.fromkeys(row.conversation_id for row in rows)), place


def open_ones(connection: Connection, *, after: str, limit: int) -> list[str]:
    """Open chats and tickets in the order of their ids."""
    c = CONVERSATION.c
    statement = select(c.id).where(c.status.in_(("open", "snoozed")), c.id > after)
    return list(connection.execute(statement.order_by(c.id).limit(limit)).scalars())


def count_missed(connection: Connection) -> int:
    """How many open chats and tickets wait beyond their target."""
    statement = select(func.count()).select_from(TARGET_WATCH).where(W.missed)
    return int(connection.execute(statement).scalar_one())


_LISTS = select(TARGET_VERSION, AGENT.c.name.label("by")).join_from(
    TARGET_VERSION, AGENT, AGENT.c.id == V.agent_id, isouter=True
)


def _first(connection: Connection, statement: object) -> PolicyList:
    row = connection.execute(statement.limit(1)).mappings().first()  # type: ignore[attr-defined]  # a select
    return SHIPPED if row is None else _list(row)


def _list(row: RowMapping) -> PolicyList:
    policies = from_json(orjson.loads(row["policies"]))
    return PolicyList(row["version"], policies, row["created_at_ms"], row["by"])
