"""Instants of many persons as numbers in order, so that what came next is one search for all."""

from __future__ import annotations

from typing import Any  # Any: an instant or several

import numpy as np

from server.reports.frames import Numbers

# Beyond every number of a time line.
FAR = 2**63 - 1


class TimeLine:
    """The instants of some persons, one person behind the other.

    Instants before ``first_ms`` or after ``last_ms`` count as these.
    """

    def __init__(self, persons: Numbers, first_ms: int, last_ms: int) -> None:
        self._persons = np.unique(persons)
        self._first_ms = first_ms
        self.last_ms = max(first_ms, last_ms)
        self._span = self.last_ms - first_ms + 1

    def ranks(self, persons: Numbers) -> Numbers:
        """The places of persons on the line; -1 for those who are not on it."""
        if not len(self._persons):
            return np.full(len(persons), -1)
        # In order the search goes through memory once.
        order = np.argsort(persons)
        found = np.empty(len(persons), np.int64)
        found[order] = np.searchsorted(self._persons, persons[order])
        found = np.minimum(found, len(self._persons) - 1)
        return np.where(self._persons[found] == persons, found, -1)

    def of(self, ranks: Numbers, at_ms: Any) -> Numbers:  # Any: an instant or several
        """The numbers of instants of the persons at some places."""
        at_ms = np.clip(at_ms, self._first_ms, self.last_ms)
        return np.asarray(ranks * self._span + (at_ms - self._first_ms))

    def same(self, one: Numbers, other: Numbers) -> Numbers:
        """Where two numbers of the line are of the same person."""
        return np.asarray(one // self._span == other // self._span)


def following(keys: Numbers, places: Numbers) -> Numbers:
    """The keys, which are in order, at some places; FAR beyond the last."""
    return np.append(keys, FAR)[np.minimum(places, len(keys))]
