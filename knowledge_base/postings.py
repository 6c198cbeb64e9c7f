"""Inverted lists in numpy: which entries have a feature, and how much it says for each of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
# A feature that this share of all entries have tells nothing, and costs the most to add up.
_COMMON_SHARE = 0.3
_COMMON_FROM = 200

# BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework"), section 3.4.1. Both
# are below the usual 1.2 and 0.75: titles and questions are short, and a word said twice in one is
# no news.
_K1 = 0.9
_B = 0.4


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each feature occurs in each entry, as three columns of the same length."""

    features: Integers
    entries: Integers
    times: Floats
    size: int
    """How many entries there are."""


@dataclass(frozen=True, slots=True)
class Postings:
    """For each feature its entries and weights, one feature behind the other."""

    starts: NDArray[np.int64]
    """Where the list of a feature begins; one more at the end."""
    entries: NDArray[np.int32]
    weights: NDArray[np.float32]
    size: int

    def add(self, feature: int, factor: float, sums: Floats) -> None:
        """Adds ``factor`` times a feature's weights to the sums of its entries."""
        if 0 <= feature < len(self.starts) - 1:
            rows = slice(self.starts[feature], self.starts[feature + 1])
            # No entry occurs twice in a list, so the plain sum is right.
            sums[self.entries[rows]] += factor * self.weights[rows]

    def found(self, feature: int) -> NDArray[np.int32]:
        """The entries that have the feature, in order."""
        return self.entries[self.starts[feature] : self.starts[feature + 1]]

    def has(self, feature: int, entry: int) -> bool:
        """Whether an entry has the feature; entries of a feature stand in order."""
        rows = self.found(feature)
        at = int(np.searchsorted(rows, entry))
        return at < len(rows) and int(rows[at]) == entry

    def length(self, feature: int) -> int:
        """How many entries have the feature."""
        if not 0 <= feature < len(self.starts) - 1:
            return 0
        return int(self.starts[feature + 1] - self.starts[feature])


def counts_of(rows: Iterable[Mapping[int, int]]) -> Counts:
    """The counts of entries given as {feature: times} each; one row at a time is in memory."""
    features, times, lengths = array("q"), array("f"), array("q")
    for row in rows:
        features.extend(row.keys())
        times.extend(row.values())
        lengths.append(len(row))
    number = np.frombuffer(lengths, dtype=np.int64)
    return Counts(
        np.frombuffer(features, dtype=np.int64),
        np.repeat(np.arange(len(number), dtype=np.int64), number),
        np.frombuffer(times, dtype=np.float32),
        len(number),
    )


def having(counts: Counts, *, features: int) -> Integers:
    """How many entries have each feature."""
    return np.asarray(np.bincount(counts.features, minlength=features), dtype=np.int64)


def rarity(number: Integers, *, of: int) -> Floats:
    """How telling a feature is that so many of the entries have: the idf of BM25, above 0."""
    return np.asarray(np.log(1 + (of - number + 0.5) / (number + 0.5)), dtype=np.float32)


def by_words(counts: Counts, rare: Floats) -> Postings:
    """Postings whose sums are BM25."""
    lengths = np.bincount(counts.entries, counts.times, minlength=counts.size)
    usual = float(lengths.mean()) if counts.size and lengths.any() else 1.0
    damping = _K1 * (1 - _B + _B * lengths / usual)
    gains = rare[counts.features] * counts.times * (_K1 + 1)
    weights = gains / (counts.times + damping[counts.entries])
    return _listed(counts, weights.astype(np.float32), features=len(rare))


def by_angle(counts: Counts, rare: Floats) -> Postings:
    """Postings whose sums, for a question of length 1, are the cosine of the angle between."""
    plain = (1 + np.log(counts.times)) * rare[counts.features]
    squares = np.bincount(counts.entries, plain * plain, minlength=counts.size)
    weights = plain / np.sqrt(np.maximum(squares, 1e-12))[counts.entries]
    return _listed(counts, weights.astype(np.float32), features=len(rare))


def _listed(counts: Counts, weights: Floats, *, features: int) -> Postings:
    number = having(counts, features=features)
    kept = number[counts.features] <= max(_COMMON_FROM, _COMMON_SHARE * counts.size)
    order = np.argsort(counts.features[kept], kind="stable")
    starts = np.zeros(features + 1, dtype=np.int64)
    np.cumsum(np.bincount(counts.features[kept], minlength=features), out=starts[1:])
    return Postings(
        starts,
        counts.entries[kept][order].astype(np.int32),
        weights[kept][order],
        counts.size,
    )
