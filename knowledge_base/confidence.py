"""How sure a suggestion is: the share of such first items that were right, learnt beforehand.

Logistic regression over what speaks for the first item (Platt 1999 calls it calibration). There
are coefficients for a base that has grown and for a young one, mixed by how young it is. They were
learnt from questions to bases of all sizes, some of them without an answer;
docs/decisions/suggestions.md says how.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge_base.rank import Match, Ranking, Signals

Band = Literal["none", "suggest", "answer"]
_SEEN = (
    "one",
    "covered",
    "letters",
    "sounds",
    "meaning",
    "learnt",
    "margin to the second",
    "margin to the third",
    "log of the tokens asked",
    "agreeing",
    "support",
    "words ahead",
    "letters ahead",
    "meaning ahead",
    "unknown",
    "span",
    "log of the entries",
    "its square",
    "log of what is said",
    "echoed",
    "titled",
    "gathered",
    "foreign",
    "log of the articles",
    "one of so many articles",
    "Chinese",
    "meaning, Chinese",
    "covered, Chinese",
    "letters, Chinese",
    "agreeing, Chinese",
    "square of the meaning",
    "meaning of the unknown",
    "meaning of one of so many",
    "bodies",
    "log of the phrasings",
    "phrasings beside bodies",
)
# How many of them the coefficients of a grown base know.
GROWN = 19
FEATURES = (
    *(f"{name}, in a grown base" for name in _SEEN[:GROWN]),
    *(f"{name}, in a young base" for name in _SEEN),
)
# From here on one in ten questions of CLINC150 without an answer is shown one, with 0.5 one in
# seven; people stop looking at what is often wrong. A customer has nobody at hand: right three
# times in four.
SUGGEST_FROM = 0.58
ANSWER_FROM = 0.75
_FEW = 5
# Bases as large as those that were learnt from; beyond, size says no more.
_MANY = 150
# A base is young with up to so many articles, and no longer with so many; between, in part.
_SMALL_ARTICLES, _LARGE_ARTICLES = 5, 30
# So is one of articles with bodies, as a shop writes them, up to so many phrasings an article.
_FEW_PHRASINGS, _MANY_PHRASINGS = 5, 12


@dataclass(frozen=True, slots=True)
class Calibration:
    """The coefficients of FEATURES, with an encoder and without one."""

    with_meaning: tuple[float, ...]
    by_words: tuple[float, ...]
    by_sound: tuple[float, ...]


CHANNELS = ("with_meaning", "by_words", "by_sound")

# fmt: off
# First what counts in a grown base, then what counts in a young one.
SHIPPED = Calibration(
    with_meaning=(
        -1.32, 0.615, 1.126, -1.229, 3.36, -0.146, 1.058, 1.035, 0.404, 0.959, 1.705, 0.545,
        0.653, 3.294, -0.588, 0.139, -2.391, 0.352, -0.126,

        -1.474, -2.347, 0.222, 1.032, 2.1, 0.168, 1.049, 1.124, 0.775, 0.514, 2.969, -0.08,
        1.578, 1.377, -3.321, 1.457, -3.457, 0.643, 0.738, 1.203, 0.064, 3.361, 0.9, -0.583,
        -2.869, -1.219, -0.328, 0.247, 0.192, -2.6, 0.642, 5.87, 4.091, -0.36, -1.21, 0.781,
    ),
    by_words=(
        -2.024, 1.83, 3.138, -1.541, 0.0, 0.0, 0.149, 0.65, 0.669, 1.501, 1.953, 0.972, 2.579,
        0.0, -0.734, -0.276, -2.312, 0.334, 0.107,

        -2.028, -2.852, 2.18, 0.873, 0.0, 0.0, 0.01, 1.373, 2.056, 0.452, 2.304, 0.861, 3.08,
        0.0, -2.12, 1.231, -1.75, 0.156, -0.698, 1.526, 0.798, 3.391, 0.0, -0.276, -0.328,
        -1.818, 0.0, 1.686, -0.905, -1.526, 0.0, 0.0, 0.0, -0.198, -0.087, 0.326,
    ),
    by_sound=(
        -2.262, 0.0, 0.0, 1.915, 0.0, 0.0, 4.633, 2.0, -0.095, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0,

        -2.262, 0.0, 0.0, 1.915, 0.0, 0.0, 4.633, 2.0, -0.095, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0,
    ),
)
# fmt: on


def features(ranking: Ranking, place: int) -> tuple[float, ...]:
    """The values of FEATURES for the match at a place of a ranking."""
    seen = speaking(ranking, place)
    young = youth(ranking.matches[place].signals)
    grown = ((1 - young) * value for value in _as_written(seen, ranking.matches[place].signals))
    return (*grown, *(young * value for value in seen))


def youth(signals: Signals) -> float:
    """How far a base is a young one, 0..1: few articles, or bodies and hardly a phrasing.

    In it questions meet other rivals, and other texts, than where each article has many phrasings.
    """
    articles, phrasings = math.log(max(1, signals.articles)), signals.phrased
    small = _falling(articles, math.log(_SMALL_ARTICLES), math.log(_LARGE_ARTICLES))
    written = signals.bodied * _falling(phrasings, _FEW_PHRASINGS, _MANY_PHRASINGS)
    return 1 - (1 - small) * (1 - written)


def _as_written(seen: Sequence[float], signals: Signals) -> tuple[float, ...]:
    """What the coefficients of a grown base know: to them a slip is still an unknown word."""
    known = dict(zip(_SEEN[:GROWN], seen, strict=False))
    written = signals.said - signals.mended + signals.slipped
    if signals.slipped and written > 0:
        share = signals.said / written
        known["covered"] = min(1.0, known["covered"] * share)
        known["unknown"] = min(1.0, known["unknown"] * share + signals.slipped / written)
        known["log of what is said"] = math.log1p(written)
    return tuple(known.values())


def _falling(value: float, first: float, last: float) -> float:
    """1 up to the first value, 0 from the last one on, and a straight line between.

    >>> _falling(3, 5, 12), _falling(8.5, 5, 12), _falling(20, 5, 12)
    (1.0, 0.5, 0.0)
    """
    return min(1.0, max(0.0, (last - value) / (last - first)))


def speaking(ranking: Ranking, place: int) -> tuple[float, ...]:
    """What speaks for the match at a place of a ranking, whatever the base is like."""
    signals = ranking.matches[place].signals
    return (
        1.0,
        signals.covered,
        signals.letters,
        signals.sounds,
        signals.meaning,
        signals.learnt,
        _margin(ranking.matches, place, 1),
        _margin(ranking.matches, place, 2),
        math.log1p(ranking.asked_tokens),
        signals.agreeing,
        signals.support,
        signals.words_ahead,
        signals.letters_ahead,
        signals.meaning_ahead,
        signals.unknown,
        signals.span,
        math.log1p(signals.entries),
        math.log1p(signals.entries) ** 2,
        math.log1p(signals.said),
        signals.echoed,
        signals.titled,
        signals.gathered,
        float(signals.is_foreign),
        math.log1p(min(signals.articles, _MANY)),
        1 / signals.articles,
        float(signals.is_han),
        signals.is_han * signals.meaning,
        signals.is_han * signals.covered,
        signals.is_han * signals.letters,
        signals.is_han * signals.agreeing,
        signals.meaning**2,
        signals.unknown * signals.meaning,
        signals.meaning / signals.articles,
        signals.bodied,
        (phrased := math.log1p(min(signals.phrased, _MANY_PHRASINGS))),
        signals.bodied * phrased,
    )


def channel_of(match: Match) -> str:
    """Which coefficients of a Calibration a match is judged by; one of CHANNELS."""
    if match.signals.meaning > 0:
        return "with_meaning"
    if match.signals.covered > 0 or match.signals.letters > 0:
        return "by_words"
    return "by_sound"


def confidence(ranking: Ranking, place: int, calibration: Calibration = SHIPPED) -> float:
    """The probability 0..1 that the match at a place is the answer; 1 for its exact title."""
    match = ranking.matches[place]
    if match.signals.exact:
        return 1.0 if match.entry.part == "title" else 0.99
    chosen: tuple[float, ...] = getattr(calibration, channel_of(match))
    total = sum(c * f for c, f in zip(chosen, features(ranking, place), strict=True))
    # Without rivals nothing tells how near a stranger comes: then a word must speak for it too.
    alone = match.signals.articles < _FEW and not match.signals.gathered
    most = ANSWER_FROM - 0.01 if alone else 0.98
    return min(most, 1 / (1 + math.exp(-max(-30.0, min(30.0, total)))))


def band(sure: float) -> Band:
    """What a first item of this confidence is good for.

    >>> band(0.9), band(0.6), band(0.2)
    ('answer', 'suggest', 'none')
    """
    if sure >= ANSWER_FROM:
        return "answer"
    return "suggest" if sure >= SUGGEST_FROM else "none"


def _margin(matches: Sequence[Match], place: int, ahead: int) -> float:
    """How far the match is ahead of another one, -1..1; 1 where there is no other."""
    other = place + ahead if place == 0 else (0 if ahead == 1 else place + 1)
    if other >= len(matches):
        return 1.0
    most = max(matches[0].score, 1e-6)
    return (matches[place].score - matches[other].score) / most
