"""Which lines of orders shoppers' requests are about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, or_, select

from server.storage.tables import RequestLine, table
from server.storage.ticket_rows import TICKET
from server.storage.unit import Tx

REQUEST_LINE = table(RequestLine)
# Requests that came to nothing take no piece of an order.
_NOTHING = ("withdrawn", "duplicate", "not_needed")


@dataclass(frozen=True, slots=True)
class AskedLine:
    """So many pieces of a line, why, and what the shopper would like."""

    order_id: str
    line_no: int
    quantity: int
    wanted: str
    reason: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Pieces of a line that another request is about."""

    order_id: str
    line_no: int
    quantity: int
    number: str
    customer_id: str


def add_lines(tx: Tx, ticket_id: str, lines: Sequence[AskedLine]) -> None:
    """Keeps what a request is about."""
    values = [asdict(line) | {"ticket_id": ticket_id, "at_ms": tx.at_ms} for line in lines]
    tx.later(insert(REQUEST_LINE), values)


def taken_of(connection: Connection, order_ids: Collection[str]) -> list[Taken]:
    """What requests are about already, but for those that were spam or came to nothing."""
    c, t = REQUEST_LINE.c, TICKET.c
    statement = (
        select(c.order_id, c.line_no, c.quantity, t.number, t.customer_id)
        .join_from(REQUEST_LINE, TICKET, t.id == c.ticket_id)
        .where(
            c.order_id.in_(list(order_ids)),
            t.state != "spam",
            or_(t.reason.is_(None), t.reason.not_in(_NOTHING)),
        )
        .order_by(c.at_ms, c.ticket_id)
    )
    return [Taken(*row) for row in connection.execute(statement)]
