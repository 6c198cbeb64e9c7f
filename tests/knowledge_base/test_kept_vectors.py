"""What texts mean is worked out once, whatever restarts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from knowledge_base.encoder import Encoder, UniversalSentenceEncoder
from knowledge_base.postings import Floats
from server.knowledge.search import ENCODE_AT_ONCE, KeptEncoder
from server.storage.database import Database

TEXTS = [f"how do i return item number {n}?" for n in range(ENCODE_AT_ONCE + 3)] + ["怎么退货", ""]


class Counted:
    """The encoder, counting the texts that it is given."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self.texts = 0

    def encode(self, texts: Sequence[str]) -> Floats:
        self.texts += len(texts)
        return self.encoder.encode(texts)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return UniversalSentenceEncoder()


def test_a_restart_encodes_nothing_again(
    open_database: Callable[..., Database], encoder: Encoder
) -> None:
    database = open_database()
    first = Counted(encoder)
    made = KeptEncoder(database, first).encode([*TEXTS, TEXTS[0]])
    assert first.texts == len(TEXTS)
    again = Counted(encoder)
    loaded = KeptEncoder(database, again).encode([*TEXTS, TEXTS[0], "a new one"])
    assert again.texts == 1
    assert np.array_equal(made, loaded[:-1])
    plain = encoder.encode(TEXTS)
    assert float(np.abs(made[:-1] - plain).max()) < 1e-3
