"""Scorecards, fair draws, agreement of reviewers: the law of each."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.errors import InvalidInput
from server.domain.review_card import FIRST_CARD, FULL, Criterion, Scorecard, check_card, judge
from server.domain.review_draw import RANDOM, TARGETED, Candidate, Plan, draw, population
from server.domain.review_figures import Stratum, agreement, estimate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    numpy = pytest.importorskip("numpy")

ALL = {one.id: one.steps for one in FIRST_CARD.criteria}


def card(*criteria: Criterion, pass_mark: int = 8000) -> Scorecard:
    return Scorecard(version=1, pass_mark=pass_mark, criteria=criteria)


def line(id_: str, weight: int = 1, **more: object) -> Criterion:
    return replace(Criterion(id=id_, en=id_, zh=id_, weight=weight), **more)  # type: ignore[arg-type]  # fields by name


def test_full_marks_are_a_whole_score_and_pass() -> None:
    check_card(FIRST_CARD)
    verdict = judge(FIRST_CARD, ALL)
    assert (verdict.score, verdict.passed, verdict.critical) == (FULL, True, False)


def test_a_critical_miss_fails_and_leaves_the_score() -> None:
    verdict = judge(FIRST_CARD, ALL | {"privacy": 0})
    assert (verdict.score, verdict.passed, verdict.critical) == (9500, False, True)


def test_what_does_not_apply_weighs_nothing() -> None:
    one, other = line("a", 30, steps=2), line("b", 10)
    assert judge(card(one, other), {"a": 1, "b": 1}).score == 6250
    assert judge(card(one, other), {"a": 1, "b": None}).score == 5000
    assert judge(card(one, other), {"a": None, "b": 0}).score == 0
    # Halves of a ten-thousandth go up: 1/8 of 1/2 of ...
    assert judge(card(line("a", 1), line("b", 2)), {"a": 1, "b": 0}).score == 3333
    assert judge(card(line("a", 2), line("b", 1)), {"a": 1, "b": 0}).score == 6667


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({"a": 1}, "unmarked"),
        ({"a": 1, "b": None, "c": 1}, "no_such_mark"),
        ({"a": 3, "b": 1}, "no_such_mark"),
        ({"a": None, "b": None}, "nothing_applies"),
    ],
)
def test_marks_that_make_no_review(marks: dict[str, int | None], reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        judge(card(line("a", steps=2), line("b")), marks)
    assert caught.value.details["reason"] == reason


@pytest.mark.parametrize(
    "wrong",
    [
        card(),
        card(line("a"), line("a")),
        card(line("a", 0)),
        card(line("a", steps=3)),
        card(line("a"), pass_mark=0),
        card(line("a", zh="")),
        card(line("A")),
        card(*(line(f"c{number}") for number in range(21))),
    ],
)
def test_scorecards_that_cannot_be_used(wrong: Scorecard) -> None:
    with pytest.raises(InvalidInput):
        check_card(wrong)


def chats(*agents: str, **more: object) -> list[Candidate]:
    return [
        Candidate(
            conversation_id=f"c{number}",
            session_no=1,
            agent_id=agent,
            team_id=None,
            channel="chat",
            started_at_ms=number,
            **more,  # type: ignore[arg-type]  # fields by name
        )
        for number, agent in enumerate(agents)
    ]


CHATS = [
    replace(one, rating=1 if number % 7 == 0 else 5, messages=number % 13)
    for number, one in enumerate(chats(*("ann" for _ in range(60)), *("bob" for _ in range(9))))
]


@settings(max_examples=40)
@given(st.permutations(CHATS), st.integers(0, 12), st.integers(0, 5), st.text("ab1", min_size=1))
def test_a_seed_draws_the_same_chats_however_they_come(
    shuffled: list[Candidate], per_agent: int, bad: int, seed: str
) -> None:
    plan = Plan(per_agent=per_agent, targeted={"bad_rating": bad, "long": 2}, twice=3)
    drawn = draw(shuffled, plan, seed=seed)
    assert drawn == draw(CHATS, plan, seed=seed)
    keys = [one.candidate.key for one in drawn]
    assert len(set(keys)) == len(keys)
    for agent, size in population(CHATS).agents.items():
        mine = [d for d in drawn if d.candidate.agent_id == agent and d.stratum == RANDOM]
        assert len(mine) == min(per_agent, size)
    assert all(TARGETED[d.stratum](d.candidate) for d in drawn if d.stratum != RANDOM)
    assert all(d.stratum == RANDOM for d in drawn if d.twice)
    assert sum(d.twice for d in drawn) == min(3, sum(d.stratum == RANDOM for d in drawn))
    # A larger sample of the same seed has the smaller one in it.
    more = draw(CHATS, replace(plan, per_agent=per_agent + 3, targeted={}), seed=seed)
    at_random = {d.candidate.key for d in drawn if d.stratum == RANDOM}
    assert at_random <= {d.candidate.key for d in more}


def test_every_chat_is_as_likely_as_any_other() -> None:
    found = chats(*("ann" for _ in range(10)))
    counts = dict.fromkeys((one.key for one in found), 0)
    for number in range(2000):
        for one in draw(found, Plan(per_agent=3), seed=f"s{number}"):
            counts[one.candidate.key] += 1
    # 600 expected of each; a deviation is 20, so 100 from it does not happen.
    assert all(500 < count < 700 for count in counts.values())


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=80))
def test_kappa_equals_statsmodels(pairs: list[tuple[int, int]]) -> None:
    found = agreement(pairs)
    assert found is not None
    table = numpy.zeros((3, 3))
    for one, other in pairs:
        table[one, other] += 1
    if found.kappa is None:
        assert found.expected == pytest.approx(1)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = inter_rater.cohens_kappa(table)
    assert found.kappa == pytest.approx(expected.kappa, abs=1e-12)
    assert found.observed == pytest.approx(numpy.trace(table) / table.sum())
    if len(pairs) < 10:
        assert found.interval is None
    elif expected.var_kappa > 1e-9:
        low = expected.kappa - 1.959964 * expected.var_kappa**0.5
        assert found.interval is not None
        assert found.interval[0] == pytest.approx(max(-1, low), abs=1e-5)


def test_agreement_without_pairs_is_nothing() -> None:
    assert agreement([]) is None


def test_an_estimate_counts_each_agent_by_their_chats() -> None:
    # By hand: W = 0.9 and 0.1; means 0.8 and 0.4; s2 = 0.01 and 0.02.
    found = estimate([Stratum(90, (0.7, 0.8, 0.9)), Stratum(10, (0.3, 0.5))])
    assert found is not None
    assert found.mean == pytest.approx(0.9 * 0.8 + 0.1 * 0.4)
    variance = 0.81 * (1 - 3 / 90) * 0.01 / 3 + 0.01 * (1 - 2 / 10) * 0.02 / 2
    assert found.interval is not None
    assert found.interval[0] == pytest.approx(found.mean - 3.182446 * variance**0.5, abs=1e-6)
    assert (found.n, found.size, found.whole) == (5, 100, 100)


def test_an_estimate_says_of_whom_it_knows_nothing() -> None:
    found = estimate([Stratum(90, (0.7,)), Stratum(10, ())])
    assert found is not None
    assert (found.mean, found.interval, found.size, found.whole) == (0.7, None, 90, 100)
    everything = estimate([Stratum(2, (0.5, 1.0))])
    assert everything is not None
    assert everything.interval == (0.75, 0.75)
    assert estimate([Stratum(5, ())]) is None
    same = estimate([Stratum(50, (0.7, 0.7))])
    assert same is not None
    assert same.interval is None
