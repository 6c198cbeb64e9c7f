"""Vectors of many texts, searched in a few milliseconds: a short form first, the full one after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge_base.postings import Floats

# From here on the short form pays: below, all full vectors are as fast.
_SHORT_FROM = 4096
_SHORT_DIMENSIONS = 64
_SAMPLE = 8192
_EXACT = 400
# A small base's mean says little about the language; so many texts speak for the origin instead.
_MEAN_DOUBT = 50


@dataclass(frozen=True, slots=True)
class Vectors:
    """One row a text; in half precision, 1 kB each at 512 dimensions, where there are many.

    Sentence vectors share a direction that tells nothing; ``mean`` is taken out of both sides.
    """

    full: NDArray[np.float16] | Floats
    mean: Floats
    short: Floats | None
    axes: Floats | None

    def centred(self, asked: Floats) -> Floats:
        """An asked vector as the kept ones are: without the mean, of length 1."""
        return _unit(asked - self.mean)

    def likeness(self, centred: Floats) -> Floats:
        """The cosine of each text with a centred vector; exact for the best, near for the rest."""
        if self.short is None or self.axes is None:
            return np.asarray(self.full @ centred, dtype=np.float32)
        near = self.short @ (self.axes @ centred)
        best = np.argpartition(near, -_EXACT)[-_EXACT:]
        near[best] = self.full[best].astype(np.float32) @ centred
        return np.asarray(near, dtype=np.float32)


def vectors_of(rows: Floats, *, mean: Floats | None = None) -> Vectors:
    """The vectors of an index; ``mean`` is that of the segment whose scores they are beside."""
    if mean is None:
        mean = rows.sum(axis=0) / (len(rows) + _MEAN_DOUBT)
        mean = np.asarray(mean, dtype=np.float32)
    centred = _unit(rows - mean)
    if len(rows) < _SHORT_FROM:
        return Vectors(centred, mean, None, None)
    axes = _main_axes(centred)
    short = np.asarray(centred @ axes.T, dtype=np.float32)
    return Vectors(centred.astype(np.float16), mean, short, axes)


def _main_axes(rows: Floats) -> Floats:
    """The directions in which the texts differ most (principal components), one a row."""
    sample = rows[:: max(1, len(rows) // _SAMPLE)]
    _, axes = np.linalg.eigh(sample.T @ sample)
    return np.ascontiguousarray(axes[:, -_SHORT_DIMENSIONS:].T, dtype=np.float32)


def _unit(rows: Floats) -> Floats:
    lengths = np.sqrt((rows * rows).sum(axis=-1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, 1e-6), dtype=np.float32)
