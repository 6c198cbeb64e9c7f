"""How alike two texts are written; the one module that knows RapidFuzz."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

# One typing mistake from four letters, two from eight; shorter words have too many neighbours.
_FIRST_TYPO = 4
_SECOND_TYPO = 8


def likeness(first: str, second: str) -> float:
    """0..1, whatever the order of the words; 1 means the same words."""
    return float(fuzz.token_sort_ratio(first, second)) / 100


def typos_allowed(word: str) -> int:
    """How many slips of a finger a word of this length may have."""
    return (len(word) >= _FIRST_TYPO) + (len(word) >= _SECOND_TYPO)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that a mistyped one was meant to be; None when none is near enough.

    A slip is a letter added, left out or changed, or two neighbours swapped. Among equally near
    words the first wins.

    >>> nearest("refudn", ["refresh", "refund"])
    'refund'
    """
    allowed = typos_allowed(word)
    if not allowed:
        return None
    found = process.extractOne(
        word, known, scorer=OSA.distance, score_cutoff=allowed, processor=None
    )
    return str(found[0]) if found else None
