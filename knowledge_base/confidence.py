"""How sure a suggestion is: the share of such first items that were right, learnt beforehand.

Logistic regression over what speaks for the first item (Platt 1999 calls it calibration). The
coefficients were learnt from public question sets, one in seven of whose articles was taken away
so that some questions had no answer; docs/decisions/suggestions.md says how.
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
# An agent passes over a wrong item more easily than finding the right one elsewhere: from here on
# one in six questions of CLINC150 without an answer is shown one, with 0.35 one in four. A customer
# has nobody at hand: right three times in four.
SUGGEST_FROM = 0.45
ANSWER_FROM = 0.75


@dataclass(frozen=True, slots=True)
class Calibration:
    """The coefficients of FEATURES, with an encoder and without one."""

    with_meaning: tuple[float, ...]
    by_words: tuple[float, ...]
    by_sound: tuple[float, ...]


CHANNELS = ("with_meaning", "by_words", "by_sound")

SHIPPED = Calibration(
    with_meaning=(-4.09, 0.791, 1.712, -2.05, 5.065, -0.441, 2.799, 1.327, -0.04),
    by_words=(-3.83, 2.046, 3.274, -0.944, 0.0, 0.0, 1.598, 1.43, 0.348),
    by_sound=(-2.262, 0.0, 0.0, 1.915, 0.0, 0.0, 4.633, 2.0, -0.095),
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
