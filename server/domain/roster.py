"""A week's roster: what each hour is expected to bring, and the agents whom that needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.domain.spans import HOUR_MS
from server.domain.staffing import (
    BackTest,
    Counts,
    Demand,
    Forecast,
    Need,
    agents_needed,
    back_test,
    forecast,
)

HOURS = range(24)
DAYS = 7
# What fewer days or chats than this tell is more chance than habit.
FEW_WEEKS = 3
FEW_CHATS = 30
FEW_LEFT = 10
# With fewer than this an hour, somebody is needed only so that somebody is there.
RARE = 0.5


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted: the share ``share`` answered within ``within_ms``, and how agents work.

    An agent serves ``at_once`` chats; ``away`` is the share of paid time spent on other things.
    """

    share: float
    within_ms: int
    at_once: float
    away: float


@dataclass(frozen=True, slots=True)
class Work:
    """What the log says of chats: how many came when, how long each takes, who ran out of patience.

    ``counts`` are arrivals by (local day, hour), ``first`` the first whole day that is known.
    ``hold_ms`` is how long a chat takes a place, None with too few to tell; ``patience_ms`` the
    mean patience, None where too few left to tell.
    """

    counts: Counts
    first: date
    hold_ms: float | None
    patience_ms: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the roster. ``need`` is None where the shop is closed or nothing can be said.

    ``busy`` are the agents whom the upper end of the band would need.
    """

    day: date
    forecast: Forecast
    open: bool
    need: Need | None
    busy: Need | None

    @property
    def few(self) -> bool:
        """True when too few weeks stand behind it."""
        return self.forecast.weeks < FEW_WEEKS

    @property
    def rare(self) -> bool:
        """True when somebody is needed only so that somebody is there."""
        return self.forecast.expected < RARE


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the roster with its hours."""

    day: date
    cells: tuple[Cell, ...]

    @property
    def expected(self) -> float:
        """How many chats the day is expected to bring."""
        return sum(cell.forecast.expected for cell in self.cells)

    @property
    def agent_hours(self) -> int:
        """Hours of agents who are there."""
        return sum(cell.need.agents for cell in self.cells if cell.need is not None)

    @property
    def rostered_hours(self) -> int:
        """Hours of agents to plan, with the time that they are away from chats."""
        return sum(cell.need.rostered for cell in self.cells if cell.need is not None)


def roster(
    work: Work, goal: Goal, today: date, *, is_open: Callable[[date, int], bool]
) -> list[Day]:
    """Today and the six days after it; what has come today already is not looked at.

    Raises InvalidInput for a goal that no desk meets.
    """
    needs: dict[float, Need | None] = {}

    def need(arrivals: float) -> Need | None:
        if work.hold_ms is None:
            return None
        arrivals = round(arrivals, 3)
        if arrivals not in needs:
            needs[arrivals] = agents_needed(
                Demand(arrivals, HOUR_MS, work.hold_ms, work.patience_ms),
                goal=goal.share,
                goal_ms=goal.within_ms,
                concurrency=goal.at_once,
                shrinkage=goal.away,
            )
        return needs[arrivals]

    def cell(day: date, made: Forecast) -> Cell:
        opened = is_open(day, made.hour)
        told = opened and made.weeks > 0
        return Cell(
            day,
            made,
            open=opened,
            need=need(made.expected) if told else None,
            busy=need(made.high) if told else None,
        )

    days = [today + timedelta(days=ahead) for ahead in range(DAYS)]
    return [
        Day(
            day,
            tuple(cell(day, f) for f in forecast(work.counts, day, first=work.first, hours=HOURS)),
        )
        for day in days
    ]


def back_tests(work: Work, today: date) -> list[BackTest]:
    """The forecasts of the last seven whole days beside what came, yesterday first.

    Days before the first that had a day of its weekday to go by are left out.
    """
    days = [today - timedelta(days=back) for back in range(1, DAYS + 1)]
    found = [
        back_test(work.counts, day, first=work.first, hours=HOURS)
        for day in days
        if day >= work.first
    ]
    return [one for one in found if one is not None]


def together(tests: Sequence[BackTest]) -> tuple[float | None, float | None]:
    """The error of several days' forecasts over all that came, and that of "as a week ago"."""
    came = sum(real for test in tests for _, real in test.hours)
    if not came:
        return None, None
    per_day = [(test, sum(real for _, real in test.hours)) for test in tests]
    off = sum((test.error or 0) * n for test, n in per_day)
    # A day on which nothing came has no share; what was foretold of it counts all the same.
    off += sum(sum(f.expected for f, _ in test.hours) for test, n in per_day if not n)
    naive = sum((test.naive_error or 0) * n for test, n in per_day)
    return off / came, naive / came
