"""Who comes back: counted from the like of 90 days ago, drawn towards the shop's own figure."""

from __future__ import annotations

import pytest

from server.domain.profile import Sums
from server.domain.returning import Returns, look_back, returns_from_json, returns_to_json
from server.domain.segment import Thresholds

TODAY = 20_000
LIMITS = Thresholds(r_days=(240, 120, 60, 30), day=TODAY)


def buyer(*days_ago: int, net: int = 1000) -> Sums:
    """Somebody who ordered so many days ago."""
    days = tuple(sorted(TODAY - ago for ago in days_ago))
    return Sums(len(days), net, net, 0, 0, 0, 0, days)


def table(*buyers: Sums) -> Returns | None:
    """The table that these buyers give."""
    return look_back(lambda: iter(buyers), day=TODAY, limits=LIMITS)


# 90 days ago 160 had ordered once, ten days before, of whom 40 came back; 60 had been long away.
KNOWN = (
    *[buyer(100, 50)] * 40,
    *[buyer(100)] * 120,
    *[buyer(390)] * 60,
    *[buyer(5, net=90_000)] * 10,
)


def test_the_like_of_then_are_counted() -> None:
    found = table(*KNOWN)
    assert found is not None
    assert (found.people, found.back, found.orders) == (220, 40, 40)
    assert sorted(cell for cell in found.cells if cell[0]) == [(60, 0, 0), (160, 40, 40)]


def test_a_chance_is_drawn_towards_the_shop_s_own() -> None:
    found = table(*KNOWN)
    assert found is not None
    usual = 40 / 220
    chance = found.chance(1, 10, LIMITS)
    assert chance is not None
    assert (chance.similar, chance.days) == (160, 90)
    assert chance.chance == pytest.approx((40 + 20 * usual) / 180)
    away = found.chance(1, 300, LIMITS)
    assert away is not None
    assert away.chance == pytest.approx(20 * usual / 80)


def test_of_very_few_nothing_is_said() -> None:
    found = table(*KNOWN, *[buyer(100, 110, 120)] * 19)
    assert found is not None
    assert found.chance(3, 10, LIMITS) is None
    assert found.band(1000, 3, 10, LIMITS) is None
    assert table(*KNOWN[:150]) is None
    assert table() is None


def test_a_third_each_may_be_expected_to_spend_little_and_much() -> None:
    buyers = [buyer(100, net=1000 * number) for number in range(1, 301)]
    found = table(*buyers, buyer(100, 10, net=1000))
    assert found is not None
    # All are alike, so what they are expected to spend follows from their own mean order.
    bands = [found.band(s.net_minor, 1, 10, LIMITS) for s in buyers]
    assert bands == sorted(bands, key=("low", "mid", "high").index)
    assert all(abs(bands.count(name) - 100) <= 2 for name in ("low", "mid", "high"))


def test_a_table_comes_back_as_it_was_written() -> None:
    found = table(*KNOWN)
    assert found is not None
    assert returns_from_json(returns_to_json(found)) == found
