"""What an import looks up and writes besides events: ids by the names that the file uses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any  # Any: column values

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from server.storage.customers import CUSTOMER, Customer, customer_from_row
from server.storage.people import AGENT, TEAM
from server.storage.rows import CONVERSATION, EVENT, MESSAGE
from server.storage.tables import CustomerOrigin, table
from server.storage.unit import Tx

CUSTOMER_ORIGIN = table(CustomerOrigin)

_SEEN_LATER = (
    update(CUSTOMER)
    .where(CUSTOMER.c.id == bindparam("b_id"), CUSTOMER.c.seen_at_ms < bindparam("at_ms"))
    .values(seen_at_ms=bindparam("at_ms"))
)


def known_events(connection: Connection, event_ids: Collection[str]) -> set[str]:
    """Those of the event ids that are in the log."""
    statement = select(EVENT.c.event_id).where(EVENT.c.event_id.in_(sorted(event_ids)))
    return set(connection.execute(statement).scalars())


def seq_of(connection: Connection, event_id: str) -> int | None:
    """The number of the event with this id, or None."""
    return connection.execute(select(EVENT.c.seq).where(EVENT.c.event_id == event_id)).scalar()


def conversations_by_external_id(
    connection: Connection, external_ids: Collection[str]
) -> dict[str, tuple[str, str, str | None]]:
    """(id, customer id, the customer's external id) of the conversations with these names."""
    statement = (
        select(
            CONVERSATION.c.external_id,
            CONVERSATION.c.id,
            CONVERSATION.c.customer_id,
            CUSTOMER.c.external_id.label("customer"),
        )
        .join_from(CONVERSATION, CUSTOMER, CUSTOMER.c.id == CONVERSATION.c.customer_id)
        .where(CONVERSATION.c.external_id.in_(sorted(external_ids)))
    )
    return {
        row.external_id: (row.id, row.customer_id, row.customer)
        for row in connection.execute(statement)
    }


def customers_by_external_id(
    connection: Connection, external_ids: Collection[str]
) -> dict[str, str]:
    """Ids of the customers with these names: the shop's own ids, or another desk's names."""
    statement = select(CUSTOMER.c.external_id, CUSTOMER.c.id).where(
        CUSTOMER.c.external_id.in_(sorted(external_ids))
    )
    found = {row.external_id: row.id for row in connection.execute(statement)}
    return customers_by_origin(connection, external_ids) | found


def customers_by_origin(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """Ids of the customers whom another desk calls by these names."""
    c = CUSTOMER_ORIGIN.c
    statement = select(c.name, c.customer_id).where(c.name.in_(sorted(names)))
    return {row.name: row.customer_id for row in connection.execute(statement)}


def load_customers(
    connection: Connection, *, ids: Collection[str], external_ids: Collection[str]
) -> list[Customer]:
    """The customers with these ids or these ids of the shop."""
    statement = select(CUSTOMER).where(
        or_(CUSTOMER.c.id.in_(sorted(ids)), CUSTOMER.c.external_id.in_(sorted(external_ids)))
    )
    return [customer_from_row(row) for row in connection.execute(statement).mappings()]


def add_origins(tx: Tx, names: Mapping[str, str]) -> None:
    """Remembers customer ids by what another desk calls them."""
    if names:
        values: list[Mapping[str, Any]] = [  # Any: column values
            {"name": name, "customer_id": customer_id} for name, customer_id in names.items()
        ]
        tx.later(insert(CUSTOMER_ORIGIN), values)


def people_by_name(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """Ids of the people whose e-mail, or whose name in an earlier import, is one of these."""
    lower = sorted({name.lower() for name in names})
    statement = select(AGENT.c.id, AGENT.c.email, AGENT.c.imported_as).where(
        or_(func.lower(AGENT.c.email).in_(lower), AGENT.c.imported_as.in_(sorted(names)))
    )
    emails: dict[str, str] = {}
    imported: dict[str, str] = {}
    for row in connection.execute(statement):
        if row.email is not None:
            emails[row.email.lower()] = row.id
        if row.imported_as is not None:
            imported[row.imported_as] = row.id
    found = {name: emails.get(name.lower()) or imported.get(name) for name in names}
    return {name: agent_id for name, agent_id in found.items() if agent_id is not None}


def teams_by_name(connection: Connection) -> dict[str, str]:
    """Ids of all teams by their id and by their names in lower case."""
    found: dict[str, str] = {}
    for row in connection.execute(select(TEAM.c.id, TEAM.c.name, TEAM.c.name_zh)):
        found |= {name.lower(): row.id for name in (row.id, row.name, row.name_zh) if name}
    return found


def active_people(connection: Connection) -> set[str]:
    """Ids of the people who can sign in."""
    return set(connection.execute(select(AGENT.c.id).where(AGENT.c.active)).scalars())


def still_owned(connection: Connection, *, limit: int) -> list[str]:
    """Ids of open conversations that an import gave to people who work here, and nobody since."""
    given = (
        select(func.max(EVENT.c.seq))
        .where(
            EVENT.c.conversation_id == CONVERSATION.c.id,
            EVENT.c.kind.in_(("assignment.accepted", "assignment.changed")),
        )
        .correlate(CONVERSATION)
        .scalar_subquery()
    )
    statement = (
        select(CONVERSATION.c.id)
        .join_from(CONVERSATION, AGENT, AGENT.c.id == CONVERSATION.c.assignee_id)
        .join(EVENT, EVENT.c.seq == given)
        .where(CONVERSATION.c.status.in_(("open", "snoozed")), AGENT.c.active, EVENT.c.imported)
        .order_by(CONVERSATION.c.id)
        .limit(limit)
    )
    return [str(key) for key in connection.execute(statement).scalars()]


def redact(tx: Tx, message_ids: Collection[str]) -> None:
    """Takes the texts of messages away; a dash shows that there was one."""
    if message_ids:
        values: list[Mapping[str, Any]] = [{"b_id": key} for key in sorted(message_ids)]  # Any: ids
        tx.later(
            update(MESSAGE).where(MESSAGE.c.id == bindparam("b_id")).values(body="—", blocks=None),
            values,
        )


def add_people(tx: Tx, people: Sequence[tuple[str, str, str]]) -> None:
    """Writes inactive people (id, key in the file, name) before the events that name them."""
    if people:
        values: list[Mapping[str, Any]] = [  # Any: column values
            {
                "id": agent_id,
                "imported_as": key,
                "name": name,
                "role": "agent",
                "active": False,
                "languages": "[]",
                "status": "offline",
                "capacity": 8,
                "status_at_ms": 0,
                "seen_at_ms": 0,
                "last_assigned_at_ms": 0,
                "created_at_ms": tx.at_ms,
            }
            for agent_id, key, name in people
        ]
        tx.later(insert(AGENT), values, first=True)


def see_customers(tx: Tx, seen: dict[str, int]) -> None:
    """Moves the time at which customers were last seen forward, never back."""
    if seen:
        rows: list[Mapping[str, Any]] = [  # Any: column values
            {"b_id": key, "at_ms": at_ms} for key, at_ms in sorted(seen.items())
        ]
        tx.later(_SEEN_LATER, rows)
