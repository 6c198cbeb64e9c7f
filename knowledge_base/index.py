"""The index over titles, phrasings and sections of bodies; never changed, but replaced by another.

A base holds nearly everything. What was edited since stands in a small second segment, and hides
its old self in the base, so that an edit costs milliseconds; when the second segment has grown, all
is built anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge_base import postings
from knowledge_base.articles import Article
from knowledge_base.encoder import Encoder
from knowledge_base.features import BUCKETS, letters, sounds
from knowledge_base.learner import Learner, learn
from knowledge_base.postings import Floats, Postings
from knowledge_base.text import MAX_QUERY, clean, has_han, language, pieces, sections, tokens
from knowledge_base.vectors import Vectors, vectors_of

Part = Literal["title", "phrasing", "body"]
_GROWN_FROM = 200
_GROWN_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Entry:
    """One text by which an article can be found."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The known words, or sounds, and how telling each is."""

    numbers: Mapping[str, int]
    rare: Floats
    unknown: float
    """How telling a term is that is nowhere."""

    def rarity(self, term: str) -> float:
        """How telling a term is, known or not; above 0."""
        number = self.numbers.get(term)
        return self.unknown if number is None else float(self.rare[number])


@dataclass(frozen=True, slots=True)
class Segment:
    """The entries of some articles, ready to be searched."""

    articles: tuple[Article, ...]
    languages: NDArray[np.str_]
    is_public: NDArray[np.bool_]
    entries: tuple[Entry, ...]
    owners: NDArray[np.int32]
    """For each entry the place of its article in the segment."""
    sizes: tuple[int, ...]
    """For each article how many entries it has."""
    phrased: NDArray[np.int32]
    """For each article how many phrasings it has."""
    bodied: NDArray[np.bool_]
    """For each article whether it has a body."""
    is_body: NDArray[np.bool_]
    is_han: NDArray[np.bool_]
    words: Postings
    letters: Postings
    sounds: Postings
    vectors: Vectors | None
    word_terms: Terms
    sound_terms: Terms
    letters_rare: Floats
    by_text: Mapping[str, tuple[int, ...]]
    """The titles and phrasings that are exactly this cleaned text."""
    hidden: NDArray[np.bool_]
    """For each article whether it was edited or taken out since."""


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that a search needs."""

    segments: tuple[Segment, ...]
    by_length: Mapping[int, tuple[str, ...]]
    """The known words of each length, for putting typing mistakes right."""
    encoder: Encoder | None
    learner: Learner | None

    @property
    def articles(self) -> Iterator[Article]:
        """The articles that can be found."""
        for segment in self.segments:
            for place, article in enumerate(segment.articles):
                if not segment.hidden[place]:
                    yield article

    @property
    def base(self) -> Segment:
        """The segment by which rarity is measured."""
        return self.segments[0]


def build_index(articles: Iterable[Article], *, encoder: Encoder | None = None) -> Index:
    """The index of these articles; linear in their text, and slow where texts must be encoded."""
    base = _segment(tuple(articles))
    index = Index((base,), _by_length(base.word_terms.numbers), None, None)
    return index if encoder is None else with_meaning(index, encoder)


def with_meaning(index: Index, encoder: Encoder) -> Index:
    """The index with the meaning of what has none yet; slow where many texts must be encoded."""
    base, learner = index.base, index.learner
    if base.vectors is None:
        vectors = vectors_of(encoder.encode(_texts(base)))
        phrasings = sum(1 for entry in base.entries if entry.part == "phrasing")
        learner = learn(vectors.full, base.owners, len(base.articles), phrasings=phrasings)
        base = replace(base, vectors=vectors)
    mean = None if base.vectors is None else base.vectors.mean
    others = (
        other
        if other.vectors is not None
        else replace(other, vectors=vectors_of(encoder.encode(_texts(other)), mean=mean))
        for other in index.segments[1:]
    )
    return replace(index, segments=(base, *others), encoder=encoder, learner=learner)


def _texts(segment: Segment) -> list[str]:
    return [entry.text for entry in segment.entries]


def with_changes(index: Index, changed: Collection[Article], removed: Collection[str]) -> Index:
    """The index after an edit; milliseconds for a few articles.

    ``changed`` are articles as they are now, ``removed`` ids of those that are gone.
    """
    gone = {article.id for article in changed} | set(removed)
    added = [
        article
        for segment in index.segments[1:]
        for place, article in enumerate(segment.articles)
        if not segment.hidden[place] and article.id not in gone
    ]
    added += changed
    base = _hide(index.base, gone)
    if len(added) + int(base.hidden.sum()) > max(_GROWN_FROM, _GROWN_SHARE * len(base.articles)):
        kept = [a for place, a in enumerate(base.articles) if not base.hidden[place]]
        return build_index([*kept, *added], encoder=index.encoder)
    if not added:
        return replace(index, segments=(base,))
    second = _segment(tuple(added), beside=base)
    by_length = _by_length([*base.word_terms.numbers, *second.word_terms.numbers])
    edited = replace(index, segments=(base, second), by_length=by_length)
    return edited if index.encoder is None else with_meaning(edited, index.encoder)


def texts_of(articles: Iterable[Article]) -> Iterator[str]:
    """The texts that an index of these articles encodes, in the order in which it does."""
    return (entry.text for article in articles for entry in _entries(article))


def _hide(segment: Segment, ids: Collection[str]) -> Segment:
    found = [article.id in ids for article in segment.articles]
    return replace(segment, hidden=segment.hidden | np.array(found, dtype=np.bool_))


def _segment(articles: tuple[Article, ...], *, beside: Segment | None = None) -> Segment:
    """A segment, by words alone; ``beside`` another, it measures rarity as that one does."""
    entries: list[Entry] = []
    owners: list[int] = []
    by_text: dict[str, list[int]] = defaultdict(list)
    cleaned: list[str] = []
    for place, article in enumerate(articles):
        for entry in _entries(article):
            cleaned.append(clean(entry.text))
            if entry.part != "body":
                by_text[cleaned[-1][:MAX_QUERY].strip()].append(len(entries))
            entries.append(entry)
            owners.append(place)
    known_words, known_sounds = (
        (None, None) if beside is None else (beside.word_terms, beside.sound_terms)
    )
    words, word_terms = _terms((tokens(text) for text in cleaned), known_words)
    heard, sound_terms = _terms((sounds(text) for text in cleaned), known_sounds)
    grams = postings.counts_of(letters(text) for text in cleaned)
    rare = _letters_rare(grams) if beside is None else beside.letters_rare
    parts = np.array([entry.part for entry in entries], dtype=np.str_)
    placed = np.array(owners, dtype=np.int32)
    phrased, bodied = (
        np.bincount(placed[parts == part], minlength=len(articles)) for part in ("phrasing", "body")
    )
    return Segment(
        articles=articles,
        languages=np.array([language(article.locale) for article in articles], dtype=np.str_),
        is_public=np.array([article.audience == "public" for article in articles], dtype=np.bool_),
        entries=tuple(entries),
        owners=placed,
        sizes=tuple(np.bincount(owners, minlength=len(articles)).tolist() if owners else ()),
        phrased=phrased.astype(np.int32),
        bodied=bodied > 0,
        is_body=parts == "body",
        is_han=np.array([has_han(text) for text in cleaned], dtype=np.bool_),
        words=postings.by_words(words, word_terms.rare),
        letters=postings.by_angle(grams, rare),
        sounds=postings.by_angle(heard, sound_terms.rare),
        vectors=None,
        word_terms=word_terms,
        sound_terms=sound_terms,
        letters_rare=rare,
        by_text={text: tuple(places) for text, places in by_text.items()},
        hidden=np.zeros(len(articles), dtype=np.bool_),
    )


def _entries(article: Article) -> Iterator[Entry]:
    yield Entry("title", article.title)
    for phrasing in article.phrasings:
        # Signs alone ("??") would be the answer to every message that is only puzzled.
        if any(True for _ in pieces(clean(phrasing))):
            yield Entry("phrasing", phrasing)
    for section in sections(article.body):
        yield Entry("body", section)


def _terms(rows: Iterable[Sequence[str]], beside: Terms | None) -> tuple[postings.Counts, Terms]:
    numbers: dict[str, int] = {}
    counts = postings.counts_of(
        Counter(numbers.setdefault(term, len(numbers)) for term in row) for row in rows
    )
    if beside is not None:
        rare = np.array([beside.rarity(term) for term in numbers], dtype=np.float32)
        return counts, Terms(numbers, rare, beside.unknown)
    number = postings.having(counts, features=len(numbers))
    rare = postings.rarity(number, of=counts.size)
    unknown = float(postings.rarity(np.zeros(1, dtype=np.int64), of=counts.size)[0])
    return counts, Terms(numbers, rare, unknown)


def _letters_rare(counts: postings.Counts) -> Floats:
    number = postings.having(counts, features=BUCKETS)
    return postings.rarity(number, of=counts.size)


def _by_length(known: Iterable[str]) -> dict[int, tuple[str, ...]]:
    """Words in letters only: a wrong digit is another order, and Chinese has no letters to swap."""
    lengths: dict[int, list[str]] = defaultdict(list)
    for word in sorted(set(known)):
        if word.isascii() and word.isalpha():
            lengths[len(word)].append(word)
    return {length: tuple(found) for length, found in lengths.items()}
