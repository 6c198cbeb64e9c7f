"""Kaplan-Meier and Wilson against the libraries that statisticians use."""

from __future__ import annotations

import math
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import survival

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lifelines = pytest.importorskip("lifelines")
    proportion = pytest.importorskip("statsmodels.stats.proportion")

# Few different lengths make ties; a wide range makes none.
waits = st.lists(
    st.tuples(st.one_of(st.integers(0, 6), st.integers(0, 10_000_000)), st.booleans()),
    min_size=1,
    max_size=80,
)


@settings(deadline=None, max_examples=150)
@given(waits, st.sampled_from((0.5, 0.9, 0.95)))
def test_quantiles_equal_lifelines_on_ties_and_plateaus(
    rows: list[tuple[int, bool]], share: float
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = lifelines.KaplanMeierFitter().fit(
            [wait for wait, _ in rows], [answered for _, answered in rows]
        )
        expected = fitted.percentile(round(1 - share, 12))
    found = survival.quantile_ms(rows, share)
    assert (math.inf if found is None else found) == expected


@given(waits)
def test_a_higher_quantile_is_never_sooner(rows: list[tuple[int, bool]]) -> None:
    found = [
        math.inf if value is None else value
        for value in survival.quantiles_ms(rows, (0.25, 0.5, 0.9, 0.95))
    ]
    assert found == sorted(found)


@given(waits)
def test_quantiles_do_not_depend_on_the_order_of_the_waits(rows: list[tuple[int, bool]]) -> None:
    shares = (0.5, 0.9)
    assert survival.quantiles_ms(rows, shares) == survival.quantiles_ms(rows[::-1], shares)


def test_nobody_answered_means_no_median() -> None:
    assert survival.quantile_ms([(10, False), (20, False)], 0.5) is None
    assert survival.quantile_ms([], 0.5) is None


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_statsmodels(numbers: tuple[int, int]) -> None:
    expected = proportion.proportion_confint(*numbers, alpha=0.05, method="wilson")
    assert survival.wilson(*numbers) == pytest.approx(expected, abs=1e-12)


def test_nothing_out_of_nothing_has_no_interval() -> None:
    assert survival.wilson(0, 0) is None
