"""Which articles answer a question, and how well: four channels, blended entry by entry.

Words (BM25) know which words tell, letters forgive endings and slips, sounds read pinyin, meaning
bridges other words and the other language. Each article adds up its best entries, so that what
several phrasings say counts more than what one, perhaps wrong, says.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from knowledge_base.common import common_tokens
from knowledge_base.features import letters, sounds, spelt_sounds
from knowledge_base.index import Entry, Index, Segment
from knowledge_base.likeness import nearest, typos_allowed
from knowledge_base.postings import Floats, Integers
from knowledge_base.text import (
    STOP_WORDS,
    clean,
    clean_query,
    has_han,
    is_han_pair,
    language,
    pieces,
    spans,
    tokens,
)

T = TypeVar("T")

_MAX_CANDIDATES = 600
_MAX_CORRECTIONS = 8
# A corrected word may not be the one that was meant.
_CORRECTED_WEIGHT = 0.8
_BODY_WEIGHT = 0.8
# A sentence alone says less than the message it stands in, the less the smaller its part of it:
# to this power. Else a remark in passing that is somebody's title wins over the question.
_SPAN_WEIGHT = 0.97
_SPAN_POWER = 0.3
# From this length on a message is looked at sentence by sentence too.
_LONG = 40
# What an article's best entries add up to; from the seventh on they say nothing new.
_SUPPORT = (1.0, 0.6, 0.36, 0.22, 0.13, 0.08)
_SOUNDS_WEIGHT = 0.35
_BEST_ENTRIES = 10
# Less is chance: two groups of letters in the same bucket.
_LEAST = 0.02
# What two languages share by chance (a brand, a number) is hardly an answer in the other one.
_FOREIGN_SHARE = 0.3
# How much the caller's knowledge (the page, the order) may add: it never finds, it only sorts.
_MAX_PRIOR = 0.1


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each channel says; measured on public sets, see docs/decisions/suggestions.md."""

    words: float
    letters: float
    meaning: float


_LEXICAL = Weights(0.5, 1.0, 0.0)
# Chinese words are their characters: the letters channel sees little that words do not.
_LEXICAL_HAN = Weights(1.0, 0.35, 0.0)
_FULL = Weights(0.25, 0.75, 1.7)
_FULL_HAN = Weights(0.5, 0.5, 1.7)


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for a match, each 0..1; what the confidence is worked out from."""

    covered: float
    """How much of what the question says is in the entry."""
    letters: float
    sounds: float
    meaning: float
    learnt: float
    exact: bool
    agreeing: float
    """The article's share of the best entries of all."""
    support: float
    """What its further entries add to its best one."""
    words_ahead: float
    letters_ahead: float
    meaning_ahead: float
    """How far its best entry is ahead of the best of any other article, by each channel alone."""
    unknown: float
    """How much of what the question says is in no article at all."""
    entries: int
    """How many entries the article has."""
    said: float
    """How much the question says: the sum of its words' rarity."""
    slipped: float
    """What the slips that were put right would weigh as they were written."""
    mended: float
    """What they weigh in ``said``."""
    span: float
    """What the sentence counts that found it; 1 for the whole message."""
    echoed: float
    """How much of what the entry says is in the question."""
    titled: float
    """How much of what the article's title says is in the question."""
    gathered: float
    """How much of what the question says is in any entry of the article."""
    is_han: bool
    """Whether the question is Chinese."""
    is_foreign: bool
    """Whether the entry is in the other script than the question."""
    articles: int
    """How many articles could have been found."""
    phrased: float
    """How many phrasings these have on the average, 0 and more."""
    bodied: float
    """How many of them have a body, as a share."""


@dataclass(frozen=True, slots=True)
class Match:
    """An article that may answer, and the entry that speaks for it most."""

    segment: int
    article: int
    entry: Entry
    score: float
    """Comparable within one question only."""
    signals: Signals


@dataclass(frozen=True, slots=True)
class Ranking:
    """The matches, best first, and what was made of the question."""

    matches: tuple[Match, ...]
    corrections: Mapping[str, str]
    """Words that are nowhere, and the known ones that they were taken for."""
    asked_tokens: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which articles may be found: those in a language, those that customers may read."""

    language: str | None
    public_only: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """One span of a question, cut up for each channel."""

    terms: Mapping[str, float]
    whole: float
    slipped: float
    mended: float
    grams: Mapping[int, float]
    heard: Mapping[str, float]
    is_han: bool
    is_pinyin: bool
    weight: float
    vector: Floats | None


@dataclass(frozen=True, slots=True)
class _Scores:
    """The channels of one segment, one value an entry."""

    words: Floats
    letters: Floats
    sounds: Floats
    meaning: Floats


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The entries of one segment that were looked at, and their blended scores."""

    places: Integers
    owners: Integers
    blended: Floats


@dataclass(frozen=True, slots=True)
class _Summed:
    """What the entries of each article add up to, and its best entry; one row an article."""

    articles: Integers
    places: Integers
    totals: Floats
    candidates: _Candidates


@dataclass(frozen=True, slots=True)
class _Rivals:
    """All candidates of a question, of all segments, side by side."""

    segments: Integers
    articles: Integers
    blended: Floats
    words: Floats
    letters: Floats
    meaning: Floats
    best: Integers
    """The rows of the best entries of all."""


@dataclass(frozen=True, slots=True)
class _Around:
    """What can be found at all: how many articles, and what they are like on the average."""

    articles: int
    phrased: float
    bodied: float


@dataclass(frozen=True, slots=True)
class _Found:
    """An article that one span of the question found, before its signals are worked out."""

    segment: int
    article: int
    place: int
    score: float
    learnt: float
    exact: bool
    question: _Question
    scores: _Scores
    total: float
    rivals: _Rivals
    around: _Around


def rank(
    index: Index,
    text: str,
    locale: str | None = None,
    *,
    public_only: bool = False,
    priors: Mapping[str, float] | None = None,
    limit: int = 10,
) -> Ranking:
    """The articles with something in common with the text, best first; equals in their order.

    `locale` leaves only articles in its language, `public_only` those that customers may read:
    the others then count for nothing, not even as rivals. `priors` says by article id, 0..1, what
    else speaks for an article. At most MAX_QUERY characters are looked at; any text is allowed.
    """
    query = clean_query(text)
    corrections: dict[str, str] = {}
    questions = _questions(index, query, corrections)
    wanted = _Wanted(None if locale is None else language(locale), public_only)
    may = [_open(segment, wanted) for segment in index.segments]
    around = _around(index, may)
    best: dict[tuple[int, int], _Found] = {}
    for question in questions:
        for found in _ranked(
            index, question, query=query, may=may, around=around, priors=priors or {}, limit=limit
        ):
            known = best.get((found.segment, found.article))
            if known is None or found.score > known.score:
                best[(found.segment, found.article)] = found
    ordered = heapq.nsmallest(
        limit, best.values(), key=lambda f: (not f.exact, -f.score, f.segment, f.article)
    )
    matches = tuple(_match(index, found) for found in ordered)
    return Ranking(matches, corrections, len(questions[0].terms) if questions else 0)


def _questions(index: Index, query: str, corrections: dict[str, str]) -> list[_Question]:
    texts = spans(query) if len(query) > _LONG or has_han(query) else spans(query)[:1]
    texts = [text for text in dict.fromkeys(texts) if any(True for _ in pieces(text))]
    if not texts and any(query in segment.by_text for segment in index.segments):
        # A title of signs alone is still found by itself.
        texts = [query]
    if not texts:
        return []
    questions = [_question(index, text, corrections) for text in texts]
    all_of_it = max(questions[0].whole, 1e-6)
    questions[1:] = [
        replace(
            question,
            weight=_SPAN_WEIGHT * min(1.0, question.whole / all_of_it) ** _SPAN_POWER,
        )
        for question in questions[1:]
    ]
    base = index.base.vectors
    if index.encoder is None or base is None:
        return questions
    rows = index.encoder.encode([_mended(text, corrections) for text in texts])
    return [
        replace(question, vector=base.centred(row))
        for question, row in zip(questions, rows, strict=True)
    ]


def _question(index: Index, text: str, corrections: dict[str, str]) -> _Question:
    spelt = spelt_sounds(text)
    is_pinyin = _is_pinyin(index, text, spelt)
    terms, whole, slipped, mended = _asked(index, text, corrections, correct=not is_pinyin)
    return _Question(
        terms=terms,
        whole=whole,
        slipped=slipped,
        mended=mended,
        grams=_weighed_grams(index, _mended(text, corrections)),
        heard=_weighed_sounds(index, spelt if is_pinyin else sounds(text)),
        is_han=has_han(text),
        is_pinyin=is_pinyin,
        weight=1.0,
        vector=None,
    )


def _is_pinyin(index: Index, text: str, spelt: Sequence[str]) -> bool:
    """Whether a text in Latin letters is Chinese: all syllables, and hardly a word is known."""
    if not spelt or not index.base.sound_terms.numbers:
        return False
    words = [word for word, _ in pieces(text)]
    numbers = index.base.word_terms.numbers
    known = sum(1 for word in words if any(token in numbers for token in tokens(word)))
    heard = sum(1 for sound in spelt if sound in index.base.sound_terms.numbers)
    return len(spelt) > 1 and known <= len(words) / 3 and heard >= len(spelt) / 3


def _asked(
    index: Index, text: str, corrections: dict[str, str], *, correct: bool
) -> tuple[dict[str, float], float, float, float]:
    """The tokens of the question with their weights, and what all of it could weigh.

    Beside, what slips would weigh as written, and what they weigh as they are meant. Words that are
    in no article are taken for the nearest one that is.
    """
    asked: dict[str, float] = {}
    whole = slipped = mended = 0.0
    tried = 0
    known = index.base.word_terms
    for token in dict.fromkeys(tokens(text)):
        # An unknown pair of Chinese characters counts as the two alone; else nearly every other
        # wording of a Chinese question would seem to be about something unknown.
        if token in known.numbers or not is_han_pair(token):
            whole += known.rarity(token)
        asked[token] = 1.0
        if correct and tried < _MAX_CORRECTIONS and _is_unknown_word(index, token):
            tried += 1
            meant = _corrected(index, token)
            if meant in STOP_WORDS:
                whole -= known.unknown
                del asked[token]
            elif meant is not None:
                # What was meant is known: the slip itself is nothing that the articles lack.
                slipped += known.unknown
                mended += 0.0 if meant in asked else known.rarity(meant)
                del asked[token]
                corrections[token] = meant
                asked.setdefault(meant, _CORRECTED_WEIGHT)
    return asked, whole - slipped + mended, slipped, mended


def _is_unknown_word(index: Index, token: str) -> bool:
    if not (token.isascii() and token.isalpha()) or token in common_tokens():
        return False
    return all(token not in segment.word_terms.numbers for segment in index.segments)


def _corrected(index: Index, word: str) -> str | None:
    reach = typos_allowed(word)
    lengths = range(len(word) - reach, len(word) + reach + 1)
    near = [known for length in lengths for known in index.by_length.get(length, ())]
    # "wher" is no parcel's "there": a word that says nothing may be mistyped as well.
    return nearest(word, near + [stop for stop in STOP_WORDS if len(stop) in lengths])


def _mended(text: str, corrections: Mapping[str, str]) -> str:
    """The text with its mistyped words replaced, for the channels that read it letter by letter."""
    for word, is_han in pieces(text) if corrections else ():
        meant = None if is_han else next((corrections.get(t) for t in tokens(word)), None)
        if meant is not None:
            text = text.replace(word, meant, 1)
    return text


def _weighed_grams(index: Index, text: str) -> dict[int, float]:
    rare = index.base.letters_rare
    found = {gram: (1 + math.log(n)) * float(rare[gram]) for gram, n in letters(text).items()}
    return _of_length_1(found)


def _weighed_sounds(index: Index, heard: Sequence[str]) -> dict[str, float]:
    terms = index.base.sound_terms
    return _of_length_1({sound: terms.rarity(sound) for sound in heard})


def _of_length_1(weights: dict[T, float]) -> dict[T, float]:
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {key: weight / length for key, weight in weights.items()}


def _ranked(
    index: Index,
    question: _Question,
    *,
    query: str,
    may: Sequence[NDArray[np.bool_]],
    around: _Around,
    priors: Mapping[str, float],
    limit: int,
) -> list[_Found]:
    """The articles that one span finds, the best `limit` of each segment, in no order."""
    scores = [_scores(segment, question) for segment in index.segments]
    most_words = max((float(s.words.max(initial=0.0)) for s in scores), default=0.0) or 1.0
    sums = [
        _summed(segment, _blended(segment, question, channels, most_words), query, may=own)
        for segment, channels, own in zip(index.segments, scores, may, strict=True)
    ]
    most = max((float(s.totals.max(initial=0.0)) for s in sums), default=0.0) or 1.0
    votes = _votes(index, question)
    rivals = _rivals(sums, scores)
    found: list[_Found] = []
    for number, (segment, summed) in enumerate(zip(index.segments, sums, strict=True)):
        learnt = np.zeros(len(summed.articles), dtype=np.float32)
        totals = summed.totals
        if votes is not None and index.learner is not None:
            if number == 0:
                learnt = votes[summed.articles]
            share = index.learner.share
            gained = share * most * np.maximum(learnt, 0)
            totals = np.asarray((1 - share) * totals + gained, dtype=np.float32)
        exact = np.isin(summed.places, segment.by_text.get(query, ()))
        for row in _best(segment, summed, totals, exact=exact, priors=priors, limit=limit):
            article = int(summed.articles[row])
            prior = min(1.0, max(0.0, priors.get(segment.articles[article].id, 0.0)))
            found.append(
                _Found(
                    segment=number,
                    article=article,
                    place=int(summed.places[row]),
                    score=float(totals[row]) * question.weight * (1 + _MAX_PRIOR * prior),
                    learnt=float(learnt[row]),
                    exact=bool(exact[row]),
                    question=question,
                    scores=scores[number],
                    total=float(summed.totals[row]),
                    rivals=rivals,
                    around=around,
                )
            )
    return found


def _best(
    segment: Segment,
    summed: _Summed,
    totals: Floats,
    *,
    exact: NDArray[np.bool_],
    priors: Mapping[str, float],
    limit: int,
) -> Iterable[int]:
    """The rows worth looking at: the best, what is exact, and what the caller speaks for."""
    rows = set(map(int, np.lexsort((summed.articles, -totals))[:limit]))
    rows.update(map(int, np.flatnonzero(exact)))
    if priors:
        for row, article in enumerate(map(int, summed.articles)):
            if segment.articles[article].id in priors:
                rows.add(row)
    return rows


def _summed(segment: Segment, blended: Floats, query: str, *, may: NDArray[np.bool_]) -> _Summed:
    """The sum of each article's best entries, of those that are among the best of all."""
    exact = segment.by_text.get(query, ())
    places = np.flatnonzero(blended > _LEAST)
    if len(places) > _MAX_CANDIDATES:
        best = np.argpartition(blended[places], -_MAX_CANDIDATES)[-_MAX_CANDIDATES:]
        places = places[best]
    places = np.union1d(places, np.array(exact, dtype=np.int64))
    owners = segment.owners[places]
    kept = may[owners]
    places, owners = places[kept], owners[kept]
    if not len(places):
        nothing, no_score = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        return _Summed(nothing, nothing, no_score, _Candidates(nothing, nothing, no_score))
    # An entry that is exactly the question is the reason that is given.
    other = ~np.isin(places, exact)
    order = np.lexsort((places, -blended[places], other, owners))
    places, owners = places[order], owners[order]
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    turn = np.arange(len(owners)) - np.repeat(starts, np.diff(np.r_[starts, len(owners)]))
    share = np.where(turn < len(_SUPPORT), np.take(_SUPPORT, turn, mode="clip"), 0.0)
    totals = np.add.reduceat(blended[places] * share, starts).astype(np.float32)
    candidates = _Candidates(places, owners.astype(np.int64), blended[places])
    return _Summed(owners[starts].astype(np.int64), places[starts], totals, candidates)


def _open(segment: Segment, wanted: _Wanted) -> NDArray[np.bool_]:
    """For each article whether it may be found."""
    may = ~segment.hidden
    if wanted.language is not None:
        may &= segment.languages == wanted.language
    if wanted.public_only:
        may &= segment.is_public
    return may


def _around(index: Index, may: Sequence[NDArray[np.bool_]]) -> _Around:
    articles = sum(int(own.sum()) for own in may)
    both = list(zip(index.segments, may, strict=True))
    phrased = sum(int(segment.phrased[own].sum()) for segment, own in both)
    bodied = sum(int(segment.bodied[own].sum()) for segment, own in both)
    return _Around(articles, phrased / max(1, articles), bodied / max(1, articles))


def _rivals(sums: Sequence[_Summed], scores: Sequence[_Scores]) -> _Rivals:
    both = [(s.candidates, channels) for s, channels in zip(sums, scores, strict=True)]
    blended = np.concatenate([found.blended for found, _ in both])
    return _Rivals(
        segments=np.repeat(np.arange(len(both)), [len(found.places) for found, _ in both]),
        articles=np.concatenate([found.owners for found, _ in both]),
        blended=blended,
        words=np.concatenate([channels.words[found.places] for found, channels in both]),
        letters=np.concatenate([channels.letters[found.places] for found, channels in both]),
        meaning=np.concatenate([channels.meaning[found.places] for found, channels in both]),
        best=np.argsort(-blended, kind="stable")[:_BEST_ENTRIES],
    )


def _scores(segment: Segment, question: _Question) -> _Scores:
    size = len(segment.entries)
    words, grams, heard = (np.zeros(size, dtype=np.float32) for _ in range(3))
    if not question.is_pinyin:
        for token, weight in question.terms.items():
            segment.words.add(segment.word_terms.numbers.get(token, -1), weight, words)
        for gram, weight in question.grams.items():
            segment.letters.add(gram, weight, grams)
        other = segment.is_han != question.is_han
        words[other] *= _FOREIGN_SHARE
        grams[other] *= _FOREIGN_SHARE
    for sound, weight in question.heard.items():
        segment.sounds.add(segment.sound_terms.numbers.get(sound, -1), weight, heard)
    meaning = np.zeros(size, dtype=np.float32)
    if question.vector is not None and segment.vectors is not None and not question.is_pinyin:
        meaning = np.maximum(segment.vectors.likeness(question.vector), 0.0)
    return _Scores(words, grams, heard, meaning)


def _blended(segment: Segment, question: _Question, channels: _Scores, most_words: float) -> Floats:
    if question.is_pinyin:
        blended = channels.sounds.copy()
    else:
        if question.vector is None:
            weights = _LEXICAL_HAN if question.is_han else _LEXICAL
        else:
            weights = _FULL_HAN if question.is_han else _FULL
        blended = weights.words / most_words * channels.words
        blended += weights.letters * channels.letters
        blended += weights.meaning * channels.meaning
        blended += _SOUNDS_WEIGHT * channels.sounds
    blended[segment.is_body] *= _BODY_WEIGHT
    return np.asarray(blended, dtype=np.float32)


def _votes(index: Index, question: _Question) -> Floats | None:
    if index.learner is None or question.vector is None or question.is_pinyin:
        return None
    return index.learner.votes(question.vector)


def _match(index: Index, found: _Found) -> Match:
    segment, place, scores = index.segments[found.segment], found.place, found.scores
    rivals, question = found.rivals, found.question
    own = (rivals.articles == found.article) & (rivals.segments == found.segment)
    best = float(rivals.blended[own].max(initial=0.0))
    of_all = float(rivals.blended[rivals.best].sum())
    most_words = float(rivals.words.max(initial=0.0)) or 1.0
    entry = segment.entries[place]
    echoed = _echoed(index, question, entry.text)
    title = segment.articles[found.article].title
    signals = Signals(
        covered=_covered(segment, question, place),
        letters=float(scores.letters[place]),
        sounds=float(scores.sounds[place]),
        meaning=float(scores.meaning[place]),
        learnt=found.learnt,
        exact=found.exact,
        agreeing=float(rivals.blended[rivals.best][own[rivals.best]].sum()) / max(of_all, _LEAST),
        support=found.total / best - 1 if best > 0 else 0.0,
        words_ahead=_ahead(rivals.words, own) / most_words,
        letters_ahead=_ahead(rivals.letters, own),
        meaning_ahead=_ahead(rivals.meaning, own),
        unknown=_unknown(index, question),
        entries=segment.sizes[found.article],
        said=question.whole,
        slipped=question.slipped,
        mended=question.mended,
        span=question.weight,
        echoed=echoed,
        titled=echoed if entry.text == title else _echoed(index, question, title),
        gathered=_gathered(segment, question, found.article),
        is_han=question.is_han,
        is_foreign=bool(segment.is_han[place]) != question.is_han,
        articles=found.around.articles,
        phrased=found.around.phrased,
        bodied=found.around.bodied,
    )
    return Match(found.segment, found.article, entry, found.score, signals)


def _ahead(channel: Floats, own: NDArray[np.bool_]) -> float:
    return float(channel[own].max(initial=0.0) - channel[~own].max(initial=0.0))


def _unknown(index: Index, question: _Question) -> float:
    """The share of what the question says, by rarity, that is in no article."""
    known = index.base.word_terms
    lost = sum(
        known.rarity(token)
        for token in question.terms
        if token not in known.numbers and not is_han_pair(token)
    )
    return min(1.0, lost / question.whole) if question.whole > 0 else 0.0


def _echoed(index: Index, question: _Question, text: str) -> float:
    """The share of what a text says, by rarity, that the question says too."""
    known = index.base.word_terms
    rare = {token: known.rarity(token) for token in tokens(clean(text))}
    said = sum(question.terms.get(token, 0.0) * weight for token, weight in rare.items())
    return said / whole if (whole := sum(rare.values())) > 0 else 0.0


def _gathered(segment: Segment, question: _Question, article: int) -> float:
    """The share of what the question says, by rarity, that the entries of an article say."""
    if not question.whole or question.is_pinyin:
        return 0.0
    terms = segment.word_terms
    said = sum(
        weight * float(terms.rare[number])
        for token, weight in question.terms.items()
        if (number := terms.numbers.get(token)) is not None
        and article in segment.owners[segment.words.found(number)]
    )
    return min(1.0, said / question.whole)


def _covered(segment: Segment, question: _Question, place: int) -> float:
    """The share of what the question says, by rarity, that the entry says too."""
    if not question.whole or question.is_pinyin:
        return 0.0
    numbers = segment.word_terms.numbers
    said = 0.0
    for token, weight in question.terms.items():
        number = numbers.get(token)
        if number is not None and segment.words.has(number, place):
            said += weight * float(segment.word_terms.rare[number])
    return min(1.0, said / question.whole)
