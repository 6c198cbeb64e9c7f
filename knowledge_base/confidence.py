"""How sure a suggestion is: the share of such first items that were right, learnt beforehand.

Logistic regression over what speaks for the first item (Platt 1999 calls it calibration). The
coefficients were learnt from public question sets, two fifths of whose articles were taken away so
that many questions had no answer; docs/decisions/suggestions.md says how.
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
)
# An agent passes over a wrong item more easily than finding the right one elsewhere; a customer has
# nobody at hand, and must be right three times in four.
SUGGEST_FROM = 0.35
ANSWER_FROM = 0.75


@dataclass(frozen=True, slots=True)
class Calibration:
    """The coefficients of FEATURES, with an encoder and without one."""

    with_meaning: tuple[float, ...]
    by_words: tuple[float, ...]
    by_sound: tuple[float, ...]


SHIPPED = Calibration(
    with_meaning=(-4.985, 0.657, 1.83, -1.69, 4.26, -0.22, 2.621, 3.091, -0.102),
    by_words=(-4.623, 1.553, 3.741, -1.131, 0.0, 0.0, 1.835, 1.885, 0.34),
    by_sound=(-3.539, 0.0, 0.0, 3.802, 0.0, 0.0, 2.945, 2.263, -0.208),
)


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
    )


def confidence(ranking: Ranking, place: int, calibration: Calibration = SHIPPED) -> float:
    """The probability 0..1 that the match at a place is the answer; 1 for its exact title."""
    match = ranking.matches[place]
    if match.signals.exact:
        return 1.0 if match.entry.part == "title" else 0.99
    signals = match.signals
    if signals.meaning > 0:
        chosen = calibration.with_meaning
    elif signals.covered > 0 or signals.letters > 0:
        chosen = calibration.by_words
    else:
        chosen = calibration.by_sound
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
