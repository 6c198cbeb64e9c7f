"""Product quality as it was: tickets that say that a product has a defect, and the orders of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any  # Any: columns

import orjson
from sqlalchemy import Connection, func, select

from server.domain.defects import (
    EXPOSED_WEEKS,
    TYPES,
    WEEKS_BEFORE,
    Quality,
    Sign,
    Spike,
    by_batch,
    by_product,
    spikes,
)
from server.domain.periods import day_start_ms, local_date, zone
from server.domain.spans import WEEK_MS
from server.storage.customers import CUSTOMER
from server.storage.orders import ORDER_LINE, SHOP_ORDER
from server.storage.rows import MESSAGE
from server.storage.tables import Contact, Product, table
from server.storage.ticket_rows import TICKET, TICKET_LINK, TICKET_TEXT

T, D, L = TICKET.c, SHOP_ORDER.c, ORDER_LINE.c
MAX_SKU_CHARS = 120
# A file or a drill-down has at most so many tickets.
MOST = 5000


@dataclass(frozen=True, slots=True)
class Complaint:
    """A ticket that says that something is wrong with a product, as the drill-down shows it."""

    ticket_id: str
    number: str
    type: str
    sku: str
    batch: str
    defect: str | None
    state: str
    created_at_ms: int
    customer_id: str
    subject: str
    contact: Mapping[str, Any] | None  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Products:
    """Product quality between two instants; ``titles`` are the products' names by SKU."""

    from_ms: int
    to_ms: int
    products: list[Quality]
    batches: dict[str, list[Quality]]
    titles: Mapping[str, str]


def period(at_ms: int, timezone: str, weeks: int) -> tuple[int, int]:
    """The last weeks up to now, from the beginning of a local day."""
    tz = zone(timezone)
    first = local_date(at_ms, tz) - timedelta(days=7 * weeks - 1)
    return day_start_ms(first, tz), at_ms


def load_products(connection: Connection, *, from_ms: int, to_ms: int, weeks: int) -> Products:
    """Each product of which something was said in the period, with the orders of the period."""
    found = complaints(connection, from_ms=from_ms, to_ms=to_ms)
    signs = [
        Sign(
            one.ticket_id,
            one.type,
            one.sku,
            one.batch,
            min(weeks - 1, (one.created_at_ms - from_ms) // WEEK_MS),
        )
        for one in found
    ]
    skus = sorted({one.sku for one in signs})
    orders = orders_by_sku(connection, skus, from_ms=from_ms, to_ms=to_ms)
    batches: dict[str, list[Quality]] = {}
    for row in by_batch(signs, orders, weeks):
        batches.setdefault(row.sku, []).append(row)
    return Products(
        from_ms, to_ms, by_product(signs, orders, weeks), batches, titles(connection, skus)
    )


def complaints(
    connection: Connection,
    *,
    from_ms: int,
    to_ms: int,
    sku: str | None = None,
    batch: str | None = None,
) -> list[Complaint]:
    """The tickets of the period about products, the newest first; each counts once for a product.

    A defect names its product itself, a complaint or return is linked to one or to an order's line.
    What was joined to another ticket or is spam does not count.
    """
    rows = connection.execute(
        select(
            T.id,
            T.number,
            T.type,
            T.state,
            T.created_at_ms,
            T.customer_id,
            TICKET_TEXT.c.subject,
            TICKET_TEXT.c.fields,
            TICKET_TEXT.c.contact,
        )
        .join_from(TICKET, TICKET_TEXT, TICKET_TEXT.c.ticket_id == T.id)
        .where(
            T.created_at_ms >= from_ms,
            T.created_at_ms < to_ms,
            T.type.in_(TYPES),
            T.state.not_in(("merged", "spam")),
        )
        .order_by(T.created_at_ms.desc(), T.id)
    ).all()
    linked = _linked(connection, from_ms, to_ms)
    found = []
    for row in rows:
        values = orjson.loads(row.fields)
        named = str(values.get("sku") or "").strip()[:MAX_SKU_CHARS]
        for one in sorted({named, *linked.get(row.id, ())} - {""}):
            own = str(values.get("batch") or "").strip() if one == named else ""
            if (sku is not None and one != sku) or (batch is not None and own != batch):
                continue
            found.append(
                Complaint(
                    row.id,
                    row.number,
                    row.type,
                    one,
                    own,
                    values.get("defect") or values.get("reason"),
                    row.state,
                    row.created_at_ms,
                    row.customer_id,
                    row.subject,
                    orjson.loads(row.contact) if row.contact else None,
                )
            )
    return found


def _linked(connection: Connection, from_ms: int, to_ms: int) -> dict[str, set[str]]:
    """The SKUs to which the tickets of a period point, by product or by a line of an order."""
    link = TICKET_LINK.c
    rows = connection.execute(
        select(link.ticket_id, link.kind, link.target)
        .join_from(TICKET, TICKET_LINK, link.ticket_id == T.id)
        .where(
            T.created_at_ms >= from_ms,
            T.created_at_ms < to_ms,
            T.type.in_(TYPES),
            link.kind.in_(("product", "line")),
        )
    ).all()
    found: dict[str, set[str]] = {}
    lines: dict[tuple[str, int], list[str]] = {}
    for row in rows:
        if row.kind == "product":
            found.setdefault(row.ticket_id, set()).add(row.target)
            continue
        order_id, _, number = row.target.partition(":")
        if number.isdecimal():
            lines.setdefault((order_id, int(number)), []).append(row.ticket_id)
    ids = sorted({order_id for order_id, _ in lines})
    for at in range(0, len(ids), 500):
        some = connection.execute(
            select(L.order_id, L.line_no, L.sku).where(L.order_id.in_(ids[at : at + 500]))
        )
        for line in some:
            for ticket_id in lines.get((line.order_id, line.line_no), ()):
                if line.sku:
                    found.setdefault(ticket_id, set()).add(line.sku)
    return found


def orders_by_sku(
    connection: Connection, skus: list[str], *, from_ms: int, to_ms: int
) -> dict[str, int]:
    """How many paid orders of the period had these products; what was given back counts as well."""
    found: dict[str, int] = {}
    for at in range(0, len(skus), 500):
        rows = connection.execute(
            select(L.sku, func.count(D.id.distinct()))
            .join_from(ORDER_LINE, SHOP_ORDER, D.id == L.order_id)
            .where(L.sku.in_(skus[at : at + 500]), *_sold(from_ms, to_ms))
            .group_by(L.sku)
        )
        found |= {row[0]: int(row[1]) for row in rows}
    return found


def _sold(from_ms: int, to_ms: int) -> list[Any]:  # Any: conditions
    return [
        D.created_at_ms >= from_ms,
        D.created_at_ms < to_ms,
        D.paid_at_ms.is_not(None),
        D.cancelled_at_ms.is_(None),
        D.test.is_(False),
    ]


def titles(connection: Connection, skus: list[str]) -> dict[str, str]:
    """What the shop calls these products."""
    product = table(Product).c
    found: dict[str, str] = {}
    for column, title in ((L.sku, L.title), (product.sku, product.title)):
        for at in range(0, len(skus), 500):
            rows = connection.execute(
                select(column, func.max(title))
                .where(column.in_(skus[at : at + 500]))
                .group_by(column)
            )
            found |= {row[0]: row[1] for row in rows}
    return found


def find_spikes(connection: Connection, *, at_ms: int) -> list[Spike]:
    """Products with more defects in the last seven days than chance explains."""
    first_ms = at_ms - (WEEKS_BEFORE + 1) * WEEK_MS
    defects: dict[str, list[int]] = {}
    batches: dict[str, Counter[str]] = {}
    for one in complaints(connection, from_ms=first_ms, to_ms=at_ms):
        if one.type != "defect":
            continue
        week = (one.created_at_ms - first_ms) // WEEK_MS
        defects.setdefault(one.sku, [0] * (WEEKS_BEFORE + 1))[week] += 1
        if week == WEEKS_BEFORE:
            batches.setdefault(one.sku, Counter())[one.batch] += 1
    if not batches:
        return []
    early_ms = first_ms - (EXPOSED_WEEKS - 1) * WEEK_MS
    weeks = WEEKS_BEFORE + EXPOSED_WEEKS
    rows = connection.execute(
        select(L.sku, ((D.created_at_ms - early_ms) / WEEK_MS).label("w"), D.id)
        .join_from(SHOP_ORDER, ORDER_LINE, D.id == L.order_id)
        .where(L.sku.is_not(None), *_sold(early_ms, at_ms))
        .distinct()
    )
    orders: dict[str, list[int]] = {}
    for sku, week, _ in rows:
        orders.setdefault(sku, [0] * weeks)[min(weeks - 1, int(week))] += 1
    return spikes(defects, orders, batches)


def first_words(connection: Connection, ticket_ids: list[str]) -> dict[str, str]:
    """What the customer wrote first in each of these tickets."""
    c = MESSAGE.c
    found: dict[str, str] = {}
    for at in range(0, len(ticket_ids), 500):
        some = ticket_ids[at : at + 500]
        rows = connection.execute(
            select(c.conversation_id, c.body)
            .where(c.conversation_id.in_(some), c.sender_kind == "customer")
            .order_by(c.seq)
        )
        for row in rows:
            found.setdefault(row.conversation_id, row.body)
    return found


def called(connection: Connection, customer_ids: list[str]) -> dict[str, str]:
    """The names of customers that have one."""
    found: dict[str, str] = {}
    for at in range(0, len(customer_ids), 500):
        rows = connection.execute(
            select(CUSTOMER.c.id, CUSTOMER.c.name).where(
                CUSTOMER.c.id.in_(customer_ids[at : at + 500])
            )
        )
        found |= {row[0]: row[1] for row in rows if row[1]}
    return found


def known_of(connection: Connection, customer_ids: list[str]) -> dict[str, list[str]]:
    """Names, addresses and numbers that the shop has of customers: what no quote may show."""
    contact, orders = table(Contact).c, D
    found: dict[str, list[str]] = {}
    for at in range(0, len(customer_ids), 500):
        some = customer_ids[at : at + 500]
        for statement in (
            select(CUSTOMER.c.id, CUSTOMER.c.name).where(CUSTOMER.c.id.in_(some)),
            select(contact.customer_id, contact.value).where(contact.customer_id.in_(some)),
            select(orders.customer_id, orders.postcode).where(orders.customer_id.in_(some)),
        ):
            for customer_id, value in connection.execute(statement):
                if value:
                    found.setdefault(customer_id, []).append(value)
    return found
