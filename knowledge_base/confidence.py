"""How sure a suggestion is: the share of such first items that were right, learnt beforehand.

Logistic regression over what speaks for the first item (Platt 1999 calls it calibration). The
coefficients were learnt from phrasings of public question sets that were left out of the index,
with articles taken away so that some questions had no answer; docs/decisions/suggestions.md says
how.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge_base.rank import Match, Ranking

Band = Literal["none", "suggest", "answer"]
FEATURES = (
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
)
# From here on one in ten questions of CLINC150 without an answer is shown one, with 0.5 one in
# seven; people stop looking at what is often wrong. A customer has nobody at hand: right three
# times in four.
SUGGEST_FROM = 0.58
ANSWER_FROM = 0.75
_FEW = 5
# Bases as large as those that were learnt from; beyond, size says no more.
_MANY = 150


@dataclass(frozen=True, slots=True)
class Calibration:
    """The coefficients of FEATURES, with an encoder and without one."""

    with_meaning: tuple[float, ...]
    by_words: tuple[float, ...]
    by_sound: tuple[float, ...]


CHANNELS = ("with_meaning", "by_words", "by_sound")

# fmt: off
SHIPPED = Calibration(
    with_meaning=(
        -1.045, -2.592, 0.273, 0.274, 1.394, 0.386, 1.575, 1.201, 0.333, 0.534, 2.276, 0.005,
        0.965, 1.536, -2.857, 1.441, -3.343, 0.418, 0.712, 0.811, 0.169, 3.876, 1.3, -0.571,
        -3.2, -0.482, 0.41, 0.617, -0.782, -2.371, 0.432, 4.838, 3.85,
    ),
    by_words=(
        -1.634, -3.828, 2.11, 0.736, 0.0, 0.0, 0.356, 0.79, 1.197, 0.598, 1.786, 0.91, 2.378,
        0.0, -1.373, 0.494, -1.273, 0.107, -0.15, 1.125, 0.818, 4.437, -0.043, -0.433, -0.435,
        -0.995, 0.0, 2.964, -1.706, -2.094, 0.0, 0.0, 0.0,
    ),
    by_sound=(
        -2.262, 0.0, 0.0, 1.915, 0.0, 0.0, 4.633, 2.0, -0.095, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        0.0,
    ),
)
# fmt: on


def features(ranking: Ranking, place: int) -> tuple[float, ...]:
    """The values of FEATURES for the match at a place of a ranking."""
    match = ranking.matches[place]
    signals = match.signals
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
