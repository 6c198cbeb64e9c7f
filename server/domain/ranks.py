"""Many whole numbers by rank, without putting all of them in order at once.

Sorting a million numbers keeps every other thread of the interpreter waiting for a quarter of a
second; sorting them 20,000 at a time lets the others in between, and a number of a rank is found by
counting.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence

_AT_ONCE = 20_000


class Ranked:
    """Whole numbers by rank: 0 is the smallest."""

    def __init__(self, values: Sequence[int]) -> None:
        self._runs = [
            array("q", sorted(values[start : start + _AT_ONCE]))
            for start in range(0, len(values), _AT_ONCE)
        ]
        self._count = len(values)

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def __getitem__(self, rank: int) -> int:
        """The number of a rank. Raises IndexError for a rank that there is not."""
        if not 0 <= rank < self._count:
            raise IndexError(rank)
        low = min(run[0] for run in self._runs)
        high = max(run[-1] for run in self._runs)
        while low < high:
            middle = (low + high) // 2
            if self.at_most(middle) > rank:
                high = middle
            else:
                low = middle + 1
        return low

    def at_most(self, value: int) -> int:
        """How many do not exceed a value."""
        return sum(bisect_right(run, value) for run in self._runs)

    def sum_above(self, value: int) -> int:
        """What those that exceed a value add up to."""
        return sum(sum(run[bisect_right(run, value) :]) for run in self._runs)
