"""Asking for suggestions in a conversation: read the question, search, keep what was offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from knowledge_base.text import language, without_details
from server.actions import suggestions
from server.actions.access import read_conversation
from server.actions.desk import Look
from server.actions.hints import Hints, hints_of
from server.actions.payload import Payload
from server.actions.suggestions import MAX_ASKED, Asked, AskSuggestion, Question
from server.domain.actors import Actor
from server.domain.text import clean
from server.knowledge.keeper import Found, Knowledge
from server.storage import articles
from server.storage.articles import Article, ArticleText
from server.storage.connection import Connection
from server.storage.database import Database

if TYPE_CHECKING:
    from knowledge_base.suggest import Item
    from server.knowledge.priors import Raised

Json = dict[str, Any]  # Any: JSON values
KEPT_CHARS = 500
ITEMS = 3


async def suggest_answers(
    knowledge: Knowledge, database: Database, actor: Actor, payload: AskSuggestion
) -> Json:
    """Up to three articles for a conversation, best first, and how good they are.

    ``suggestion_id`` is None where nothing was asked or found.
    """
    question, hints = await _question(database, actor, payload)
    if not question.text:
        return _answer(None, Found(None, knowledge.kb_seq, 0.0), [])
    found = await knowledge.suggest(question.text, locale=question.locale, limit=ITEMS, hints=hints)
    given = found.suggestions
    if given is None:
        return _answer(None, found, [])
    at_ms = database.clock()
    items = await database.read(
        lambda c: suggestions.with_values(
            Look(c, actor, at_ms),
            payload.conversation_id,
            _items(c, given.items, question, raised=found.raised),
        )
    )
    asked = Asked(
        conversation_id=payload.conversation_id,
        question=question,
        # Line by line, so that what is learnt of it is a sentence of one message.
        kept_text="\n".join(map(without_details, question.text.splitlines()))[:KEPT_CHARS],
        band=given.band,
        articles=tuple((item["article_id"], item["p"]) for item in items),
        kb_seq=found.kb_seq,
    )
    suggestion_id = await database.write(lambda tx: suggestions.keep_asked(tx, actor, asked))
    return _answer(suggestion_id, found, items)


class SearchArticles(Payload):
    """What to look for. ``locale`` is the language of whoever asks."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_ASKED)]
    locale: Literal["en", "zh"] | None = None
    audience: Literal["public", "internal"] = "internal"
    limit: Annotated[int, Field(ge=1, le=20)] = ITEMS


async def search_articles(
    knowledge: Knowledge, database: Database, _actor: Actor, payload: SearchArticles
) -> Json:
    """The articles that best answer a text; with audience public, what customers may read only."""
    text = clean(payload.text, limit=MAX_ASKED, name="text", empty=True)
    if not text:
        return _found(Found(None, knowledge.kb_seq, 0.0), [])
    found = await knowledge.suggest(
        text,
        locale=payload.locale,
        public_only=payload.audience == "public",
        limit=payload.limit,
    )
    given = found.suggestions
    if given is None:
        return _found(found, [])
    question = Question(text, payload.locale, None)
    return _found(found, await database.read(lambda c: _items(c, given.items, question)))


async def _question(
    database: Database, actor: Actor, payload: AskSuggestion
) -> tuple[Question, Hints]:
    """What is asked, and what is known of who asks."""
    at_ms = database.clock()

    def read(connection: Connection) -> tuple[Question, Hints]:
        look = Look(connection, actor, at_ms)
        question = suggestions.question_of(look, payload)
        if not question.text:
            return question, Hints()
        conversation = read_conversation(connection, actor, payload.conversation_id)
        return question, hints_of(connection, conversation.customer_id, at_ms=at_ms)

    return await database.read(read)


def _answer(suggestion_id: str | None, found: Found, items: list[Json]) -> Json:
    return {"suggestion_id": suggestion_id, **_found(found, items)}


def _found(found: Found, items: list[Json]) -> Json:
    given = found.suggestions
    return {
        "kb_seq": found.kb_seq,
        "band": given.band if given else "none",
        "items": items,
        "corrections": dict(given.corrections) if given else {},
        "took_ms": found.took_ms,
    }


def _items(
    connection: Connection,
    found: Sequence[Item],
    question: Question,
    *,
    raised: Mapping[str, Raised] | None = None,
) -> list[Json]:
    """The found articles as agents are shown them, in the language of the question if they can."""
    ids = [item.article_id for item in found]
    texts = articles.texts_of(connection, ids)
    known = articles.articles_by_id(connection, ids)
    items = []
    for item in found:
        spoken = _spoken(texts, item, question)
        article = known.get(item.article_id)
        if spoken is not None and article is not None:
            reason = (raised or {}).get(item.article_id)
            items.append(
                _item(item, article, spoken) | {"raised": reason.as_json() if reason else None}
            )
    return items


def _spoken(
    texts: dict[tuple[str, str], ArticleText], item: Item, question: Question
) -> ArticleText | None:
    of_article = [text for (article_id, _), text in texts.items() if article_id == item.article_id]
    wanted = language(question.locale or item.locale)
    return next(
        (text for text in of_article if language(text.locale) == wanted),
        texts.get((item.article_id, item.locale)),
    )


def _item(item: Item, article: Article, text: ArticleText) -> Json:
    return {
        "article_id": article.id,
        "kind": article.kind,
        "title": text.title,
        "body": text.body,
        "locale": text.locale,
        "audience": article.audience,
        "category": article.category,
        "p": item.score,
        "part": item.part,
        "matched": item.text,
        "why": dict(item.why),
    }
