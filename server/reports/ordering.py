"""Rows in an order, and each value once: with the sort that numpy is quickest at.

numpy sorts whole numbers four times as quickly when those that are alike may come in any order; its
own ways to sort by several columns, and to find where each value is first, ask for the other sort.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from server.storage.columns import Numbers

_MOST = 2**63 - 1


def places_by(first: Numbers, *others: Numbers | Callable[[], Numbers]) -> Numbers:
    """The places of rows by the first column, those alike by the next; at last as they come.

    A column that is seldom needed may be given by what makes it.

    >>> places_by(np.array([5, 3, 5, 3]), np.array([1, 9, 0, 9])).tolist()
    [1, 3, 2, 0]
    """
    order = np.argsort(first)
    keys, positions = first[order], np.arange(len(order))
    for column in (*others, positions.copy()):
        same = keys[1:] == keys[:-1]
        if not same.any():
            break
        # Only what is alike so far is sorted again, within the places that it has.
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        runs = np.append(0, np.cumsum(~same))[tied]
        positions = positions[tied]
        rows = order[positions]
        values = (column() if callable(column) else column)[rows].astype(np.int64)
        least, most = int(values.min()), int(values.max())
        if (int(runs[-1]) + 1) * (most - least + 1) > _MOST:
            values = np.unique(values, return_inverse=True)[1]
            least, most = 0, len(values)
        keys = runs * (most - least + 1) + (values - least)
        again = np.argsort(keys)
        order[positions], keys = rows[again], keys[again]
    return order


def first_places(numbers: Numbers) -> Numbers:
    """Where each value stands first, in the order of the values.

    >>> first_places(np.array([7, 4, 7, 4])).tolist()
    [1, 0]
    """
    order = np.argsort(numbers)
    starts = np.flatnonzero(starts_of(numbers[order]))
    return np.minimum.reduceat(order, starts) if len(starts) else order


def repeated(numbers: Numbers) -> Numbers:
    """The numbers that are there more than once.

    >>> repeated(np.array([7, 4, 7, 7])).tolist()
    [7, 7]
    """
    ordered = np.sort(numbers)
    return np.asarray(ordered[1:][ordered[1:] == ordered[:-1]])


def search(ordered: Numbers, numbers: Numbers, side: Literal["left", "right"] = "left") -> Numbers:
    """As numpy's searchsorted, by the numbers in order: so it goes through memory once.

    >>> search(np.array([2, 4, 4]), np.array([4, 1]), "right").tolist()
    [3, 0]
    """
    order = np.argsort(numbers)
    found = np.empty(len(numbers), np.int64)
    found[order] = np.searchsorted(ordered, numbers[order], side)
    return found


def starts_of(ordered: Numbers) -> Numbers:
    """Which values differ from the one before; the first does."""
    return np.concatenate([np.ones(min(1, len(ordered)), bool), ordered[1:] != ordered[:-1]])
