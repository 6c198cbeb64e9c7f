"""Articles and canned replies as people write them: saved with a version, compared, restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from knowledge_base.likeness import likeness
from knowledge_base.text import clean as cleaned
from server.actions.payload import Id, Payload
from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.imported import (
    MAX_ARTICLE_CHARS,
    MAX_PHRASING_CHARS,
    MAX_PHRASINGS,
    MAX_TITLE_CHARS,
)
from server.domain.permissions import require
from server.domain.text import clean
from server.storage import articles
from server.storage.articles import Article, ArticleText, Phrasing
from server.storage.connection import Connection
from server.storage.unit import Tx

Json = dict[str, Any]  # Any: JSON values
OWN_SOURCE = "shop"
WRITE = "article.write"
MAX_CATEGORY_CHARS = 100
MAX_SHORTCUT_CHARS = 40
LANGUAGES = ("en", "zh")
# From here on two titles say the same: "How do I return it?" and "How do i return it".
SAME = 0.85


class Said(Payload):
    """What an article says in one language; phrasings are other ways to ask for it."""

    title: str
    body: str = ""
    phrasings: tuple[str, ...] | None = None


class NewArticle(Payload):
    """An article as it is to be; a language that is absent, or has no title, is not spoken."""

    kind: Literal["article", "reply"] = "article"
    audience: Literal["public", "internal"] = "public"
    status: Literal["published", "draft", "archived"] = "published"
    category: str | None = None
    shortcut: str | None = None
    valid_from_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None
    valid_to_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None
    texts: dict[str, Said]


class ChangeArticle(NewArticle):
    """The same for one that is there; ``version`` is the one that was read before."""

    article_id: Id
    version: Annotated[int, Field(ge=1, le=2**31)]


class SetStatus(Payload):
    """Publishes an article, takes it back, or puts it away."""

    article_id: Id
    status: Literal["published", "draft", "archived"]


class RestoreVersion(Payload):
    """Makes what an article once said in a language what it says now."""

    article_id: Id
    locale: str
    version: int


class SetPhrasing(Payload):
    """Lets a way to ask be searched, or unlearns it."""

    phrasing_id: Id
    state: Literal["active", "rejected"]


def create_article(tx: Tx, actor: Actor, payload: NewArticle) -> Json:
    """Writes a new article; ``article_id`` and ``version``. Raises InvalidInput."""
    require(actor, WRITE)
    return _save(tx, actor, payload, None)


def change_article(tx: Tx, actor: Actor, payload: ChangeArticle) -> Json:
    """Writes an article anew; ``article_id`` and the new ``version``.

    Raises Conflict with ``version`` when somebody else has saved it since, InvalidInput for what
    cannot be saved. Each language whose words changed keeps a version of its own.
    """
    require(actor, WRITE)
    before = _found(tx.connection, payload.article_id)
    if before.version != payload.version:
        raise Conflict(
            "Somebody else has saved this article since you opened it.",
            reason="article_changed",
            version=before.version,
        )
    return _save(tx, actor, payload, before)


def _save(tx: Tx, actor: Actor, payload: NewArticle, before: Article | None) -> Json:
    said = {locale: _said(locale, given) for locale, given in sorted(payload.texts.items())}
    spoken = {locale: given for locale, given in said.items() if given.title}
    if not spoken:
        raise InvalidInput("Give the article a title in one language.", field="title")
    if (
        payload.valid_from_ms
        and payload.valid_to_ms
        and not (payload.valid_from_ms < payload.valid_to_ms)
    ):
        raise InvalidInput("It must end after it begins.", field="valid_to")
    article = Article(
        id=before.id if before else tx.new_id(),
        source=before.source if before else OWN_SOURCE,
        external_id="",
        audience="internal" if payload.kind == "reply" else payload.audience,
        status=payload.status,
        category=_optional(payload.category, MAX_CATEGORY_CHARS, "category"),
        created_at_ms=before.created_at_ms if before else tx.at_ms,
        updated_at_ms=tx.at_ms,
        kind=payload.kind,
        shortcut=_shortcut(tx.connection, payload, before),
        valid_from_ms=payload.valid_from_ms,
        valid_to_ms=payload.valid_to_ms,
        version=before.version + 1 if before else 1,
    )
    article = replace(article, external_id=before.external_id if before else article.id)
    if before is None:
        articles.add_article(tx, article)
    else:
        articles.change_article(tx, article)
    _write_texts(tx, actor, article, spoken)
    articles.tell_changed(tx, [article.id])
    return {"article_id": article.id, "version": article.version}


def set_status(tx: Tx, actor: Actor, payload: SetStatus) -> Json:
    """Publishes an article, takes it back, or puts it away; nothing it says is lost."""
    require(actor, WRITE)
    article = _found(tx.connection, payload.article_id)
    if article.status != payload.status:
        changed = replace(
            article,
            status=payload.status,
            updated_at_ms=tx.at_ms,
            version=article.version + 1,
        )
        articles.change_article(tx, changed)
        articles.tell_changed(tx, [article.id])
        article = changed
    return {"article_id": article.id, "version": article.version}


def restore_version(tx: Tx, actor: Actor, payload: RestoreVersion) -> Json:
    """Makes an older text the present one, as a version of its own. Raises NotFound."""
    require(actor, WRITE)
    article = _found(tx.connection, payload.article_id)
    old = next(
        (
            version
            for version in articles.versions_of(tx.connection, article.id)
            if (version.locale, version.version) == (payload.locale, payload.version)
        ),
        None,
    )
    if old is None:
        raise NotFound("There is no such version.")
    article = replace(article, version=article.version + 1, updated_at_ms=tx.at_ms)
    articles.change_article(tx, article)
    _write_texts(tx, actor, article, {old.locale: Said(title=old.title, body=old.body)}, only=True)
    articles.tell_changed(tx, [article.id])
    return {"article_id": article.id, "version": article.version}


def set_phrasing(tx: Tx, actor: Actor, payload: SetPhrasing) -> Json:
    """Lets a learnt way to ask be searched, or unlearns it at once. Raises NotFound."""
    require(actor, WRITE)
    phrasing = articles.load_phrasing(tx.connection, payload.phrasing_id)
    if phrasing is None:
        raise NotFound("There is no such phrasing.")
    if phrasing.state != payload.state:
        articles.set_phrasing_state(tx, phrasing.id, payload.state)
        articles.tell_changed(tx, [phrasing.article_id])
    return {"article_id": phrasing.article_id, "phrasing_id": phrasing.id}


def alike(
    connection: Connection, texts: Sequence[tuple[str, str]], *, but: str | None = None
) -> list[tuple[str, str]]:
    """(id, title) of articles that seem to ask the same as one of (locale, title); at most 5."""
    wanted = [(locale, cleaned(title)) for locale, title in texts if title.strip()]
    found: dict[str, str] = {}
    for article_id, locale, title in articles.titles(connection):
        if article_id == but or article_id in found:
            continue
        plain = cleaned(title)
        if any(one == locale and likeness(mine, plain) >= SAME for one, mine in wanted):
            found[article_id] = title
    return list(found.items())[:5]


def _found(connection: Connection, article_id: str) -> Article:
    article = articles.load_article(connection, article_id, lock=True)
    if article is None:
        raise NotFound("There is no such article.")
    return article


def _said(locale: str, given: Said) -> Said:
    if locale not in LANGUAGES:
        raise InvalidInput("Articles are in English or Chinese.", field="locale")
    phrasings = None
    if given.phrasings is not None:
        kept = [
            clean(line, limit=MAX_PHRASING_CHARS, name="phrasings", empty=True)
            for line in given.phrasings
        ]
        phrasings = tuple(dict.fromkeys(line for line in kept if line))
        if len(phrasings) > MAX_PHRASINGS:
            raise InvalidInput("There are too many phrasings.", field="phrasings")
    return Said(
        title=clean(given.title, limit=MAX_TITLE_CHARS, name="title", empty=True),
        body=clean(given.body, limit=MAX_ARTICLE_CHARS, name="body", empty=True),
        phrasings=phrasings,
    )


def _optional(text: str | None, limit: int, name: str) -> str | None:
    return clean(text, limit=limit, name=name, empty=True) or None if text else None


def _shortcut(connection: Connection, payload: NewArticle, before: Article | None) -> str | None:
    """The word after "/" that calls a reply; no two replies have the same. Raises InvalidInput."""
    word = _optional(payload.shortcut, MAX_SHORTCUT_CHARS, "shortcut")
    if payload.kind != "reply" or word is None:
        return None
    word = word.lstrip("/").lower()
    if not word or any(character.isspace() for character in word):
        raise InvalidInput("A shortcut is one word.", field="shortcut")
    taken = articles.reply_by_shortcut(connection, word)
    if taken is not None and (before is None or taken != before.id):
        raise InvalidInput("Another reply has this shortcut.", field="shortcut", reason="shortcut")
    return word


def _write_texts(
    tx: Tx, actor: Actor, article: Article, spoken: dict[str, Said], *, only: bool = False
) -> None:
    """Writes what an article says; ``only`` leaves the languages that are not named as they are."""
    before = {
        locale: text for (_, locale), text in articles.texts_of(tx.connection, [article.id]).items()
    }
    for locale, said in spoken.items():
        old = before.get(locale)
        text = ArticleText(
            article_id=article.id,
            locale=locale,
            title=said.title,
            body=said.body,
            created_at_ms=old.created_at_ms if old else tx.at_ms,
            updated_at_ms=tx.at_ms,
        )
        if old is None or (old.title, old.body) != (said.title, said.body):
            if old is not None:
                articles.keep_first_version(tx, old, version=article.version - 1)
            articles.set_text(tx, text, new=old is None)
            articles.add_version(tx, text, version=article.version, saved_by=actor.id)
        if said.phrasings is not None:
            _write_phrasings(tx, actor, article, locale, said.phrasings)
    if not only:
        for locale in before.keys() - spoken.keys():
            articles.drop_text(tx, article.id, locale)


def _write_phrasings(
    tx: Tx, actor: Actor, article: Article, locale: str, wanted: Sequence[str]
) -> None:
    """Leaves those that stay with what is known of them, adds the new, drops the others.

    What was learnt and is still waiting, or was refused, is decided one by one and stays.
    """
    known = articles.phrasings_of(tx.connection, [article.id]).get((article.id, locale), [])
    active = {phrasing.text: phrasing for phrasing in known if phrasing.state == "active"}
    articles.drop_phrasings(tx, [p.id for text, p in active.items() if text not in wanted])
    for text in wanted:
        if text not in active:
            articles.add_phrasing(
                tx,
                Phrasing(
                    article_id=article.id,
                    locale=locale,
                    text=text,
                    source="author",
                    id=tx.new_id(),
                    added_by=actor.id,
                ),
            )
