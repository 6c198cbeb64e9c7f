"""What agents offered, what shoppers made of it, and what goes together."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: a column's values

from sqlalchemy import Connection, bindparam, case, func, select

from server.domain.money import decimal_text
from server.domain.spans import DAY_MS
from server.reports.rows import safe_cell
from server.storage.offers import LINE, OFFER, PAIR, products_of
from server.storage.people import AGENT
from server.storage.tables import BuyingMark, table

MARK = table(BuyingMark)
KINDS = ("hint", "price", "card")
TOP = 20


@dataclass(frozen=True, slots=True)
class Offered:
    """How often something was offered, taken up and ordered; what the orders brought of it."""

    key: str
    name: str
    offered: int
    accepted: int
    ordered: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Together:
    """Two products that go together; each pair once, from the side with the higher share."""

    title: str
    other: str
    together: int
    orders: int
    lift: float


@dataclass(frozen=True, slots=True)
class OfferReport:
    """Offers of the last ``days`` days by kind, product and agent, and the strongest pairs."""

    days: int
    whole: Offered
    kinds: list[Offered]
    products: list[Offered]
    agents: list[Offered]
    pairs: list[Together]
    asked: int
    pairs_at_ms: int | None


def offer_report(connection: Connection, *, at_ms: int, days: int) -> OfferReport:
    """What came of the offers so far; an order counts within 30 days of its offer."""
    since = {"since": at_ms - days * DAY_MS}
    kinds = {row.key: row for row in _by(connection, OFFER.c.kind, since)}
    names = {row[0]: row[1] for row in connection.execute(select(AGENT.c.id, AGENT.c.name))}
    agents = [
        Offered(one.key, names.get(one.key, one.key), *_figures(one))
        for one in _by(connection, OFFER.c.agent_id, since)
    ]
    whole = [sum(column) for column in zip(*(_figures(one) for one in kinds.values()), strict=True)]
    asked = select(func.count()).select_from(MARK).where(MARK.c.at_ms >= bindparam("since"))
    return OfferReport(
        days=days,
        whole=Offered("", "", *(whole or (0, 0, 0, 0))),
        kinds=[kinds.get(kind) or Offered(kind, kind, 0, 0, 0, 0) for kind in KINDS],
        products=_by(connection, OFFER.c.sku, since)[:TOP],
        agents=agents,
        pairs=_pairs(connection),
        asked=int(connection.execute(asked.where(MARK.c.kind != "buying"), since).scalar_one()),
        pairs_at_ms=connection.execute(select(func.max(PAIR.c.computed_at_ms))).scalar_one(),
    )


def _figures(one: Offered) -> tuple[int, int, int, int]:
    return one.offered, one.accepted, one.ordered, one.net_minor


# What the ordered line was worth; of two lines with the same sku both.
_WORTH = (
    select(func.sum(LINE.c.price_minor * (LINE.c.quantity - LINE.c.refunded_quantity)))
    .where(LINE.c.order_id == OFFER.c.order_id, LINE.c.sku == OFFER.c.sku)
    .correlate(OFFER)
    .scalar_subquery()
)


def _by(
    connection: Connection, column: Any, since: Mapping[str, int]
) -> list[Offered]:  # Any: a column
    rows = connection.execute(
        select(
            column,
            func.max(OFFER.c.title),
            func.count(),
            func.sum(case((OFFER.c.accepted_at_ms.is_not(None), 1), else_=0)),
            func.sum(case((OFFER.c.ordered_at_ms.is_not(None), 1), else_=0)),
            func.coalesce(func.sum(_WORTH), 0),
        )
        .where(OFFER.c.offered_at_ms >= bindparam("since"))
        .group_by(column)
        .order_by(func.count().desc(), column),
        since,
    )
    return [
        Offered(row[0] or "-", row[1], int(row[2]), int(row[3]), int(row[4]), int(row[5]))
        for row in rows
    ]


def _pairs(connection: Connection) -> list[Together]:
    c = PAIR.c
    rows = connection.execute(
        select(c.sku, c.other_sku, c.together, c.sku_orders, c.lift)
        .order_by((c.lift * c.together).desc(), c.sku, c.other_sku)
        .limit(4 * TOP)
    ).all()
    titles = products_of(connection, {sku for row in rows for sku in (row[0], row[1])})
    found: dict[frozenset[str], Together] = {}
    for sku, other, together, orders, lift in rows:
        name = titles[sku]["title"] if sku in titles else sku
        beside = titles[other]["title"] if other in titles else other
        key = frozenset((sku, other))
        if key not in found or orders < found[key].orders:
            found[key] = Together(name, beside, together, orders, lift)
    return list(found.values())[:TOP]


def offers_csv(report: OfferReport, currency: str) -> str:
    """The figures by kind, product and agent, and the pairs; money in whole units."""
    out = io.StringIO()
    writer = csv.writer(out)
    head = ("by", "key", "name", "offered", "accepted", "ordered", "net_spend", "currency")
    writer.writerow(head)
    for by, rows in (
        ("kind", report.kinds),
        ("product", report.products),
        ("agent", report.agents),
    ):
        writer.writerows(
            (
                *(by, safe_cell(one.key), safe_cell(one.name)),
                *(one.offered, one.accepted, one.ordered),
                *(decimal_text(one.net_minor, currency), currency),
            )
            for one in rows
        )
    writer.writerow(())
    writer.writerow(("product", "bought_together_with", "together", "orders", "lift"))
    writer.writerows(
        (safe_cell(one.title), safe_cell(one.other), one.together, one.orders, f"{one.lift:.3f}")
        for one in report.pairs
    )
    return out.getvalue()
