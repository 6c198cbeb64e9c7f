"""Public numbers of tickets: short enough to be read out, with gaps that nobody can count through.

Seven random characters of twenty and one that checks them: with 100,000 tickets, of the numbers
whose check is right one in 12,800 is somebody's. A number alone opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# No vowels (no words by chance), and none that is mistaken for another.
ALPHABET = "23456789CFGHJMPQRVWX"
RANDOM_CHARS = 7
_NUMBER = re.compile(r"(?:T|t)[\s-]*([0-9A-Za-z]{4})[\s-]*([0-9A-Za-z]{4})")


def number_of(pick: Callable[[int], int]) -> str:
    """A number; ``pick(n)`` gives a whole number below ``n`` that nobody can foresee.

    >>> number_of(lambda n: 0)
    'T-2222-2222'
    """
    chars = "".join(ALPHABET[pick(len(ALPHABET))] for _ in range(RANDOM_CHARS))
    return shown(chars + _check(chars))


def shown(chars: str) -> str:
    """Eight characters as they are written."""
    return f"T-{chars[:4]}-{chars[4:]}"


def read_number(text: str) -> str | None:
    """The number that a person typed, whatever the case, spaces and dashes; None for none.

    >>> read_number(" t 2222 2222"), read_number("T-2222-2223"), read_number("hello")
    ('T-2222-2222', None, None)
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    chars = (found[1] + found[2]).upper()
    if any(char not in ALPHABET for char in chars) or _check(chars[:-1]) != chars[-1]:
        return None
    return shown(chars)


def _check(chars: str) -> str:
    """The character that gives any single wrong one away: all weights are prime to twenty."""
    weights = (1, 3, 7, 9, 11, 13, 17)
    total = sum(w * ALPHABET.index(c) for w, c in zip(weights, chars, strict=True))
    return ALPHABET[-total % len(ALPHABET)]
