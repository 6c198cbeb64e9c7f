"""Taking articles of a file: new ones are added, changed ones written anew, the rest left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from server.domain.imported import ArticleRow
from server.storage import articles
from server.storage.articles import Article, ArticleText
from server.storage.connection import Connection
from server.storage.unit import Tx

PHRASING_SOURCE = "import"
Plan = Literal["new", "changed", "known"]


@dataclass(slots=True)
class _Known:
    """What is stored of the articles that some rows name."""

    articles: dict[tuple[str, str], Article]
    texts: dict[tuple[str, str], ArticleText]
    phrasings: dict[tuple[str, str], frozenset[str]]
    others: dict[tuple[str, str], frozenset[str]]
    """Ways to ask that people wrote or taught here; an import leaves them alone."""


def take_articles(tx: Tx, rows: Sequence[ArticleRow], *, by: str | None = None) -> list[bool]:
    """Writes the rows; for each, whether it brought anything new.

    What a changed article said before stays among its versions; ``by`` is who changed it.
    """
    known = _known(tx.connection, rows)
    new = [_take(tx, row, known, by=by) for row in rows]
    written = {
        known.articles[(row.source, row.external_id)].id
        for row, is_new in zip(rows, new, strict=True)
        if is_new
    }
    if written:
        articles.tell_changed(tx, written)
    return new


def try_articles(connection: Connection, rows: Sequence[ArticleRow]) -> list[bool]:
    """What ``take_articles`` would answer, without writing."""
    known = _known(connection, rows)
    return [not _same(row, known) for row in rows]


def planned(connection: Connection, rows: Sequence[ArticleRow]) -> list[Plan]:
    """What ``take_articles`` would do with each row, without writing."""
    known = _known(connection, rows)
    return [
        "known"
        if _same(row, known)
        else "changed"
        if _text_before(row, known) is not None
        else "new"
        for row in rows
    ]


def _known(connection: Connection, rows: Sequence[ArticleRow]) -> _Known:
    found = articles.articles_by_name(connection, {(row.source, row.external_id) for row in rows})
    ids = {article.id for article in found.values()}
    phrasings: dict[tuple[str, str], frozenset[str]] = {}
    others: dict[tuple[str, str], frozenset[str]] = {}
    for key, given in articles.phrasings_of(connection, ids).items():
        phrasings[key] = frozenset(p.text for p in given if p.source == PHRASING_SOURCE)
        others[key] = frozenset(
            p.text for p in given if p.source != PHRASING_SOURCE and p.state == "active"
        )
    return _Known(found, articles.texts_of(connection, ids), phrasings, others)


def _asked(row: ArticleRow, article_id: str, known: _Known) -> tuple[str, ...]:
    """The ways to ask that a row brings and nobody has brought in another way."""
    others = known.others.get((article_id, row.locale), frozenset())
    return tuple(text for text in row.phrasings if text not in others)


def _text_before(row: ArticleRow, known: _Known) -> ArticleText | None:
    article = known.articles.get((row.source, row.external_id))
    return None if article is None else known.texts.get((article.id, row.locale))


def _same(row: ArticleRow, known: _Known) -> bool:
    article = known.articles.get((row.source, row.external_id))
    text = _text_before(row, known)
    return (
        article is not None
        and text is not None
        and (text.title, text.body) == (row.title, row.body)
        and _about(row, article) == article
        and known.phrasings.get((article.id, row.locale), frozenset())
        == set(_asked(row, article.id, known))
    )


def _about(row: ArticleRow, article: Article) -> Article:
    """An article as a row says it is; what the row does not say stays."""
    return replace(
        article,
        audience=row.audience,
        status=row.status or article.status,
        category=row.category or article.category,
        kind=row.kind,
        shortcut=row.shortcut or article.shortcut if row.kind == "reply" else None,
        valid_from_ms=article.valid_from_ms if row.valid_from_ms is None else row.valid_from_ms,
        valid_to_ms=article.valid_to_ms if row.valid_to_ms is None else row.valid_to_ms,
    )


def _take(tx: Tx, row: ArticleRow, known: _Known, *, by: str | None) -> bool:
    if _same(row, known):
        return False
    name = (row.source, row.external_id)
    at_ms = tx.at_ms if row.updated_at_ms is None else row.updated_at_ms
    article = known.articles.get(name)
    if article is None:
        article = Article(
            id=tx.new_id(),
            source=row.source,
            external_id=row.external_id,
            audience=row.audience,
            status=row.status or row.new_status,
            category=None,
            created_at_ms=at_ms if row.created_at_ms is None else row.created_at_ms,
            updated_at_ms=at_ms,
        )
        article = _with_shortcut(tx, _about(row, article))
        articles.add_article(tx, article)
    else:
        article = replace(
            _about(row, article),
            updated_at_ms=max(at_ms, article.updated_at_ms),
            version=article.version + 1,
        )
        article = _with_shortcut(tx, article)
        articles.change_article(tx, article)
    known.articles[name] = article
    before = known.texts.get((article.id, row.locale))
    text = ArticleText(
        article_id=article.id,
        locale=row.locale,
        title=row.title,
        body=row.body,
        created_at_ms=before.created_at_ms if before else article.created_at_ms,
        updated_at_ms=at_ms,
    )
    if before is not None and (before.title, before.body) != (row.title, row.body):
        articles.keep_first_version(tx, before, version=article.version - 1)
        articles.add_version(tx, text, version=article.version, saved_by=by)
    articles.set_text(tx, text, new=before is None)
    known.texts[(article.id, row.locale)] = text
    asked = _asked(row, article.id, known)
    if known.phrasings.get((article.id, row.locale), frozenset()) != set(asked):
        articles.set_phrasings(tx, article.id, row.locale, asked, source=PHRASING_SOURCE)
        known.phrasings[(article.id, row.locale)] = frozenset(asked)
    return True


def _with_shortcut(tx: Tx, article: Article) -> Article:
    """The article, without its shortcut where another reply has that word."""
    if article.shortcut is None:
        return article
    taken = articles.reply_by_shortcut(tx.connection, article.shortcut)
    return article if taken in (None, article.id) else replace(article, shortcut=None)
