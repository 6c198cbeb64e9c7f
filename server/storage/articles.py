"""Articles of the knowledge base: an answer, its texts by language, and how people ask for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, text, tuple_, update

from server.storage.locking import lockable, locked_row
from server.storage.tables import Article as ArticleTable
from server.storage.tables import ArticlePhrasing, KnowledgeHead, table
from server.storage.tables import ArticleText as ArticleTextTable
from server.storage.tables import ArticleVersion as ArticleVersionTable
from server.storage.unit import Tx

ARTICLE = table(ArticleTable)
TEXT = table(ArticleTextTable)
PHRASING = table(ArticlePhrasing)
VERSION = table(ArticleVersionTable)
HEAD = table(KnowledgeHead)
# Fewer than the parameters that SQLite takes in one statement.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Article:
    """An answer; ``external_id`` is its name within ``source``."""

    id: str
    source: str
    external_id: str
    audience: str
    status: str
    category: str | None
    created_at_ms: int
    updated_at_ms: int
    kind: str = "article"
    shortcut: str | None = None
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None
    version: int = 1
    kb_seq: int = 0


@dataclass(frozen=True, slots=True)
class ArticlesChanged:
    """Told after the commit: the articles in memory are behind."""


@dataclass(frozen=True, slots=True)
class ArticleText:
    """What an article says in one language; Markdown."""

    article_id: str
    locale: str
    title: str
    body: str
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True)
class ArticleVersion:
    """What an article said in a language after a save of its."""

    article_id: str
    locale: str
    version: int
    title: str
    body: str
    saved_by: str | None
    saved_at_ms: int


@dataclass(frozen=True, slots=True)
class Phrasing:
    """A way to ask for an article in a language; ``source`` says who found it.

    ``state`` is active, pending (not searched yet) or rejected (not to be learnt again).
    ``customer_id`` is whose words they are, so that they go with that person.
    """

    article_id: str
    locale: str
    text: str
    source: str = "import"
    state: str = "active"
    id: str = ""
    uses: int = 0
    added_by: str | None = None
    conversation_id: str | None = None
    customer_id: str | None = None


def articles_by_name(
    connection: Connection, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Article]:
    """The articles with these (source, external id)."""
    statement = select(ARTICLE).where(
        tuple_(ARTICLE.c.source, ARTICLE.c.external_id).in_(sorted(names))
    )
    found = [Article(**row) for row in connection.execute(statement).mappings()]
    return {(article.source, article.external_id): article for article in found}


_ARTICLE_BY_ID = select(ARTICLE).where(ARTICLE.c.id == bindparam("id"))
_LOCK_ARTICLE = lockable(_ARTICLE_BY_ID)


def load_article(connection: Connection, article_id: str, *, lock: bool = False) -> Article | None:
    """One article, or None; ``lock`` keeps other writers out until the commit."""
    if lock:
        row = locked_row(connection, _LOCK_ARTICLE, article_id)
    else:
        row = connection.execute(_ARTICLE_BY_ID, {"id": article_id}).mappings().first()
    return None if row is None else Article(**row)


def articles_by_id(connection: Connection, article_ids: Collection[str]) -> dict[str, Article]:
    """The articles with these ids."""
    statement = select(ARTICLE).where(ARTICLE.c.id.in_(sorted(article_ids)))
    return {row["id"]: Article(**row) for row in connection.execute(statement).mappings()}


def texts_of(
    connection: Connection, article_ids: Collection[str]
) -> dict[tuple[str, str], ArticleText]:
    """The texts of these articles by (article id, locale)."""
    statement = select(TEXT).where(TEXT.c.article_id.in_(sorted(article_ids)))
    found = [ArticleText(**row) for row in connection.execute(statement).mappings()]
    return {(text.article_id, text.locale): text for text in found}


def phrasings_of(
    connection: Connection, article_ids: Collection[str]
) -> dict[tuple[str, str], list[Phrasing]]:
    """The phrasings of these articles by (article id, locale), in the order they were added."""
    c = PHRASING.c
    statement = (
        select(*(c[name] for name in Phrasing.__dataclass_fields__))
        .where(c.article_id.in_(sorted(article_ids)))
        .order_by(c.id)
    )
    found: dict[tuple[str, str], list[Phrasing]] = {}
    for row in connection.execute(statement).mappings():
        phrasing = Phrasing(**row)
        found.setdefault((phrasing.article_id, phrasing.locale), []).append(phrasing)
    return found


def titles(connection: Connection) -> list[tuple[str, str, str]]:
    """(article id, locale, title) of everything that is not archived."""
    rows = connection.execute(
        select(TEXT.c.article_id, TEXT.c.locale, TEXT.c.title)
        .join_from(TEXT, ARTICLE, ARTICLE.c.id == TEXT.c.article_id)
        .where(ARTICLE.c.status != "archived")
        .order_by(TEXT.c.article_id, TEXT.c.locale)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def reply_by_shortcut(connection: Connection, shortcut: str) -> str | None:
    """The id of the canned reply that a word calls, or None."""
    c = ARTICLE.c
    return connection.execute(
        select(c.id).where(c.kind == "reply", c.shortcut == shortcut, c.status != "archived")
    ).scalar()


def load_phrasing(connection: Connection, phrasing_id: str) -> Phrasing | None:
    """One phrasing, or None."""
    c = PHRASING.c
    row = connection.execute(
        select(*(c[name] for name in Phrasing.__dataclass_fields__)).where(c.id == phrasing_id)
    )
    found = row.mappings().first()
    return None if found is None else Phrasing(**found)


def versions_of(connection: Connection, article_id: str) -> list[ArticleVersion]:
    """What an article has said, the newest first."""
    c = VERSION.c
    rows = connection.execute(
        select(VERSION)
        .where(c.article_id == article_id)
        .order_by(c.saved_at_ms.desc(), c.version.desc(), c.locale)
    )
    return [ArticleVersion(**row) for row in rows.mappings()]


_NEXT = text(
    "INSERT INTO knowledge_head (id, seq) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET seq = knowledge_head.seq + 1"
)
_CHANGED = (
    update(ARTICLE)
    .where(ARTICLE.c.id.in_(bindparam("ids", expanding=True)))
    .values(kb_seq=select(HEAD.c.seq).scalar_subquery())
)


def tell_changed(tx: Tx, article_ids: Collection[str]) -> None:
    """Lets every process take these articles over, whatever of them was written in this job.

    The row of the head is held until the commit, so numbers rise in the order of the commits. Call
    it last.
    """
    tx.later(_NEXT)
    ids = sorted(article_ids)
    for start in range(0, len(ids), _AT_ONCE):
        tx.later(_CHANGED, {"ids": ids[start : start + _AT_ONCE]})
    tx.notice(ArticlesChanged())


def add_article(tx: Tx, article: Article) -> None:
    """Writes a new article before its texts."""
    tx.later(insert(ARTICLE), _values(article), first=True)


def change_article(tx: Tx, article: Article) -> None:
    """Writes an article's new values."""
    tx.later(
        update(ARTICLE)
        .where(ARTICLE.c.id == bindparam("b_id"))
        .values({name: bindparam(name) for name in Article.__dataclass_fields__ if name != "id"}),
        {name: value for name, value in _values(article).items() if name != "id"}
        | {"b_id": article.id},
    )


def set_text(tx: Tx, text: ArticleText, *, new: bool) -> None:
    """Writes what an article says in a language, ``new`` when it said nothing in it before."""
    if new:
        tx.later(insert(TEXT), _values(text))
        return
    tx.later(
        update(TEXT)
        .where(TEXT.c.article_id == bindparam("b_id"), TEXT.c.locale == bindparam("b_locale"))
        .values({name: bindparam(name) for name in ("title", "body", "updated_at_ms")}),
        {
            "b_id": text.article_id,
            "b_locale": text.locale,
            "title": text.title,
            "body": text.body,
            "updated_at_ms": text.updated_at_ms,
        },
    )


def set_phrasings(
    tx: Tx, article_id: str, locale: str, texts: Sequence[str], *, source: str
) -> None:
    """Puts these in the place of an article's phrasings from the same source."""
    c = PHRASING.c
    tx.later(
        delete(PHRASING).where(
            c.article_id == bindparam("b_id"),
            c.locale == bindparam("b_locale"),
            c.source == bindparam("b_source"),
        ),
        {"b_id": article_id, "b_locale": locale, "b_source": source},
    )
    if texts:
        tx.later(
            insert(PHRASING),
            [
                {
                    "id": tx.new_id(),
                    "article_id": article_id,
                    "locale": locale,
                    "text": text,
                    "source": source,
                    "state": "active",
                    "created_at_ms": tx.at_ms,
                }
                for text in texts
            ],
        )


def add_phrasing(tx: Tx, phrasing: Phrasing) -> None:
    """Writes one more way to ask for an article."""
    tx.later(
        insert(PHRASING),
        {name: getattr(phrasing, name) for name in Phrasing.__dataclass_fields__}
        | {"created_at_ms": tx.at_ms},
    )


def add_version(tx: Tx, text: ArticleText, *, version: int, saved_by: str | None) -> None:
    """Keeps what an article says from this save on."""
    tx.later(_ADD_VERSION, _version(text, version, saved_by, text.updated_at_ms))


def keep_first_version(tx: Tx, text: ArticleText, *, version: int) -> None:
    """Keeps what an imported article said before its first save here, unless a version does."""
    known = tx.execute(
        select(VERSION.c.version).where(
            VERSION.c.article_id == text.article_id, VERSION.c.locale == text.locale
        )
    ).first()
    if known is None:
        tx.later(_ADD_VERSION, _version(text, version, None, text.updated_at_ms))


_ADD_VERSION = insert(VERSION)


def _version(
    text: ArticleText, version: int, saved_by: str | None, saved_at_ms: int
) -> dict[str, str | int | None]:
    return {
        "article_id": text.article_id,
        "locale": text.locale,
        "version": version,
        "title": text.title,
        "body": text.body,
        "saved_by": saved_by,
        "saved_at_ms": saved_at_ms,
    }


def drop_text(tx: Tx, article_id: str, locale: str) -> None:
    """Lets an article say nothing more in a language; its versions stay."""
    for rows in (TEXT, PHRASING):
        tx.later(
            delete(rows).where(
                rows.c.article_id == bindparam("b_id"), rows.c.locale == bindparam("b_locale")
            ),
            {"b_id": article_id, "b_locale": locale},
        )


def drop_phrasings(tx: Tx, phrasing_ids: Sequence[str]) -> None:
    """Removes ways to ask."""
    if phrasing_ids:
        tx.later(
            delete(PHRASING).where(PHRASING.c.id == bindparam("b_id")),
            [{"b_id": phrasing_id} for phrasing_id in phrasing_ids],
        )


def set_phrasing_state(tx: Tx, phrasing_id: str, state: str) -> None:
    """Lets a way to ask be searched, wait, or be refused for good."""
    tx.later(
        update(PHRASING).where(PHRASING.c.id == bindparam("b_id")).values(state=bindparam("state")),
        {"b_id": phrasing_id, "state": state},
    )


def use_phrasing(tx: Tx, phrasing_id: str, *, state: str) -> None:
    """Counts one more use of a phrasing, and sets its state."""
    statement = update(PHRASING).where(PHRASING.c.id == bindparam("b_id"))
    tx.later(
        statement.values(uses=PHRASING.c.uses + 1, state=bindparam("b_state")),
        {"b_id": phrasing_id, "b_state": state},
    )


def _values(value: Article | ArticleText) -> dict[str, str | int | None]:
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}
