"""Which lines of orders shoppers' requests are about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, or_, select

from server.storage.messages import unread_by_customer
from server.storage.persons import sessions_of
from server.storage.tables import RequestLine, table
from server.storage.ticket_rows import FOR_SHOPPERS, TICKET
from server.storage.unit import Tx

REQUEST_LINE = table(RequestLine)
MOST_LOOKED_AT = 100
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
    for line in lines:
        values = asdict(line) | {"ticket_id": ticket_id, "at_ms": tx.at_ms}
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


def of_customers(connection: Connection, customer_ids: Sequence[str]) -> dict[str, list[str]]:
    """Ids of the requests of each of these customers, but for spam; a customer without is absent.

    Of who has very many only the latest are looked at.
    """
    t = TICKET.c
    rows = connection.execute(
        select(t.customer_id, t.id)
        .where(t.customer_id.in_(list(customer_ids)), t.state != "spam", FOR_SHOPPERS)
        .order_by(t.created_at_ms.desc())
        .limit(MOST_LOOKED_AT * len(customer_ids))
    )
    found: dict[str, list[str]] = {}
    for customer_id, ticket_id in rows:
        found.setdefault(customer_id, []).append(ticket_id)
    return found


def news_of(connection: Connection, customer_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """For each shopper's widget: how many requests they have, and answers that they have not seen.

    A handful of queries however many they are.
    """
    sessions = sessions_of(connection, customer_ids)
    owners = {row: one for one in customer_ids for row in (one, *sessions.get(one, ()))}
    found = of_customers(connection, list(owners))
    every = [ticket_id for each in found.values() for ticket_id in each]
    unread = unread_by_customer(connection, every)
    news: dict[str, dict[str, int]] = {one: {"count": 0, "unread": 0} for one in customer_ids}
    for row, each in found.items():
        told = news[owners[row]]
        told["count"] += len(each)
        told["unread"] += sum(unread.get(ticket_id, 0) for ticket_id in each)
    return news
