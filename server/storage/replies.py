"""Canned replies that may be used now, and what is known to fill them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, or_, select

from server.domain.variables import LatestOrder, known_values
from server.storage.articles import ARTICLE, TEXT, Article, ArticleText
from server.storage.cards import subject_of
from server.storage.orders import lines_of, orders_of
from server.storage.shop import load_shop

A = ARTICLE.c
# More than anybody remembers; what lies behind is still found by its words.
MOST = 2000
# Of somebody whose latest orders are tests of the shop's own people.
LOOKED_AT = 10


def live_replies(
    connection: Connection, *, at_ms: int
) -> list[tuple[Article, dict[str, ArticleText]]]:
    """The canned replies that may be used now, each with its texts by locale, by shortcut."""
    rows = connection.execute(
        select(ARTICLE, TEXT.c.locale, TEXT.c.title, TEXT.c.body)
        .join_from(ARTICLE, TEXT, TEXT.c.article_id == A.id)
        .where(
            A.kind == "reply",
            A.status == "published",
            or_(A.valid_from_ms.is_(None), A.valid_from_ms <= at_ms),
            or_(A.valid_to_ms.is_(None), A.valid_to_ms > at_ms),
        )
        .order_by(A.shortcut.is_(None), A.shortcut, A.id, TEXT.c.locale)
        .limit(MOST)
    ).mappings()
    found: dict[str, tuple[Article, dict[str, ArticleText]]] = {}
    for row in rows:
        article = Article(**{name: row[name] for name in Article.__dataclass_fields__})
        text = ArticleText(
            article_id=article.id,
            locale=row["locale"],
            title=row["title"],
            body=row["body"],
            created_at_ms=article.created_at_ms,
            updated_at_ms=article.updated_at_ms,
        )
        found.setdefault(article.id, (article, {}))[1][text.locale] = text
    return list(found.values())


def values_for(
    connection: Connection,
    customer_id: str,
    *,
    agent: str | None,
    locale: str,
    among: Sequence[str] | None = None,
) -> dict[str, str]:
    """What the variables of a reply to a customer stand for: the person, their latest order.

    What is not known is absent. With ``among`` only these rows of the person are looked at.
    """
    shop = load_shop(connection)
    subject = subject_of(connection, customer_id)
    if shop is None or subject is None:
        return {}
    if among is not None:
        rows = tuple(row for row in subject.rows if row.id in among)
        subject = replace(subject, rows=rows or (subject.asked,))
    return known_values(
        customer=subject.first("name"),
        agent=agent,
        shop=shop.name,
        order=_latest(connection, subject.ids),
        locale=locale,
        timezone=shop.timezone,
    )


def _latest(connection: Connection, customer_ids: tuple[str, ...]) -> LatestOrder | None:
    rows = orders_of(connection, customer_ids, LOOKED_AT)
    row = next((row for row in rows if not row["test"]), None)
    if row is None:
        return None
    order = LatestOrder(
        **{name: row[name] for name in LatestOrder.__dataclass_fields__ if name != "items"}
    )
    lines = lines_of(connection, [row["id"]]).get(row["id"], [])
    return replace(order, items=[(line["title"], line["quantity"]) for line in lines])
