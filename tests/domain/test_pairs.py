"""Which products go together: more often than chance, and often enough to say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.offers import (
    MIN_LIFT,
    MIN_TOGETHER,
    Pair,
    best_pairs,
    is_complaint,
    worth_saying,
)


def pair(together: int, sku_orders: int, other_orders: int, other: str = "b") -> Pair:
    return Pair("a", other, together, sku_orders, other_orders, 1_000)


counts = st.integers(1, 400)
pairs = st.builds(
    lambda together, first, second, other: pair(
        min(together, first, second), first, second, f"p{other}"
    ),
    counts,
    counts,
    counts,
    st.integers(0, 9),
)


def test_lift_is_how_many_times_as_often_as_by_chance() -> None:
    assert pair(20, 100, 50).lift == pytest.approx(4.0)
    assert pair(5, 100, 50).lift == pytest.approx(1.0)
    assert pair(20, 100, 50).confidence == pytest.approx(0.2)


def test_too_few_orders_together_say_nothing_however_high_the_lift() -> None:
    assert not worth_saying(pair(MIN_TOGETHER - 1, 3, 3))
    assert worth_saying(pair(MIN_TOGETHER, 10, 10))


def test_what_everybody_buys_goes_with_nothing_in_particular() -> None:
    assert not worth_saying(pair(90, 100, 900))


def test_of_equal_lifts_the_one_with_more_orders_behind_it_comes_first() -> None:
    few, many = pair(4, 10, 100, "few"), pair(40, 100, 100, "many")
    assert few.lift == many.lift
    assert best_pairs([few, many], limit=2) == [many, few]


@given(st.lists(pairs, max_size=30), st.integers(1, 12))
def test_only_the_best_that_are_worth_saying_are_kept(found: list[Pair], limit: int) -> None:
    best = best_pairs(found, limit=limit)
    assert len(best) <= limit
    assert all(one.lift >= MIN_LIFT and one.together >= MIN_TOGETHER for one in best)
    assert best == best_pairs(list(reversed(best)), limit=limit)


@pytest.mark.parametrize("tag", ["complaint", "Complaint ", "投诉", "客诉"])
def test_a_complaint_is_known_by_its_tag_in_both_languages(tag: str) -> None:
    assert is_complaint(tag)
    assert not is_complaint(f"no {tag}")
