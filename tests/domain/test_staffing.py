"""Staffing against published values and against the queues computed by other means."""

from __future__ import annotations

import random
import warnings
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import staffing
from server.domain.errors import InvalidInput
from server.domain.staffing import Demand

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    numpy = pytest.importorskip("numpy")
    linalg = pytest.importorskip("scipy.linalg")
    special = pytest.importorskip("scipy.special")

S = 1000
HALF_HOUR = 30 * 60 * S
CALLS = Demand(arrivals=100, period_ms=HALF_HOUR, hold_ms=180 * S)
MONDAY = date(2026, 11, 16)


def test_a_hundred_in_half_an_hour_need_fourteen_agents() -> None:
    found = staffing.places_needed(CALLS, goal=0.8, goal_ms=20 * S)
    assert found.places == 14
    assert found.in_time == pytest.approx(0.8884, abs=5e-5)
    assert found.wait_share == pytest.approx(0.1741, abs=5e-5)
    assert found.occupancy == pytest.approx(10 / 14)
    assert found.wait_ms == pytest.approx(0.1741 * 180 * S / 4, rel=1e-3)


# Erlang C tables as printed in textbooks (for instance Cooper, Introduction to Queueing Theory).
@pytest.mark.parametrize(
    ("places", "load", "waits"),
    [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (5, 4.0, 0.5541), (10, 8.0, 0.4092), (12, 10.0, 0.4494)],
)
def test_erlang_c_equals_printed_values(places: int, load: float, waits: float) -> None:
    assert staffing.erlang_c(places, load) == pytest.approx(waits, abs=5e-5)


@given(st.integers(1, 300), st.floats(0.01, 400))
def test_erlang_b_equals_the_poisson_formula(places: int, load: float) -> None:
    # Truncated Poisson: pmf / cdf, by the incomplete gamma function.
    log_pmf = places * numpy.log(load) - load - special.gammaln(places + 1)
    expected = numpy.exp(log_pmf) / special.gammaincc(places + 1, load)
    assert staffing.erlang_b(places, load) == pytest.approx(expected, rel=1e-8)


def chain(demand: Demand, places: int, goal_ms: int, states: int = 150) -> tuple[float, ...]:
    """(waits, in time, left) of a queue with patience, from the generator of its Markov chain."""
    assert demand.patience_ms is not None
    arriving, serving = demand.arrivals / demand.period_ms, 1 / demand.hold_ms
    leaving = 1 / demand.patience_ms
    down = [min(n, places) * serving + max(0, n - places) * leaving for n in range(states)]
    generator = numpy.zeros((states, states))
    for n in range(states):
        if n + 1 < states:
            generator[n, n + 1] = arriving
        if n:
            generator[n, n - 1] = down[n]
    generator -= numpy.diag(generator.sum(axis=1))
    system = numpy.vstack([generator.T / arriving, numpy.ones(states)])
    chances = numpy.linalg.lstsq(system, numpy.append(numpy.zeros(states), 1.0), rcond=None)[0]
    waiting = sum((n - places) * chances[n] for n in range(places, states))
    # Who arrives with k ahead: phases k, k-1, ..., 0, then served; left from any.
    ahead = 100
    phases = numpy.zeros((ahead + 2, ahead + 2))
    for k in range(ahead + 1):
        rate = places * serving + k * leaving
        phases[k, k - 1 if k else ahead + 1] = rate
        phases[k, k] = -(rate + leaving)
    served = linalg.expm(phases * goal_ms)[:, ahead + 1]
    in_time = chances[:places].sum() + sum(
        chances[places + k] * served[k] for k in range(ahead + 1)
    )
    return chances[places:].sum(), in_time, leaving * waiting / arriving


@pytest.mark.parametrize(
    ("places", "arrivals", "patience_s", "goal_s"),
    [(14, 100, 60, 20), (10, 100, 60, 20), (8, 100, 300, 60), (3, 30, 45, 30), (20, 180, 30, 10)],
)
def test_erlang_a_equals_its_markov_chain(
    places: int, arrivals: int, patience_s: int, goal_s: int
) -> None:
    demand = Demand(arrivals, HALF_HOUR, 180 * S, patience_s * S)
    found = staffing.service(demand, places, goal_ms=goal_s * S)
    waits, in_time, left = chain(demand, places, goal_s * S)
    assert found.wait_share == pytest.approx(waits, abs=1e-8)
    assert found.left == pytest.approx(left, abs=1e-8)
    assert found.in_time == pytest.approx(in_time, abs=1e-8)


def test_endless_patience_is_erlang_c() -> None:
    patient = Demand(100, HALF_HOUR, 180 * S, 10**12)
    found = staffing.service(patient, 14, goal_ms=20 * S)
    other = staffing.service(CALLS, 14, goal_ms=20 * S)
    assert found.in_time == pytest.approx(other.in_time, abs=1e-5)
    assert found.wait_share == pytest.approx(other.wait_share, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 60), st.floats(1, 400), st.floats(5, 900), st.integers(0, 200))
def test_one_more_place_never_makes_it_worse(
    places: int, arrivals: float, patience_s: float, goal_s: int
) -> None:
    demand = Demand(arrivals, HALF_HOUR, 180 * S, patience_s * S)
    few = staffing.service(demand, places, goal_ms=goal_s * S)
    more = staffing.service(demand, places + 1, goal_ms=goal_s * S)
    assert more.in_time >= few.in_time - 1e-9
    assert more.left <= few.left + 1e-9
    assert 0 <= few.in_time <= 1
    assert few.occupancy <= 1 + 1e-9


def test_many_places_and_a_long_goal_stay_inside_a_float() -> None:
    demand = Demand(30_000, HALF_HOUR, 180 * S, 600 * S)
    found = staffing.service(demand, 2900, goal_ms=180 * S)
    assert 0.9 < found.in_time < 1
    tiny = staffing.service(Demand(1, HALF_HOUR, S, 600 * S), 400, goal_ms=S)
    assert (tiny.in_time, tiny.left) == (1.0, 0.0)


def test_an_overloaded_desk_without_patience_serves_nobody_in_time() -> None:
    found = staffing.service(CALLS, 10, goal_ms=20 * S)
    assert (found.in_time, found.wait_share, found.occupancy) == (0.0, 1.0, 1.0)
    with_patience = staffing.service(Demand(100, HALF_HOUR, 180 * S, 60 * S), 10, goal_ms=20 * S)
    assert with_patience.in_time > 0.5


def test_chats_at_once_need_fewer_agents() -> None:
    demand = Demand(arrivals=100, period_ms=HALF_HOUR, hold_ms=480 * S)
    one = staffing.agents_needed(demand, goal=0.8, goal_ms=20 * S)
    three = staffing.agents_needed(demand, goal=0.8, goal_ms=20 * S, concurrency=3, shrinkage=0.25)
    places = staffing.places_needed(demand, goal=0.8, goal_ms=20 * S).places
    assert one.agents == one.rostered == places
    assert three.agents == -(-places // 3)
    assert three.rostered == -(-4 * three.agents // 3)
    assert three.service.places == 3 * three.agents


def test_no_demand_needs_nobody() -> None:
    nothing = Demand(0, HALF_HOUR, 180 * S)
    assert staffing.agents_needed(nothing, goal=0.8, goal_ms=0).agents == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: staffing.agents_needed(CALLS, goal=0.8, goal_ms=1, concurrency=0.5),
        lambda: staffing.agents_needed(CALLS, goal=0.8, goal_ms=1, shrinkage=1),
        lambda: staffing.places_needed(CALLS, goal=1.0, goal_ms=1),
        lambda: staffing.service(Demand(1, 0, 1), 1, goal_ms=1),
        lambda: staffing.service(Demand(1, 1, 1, 0), 1, goal_ms=1),
        lambda: staffing.places_needed(Demand(10**9, HALF_HOUR, 180 * S), goal=0.8, goal_ms=20 * S),
    ],
)
def test_what_no_desk_has_is_refused(make: object) -> None:
    with pytest.raises(InvalidInput):
        make()  # type: ignore[operator]  # a lambda


def test_patience_counts_the_time_of_those_who_stayed() -> None:
    chance = random.Random(1)
    waits = []
    for _ in range(20_000):
        patience, offered = chance.expovariate(1 / 90_000), chance.expovariate(1 / 30_000)
        waits.append((round(min(patience, offered)), patience < offered))
    assert staffing.patience_ms(waits) == pytest.approx(90_000, rel=0.05)
    assert staffing.patience_ms([(5, False)]) is None


def weeks(values: list[int], *, hour: int = 10) -> dict[tuple[date, int], int]:
    """Counts of one hour on the Mondays before MONDAY, the latest first."""
    return {(MONDAY - timedelta(weeks=back), hour): n for back, n in enumerate(values, 1)}


def test_the_forecast_is_of_the_same_weekday_and_recent_weeks_count_more() -> None:
    counts = weeks([40, 10, 10, 10]) | {(MONDAY - timedelta(days=1), 10): 999}
    first = MONDAY - timedelta(weeks=4)
    (hour,) = staffing.forecast(counts, MONDAY, first=first, hours=[10])
    assert 17.5 < hour.expected < 25
    assert hour.low < hour.expected < hour.high
    assert hour.weeks == 4


def test_a_day_without_any_is_a_day_of_none_once_there_was_a_shop() -> None:
    first = MONDAY - timedelta(weeks=2)
    (hour,) = staffing.forecast(weeks([10]), MONDAY, first=first, hours=[10])
    assert hour.weeks == 2
    assert hour.expected == pytest.approx(10 / (1 + 0.5 ** (1 / 3)))
    (none,) = staffing.forecast(weeks([10]), MONDAY, first=MONDAY, hours=[10])
    assert (none.weeks, none.expected) == (0, 0.0)


def test_the_back_test_looks_at_nothing_of_its_day() -> None:
    first = MONDAY - timedelta(weeks=4)
    counts = weeks([20, 20, 20, 20])
    quiet = staffing.back_test(counts | {(MONDAY, 10): 20}, MONDAY, first=first, hours=[10])
    busy = staffing.back_test(counts | {(MONDAY, 10): 80}, MONDAY, first=first, hours=[10])
    assert quiet is not None
    assert busy is not None
    assert quiet.hours[0][0] == busy.hours[0][0]
    assert (quiet.error, quiet.naive_error, quiet.bias, quiet.within) == (0, 0, 0, 1)
    assert (busy.error, busy.bias, busy.within) == (0.75, -60, 0)
    assert staffing.back_test(counts, MONDAY, first=MONDAY, hours=[10]) is None


def test_over_noisy_weeks_the_forecast_beats_last_week() -> None:
    chance = random.Random(5)
    errors = [0.0, 0.0]
    for _ in range(60):
        counts = {
            (MONDAY - timedelta(weeks=back), hour): sum(chance.random() < 0.3 for _ in range(50))
            for back in range(9)
            for hour in range(8, 22)
        }
        found = staffing.back_test(
            counts, MONDAY, first=MONDAY - timedelta(weeks=8), hours=range(8, 22)
        )
        assert found is not None
        assert found.error is not None
        assert found.naive_error is not None
        errors[0] += found.error
        errors[1] += found.naive_error
    assert errors[0] < errors[1]
