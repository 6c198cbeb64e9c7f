"""What an agent is shown for a question: the best articles, and whether they are good enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge_base.index import Index, Part
from knowledge_base.rank import Match, rank

Band = Literal["none", "suggest", "answer"]

# An agent passes over a wrong item more easily than finding the right one elsewhere: 0.4 keeps 99 %
# of the right first items of the public CLINC150 set (20 phrasings an article) and hides a third of
# the questions that it has no answer for; in a shop's small base it hides nearly all of them. A
# customer has nobody at hand: from 0.75 on 1 % of those questions is left, and 18 % of the wrong
# first items, with 44 % of the right ones.
_SUGGEST_FROM = 0.4
_ANSWER_FROM = 0.75

ITEMS = 3


@dataclass(frozen=True, slots=True)
class Item:
    """An article and why it is here: the part of it that is most like the question."""

    article_id: str
    title: str
    locale: str
    score: float
    """0..1, comparable between questions; 1 only for a question that is the title."""
    part: Part
    text: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The items, best first, and what they are good for.

    "answer": the first may be shown to a customer; "suggest": an agent should choose; "none":
    nothing fits, even where there are items.
    """

    band: Band
    items: tuple[Item, ...]


def suggest(
    index: Index, text: str, *, locale: str | None = None, limit: int = ITEMS
) -> Suggestions:
    """The articles that best answer the text, at most `limit`; none for a text without words.

    `locale` leaves only articles in its language. Takes any text, and looks at the first 200
    characters of it, so that its cost is bounded.
    """
    items = tuple(_item(index, match) for match in rank(index, text, locale)[:limit])
    return Suggestions(band(items[0].score if items else 0.0), items)


def band(score: float) -> Band:
    """What a first item with this score is good for.

    >>> band(0.9), band(0.6), band(0.2)
    ('answer', 'suggest', 'none')
    """
    if score >= _ANSWER_FROM:
        return "answer"
    return "suggest" if score >= _SUGGEST_FROM else "none"


def _item(index: Index, match: Match) -> Item:
    article = index.articles[match.article]
    return Item(
        article_id=article.id,
        title=article.title,
        locale=article.locale,
        score=round(match.score, 4),
        part=match.entry.part,
        text=match.entry.text,
    )
