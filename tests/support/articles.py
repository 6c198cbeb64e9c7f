"""Articles of a shop under test."""

from __future__ import annotations

from server.actions.import_articles import take_articles
from server.domain.imported import ArticleRow
from server.storage.articles import articles_by_name
from tests.realtime.desk import Desk


def put_article(
    desk: Desk,
    title: str,
    *,
    name: str | None = None,
    body: str = "",
    locale: str = "en",
    audience: str = "public",
    phrasings: tuple[str, ...] = (),
) -> str:
    """The id of an article that says this now; ``name`` is its id where it came from."""
    row = ArticleRow(
        line=1,
        source="tests",
        external_id=name or title,
        title=title,
        body=body,
        locale=locale,
        audience=audience,
        phrasings=phrasings,
    )
    desk.write(lambda tx: take_articles(tx, [row]))
    key = (row.source, row.external_id)
    return desk.write(lambda tx: articles_by_name(tx.connection, [key])[key].id)
