"""What numbers can say, against the libraries that statisticians use."""

from __future__ import annotations

import itertools
import math
import random
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import statistics
from server.domain.statistics import Funnel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    stats = pytest.importorskip("scipy.stats")
    lifelines = pytest.importorskip("lifelines")

shares = st.floats(0.01, 0.99)
CAUSES = {None: 0, "answered": 1, "left": 2}
ends = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(list(CAUSES))), min_size=1, max_size=60
)


@given(st.integers(0, 3000), shares, st.floats(0.001, 0.999))
def test_binomial_counts_equal_scipy(trials: int, share: float, level: float) -> None:
    found = statistics.binomial_quantile(trials, share, level)
    expected = int(stats.binom.ppf(level, trials, share))
    # Both may stand on either side of a level that is met exactly.
    on_edge = abs(stats.binom.cdf(min(found, expected), trials, share) - level) < 1e-9
    assert found == expected or (on_edge and abs(found - expected) == 1)


def test_millions_of_trials_take_no_time_and_keep_their_count() -> None:
    found = statistics.binomial_quantile(3_500_000, 0.9, 0.95)
    assert found == int(stats.binom.ppf(0.95, 3_500_000, 0.9))


@pytest.mark.parametrize(
    ("share", "fewest"),
    [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299)],
)
def test_a_percentile_is_bounded_from_above_from_so_many_on(share: float, fewest: int) -> None:
    assert statistics.upper_rank(fewest - 1, share) is None
    assert statistics.upper_rank(fewest, share) == fewest


@given(st.integers(1, 400), shares)
def test_the_bound_holds_with_the_confidence_and_none_below_it_does(n: int, share: float) -> None:
    rank = statistics.upper_rank(n, share)
    if rank is None:
        assert stats.binom.cdf(n - 1, n, share) < 0.95 + 1e-9
        return
    # The value of rank r lies above the quantile when at most r - 1 values lie below it.
    assert stats.binom.cdf(rank - 1, n, share) >= 0.95 - 1e-9
    assert stats.binom.cdf(rank - 2, n, share) < 0.95 + 1e-9


def test_nineteen_of_twenty_samples_hold_the_true_percentile() -> None:
    chance = random.Random(7)
    true = -math.log(0.1) * 1000
    held = 0
    for _ in range(400):
        sample = [(int(chance.expovariate(1 / 1000)), True) for _ in range(80)]
        low, high = statistics.quantile_bounds(sample, 0.9)
        assert low is not None
        assert high is not None
        held += low <= true <= high
    assert held >= 370


def test_bounds_hold_whoever_got_no_answer() -> None:
    waits = [(at, True) for at in range(1, 31)] + [(5, False)] * 20
    low, high = statistics.quantile_bounds(waits, 0.5)
    # From below as if all twenty ended at 5, from above as if they went on for ever.
    assert low == 5
    assert high is None
    assert statistics.quantile_bounds([], 0.5) == (None, None)


@settings(deadline=None)
@given(ends)
def test_competing_risks_equal_statsmodels(waits: list[tuple[int, str | None]]) -> None:
    # statsmodels ends an observation at 0 before it begins.
    moved = [(at + 1, cause) for at, cause in waits]
    with warnings.catch_warnings():
        # Its standard errors, which nobody asks for, divide by zero.
        warnings.simplefilter("ignore")
        expected = survfunc.CumIncidenceRight(
            [at for at, _ in moved], [CAUSES[cause] for _, cause in moved]
        )
    number_of_causes = max(CAUSES[cause] for _, cause in moved)
    for cause in ("answered", "left")[:number_of_causes]:
        curve = dict(zip(expected.times, expected.cinc[CAUSES[cause] - 1], strict=True))
        for at_ms, share in curve.items():
            found = statistics.incidence_at(moved, cause, int(at_ms))
            assert found == pytest.approx(share, abs=1e-12)


def test_competing_risks_equal_lifelines_where_nothing_happens_at_once() -> None:
    chance = random.Random(3)
    waits = [
        (at, chance.choice(["answered", "left", None]))
        for at in chance.sample(range(1, 10_000), 200)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = lifelines.AalenJohansenFitter(calculate_variance=False).fit(
            [at for at, _ in waits], [CAUSES[cause] for _, cause in waits], event_of_interest=1
        )
    for step in statistics.incidence(waits, "answered"):
        assert step.share == pytest.approx(fitted.cumulative_density_.loc[step.at_ms].iloc[0])


@given(ends)
def test_shares_of_all_causes_never_exceed_one(waits: list[tuple[int, str | None]]) -> None:
    ended = [statistics.incidence_at(waits, cause, 99) for cause in ("answered", "left")]
    assert sum(ended) <= 1 + 1e-9


def test_who_left_is_a_failure_and_not_forgotten() -> None:
    waits = [(10, "answered"), (10, "left"), (30, "answered"), (40, "left")]
    assert statistics.incidence_at(waits, "answered", 30) == 0.5
    assert statistics.incidence_at(waits, "answered", 9) == 0.0


@given(
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
def test_differences_of_rates_equal_statsmodels(one: tuple[int, int], two: tuple[int, int]) -> None:
    expected = proportion.confint_proportions_2indep(*one, *two, method="newcomb", compare="diff")
    found = statistics.difference(*one, *two)
    assert found is not None
    assert found[1:] == pytest.approx(expected, abs=1e-9)
    assert statistics.difference(0, 0, *two) is None


@given(shares, st.integers(1, 2000))
def test_funnel_limits_hold_the_share_and_their_order(share: float, n: int) -> None:
    funnel = statistics.rate_funnel(share, n)
    assert funnel is not None
    assert 0 <= funnel.far_low <= funnel.low <= funnel.high <= funnel.far_high <= 1


@pytest.mark.parametrize("n", [10, 50, 400])
def test_funnel_limits_are_those_of_the_binomial_distribution(n: int) -> None:
    funnel = statistics.rate_funnel(0.8, n)
    assert funnel is not None
    for limit, level in [(funnel.low, 0.025), (funnel.far_low, 0.001)]:
        count = stats.binom.ppf(level, n, 0.8)
        part = (stats.binom.cdf(count, n, 0.8) - level) / stats.binom.pmf(count, n, 0.8)
        assert limit == pytest.approx((count - part) / n, abs=1e-9)


def test_a_funnel_narrows_as_numbers_grow() -> None:
    few, many = statistics.rate_funnel(0.8, 20), statistics.rate_funnel(0.8, 2000)
    assert few is not None
    assert many is not None
    assert few.low < many.low < 0.8 < many.high < few.high
    assert few.place(0.75) == "inside"
    assert many.place(0.75) == "far_low"
    assert Funnel(1, 2, 0, 3).place(2.5) == "high"
    assert Funnel(1, 2, 0, 3).place(3.5) == "far_high"
    assert Funnel(1, 2, 0, 3).place(0.5) == "low"


def test_nothing_has_no_funnel() -> None:
    assert statistics.rate_funnel(0.5, 0) is None


def test_means_have_an_interval() -> None:
    values = [3, 5, 8, 9]
    found = statistics.mean_interval(4, sum(values), sum(v * v for v in values))
    assert found is not None
    scale = stats.sem(values)
    assert found == pytest.approx(stats.t.interval(0.95, 3, 6.25, scale), abs=1e-9)
    assert statistics.mean_interval(1, 3, 9) is None


@given(st.integers(1, 400), st.floats(0.51, 0.9999))
def test_students_quantiles_equal_scipy(degrees: int, level: float) -> None:
    expected = stats.t.ppf(level, degrees)
    assert statistics.student_quantile(level, degrees) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_silent_raters_could_have_said_anything_between(good: int, bad: int, silent: int) -> None:
    bounds = statistics.silent_bounds(good, good + bad, good + bad + silent)
    total = good + bad + silent
    if bounds is None:
        assert total == 0
        return
    said = itertools.chain([0], range(silent + 1))
    for happy in said:
        assert bounds[0] - 1e-12 <= (good + happy) / total <= bounds[1] + 1e-12
