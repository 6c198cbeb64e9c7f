"""Which entries answer a question, and how well: BM25 finds them, likeness sorts them."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass

from knowledge_base.index import Entry, Index, language
from knowledge_base.likeness import likeness, nearest, typos_allowed
from knowledge_base.text import clean_query, is_han_pair, tokens, words

# How many postings one question may read, rarest tokens first: what is left out then are the
# commonest tokens, which say least: on 12,000 Chinese questions about one thing the third part of
# the time, and not one answer worse.
_MAX_POSTINGS = 20_000
_MAX_CANDIDATES = 100
_MAX_CORRECTIONS = 8
# A corrected word may not be the one that was meant.
_CORRECTED_WEIGHT = 0.8
_BODY_WEIGHT = 0.8
_WORDS_SHARE = 0.6
_BEST_INEXACT = 0.99
# What an article's second to fifth best entries add, as shares of what is missing to 1.
_SUPPORT = (0.25, 0.125, 0.06, 0.03)


@dataclass(frozen=True, slots=True)
class Match:
    """An article that may answer, 0..1 how well, and the entry that speaks for it most."""

    article: int
    entry: Entry
    score: float


def rank(index: Index, text: str, locale: str | None = None) -> list[Match]:
    """The articles with something in common with the text, best first; equals in their order.

    A title that is exactly the text scores 1, all else less. `locale` leaves only articles in its
    language. At most MAX_QUERY characters are looked at; any text is allowed.
    """
    query = clean_query(text)
    wanted = None if locale is None else language(locale)
    scores: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for place, score in _entry_scores(index, query, wanted).items():
        scores[index.entries[place].article].append((score, -place))
    matches = [_match(index, article, found) for article, found in scores.items()]
    return sorted(matches, key=lambda match: (-match.score, match.article))


def _match(index: Index, article: int, found: list[tuple[float, int]]) -> Match:
    found.sort(reverse=True)
    best, place = found[0]
    support = sum(share * score for share, (score, _) in zip(_SUPPORT, found[1:], strict=False))
    return Match(article, index.entries[-place], best + (1 - best) * support)


def _entry_scores(index: Index, query: str, wanted: str | None) -> dict[int, float]:
    asked, whole = _asked(index, query)
    query_words = words(query)
    scores = {
        place: _score(index.entries[place], query_words, min(1.0, found / whole))
        for place, found in _candidates(index, asked, wanted)
    }
    for place in index.by_text.get(query, ()):
        entry = index.entries[place]
        if wanted in {None, entry.locale}:
            scores[place] = 1.0 if entry.part == "title" else _BEST_INEXACT
    return scores


def _score(entry: Entry, query_words: str, covered: float) -> float:
    if entry.part == "body":
        return _BODY_WEIGHT * covered
    alike = likeness(query_words, entry.words)
    return min(_BEST_INEXACT, _WORDS_SHARE * covered + (1 - _WORDS_SHARE) * alike)


def _asked(index: Index, query: str) -> tuple[dict[str, float], float]:
    """The known tokens of the question with their weights, and what all of it could weigh.

    Words that are in no article are taken for the nearest one that is.
    """
    asked: dict[str, float] = {}
    whole = 0.0
    corrections = 0
    for token in dict.fromkeys(tokens(query)):
        whole += _rarity(index, token)
        if token in index.rarity:
            asked[token] = 1.0
        elif token.isascii() and token.isalpha() and corrections < _MAX_CORRECTIONS:
            corrections += 1
            meant = _corrected(index, token)
            if meant is not None:
                asked.setdefault(meant, _CORRECTED_WEIGHT)
    return asked, whole


def _rarity(index: Index, token: str) -> float:
    """How telling a token is; an unknown pair of Chinese characters counts as the two alone.

    Else nearly every other wording of a Chinese question would seem to be about something unknown.
    """
    unknown = 0.0 if is_han_pair(token) else index.unknown_rarity
    return index.rarity.get(token, unknown)


def _corrected(index: Index, word: str) -> str | None:
    reach = typos_allowed(word)
    lengths = range(len(word) - reach, len(word) + reach + 1)
    near = [known for length in lengths for known in index.by_length.get(length, ())]
    return nearest(word, near)


def _candidates(
    index: Index, asked: dict[str, float], wanted: str | None
) -> list[tuple[int, float]]:
    """The entries with the highest sums of BM25, and these sums."""
    sums: dict[int, float] = defaultdict(float)
    left = _MAX_POSTINGS
    for token in sorted(asked, key=lambda token: (-index.rarity[token], token)):
        postings = index.postings[token]
        left -= len(postings.entries)
        if left < 0 and sums:
            break
        weight = asked[token]
        for place, worth in zip(postings.entries, postings.weights, strict=True):
            sums[place] += weight * worth
    return heapq.nlargest(
        _MAX_CANDIDATES,
        (
            (place, found)
            for place, found in sums.items()
            if wanted in {None, index.entries[place].locale}
        ),
        key=lambda row: (row[1], -row[0]),
    )
