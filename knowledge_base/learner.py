"""A linear learner over sentence vectors: what all phrasings of all articles teach together.

A neighbour's vote is fooled by one wrong label; a plane between the articles is not. It is ridge
regression on the articles as targets, each article weighing the same (Hastie, Tibshirani and
Friedman 2009, "The Elements of Statistical Learning", section 4.2), solved in one step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge_base.postings import Floats

# With fewer there is nothing to generalise from; with more articles the matrix grows too large.
_FROM_PHRASINGS = 200
_PHRASINGS_EACH = 4
_MAX_ARTICLES = 5000
_PENALTY = 0.5
_ROWS = 4096
# How much it says beside the neighbours, and with how many phrasings an article all of that: with
# five it knows less than they do.
_MOST_SHARE = 0.3
_FULL_AT = 12


@dataclass(frozen=True, slots=True)
class Learner:
    """One column an article of the base, by place."""

    weights: Floats
    share: float
    """How much of an article's score it decides, 0..1."""

    def votes(self, vector: Floats) -> Floats:
        """How much the vector speaks for each article; the most is 1."""
        found = np.append(vector, 1.0).astype(np.float32) @ self.weights
        most = float(found.max())
        return np.asarray(found / most if most > 0 else np.zeros_like(found), dtype=np.float32)


def learn(
    vectors: NDArray[np.float16] | Floats,
    owners: NDArray[np.int32],
    articles: int,
    *,
    phrasings: int,
) -> Learner | None:
    """The learner of a base, None while there are too few phrasings.

    Half a second for 10,000 phrasings; for the background.
    """
    if phrasings < max(_FROM_PHRASINGS, _PHRASINGS_EACH * articles) or articles > _MAX_ARTICLES:
        return None
    number = np.bincount(owners, minlength=articles)
    dimensions = vectors.shape[1] + 1
    squares = np.zeros((dimensions, dimensions), dtype=np.float32)
    targets = np.zeros((dimensions, articles), dtype=np.float32)
    for start in range(0, len(owners), _ROWS):
        own = owners[start : start + _ROWS]
        rows = np.ones((len(own), dimensions), dtype=np.float32)
        rows[:, :-1] = vectors[start : start + _ROWS]
        weighted = rows * (len(owners) / articles / number[own])[:, None]
        squares += weighted.T @ rows
        np.add.at(targets.T, own, weighted)
    squares[np.diag_indices(dimensions)] += _PENALTY
    share = _MOST_SHARE * min(1.0, phrasings / articles / _FULL_AT)
    return Learner(np.linalg.solve(squares, targets).astype(np.float32), share)
