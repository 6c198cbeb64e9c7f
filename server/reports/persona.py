"""The face of a segment, cell or stage: averages, what they buy, when, and what they ask."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import ColumnElement, Connection, bindparam, case, func, select, text

from server.domain.errors import NotFound
from server.domain.money import decimal_text
from server.domain.periods import LocalTimes, zone
from server.domain.spans import DAY_MS
from server.reports.rows import safe_cell
from server.reports.segments import COLUMNS, CONTACT_DAYS, GROUPINGS, UNSOLD
from server.storage.customers import CUSTOMER
from server.storage.offers import LINE, ORDER
from server.storage.profiles import PROFILE
from server.storage.rows import CONVERSATION
from server.storage.shop import Shop
from server.storage.tables import ArticleText, SuggestionRow, table
from server.storage.thresholds import day_of

SUGGESTION = table(SuggestionRow)
ARTICLE_TEXT = table(ArticleText)
# What they buy and ask is looked up for so many of them, those who came last.
SAMPLE = 2_000
# SQLite takes at most 32,766 values in a statement.
PORTION = 500
BUY_DAYS = 365
TOP = 8


@dataclass(frozen=True, slots=True)
class Averages:
    """What the customers of a group have in common, in figures; None where nobody ordered."""

    customers: int
    buyers: int
    orders: float | None
    net_minor: float | None
    average_minor: float | None
    recency_days: float | None
    gap_days: float | None
    tenure_days: float | None
    coupon_share: float | None
    refund_share: float | None
    top_share: float | None


@dataclass(frozen=True, slots=True)
class Common:
    """Something that many have in common; ``share`` is of all that were looked at."""

    name: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Persona:
    """The averages of all, and what a sample of ``sampled`` customers buys and asks."""

    grouping: str
    group: str
    averages: Averages
    sampled: int
    products: list[Common]
    categories: list[Common]
    tags: list[Common]
    questions: list[Common]
    order_hours: dict[tuple[int, int], int]
    chat_hours: dict[tuple[int, int], int]
    conversations: int
    csat: float | None
    csat_n: int


def persona(
    connection: Connection, shop: Shop, grouping: str, group: str, *, at_ms: int, locale: str
) -> Persona:
    """The face of a group. Raises NotFound for a group that there is not."""
    if group not in GROUPINGS.get(grouping, ()):
        raise NotFound("There is no such group of customers.")
    column = PROFILE.c[COLUMNS[grouping]]
    times = LocalTimes(zone(shop.timezone))
    sample = _sample(connection, column, group, unsold=UNSOLD.get(grouping) == group)
    hours: Counter[tuple[int, int]] = Counter()
    products: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    titles: dict[str, str] = {}
    orders: set[str] = set()
    rows = _members(connection, sample)
    for start in range(0, len(rows), PORTION):
        ids = rows[start : start + PORTION]
        values = {"ids": ids, "since": at_ms - BUY_DAYS * DAY_MS}
        for at in connection.execute(_ORDER_TIMES, values).scalars():
            hours[_slot(times, at)] += 1
        bought: set[tuple[str, str]] = set()
        kinds: set[tuple[str, str]] = set()
        for order_id, sku, title, category in connection.execute(_BOUGHT, values):
            key = sku or title
            titles[key] = title
            orders.add(order_id)
            bought.add((order_id, key))
            if category:
                kinds.add((order_id, category))
        products.update(key for _, key in bought)
        categories.update(kind for _, kind in kinds)
    chats = _chats(connection, rows, since_ms=at_ms - CONTACT_DAYS * DAY_MS)
    tags: Counter[str] = Counter()
    chat_hours: Counter[tuple[int, int]] = Counter()
    for opened_at_ms, state in chats:
        chat_hours[_slot(times, opened_at_ms)] += 1
        tags.update(orjson.loads(state).get("tags", ()))
    scores = _scores(connection, rows, since_ms=at_ms - BUY_DAYS * DAY_MS)
    found = _most(products, len(orders))
    return Persona(
        grouping=grouping,
        group=group,
        averages=_averages(connection, column, group, today=day_of(at_ms, shop.timezone)),
        sampled=len(sample),
        products=[Common(titles[one.name], one.count, one.share) for one in found],
        categories=_most(categories, len(orders)),
        tags=_most(tags, len(chats)),
        questions=_questions(connection, rows, locale, since_ms=at_ms - BUY_DAYS * DAY_MS),
        order_hours=dict(hours),
        chat_hours=dict(chat_hours),
        conversations=len(chats),
        csat=sum(scores) / len(scores) if scores else None,
        csat_n=len(scores),
    )


def _averages(
    connection: Connection,
    column: ColumnElement[str],
    group: str,
    *,
    today: int,
) -> Averages:
    c = PROFILE.c
    row = connection.execute(
        select(
            func.count(),
            func.sum(c.orders),
            func.sum(c.net_minor),
            func.avg(today - c.last_day),
            func.avg(c.median_gap_days),
            func.avg(today - c.first_day),
            func.sum(c.coupon_orders),
            func.sum(c.refunded_minor),
            func.sum(c.gross_minor),
            func.sum(case((c.top20, 1), else_=0)),
        ).where(column == group, c.orders > 0)
    ).one()
    buyers, orders, net = int(row[0]), int(row[1] or 0), int(row[2] or 0)
    return Averages(
        customers=buyers,
        buyers=buyers,
        orders=_share(orders, buyers),
        net_minor=_share(net, buyers),
        average_minor=_share(net, orders),
        recency_days=_number(row[3]),
        gap_days=_number(row[4]),
        tenure_days=_number(row[5]),
        coupon_share=_share(int(row[6] or 0), orders),
        refund_share=_share(int(row[7] or 0), int(row[8] or 0)),
        top_share=_share(int(row[9] or 0), buyers),
    )


def _sample(
    connection: Connection, column: ColumnElement[str], group: str, *, unsold: bool
) -> list[str]:
    """Persons of the group, who ordered last first; who never ordered by when they were seen."""
    c = PROFILE.c
    if not unsold:
        statement = select(c.person_id).where(column == group, c.orders > 0)
        statement = statement.order_by(c.last_order_at_ms.desc(), c.person_id).limit(SAMPLE)
        return list(connection.execute(statement).scalars())
    return list(connection.execute(_UNSOLD, {"limit": SAMPLE}).scalars())


_UNSOLD = text(
    "SELECT c.id FROM customer c LEFT JOIN profile p ON p.person_id = c.id AND p.orders > 0"
    " WHERE c.person_id IS NULL AND p.person_id IS NULL"
    " AND (c.external_id IS NOT NULL OR c.identity <> 'anonymous')"
    " ORDER BY c.seen_at_ms DESC, c.id LIMIT :limit"
)


def _members(connection: Connection, persons: Sequence[str]) -> list[str]:
    """All customer rows of these persons."""
    rows = list(persons)
    for start in range(0, len(persons), PORTION):
        part = persons[start : start + PORTION]
        below = select(CUSTOMER.c.id).where(CUSTOMER.c.person_id.in_(part))
        rows += connection.execute(below).scalars()
    return rows


_ORDER_TIMES = select(ORDER.c.created_at_ms).where(
    ORDER.c.customer_id.in_(bindparam("ids", expanding=True)),
    ORDER.c.counted,
    ORDER.c.created_at_ms >= bindparam("since"),
)
_BOUGHT = (
    select(LINE.c.order_id, LINE.c.sku, LINE.c.title, LINE.c.category)
    .join_from(ORDER, LINE, LINE.c.order_id == ORDER.c.id)
    .where(
        ORDER.c.customer_id.in_(bindparam("ids", expanding=True)),
        ORDER.c.counted,
        ORDER.c.created_at_ms >= bindparam("since"),
    )
)
_CHATS = select(CONVERSATION.c.opened_at_ms, CONVERSATION.c.state).where(
    CONVERSATION.c.customer_id.in_(bindparam("ids", expanding=True)),
    CONVERSATION.c.opened_at_ms >= bindparam("since"),
)
_SCORES = text(
    "SELECT s.rating FROM conversation v JOIN chat_session s ON s.conversation_id = v.id"
    " WHERE v.customer_id IN :ids AND s.rated_at_ms >= :since AND s.rating IS NOT NULL"
).bindparams(bindparam("ids", expanding=True))
_CHOSEN = (
    select(SUGGESTION.c.chosen_id, func.count())
    .where(
        SUGGESTION.c.customer_id.in_(bindparam("ids", expanding=True)),
        SUGGESTION.c.asked_at_ms >= bindparam("since"),
        SUGGESTION.c.chosen_id.is_not(None),
        SUGGESTION.c.outcome.in_(("accepted", "helped")),
    )
    .group_by(SUGGESTION.c.chosen_id)
)


def _chats(connection: Connection, rows: Sequence[str], *, since_ms: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for start in range(0, len(rows), PORTION):
        values = {"ids": rows[start : start + PORTION], "since": since_ms}
        found += [(row[0], row[1]) for row in connection.execute(_CHATS, values)]
    return found


def _scores(connection: Connection, rows: Sequence[str], *, since_ms: int) -> list[int]:
    found: list[int] = []
    for start in range(0, len(rows), PORTION):
        values = {"ids": rows[start : start + PORTION], "since": since_ms}
        found += connection.execute(_SCORES, values).scalars()
    return found


def _questions(
    connection: Connection, rows: Sequence[str], locale: str, *, since_ms: int
) -> list[Common]:
    """The articles with which their questions were answered most."""
    counts: Counter[str] = Counter()
    for start in range(0, len(rows), PORTION):
        values = {"ids": rows[start : start + PORTION], "since": since_ms}
        for article_id, count in connection.execute(_CHOSEN, values):
            counts[article_id] += count
    best = _most(counts, sum(counts.values()))
    c = ARTICLE_TEXT.c
    said = select(c.article_id, c.locale, c.title).where(
        c.article_id.in_([one.name for one in best])
    )
    titles: dict[str, str] = {}
    for article_id, spoken, title in connection.execute(said):
        if article_id not in titles or spoken.startswith(locale):
            titles[article_id] = title
    return [Common(titles[one.name], one.count, one.share) for one in best if one.name in titles]


def _most(counts: Counter[str], whole: int) -> list[Common]:
    best = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:TOP]
    return [Common(name, count, count / whole if whole else 0.0) for name, count in best]


def _slot(times: LocalTimes, at_ms: int) -> tuple[int, int]:
    at = times(at_ms)
    return at.weekday, at.hour


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


# Averages that are money, and what a file calls them.
_MONEY = {"net_minor": "net_spend", "average_minor": "average_order"}


def persona_csv(found: Persona, currency: str) -> str:
    """Averages, products, categories, tags, questions and hours, one figure a row.

    Money is in whole units of the currency that its row names.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("what", "name", "count", "value", "currency"))
    for name in Averages.__dataclass_fields__:
        value = getattr(found.averages, name)
        if name in _MONEY:
            amount = "" if value is None else decimal_text(round(value), currency)
            writer.writerow(("average", _MONEY[name], "", amount, currency))
            continue
        writer.writerow(("average", name, "", "" if value is None else f"{value:.4f}", ""))
    for what, rows in (
        ("product", found.products),
        ("category", found.categories),
        ("tag", found.tags),
        ("question", found.questions),
    ):
        writer.writerows(
            (what, safe_cell(one.name), one.count, f"{one.share:.4f}", "") for one in rows
        )
    for what, hours in (("order_hour", found.order_hours), ("chat_hour", found.chat_hours)):
        writer.writerows(
            (what, f"{weekday + 1} {hour:02}:00", count, "", "")
            for (weekday, hour), count in sorted(hours.items())
        )
    return out.getvalue()
