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
)
# From here on one in ten questions of CLINC150 without an answer is shown one, with 0.5 one in
# seven; people stop looking at what is often wrong. A customer has nobody at hand: right three
# times in four.
SUGGEST_FROM = 0.58
ANSWER_FROM = 0.75


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
        -1.32, 0.615, 1.126, -1.229, 3.36, -0.146, 1.058, 1.035, 0.404, 0.959, 1.705,
        0.545, 0.653, 3.294, -0.588, 0.139, -2.391, 0.352, -0.126,
    ),
    by_words=(
        -2.024, 1.83, 3.138, -1.541, 0.0, 0.0, 0.149, 0.65, 0.669, 1.501, 1.953, 0.972,
        2.579, 0.0, -0.734, -0.276, -2.312, 0.334, 0.107,
    ),
    by_sound=(
        -2.262, 0.0, 0.0, 1.915, 0.0, 0.0, 4.633, 2.0, -0.095, 0.0, 0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0, 0.0,
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
    return min(0.98, 1 / (1 + math.exp(-max(-30.0, min(30.0, total)))))


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
