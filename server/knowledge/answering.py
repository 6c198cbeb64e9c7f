"""Finding articles for a shopper: only what is public, shown as blocks, and kept as an offer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any  # Any: JSON values

from agent_ui.markdown import to_blocks, to_text
from knowledge_base.text import has_han, language, without_details
from server.actions import answers
from server.actions.answers import FindAnswer, Offered
from server.actions.suggestions import MAX_ASKED
from server.domain.actors import Actor
from server.domain.help_pages import article_path
from server.domain.text import clean
from server.knowledge.asking import KEPT_CHARS
from server.knowledge.keeper import Knowledge
from server.storage import articles
from server.storage.article_lists import is_for_shoppers
from server.storage.articles import ArticleText
from server.storage.connection import Connection
from server.storage.database import Database

if TYPE_CHECKING:
    from knowledge_base.suggest import Item

Json = dict[str, Any]  # Any: JSON values
ITEMS = 3
# As the engine's own bound between the bands "none" and "suggest".
WORTH_A_LOOK = 0.58
SUMMARY_CHARS = 160
# An answer must fit into a packet three times; the page in the help centre has all of it.
READ_CHARS = 6000


async def find_answers(
    knowledge: Knowledge, database: Database, actor: Actor, payload: FindAnswer
) -> Json:
    """Up to three public articles for what a shopper writes, best first, and how good they are."""
    nothing: Json = {"suggestion_id": None, "band": "none", "items": []}
    text = clean(payload.text, limit=MAX_ASKED, name="text", empty=True)
    if not text:
        return nothing
    spoken = "zh" if has_han(text) else (payload.locale or "en")
    found = await knowledge.suggest(
        text, locale=payload.locale or spoken, public_only=True, limit=ITEMS
    )
    given = found.suggestions
    if given is None:
        return nothing
    # A shopper has no colleague to ask which of three fits: each must be worth a look by itself.
    shown = [item for item in given.items if item.score >= WORTH_A_LOOK]
    at_ms = database.clock()
    items = await database.read(partial(_items, found=shown, spoken=spoken, at_ms=at_ms))
    sure = {item.article_id: item.score for item in shown}
    offered = Offered(
        query=without_details(text)[:KEPT_CHARS],
        locale=spoken,
        band=given.band if items else "none",
        articles=tuple((item["article_id"], sure[item["article_id"]]) for item in items),
        kb_seq=found.kb_seq,
    )
    suggestion_id = await database.write(
        lambda tx: answers.keep_offered(tx, actor, offered, payload.suggestion_id)
    )
    return {"suggestion_id": suggestion_id, "band": offered.band, "items": items}


def _items(connection: Connection, *, found: Sequence[Item], spoken: str, at_ms: int) -> list[Json]:
    """The found articles as shoppers read them, in the language of the question if they can."""
    ids = [item.article_id for item in found]
    texts = articles.texts_of(connection, ids)
    known = articles.articles_by_id(connection, ids)
    items = []
    for item in found:
        article = known.get(item.article_id)
        of_article = [text for text in texts.values() if text.article_id == item.article_id]
        text = next(
            (one for one in of_article if language(one.locale) == spoken),
            texts.get((item.article_id, item.locale)),
        )
        # The index may be a second behind.
        if article is not None and text is not None and is_for_shoppers(article, at_ms=at_ms):
            items.append(_item(text))
    return items


def _item(text: ArticleText) -> Json:
    body = text.body[:READ_CHARS]
    return {
        "article_id": text.article_id,
        "title": text.title,
        "locale": text.locale,
        "summary": to_text(body[: SUMMARY_CHARS * 8], limit=SUMMARY_CHARS),
        "blocks": to_blocks(body),
        "address": article_path(text.article_id, text.title) + f"?lang={language(text.locale)}",
    }
