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


def grouped(texts: Sequence[str], *, alike: float = 0.75) -> list[list[int]]:
    """The places of texts that say about the same, largest group first; each text is in one group.

    A text joins a group when it is alike one of it. Every text is compared with every other in
    native code: 2,000 take about a second.

    >>> grouped(["where is it", "is it where", "a gift card"])
    [[0, 1], [2]]
    """
    parent = list(range(len(texts)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for place, text in enumerate(texts):
        near = process.extract_iter(
            text, texts[:place], scorer=fuzz.token_sort_ratio, score_cutoff=alike * 100
        )
        for _, _, other in near:
            parent[root(place)] = root(other)
    groups: dict[int, list[int]] = {}
    for place in range(len(texts)):
        groups.setdefault(root(place), []).append(place)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0]))


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
