"""What a text is made of, as each channel of the search sees it: letters and sounds.

The words are in ``text.tokens``. Letters find what is misspelt or inflected, sounds find Chinese
that is written in pinyin or with a character that sounds the same.
"""

from __future__ import annotations

import os
import zlib
from collections import Counter
from functools import cache, lru_cache
from itertools import pairwise

# Characters are read one by one here; the phrases would cost 0.2 to 0.6 s and 44 MB.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

from pypinyin import Style, pinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal

from knowledge_base.text import pieces

BUCKETS = 1 << 18
"""Letter groups are counted in this many buckets: no table of groups has to be kept."""

_SHORTEST, _LONGEST = 3, 5
_HAN_LONGEST = 3
_MAX_SYLLABLE = 6
_VOWELS = frozenset("aeiouv")


def letters(cleaned: str) -> Counter[int]:
    """How often each group of letters occurs, by bucket: 3 to 5 within words, 1 to 3 of Chinese.

    The ends of words count as letters, so "car" is not found in "scarf" as well as in "car".
    """
    found: Counter[int] = Counter()
    for piece, is_han in pieces(cleaned):
        text = piece if is_han else f"^{piece}$"
        sizes = range(1, _HAN_LONGEST + 1) if is_han else range(_SHORTEST, _LONGEST + 1)
        # Words come again and again; hardly a run of Chinese does.
        cut = _buckets if is_han else _buckets_of_word
        found.update(cut(text, sizes.start, sizes.stop))
    return found


def sounds(cleaned: str) -> list[str]:
    """The syllables of the Chinese in a text without tones, alone and in pairs.

    >>> sounds("退款 ok")
    ['tui', 'kuan', 'tui kuan']
    """
    syllables = [sound_of(c) for piece, is_han in pieces(cleaned) if is_han for c in piece]
    return _with_pairs([syllable for syllable in syllables if syllable])


def spelt_sounds(cleaned: str) -> list[str]:
    """The same for a text in pinyin; empty when a word of it is none.

    >>> spelt_sounds("tuikuan"), spelt_sounds("refund please")
    (['tui', 'kuan', 'tui kuan'], [])
    """
    syllables: list[str] = []
    for piece, is_han in pieces(cleaned):
        found = None if is_han else syllables_of(piece)
        if found is None:
            return []
        syllables += found
    return _with_pairs(syllables)


@lru_cache(4096)
def syllables_of(word: str) -> tuple[str, ...] | None:
    """The fewest syllables of pinyin that make up the word, None when it cannot be.

    >>> syllables_of("xian"), syllables_of("fahuo"), syllables_of("order")
    (('xian',), ('fa', 'huo'), None)
    """
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - _MAX_SYLLABLE), end):
            before, last = best[start], word[start:end]
            if before is None or last not in _syllables():
                continue
            now = best[end]
            if now is None or len(before) + 1 < len(now):
                best[end] = (*before, last)
    return best[len(word)]


@cache
def _syllables() -> frozenset[str]:
    """Every syllable of Chinese in plain letters."""
    # Each reading once: of 53,000 only 1,600 differ, and the first question waits for this.
    readings = {reading for row in PINYIN_DICT.values() for reading in row.split(",")}
    plain = {to_normal(reading).replace("ü", "v") for reading in readings}
    # A few dictionaries count hums without a vowel; in a Latin text they are initials.
    return frozenset(
        s
        for s in plain
        if s.isascii() and s.isalpha() and set(s) & _VOWELS and len(s) <= _MAX_SYLLABLE
    )


@lru_cache(16_384)
def sound_of(character: str) -> str:
    """The reading of a character without its tone, "" when it has none."""
    found = pinyin(character, style=Style.NORMAL, errors="ignore")
    return found[0][0] if found else ""


def _with_pairs(syllables: list[str]) -> list[str]:
    return syllables + [f"{first} {second}" for first, second in pairwise(syllables)]


@lru_cache(8192)
def _buckets_of_word(text: str, shortest: int, beyond: int) -> tuple[int, ...]:
    return _buckets(text, shortest, beyond)


def _buckets(text: str, shortest: int, beyond: int) -> tuple[int, ...]:
    return tuple(
        zlib.crc32(text[start : start + size].encode("utf-8", "surrogatepass")) % BUCKETS
        for size in range(shortest, beyond)
        for start in range(len(text) - size + 1)
    )
