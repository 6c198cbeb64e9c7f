"""Instants of many persons as numbers in order, so that what came next is one search for all."""

from __future__ import annotations

from typing import Any  # Any: an instant or several

import numpy as np

from server.reports.frames import Numbers
from server.reports.ordering import search
from server.reports.places import Places

# Beyond every number of a time line.
FAR = 2**63 - 1
# Tables of a thousand to a million truths: beyond that memory is no quicker than a search.
_LEAST_BITS, _MOST_BITS = 10, 20


class TimeLine:
    """The instants of some persons, as numbers, one person behind the other.

    Instants before ``first_ms`` or after ``last_ms`` count as these.
    """

    def __init__(self, persons: Numbers, first_ms: int, last_ms: int) -> None:
        self._places = Places(different(persons))
        self._first_ms = first_ms
        self.last_ms = max(first_ms, last_ms)
        self._span = self.last_ms - first_ms + 1

    def ranks(self, persons: Numbers) -> Numbers:
        """The places of persons on the line; -1 for those who are not on it."""
        return self._places.of(persons).astype(np.int64)

    def of(self, ranks: Numbers, at_ms: Any) -> Numbers:  # Any: an instant or several
        """The numbers of instants of the persons at some places."""
        at_ms = np.clip(at_ms, self._first_ms, self.last_ms)
        return np.asarray(ranks * self._span + (at_ms - self._first_ms))

    def same(self, one: Numbers, other: Numbers) -> Numbers:
        """Where two numbers of the line are of the same person."""
        return np.asarray(one // self._span == other // self._span)


def different(numbers: Numbers) -> Numbers:
    """The numbers in order, each once; numpy's own way, by a table, takes thirty times as long."""
    ordered = np.sort(numbers)
    return np.asarray(ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0])


class Members:
    """Some numbers, to be found among many: by a table of their last bits, then by a search."""

    def __init__(self, numbers: Numbers) -> None:
        bits = (16 * len(numbers)).bit_length()
        self._last = 2 ** min(max(bits, _LEAST_BITS), _MOST_BITS) - 1
        self._table = np.zeros(self._last + 1, bool)
        self._table[numbers & self._last] = True
        self._numbers: Numbers = np.sort(numbers)

    def maybe(self, numbers: Numbers) -> Numbers:
        """Where a number is one of them, or in few places like one of them."""
        return np.asarray(self._table[numbers & self._last])

    def among(self, numbers: Numbers) -> Numbers:
        """Where a number is one of them."""
        found = self.maybe(numbers)
        likely = np.flatnonzero(found)
        places = search(self._numbers, numbers[likely])
        found[likely] = np.append(self._numbers, FAR)[places] == numbers[likely]
        return found


def following(keys: Numbers, places: Numbers) -> Numbers:
    """The keys, which are in order, at some places; FAR beyond the last."""
    return np.append(keys, FAR)[np.minimum(places, len(keys))]
