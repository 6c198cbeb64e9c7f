"""Lists of articles for the people who write them, and the shelves of the help centre."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, or_, select

from server.storage.articles import ARTICLE, PHRASING, TEXT, Article, ArticleText

A = ARTICLE.c
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which articles a list is about; None leaves a question open."""

    words: str | None = None
    kind: str | None = None
    status: str | None = None
    audience: str | None = None
    category: str | None = None
    locale: str | None = None
    missing: str | None = None
    waiting: bool = False


def listed(connection: Connection, wanted: Wanted, *, page: int) -> tuple[list[Article], int]:
    """A page of articles, the latest change first, and how many there are in all."""
    statement = _chosen(wanted)
    total = connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    rows = connection.execute(
        statement.order_by(A.updated_at_ms.desc(), A.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).mappings()
    return [Article(**row) for row in rows], int(total)


def waiting_phrasings(connection: Connection) -> dict[str, int]:
    """How many learnt ways to ask wait for a decision, by article."""
    c = PHRASING.c
    rows = connection.execute(
        select(c.article_id, func.count()).where(c.state == "pending").group_by(c.article_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def categories(connection: Connection) -> list[str]:
    """The categories that are in use, in their order."""
    rows = connection.execute(
        select(A.category).where(A.category.is_not(None), A.status != "archived").distinct()
    )
    return sorted(str(row[0]) for row in rows)


def public_shelf(
    connection: Connection, *, at_ms: int, category: str | None = None
) -> list[tuple[Article, ArticleText]]:
    """What customers may read now, in every language it is written in, by category and title."""
    statement = (
        select(
            ARTICLE, TEXT.c.locale, TEXT.c.title, TEXT.c.body, TEXT.c.updated_at_ms.label("said")
        )
        .join_from(ARTICLE, TEXT, TEXT.c.article_id == A.id)
        .where(
            A.kind == "article",
            A.audience == "public",
            A.status == "published",
            or_(A.valid_from_ms.is_(None), A.valid_from_ms <= at_ms),
            or_(A.valid_to_ms.is_(None), A.valid_to_ms > at_ms),
        )
        .order_by(A.category, TEXT.c.title, A.id)
    )
    if category is not None:
        statement = statement.where(A.category == category)
    found = []
    for row in connection.execute(statement).mappings():
        article = Article(**{name: row[name] for name in Article.__dataclass_fields__})
        text = ArticleText(
            article_id=article.id,
            locale=row["locale"],
            title=row["title"],
            body=row["body"],
            created_at_ms=article.created_at_ms,
            updated_at_ms=row["said"],
        )
        found.append((article, text))
    return found


def is_for_shoppers(article: Article, *, at_ms: int) -> bool:
    """True when customers may read an article now."""
    return (
        (article.kind, article.audience, article.status) == ("article", "public", "published")
        and (article.valid_from_ms is None or article.valid_from_ms <= at_ms)
        and (article.valid_to_ms is None or article.valid_to_ms > at_ms)
    )


_ANY_FOR_SHOPPERS = (
    select(A.id)
    .where(A.kind == "article", A.audience == "public", A.status == "published")
    .limit(1)
)


def any_for_shoppers(connection: Connection) -> bool:
    """True when there is something that shoppers could be offered."""
    return connection.execute(_ANY_FOR_SHOPPERS).first() is not None


def _chosen(wanted: Wanted) -> Select[tuple[object, ...]]:
    statement = select(ARTICLE)
    for name in ("kind", "status", "audience", "category"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(A[name] == value)
    if wanted.status is None:
        statement = statement.where(A.status != "archived")
    if wanted.words:
        pattern = f"%{_escaped(wanted.words.lower())}%"
        said = select(TEXT.c.article_id).where(
            TEXT.c.article_id == A.id,
            or_(
                func.lower(TEXT.c.title).like(pattern, escape="\\"),
                func.lower(TEXT.c.body).like(pattern, escape="\\"),
            ),
        )
        statement = statement.where(
            or_(said.exists(), A.shortcut.like(pattern.lstrip("%"), escape="\\"))
        )
    for locale, there in ((wanted.locale, True), (wanted.missing, False)):
        if locale is not None:
            spoken = select(TEXT.c.article_id).where(
                TEXT.c.article_id == A.id, TEXT.c.locale == locale
            )
            statement = statement.where(spoken.exists() if there else ~spoken.exists())
    if wanted.waiting:
        learnt = select(PHRASING.c.id).where(
            PHRASING.c.article_id == A.id, PHRASING.c.state == "pending"
        )
        statement = statement.where(learnt.exists())
    return statement


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
