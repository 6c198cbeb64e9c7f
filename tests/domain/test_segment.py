"""Scores, segments and cells against the definitions, written out the long way."""

from __future__ import annotations

import math
import statistics
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import profile, ranks
from server.domain.profile import NO_BUYER, Ledger, Names, Sums, joined, labels, population, top_key
from server.domain.segment import (
    SEGMENTS,
    VALUE_CELLS,
    Population,
    Rules,
    Thresholds,
    cell_of,
    f_score,
    freeze,
    from_json,
    m_score,
    r_score,
    rules_from,
    segment_of,
    to_json,
    top_fifth,
)

TODAY = 20_000
# Few different values make ties; a wide range makes none.
MONEY = st.one_of(st.integers(1, 9), st.integers(1, 10_000_000))
AGO = st.one_of(st.integers(0, 5), st.integers(0, 700))
BUYERS = st.lists(st.tuples(MONEY, AGO), min_size=200, max_size=260)


def frozen(buyers: list[tuple[int, int]]) -> Thresholds:
    """The limits that customers with this spend and this silence give."""
    net, ago = zip(*buyers, strict=True)
    people = Population(net, [TODAY - a for a in ago], TODAY - 800, Counter())
    return freeze(people, day=TODAY, rules=Rules())


@settings(deadline=None, max_examples=60)
@given(BUYERS)
def test_scores_are_the_share_strictly_below(buyers: list[tuple[int, int]]) -> None:
    limits = frozen(buyers)
    assert not limits.provisional
    everybody = len(buyers)
    for net, ago in buyers:
        poorer = sum(other < net for other, _ in buyers)
        longer_ago = sum(other > ago for _, other in buyers)
        assert m_score(net, limits) == min(5, 5 * poorer // everybody + 1)
        assert r_score(ago, limits) == min(5, 5 * longer_ago // everybody + 1)


@settings(deadline=None, max_examples=60)
@given(BUYERS)
def test_near_and_much_are_told_from_the_medians(buyers: list[tuple[int, int]]) -> None:
    limits = frozen(buyers)
    usual_ago = statistics.median(ago for _, ago in buyers)
    usual_net = statistics.median(net for net, _ in buyers)
    for net, ago in buyers:
        cell = cell_of(ago, 2, net, limits)
        assert (cell in ("key_value", "regular_value")) == (ago <= usual_ago)
        assert cell.startswith("key_") == (net >= usual_net)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(-50, 50) | st.integers(-(2**63), 2**63 - 1), min_size=1),
    st.integers(1, 7),
)
def test_a_rank_is_a_place_in_the_sorted_list(values: list[int], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranks, "_AT_ONCE", at_once)
        ranked = ranks.Ranked(values)
    assert [ranked[rank] for rank in range(len(ranked))] == sorted(values)
    for value in values:
        assert ranked.at_most(value) == sum(other <= value for other in values)
        assert ranked.sum_above(value) == sum(other for other in values if other > value)
    with pytest.raises(IndexError):
        ranked[len(values)]


@settings(deadline=None, max_examples=60)
@given(BUYERS)
def test_a_fifth_is_the_top_and_ids_decide_among_equals(buyers: list[tuple[int, int]]) -> None:
    net = {f"c{number}": spent for number, (spent, _) in enumerate(buyers)}
    top = top_fifth(list(net.values()))
    assert top is not None
    equal = [name for name, spent in net.items() if spent == top.least_minor]
    key = top_key(equal, above=top.above, size=top.size)
    limits = Thresholds(top_minor=top.least_minor, top_key=key)
    chosen = {name for name, spent in net.items() if limits.in_top(spent, name)}
    ordered = sorted(net, key=lambda name: (-net[name], name))
    assert chosen == set(ordered[: math.ceil(len(net) / 5)])
    assert top.share == pytest.approx(sum(net[name] for name in chosen) / sum(net.values()))


def test_every_pair_of_scores_is_in_one_segment() -> None:
    found = Counter(segment_of(r, f) for r in range(1, 6) for f in range(1, 6))
    assert set(found) == set(SEGMENTS) - {"prospects"}
    assert found == {
        "champions": 2,
        "loyal": 4,
        "potential_loyalist": 4,
        "new": 1,
        "promising": 1,
        "need_attention": 1,
        "about_to_sleep": 2,
        "cant_lose": 2,
        "at_risk": 4,
        "hibernating": 4,
    }


@pytest.mark.parametrize(
    ("r", "f", "named"),
    [
        (5, 5, "champions"),
        (3, 4, "loyal"),
        (4, 3, "potential_loyalist"),
        (5, 1, "new"),
        (4, 1, "promising"),
        (3, 3, "need_attention"),
        (3, 1, "about_to_sleep"),
        (2, 5, "cant_lose"),
        (1, 3, "at_risk"),
        (2, 2, "hibernating"),
    ],
)
def test_the_grid_has_its_names_where_they_belong(r: int, f: int, named: str) -> None:
    assert segment_of(r, f) == named


def test_the_eight_cells_are_far_or_near_often_or_seldom_much_or_little() -> None:
    limits = Thresholds(near_days=30, much_minor=1000)
    found = [
        cell_of(ago, orders, net, limits)
        for net in (1000, 999)
        for ago, orders in ((30, 2), (31, 2), (30, 1), (31, 1))
    ]
    assert found == list(VALUE_CELLS)


def test_a_small_shop_has_fixed_limits_and_says_so() -> None:
    people = Population([500, 1000, 4000], [TODAY] * 3, TODAY - 400, Counter(), 1000)
    limits = freeze(people, day=TODAY, rules=Rules())
    assert limits.provisional
    assert [r_score(ago, limits) for ago in (30, 31, 60, 120, 240, 241)] == [5, 4, 4, 3, 2, 1]
    assert [m_score(net, limits) for net in (499, 500, 1000, 2000, 4000)] == [1, 2, 3, 4, 5]


def test_a_short_history_is_provisional_however_many_buy() -> None:
    young = Population([100] * 300, [TODAY] * 300, TODAY - 89, Counter())
    assert freeze(young, day=TODAY, rules=Rules()).provisional
    assert not freeze(young, day=TODAY + 1, rules=Rules()).provisional


def test_nobody_is_no_reason_to_fail() -> None:
    limits = freeze(Population([], [], 0, Counter()), day=TODAY, rules=Rules())
    assert (limits.buyers, limits.top_minor, limits.top_share) == (0, None, None)
    assert not limits.in_top(0, "c1")
    assert labels(Sums(), limits, TODAY, key="c1") == NO_BUYER


def test_those_who_spent_the_same_have_the_same_score() -> None:
    limits = frozen([(700, 10)] * 250)
    assert {m_score(700, limits), r_score(10, limits)} == {1}
    # Whoever comes after them and has spent more, or ordered later, is above all of them.
    assert (m_score(701, limits), r_score(9, limits)) == (5, 5)


def test_limits_come_back_as_they_were_written() -> None:
    limits = frozen([(number, number % 300) for number in range(1, 400)])
    assert from_json(to_json(limits)) == limits


def test_a_shop_may_choose_its_classes_and_what_is_wrong_is_passed_over() -> None:
    chosen = rules_from({"f_classes": [2, 4, 8, 16], "often": 3, "d1": 30, "d2": 90})
    assert chosen == Rules(f_classes=(2, 4, 8, 16), often=3, d1=30, d2=90)
    assert f_score(8, chosen) == 4
    for wrong in (
        None,
        {"f_classes": [2, 2, 3, 4]},
        {"f_classes": [1, 2, 3, 4]},
        {"f_classes": "2358"},
        {"often": 0},
        {"often": True},
        {"d1": 90, "d2": 30},
        {"d1": 30},
    ):
        assert rules_from(wrong) == Rules()


def test_sums_of_several_records_are_those_of_one_person() -> None:
    phone = Sums(1, 500, 700, 200, 1, 1000, 1000, (5,))
    laptop = Sums(2, 900, 900, 0, 0, 500, 2000, (3, 5))
    only_refunds = Sums(0, 0, 300, 300, 0, None, None, ())
    assert joined([phone, laptop, only_refunds]) == Sums(3, 1400, 1900, 500, 1, 500, 2000, (3, 5))
    assert joined([only_refunds]) == only_refunds


def test_a_ledger_gives_back_what_was_put_in() -> None:
    ledger = Ledger()
    kept = {"a": Sums(2, 900, 900, 0, 0, -500, 2000, (3, 5)), "b": Sums(gross_minor=7)}
    for number, (person, sums) in enumerate(kept.items()):
        ledger.add(person, sums, revision=number)
    assert dict(ledger) == kept
    assert list(ledger.every()) == list(kept.values())
    assert [ledger.revision(place) for place in range(len(ledger))] == [0, 1]
    assert [ledger.net_minor(place) for place in range(len(ledger))] == [900, 0]
    people = population(ledger.every())
    assert (list(people.net_minor), people.gaps) == ([900], {2: 1})


def test_many_names_are_kept_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "_TOGETHER", 3)
    kept = Names()
    for count in range(11):
        names = [f"n{number}" for number in range(count)]
        assert list(kept) == names
        assert len(kept) == count
        for start in range(count + 1):
            for stop in range(start, count + 1):
                assert kept.between(start, stop) == names[start:stop]
        kept.append(f"n{count}")
