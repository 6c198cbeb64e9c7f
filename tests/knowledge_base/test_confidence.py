"""Which bases are young ones, whose confidence is learnt apart."""

from __future__ import annotations

from itertools import pairwise

import pytest

from knowledge_base.articles import Article
from knowledge_base.confidence import FEATURES, GROWN, features, youth
from knowledge_base.index import build_index
from knowledge_base.rank import Ranking, rank

WORDS = ("parcel", "refund", "coupon", "invoice", "kettle", "warranty", "size", "gift")


def asked(text: str, *, articles: int, phrasings: int = 0, body: str = "") -> Ranking:
    made = (
        Article(
            f"a{place}",
            f"{WORDS[place % len(WORDS)]} {place}",
            body,
            "en",
            phrasings=tuple(f"{WORDS[place % len(WORDS)]} {n} please" for n in range(phrasings)),
        )
        for place in range(articles)
    )
    return rank(build_index(made), text)


@pytest.mark.parametrize(
    ("articles", "phrasings", "body", "young"),
    [
        (2, 0, "", 1.0),
        (2, 20, "", 1.0),
        (40, 0, "", 0.0),
        (40, 20, "", 0.0),
        (40, 0, "We send it back.", 1.0),
        (40, 5, "We send it back.", 1.0),
        (40, 12, "We send it back.", 0.0),
    ],
)
def test_few_articles_or_bodies_with_few_phrasings_make_a_base_young(
    articles: int, phrasings: int, body: str, young: float
) -> None:
    ranking = asked("my parcel", articles=articles, phrasings=phrasings, body=body)
    assert youth(ranking.matches[0].signals) == young
    values = features(ranking, 0)
    assert len(values) == len(FEATURES)
    assert any(values[:GROWN]) == (young < 1)
    assert any(values[GROWN:]) == (young > 0)


def test_a_base_grows_up_little_by_little() -> None:
    found = [
        youth(asked("my parcel", articles=number).matches[0].signals) for number in range(5, 31)
    ]
    assert found == sorted(found, reverse=True)
    assert max(a - b for a, b in pairwise(found)) < 0.15


def test_to_a_grown_base_a_slip_stays_an_unknown_word() -> None:
    right = features(asked("parcel kettle", articles=40, phrasings=2), 0)
    slip = features(asked("parcel kettlle", articles=40, phrasings=2), 0)
    unknown = FEATURES.index("unknown, in a grown base")
    assert right[unknown] == 0
    assert 0 < slip[unknown] < 1
