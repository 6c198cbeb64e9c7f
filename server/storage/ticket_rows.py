"""Rows of tickets and their frozen state, both ways."""

from __future__ import annotations

from typing import Any  # Any: column values

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, or_, select

from server.domain.ticket import Ticket
from server.storage.prepared import upsert
from server.storage.rows import dumps
from server.storage.tables import (
    TicketLink,
    TicketNote,
    TicketRow,
    TicketSearch,
    TicketStatus,
    TicketTask,
    TicketText,
    TicketTypeRow,
    TicketWatcher,
    table,
)

TICKET = table(TicketRow)
TICKET_LINK = table(TicketLink)
TICKET_NOTE = table(TicketNote)
TICKET_SEARCH = table(TicketSearch)
TICKET_STATUS = table(TicketStatus)
TICKET_TASK = table(TicketTask)
TICKET_TEXT = table(TicketText)
TICKET_TYPE = table(TicketTypeRow)
TICKET_WATCHER = table(TicketWatcher)

# A call that the shop means to make is no request of the shopper until somebody writes to them.
FOR_SHOPPERS = or_(
    TICKET.c.type != "follow_up",
    TICKET.c.source != "rule",
    TICKET.c.replied_at_ms.is_not(None),
)
_FIELDS = tuple(Ticket.__dataclass_fields__)
# What follows from the log; ``verify`` compares these.
DERIVED = tuple(
    c.name
    for c in TICKET.columns
    if c.name not in ("client_key", "next_due_at_ms", "next_due", "sort_ms")
)
SAVE_TICKET = upsert(
    TICKET,
    fixed=("number", "customer_id", "created_at_ms", "source", "parent_id"),
    kept_if_null=("client_key",),
)
_BY_ID = select(TICKET).where(TICKET.c.id == bindparam("id"))


def load_ticket(connection: Connection, ticket_id: str) -> Ticket | None:
    """The ticket with this id, for reading, or None."""
    row = connection.execute(_BY_ID, {"id": ticket_id}).mappings().first()
    return None if row is None else ticket_from_row(row)


def is_for_shopper(ticket: Ticket) -> bool:
    """False for a call that the shop means to make, of which the shopper was told nothing yet."""
    planned = ticket.type == "follow_up" and ticket.source == "rule"
    return not planned or ticket.replied_at_ms is not None


def ticket_from_row(row: RowMapping) -> Ticket:
    """The ticket of a row."""
    values = {name: row[name] for name in _FIELDS}
    values["owed"] = tuple(orjson.loads(values["owed"]))
    values["answered"], values["held"] = bool(values["answered"]), bool(values["held"])
    return Ticket(**values)


def ticket_values(
    ticket: Ticket, *, client_key: str | None = None
) -> dict[str, Any]:  # Any: values
    """All columns of a ticket's row."""
    values = {name: getattr(ticket, name) for name in _FIELDS}
    return values | {
        "owed": dumps(ticket.owed),
        "lane": ticket.lane,
        "sort_ms": ticket.sort_ms,
        "client_key": client_key,
    }
