"""Canned replies for a conversation: found by shortcut and title, filled with what is known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any  # Any: JSON values

from pydantic import Field

from knowledge_base.likeness import nearest
from knowledge_base.text import has_han, language
from server.actions.access import read_conversation
from server.actions.desk import Look
from server.actions.payload import Id, Payload
from server.domain.variables import filled, left_open
from server.storage.articles import Article, ArticleText
from server.storage.replies import live_replies, values_for

MAX_SOUGHT = 100
MOST_FOUND = 8
Json = dict[str, Any]  # Any: JSON values


class FindReply(Payload):
    """A canned reply by its shortcut, its title or its words; all of them for an empty text."""

    conversation_id: Id
    text: Annotated[str, Field(max_length=MAX_SOUGHT)] = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A canned reply in the language of a conversation."""

    article: Article
    text: ArticleText
    titles: tuple[str, ...]


def found_replies(look: Look, payload: FindReply, by_words: Sequence[str]) -> list[Json]:
    """At most eight replies, best first; ``by_words`` are the articles that the engine found.

    Raises NotFound for a conversation that the actor may not see.
    """
    conversation = read_conversation(look.connection, look.actor, payload.conversation_id)
    locale = conversation.locale or "en"
    replies = [
        Reply(article, _spoken(texts, locale), tuple(text.title for text in texts.values()))
        for article, texts in live_replies(look.connection, at_ms=look.at_ms)
    ]
    chosen = _chosen(replies, payload.text.strip().lower(), by_words)
    bodies = filled_bodies(
        look, conversation.customer_id, [reply.text.body for reply in chosen], locale=locale
    )
    return [
        {
            "article_id": reply.article.id,
            "shortcut": reply.article.shortcut,
            "title": reply.text.title,
            "body": body,
            "locale": reply.text.locale,
        }
        for reply, body in zip(chosen, bodies, strict=True)
    ]


def filled_bodies(
    look: Look, customer_id: str | None, bodies: Sequence[str], *, locale: str
) -> list[str]:
    """The texts with what is known of a customer in them; nothing is read where nothing is open."""
    if customer_id is None or not any(left_open(body) for body in bodies):
        return list(bodies)
    values = values_for(look.connection, customer_id, agent=look.actor.name, locale=locale)
    return [filled(body, values) for body in bodies]


def _chosen(replies: Sequence[Reply], sought: str, by_words: Sequence[str]) -> list[Reply]:
    """Those that fit, best first: by shortcut, by title, by words."""
    shortcuts = [reply.article.shortcut for reply in replies if reply.article.shortcut]
    meant = nearest(sought, shortcuts) if sought else None
    ranked = [(_place(reply, sought, meant, by_words), reply) for reply in replies]
    fitting = [(place, reply) for place, reply in ranked if place is not None]
    fitting.sort(key=lambda row: row[0])
    return [reply for _, reply in fitting[:MOST_FOUND]]


def _place(
    reply: Reply, sought: str, meant: str | None, by_words: Sequence[str]
) -> tuple[int, int] | None:
    shortcut = reply.article.shortcut or ""
    titles = [title.lower() for title in reply.titles]
    tests: tuple[bool, ...] = (
        shortcut == sought,
        shortcut.startswith(sought),
        shortcut != "" and shortcut == meant,
        any(word.startswith(sought) for title in titles for word in (title, *title.split())),
        # One Latin letter is in nearly every title.
        (len(sought) > 1 or has_han(sought)) and any(sought in title for title in titles),
        reply.article.id in by_words,
    )
    place = next((n for n, fits in enumerate(tests) if fits), None)
    if place is None:
        return None
    return place, by_words.index(reply.article.id) if place == len(tests) - 1 else 0


def _spoken(texts: dict[str, ArticleText], locale: str) -> ArticleText:
    wanted = language(locale)
    known: Collection[ArticleText] = texts.values()
    return next((text for text in known if language(text.locale) == wanted), next(iter(known)))
