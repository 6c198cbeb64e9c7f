"""Finding many numbers of customers among many."""

from __future__ import annotations

import numpy as np

from server.reports.frames import Numbers

_BITS = 63
_MOST_BITS = 22


class Places:
    """The places of some numbers in their order, found by their first bits.

    Numbers of customers are as if drawn from 63 bits: divided by the first of these there is hardly
    ever more than one together. For tens of thousands among hundreds of thousands that takes a
    tenth of the time of a search.
    """

    def __init__(self, known: Numbers) -> None:
        """Those that are known, in order, none below 0."""
        bits = min(max(1, len(known).bit_length()), _MOST_BITS)
        self._shift = _BITS - bits
        counts = np.bincount(known >> self._shift, minlength=2**bits)
        self._starts = np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])
        self._known = np.append(known, -1)

    def of(self, numbers: Numbers) -> Numbers:
        """Where each number stands; -1 where it is not known, or below 0."""
        parts = np.maximum(numbers, 0) >> self._shift
        places, ends = self._starts[parts], self._starts[parts + 1]
        found = np.where((places < ends) & (self._known[places] == numbers), places, -1)
        left = np.flatnonzero((found < 0) & (places + 1 < ends))
        while len(left):
            places[left] += 1
            some = places[left]
            hit = self._known[some] == numbers[left]
            found[left[hit]] = some[hit]
            left = left[~hit & (some + 1 < ends[left])]
        return found
