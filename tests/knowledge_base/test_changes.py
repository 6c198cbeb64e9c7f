"""An edited base answers as one built anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.articles import Article
from knowledge_base.calibrate import Sample, fit
from knowledge_base.confidence import FEATURES
from knowledge_base.index import Index, build_index, with_changes
from knowledge_base.suggest import suggest

WORDS = ("refund", "parcel", "size", "invoice", "gift", "return", "退款", "快递", "尺码")
TITLES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
BASES = st.dictionaries(st.sampled_from("abcdefgh"), TITLES, max_size=8)


def articles(titles: dict[str, str]) -> list[Article]:
    return [Article(key, title, "", "en") for key, title in titles.items()]


@settings(max_examples=60)
@given(BASES, st.lists(st.tuples(BASES, st.sets(st.sampled_from("abcdefgh"))), max_size=4))
def test_after_any_edits_the_same_articles_are_there(
    first: dict[str, str], edits: list[tuple[dict[str, str], set[str]]]
) -> None:
    index = build_index(articles(first))
    now = dict(first)
    for changed, removed in edits:
        gone = removed - set(changed)
        index = with_changes(index, articles(changed), gone)
        now = {key: title for key, title in {**now, **changed}.items() if key not in gone}
    assert {article.id: article.title for article in index.articles} == now
    for word in WORDS:
        found = {item.article_id for item in suggest(index, word, limit=20).items}
        assert found >= {key for key, title in now.items() if word in title.split()}


def test_what_was_edited_is_found_by_its_new_words_only(shop: Index) -> None:
    old = next(article for article in shop.articles if article.id == "invoice-en")
    index = with_changes(shop, [Article(old.id, "Warranty claims", "", "en")], [])
    assert suggest(index, "warranty claim").items[0].article_id == old.id
    assert "invoice-en" not in [i.article_id for i in suggest(index, "get an invoice").items]


def test_what_was_removed_is_never_suggested(shop: Index) -> None:
    index = with_changes(shop, [], ["invoice-en"])
    assert "invoice-en" not in [i.article_id for i in suggest(index, "invoice", limit=20).items]


def test_many_edits_are_taken_into_the_base() -> None:
    index = build_index([Article("0", "Returns", "", "en")])
    index = with_changes(
        index, [Article(str(n), f"Question {n} about socks", "", "en") for n in range(300)], []
    )
    assert len(index.segments) == 1
    assert suggest(index, "question 77 socks").items[0].article_id == "77"


def test_confidence_is_learnt_from_outcomes() -> None:
    chance = np.random.default_rng(1)
    samples = []
    for _ in range(4000):
        covered = float(chance.random())
        right = bool(chance.random() < 1 / (1 + np.exp(-(6 * covered - 3))))
        samples.append(Sample((1.0, covered, *[0.0] * (len(FEATURES) - 2)), right))
    found = fit(samples)
    assert found[0] == pytest.approx(-3, abs=0.4)
    assert found[1] == pytest.approx(6, abs=0.6)


def test_nothing_can_be_learnt_from_one_outcome() -> None:
    with pytest.raises(ValueError, match="both outcomes"):
        fit([Sample((1.0,) * len(FEATURES), True)])
