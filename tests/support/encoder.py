"""The installed encoder, which works out what a text means once in a run of the tests."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from knowledge_base.encoder import Encoder, installed_encoder
from knowledge_base.postings import Floats


class Remembering:
    """Gives the vectors of another encoder and keeps them: hundreds of texts are asked for often.

    For tests of what is found. Tests of encoding itself take the encoder as it is.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._encoder = encoder
        self._known: dict[str, Floats] = {}

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])


@functools.cache
def shared_encoder() -> Encoder:
    """One for all tests of a process; its weights take a second to load."""
    found = installed_encoder()
    assert found is not None, "the extra 'semantic' belongs to what the tests need"
    return Remembering(found)
