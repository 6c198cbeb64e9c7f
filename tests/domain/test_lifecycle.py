"""Stages of both models by example, and the law that nothing changes before it is said to."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.lifecycle import (
    ACTIVITY_STAGES,
    PROSPECT,
    RELATIONSHIP_STAGES,
    Stage,
    clocks,
    gap_percentile,
    median_gap,
    shop_clocks,
    stage_and_flip,
)

D1, D2 = 70, 155
DAYS = st.lists(st.integers(1000, 1900), unique=True, max_size=40).map(
    lambda days: tuple(sorted(days))
)


def stage_on(
    today: int, days: tuple[int, ...], own_gap: float | None, *, d1: int = D1, d2: int = D2
) -> Stage:
    """Where a customer stands on a day."""
    return stage_and_flip(today, days, own_gap, d1=d1, d2=d2)[0]


def on(today: int, *days: int) -> tuple[str, str]:
    """Activity and relationship on a day, in a shop whose clocks are 70 and 155 days."""
    stage = stage_on(today, days, median_gap(days))
    return stage.activity, stage.relationship


def test_nobody_without_an_order_has_a_stage() -> None:
    assert stage_and_flip(1000, (), None, d1=D1, d2=D2) == (PROSPECT, None)


@pytest.mark.parametrize(
    ("silent", "found"),
    [
        (0, ("new", "exploring")),
        (70, ("new", "exploring")),
        (71, ("dormant", "exploring")),
        (155, ("dormant", "exploring")),
        (156, ("lost", "ended")),
    ],
)
def test_after_one_order(silent: int, found: tuple[str, str]) -> None:
    assert on(1000 + silent, 1000) == found
    stage = stage_on(1000 + silent, (1000,), None)
    assert stage.quiet == (silent in (71, 155))


@pytest.mark.parametrize(
    ("silent", "found"),
    [
        (70, ("active", "building")),
        (71, ("dormant", "declining")),
        (156, ("lost", "ended")),
    ],
)
def test_after_two_orders(silent: int, found: tuple[str, str]) -> None:
    assert on(1000 + silent, 990, 1000) == found


def test_from_four_order_days_on_the_own_rhythm_counts() -> None:
    days = (970, 980, 990, 1000)
    assert clocks(days[1:], 10.0, D1, D2) == (D1, D2)
    # Three and six times ten days, but not less than half of the shop's.
    assert clocks(days, 10.0, D1, D2) == (35.0, 77.5)
    # Nor more than one and a half of them.
    assert clocks(days, 90.0, D1, D2) == (105.0, 232.5)
    assert clocks(days, 20.0, D1, D2) == (60.0, 120.0)
    # The second is never close behind the first.
    assert clocks(days, 24.0, 70, 140) == (72.0, 144.0)
    assert clocks(days, 33.0, 70, 90) == (99.0, 148.5)
    assert on(1035, *days) == ("active", "stable")
    assert on(1036, *days) == ("dormant", "declining")


def test_who_orders_half_as_often_is_declining_though_active() -> None:
    often = tuple(range(700, 844, 24))
    # Six order days in the window before, three in the latest.
    days = (*often, 900, 950, 1000)
    stage = stage_on(1003, days, median_gap(days))
    assert (stage.activity, stage.relationship, stage.declining) == ("active", "declining", True)
    assert stage.trend == "down"
    more = (*often, 870, 900, 930, 950, 1000)
    stage = stage_on(1003, more, median_gap(more))
    assert (stage.relationship, stage.declining) == ("stable", False)


def test_more_orders_than_before_are_a_trend() -> None:
    assert stage_on(1000, (980, 1000), 20.0).trend == "up"
    assert stage_on(1000, (840, 1000), 160.0).trend == "flat"


def test_clocks_of_a_shop_follow_its_gaps() -> None:
    assert shop_clocks(Counter({3: 99}), fallback=(60, 180)) == (60, 180)
    assert shop_clocks(Counter({3: 100}), fallback=(60, 180)) == (7, 14)
    gaps = Counter({28: 50, 70: 30, 155: 15, 300: 5})
    assert shop_clocks(gaps, fallback=(60, 180)) == (70, 155)
    assert gap_percentile(gaps, 50) == 28
    assert gap_percentile(Counter(), 50) is None


@settings(deadline=None, max_examples=150)
@given(DAYS, st.integers(0, 400), st.integers(7, 100), st.integers(0, 150))
def test_a_stage_holds_until_the_day_that_is_named_and_not_longer(
    days: tuple[int, ...], later: int, d1: int, more: int
) -> None:
    d2 = 2 * d1 + more
    today = (days[-1] if days else 1000) + later
    gap = median_gap(days)
    stage, flip = stage_and_flip(today, days, gap, d1=d1, d2=d2)
    assert stage.activity in ACTIVITY_STAGES
    assert stage.relationship in RELATIONSHIP_STAGES
    end = today + 3 * d2 if flip is None else flip
    assert end > today
    for day in range(today, end):
        assert stage_on(day, days, gap, d1=d1, d2=d2) == stage
    if flip is not None:
        assert stage_on(flip, days, gap, d1=d1, d2=d2) != stage


@settings(deadline=None, max_examples=60)
@given(DAYS.filter(bool), st.integers(7, 100), st.integers(0, 150))
def test_silence_only_ever_leads_to_the_end(days: tuple[int, ...], d1: int, more: int) -> None:
    d2 = 2 * d1 + more
    gap = median_gap(days)
    order = ("new", "active", "dormant", "lost")
    seen = [
        order.index(stage_on(day, days, gap, d1=d1, d2=d2).activity)
        for day in range(days[-1], days[-1] + 3 * d2)
    ]
    assert seen == sorted(seen)
    assert order[seen[-1]] == "lost"
