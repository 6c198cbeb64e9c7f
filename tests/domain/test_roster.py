"""A week's roster: needs by hour, closed hours, few weeks, and forecasts beside what came."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from server.domain.roster import Goal, Work, back_tests, roster, together
from server.domain.staffing import Demand, agents_needed

TODAY = date(2026, 11, 22)
MINUTE = 60_000
GOAL = Goal(share=0.8, within_ms=30_000, at_once=2, away=0.3)


def work(*, weeks: int = 8, hold_ms: float | None = 10 * MINUTE) -> Work:
    """Twelve chats at ten o'clock of every day, and nothing else."""
    first = TODAY - timedelta(weeks=weeks)
    days = [first + timedelta(days=number) for number in range(weeks * 7)]
    counts = {(day, 10): 12 for day in days}
    # What today has brought so far, and will, is not to be looked at.
    return Work({**counts, (TODAY, 10): 500}, first, hold_ms, None)


def always(_day: date, _hour: int) -> bool:
    return True


def test_each_hour_has_the_agents_that_the_formula_says() -> None:
    days = roster(work(), GOAL, TODAY, is_open=always)
    assert [one.day for one in days] == [TODAY + timedelta(days=n) for n in range(7)]
    demand = Demand(12, 60 * MINUTE, 10 * MINUTE)
    wanted = agents_needed(demand, goal=0.8, goal_ms=30_000, concurrency=2, shrinkage=0.3)
    for day in days:
        ten = day.cells[10]
        assert ten.forecast.expected == pytest.approx(12)
        assert ten.need == wanted
        assert ten.busy is not None
        assert ten.busy.agents >= wanted.agents
        assert day.agent_hours == wanted.agents
        assert day.rostered_hours == wanted.rostered
        assert day.expected == pytest.approx(12)


def test_nobody_is_planned_for_closed_hours() -> None:
    [today, *_] = roster(work(), GOAL, TODAY, is_open=lambda _day, hour: hour != 10)
    assert today.cells[10].need is None
    assert today.cells[10].forecast.expected == pytest.approx(12)
    assert today.agent_hours == 0


def test_without_knowing_how_long_chats_take_no_agents_are_named() -> None:
    days = roster(work(hold_ms=None), GOAL, TODAY, is_open=always)
    assert all(cell.need is None for day in days for cell in day.cells)


def test_few_weeks_and_rare_chats_are_told() -> None:
    [few, *_] = roster(work(weeks=2), GOAL, TODAY, is_open=always)
    [many, *_] = roster(work(), GOAL, TODAY, is_open=always)
    assert few.cells[10].few
    assert not many.cells[10].few
    assert many.cells[3].rare
    assert not many.cells[10].rare
    [unknown, *_] = roster(work(weeks=0), GOAL, TODAY, is_open=always)
    assert unknown.cells[10].need is None


def test_the_last_days_are_foretold_without_knowing_them() -> None:
    known = work()
    surprise = Work({**known.counts, (TODAY - timedelta(days=1), 10): 24}, known.first, None, None)
    tests = back_tests(surprise, TODAY)
    assert [test.day for test in tests] == [TODAY - timedelta(days=n) for n in range(1, 8)]
    assert tests[0].error == pytest.approx(0.5)
    assert tests[1].error == pytest.approx(0)
    error, naive = together(tests)
    assert error == pytest.approx(12 / (6 * 12 + 24))
    assert naive == pytest.approx(error)


def test_a_young_log_has_no_forecast_to_look_back_at() -> None:
    assert back_tests(Work({}, TODAY, None, None), TODAY) == []
    assert together([]) == (None, None)


def test_an_empty_day_counts_what_was_foretold_of_it() -> None:
    known = work()
    yesterday = TODAY - timedelta(days=1)
    counts = {key: n for key, n in known.counts.items() if key[0] != yesterday}
    tests = back_tests(Work(counts, known.first, None, None), TODAY)
    assert tests[0].error is None
    error, _ = together(tests)
    assert error == pytest.approx(12 / (6 * 12))
