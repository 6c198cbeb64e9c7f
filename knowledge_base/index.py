"""The inverted index over titles, phrasings and sections of bodies."""

from __future__ import annotations

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from knowledge_base.articles import Article
from knowledge_base.text import MAX_QUERY, clean, sections, tokens, words

# BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework"), section 3.4.1. Both
# are below the usual 1.2 and 0.75: titles and questions are short, and a word said twice in one is
# no news.
_K1 = 0.9
_B = 0.4

Part = Literal["title", "phrasing", "body"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One text by which an article can be found."""

    article: int
    """The place of its article in the index."""
    part: Part
    text: str
    cleaned: str
    """At most MAX_QUERY characters, as a question is."""
    words: str
    locale: str
    """The language alone: zh for zh-CN."""


@dataclass(frozen=True, slots=True)
class Postings:
    """The entries that have a token, and how much the token says for each (its BM25 weight)."""

    entries: array[int]
    weights: array[float]


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that a search needs; never changed, but replaced by a new one."""

    articles: tuple[Article, ...]
    entries: tuple[Entry, ...]
    postings: Mapping[str, Postings]
    rarity: Mapping[str, float]
    """How telling each known token is: the idf of BM25, above 0."""
    unknown_rarity: float
    """The same for a token that is nowhere."""
    by_text: Mapping[str, tuple[int, ...]]
    """The titles and phrasings that are exactly this cleaned text."""
    by_length: Mapping[int, tuple[str, ...]]
    """The known words of each length, for putting typing mistakes right."""


def build_index(articles: Iterable[Article]) -> Index:
    """The index of these articles; linear in their text."""
    known = tuple(articles)
    entries: list[Entry] = []
    counts: list[Counter[str]] = []
    by_text: dict[str, list[int]] = defaultdict(list)
    for place, article in enumerate(known):
        for part, text in _parts(article):
            cleaned = clean(text)
            if part != "body":
                by_text[cleaned[:MAX_QUERY].strip()].append(len(entries))
            counts.append(Counter(tokens(cleaned)))
            short = cleaned[:MAX_QUERY].strip()
            entries.append(Entry(place, part, text, short, words(short), language(article.locale)))
    rarity = _rarity(counts)
    return Index(
        articles=known,
        entries=tuple(entries),
        postings=_postings(counts, rarity),
        rarity=rarity,
        unknown_rarity=_idf(0, len(counts)),
        by_text={text: tuple(places) for text, places in by_text.items()},
        by_length=_by_length(rarity),
    )


def language(locale: str) -> str:
    """The language of a locale.

    >>> language("zh-CN"), language("en_GB"), language("EN")
    ('zh', 'en', 'en')
    """
    return locale.strip().replace("_", "-").partition("-")[0].lower()


def _parts(article: Article) -> Iterator[tuple[Part, str]]:
    yield "title", article.title
    for phrasing in article.phrasings:
        yield "phrasing", phrasing
    for section in sections(article.body):
        yield "body", section


def _idf(having: int, of: int) -> float:
    return math.log(1 + (of - having + 0.5) / (having + 0.5))


def _rarity(counts: list[Counter[str]]) -> dict[str, float]:
    having = Counter(token for count in counts for token in count)
    return {token: _idf(number, len(counts)) for token, number in having.items()}


def _postings(counts: list[Counter[str]], rarity: Mapping[str, float]) -> dict[str, Postings]:
    lengths = [count.total() for count in counts]
    usual = sum(lengths) / len(lengths) if any(lengths) else 1.0
    postings: dict[str, Postings] = {}
    for place, count in enumerate(counts):
        damping = _K1 * (1 - _B + _B * lengths[place] / usual)
        for token, times in count.items():
            row = postings.get(token)
            if row is None:
                row = postings[token] = Postings(array("I"), array("f"))
            row.entries.append(place)
            row.weights.append(rarity[token] * times * (_K1 + 1) / (times + damping))
    return postings


def _by_length(known: Iterable[str]) -> dict[int, tuple[str, ...]]:
    """Words in letters only: a wrong digit is another order, and Chinese has no letters to swap."""
    lengths: dict[int, list[str]] = defaultdict(list)
    for word in sorted(known):
        if word.isascii() and word.isalpha():
            lengths[len(word)].append(word)
    return {length: tuple(found) for length, found in lengths.items()}
