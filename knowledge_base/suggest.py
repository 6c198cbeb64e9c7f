"""What an agent is shown for a question: the best articles, and whether they are good enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from knowledge_base.confidence import SHIPPED, Band, Calibration, band, confidence
from knowledge_base.index import Index, Part
from knowledge_base.rank import Ranking, rank

ITEMS = 3


@dataclass(frozen=True, slots=True)
class Item:
    """An article and why it is here: the part of it that is most like the question."""

    article_id: str
    title: str
    locale: str
    score: float
    """The probability 0..1 that this is the answer; 1 only for a question that is the title."""
    part: Part
    text: str
    why: Mapping[str, float]
    """How much words, letters, sounds and meaning say for it, each 0..1."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The items, best first, and what they are good for.

    "answer": the first may be shown to a customer; "suggest": an agent should choose; "none":
    nothing fits, even where there are items.
    """

    band: Band
    items: tuple[Item, ...]
    corrections: Mapping[str, str]
    """Words that were taken for others: {"refudn": "refund"}."""


def suggest(
    index: Index,
    text: str,
    *,
    locale: str | None = None,
    public_only: bool = False,
    limit: int = ITEMS,
    priors: Mapping[str, float] | None = None,
    calibration: Calibration = SHIPPED,
) -> Suggestions:
    """The articles that best answer the text, at most `limit`; none for a text without words.

    `locale` leaves only articles in its language, `public_only` those that customers may read;
    `priors` says by article id, 0..1, what else speaks for an article. Takes any text, and looks at
    the first 200 characters of it, so that its cost is bounded: milliseconds, so call it from a
    thread.
    """
    ranking = rank(
        index, text, locale, public_only=public_only, priors=priors, limit=max(limit, ITEMS)
    )
    items: list[Item] = []
    least = 1.0
    for place in range(min(limit, len(ranking.matches))):
        least = min(least, confidence(ranking, place, calibration))
        items.append(_item(index, ranking, place, least))
    return Suggestions(
        band(items[0].score if items else 0.0), tuple(items), dict(ranking.corrections)
    )


def _item(index: Index, ranking: Ranking, place: int, sure: float) -> Item:
    match = ranking.matches[place]
    article = index.segments[match.segment].articles[match.article]
    signals = match.signals
    return Item(
        article_id=article.id,
        title=article.title,
        locale=article.locale,
        score=round(sure, 4),
        part=match.entry.part,
        text=match.entry.text,
        why={
            "words": round(signals.covered, 3),
            "letters": round(signals.letters, 3),
            "sounds": round(signals.sounds, 3),
            "meaning": round(signals.meaning, 3),
        },
    )
