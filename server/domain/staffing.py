"""How many agents an hour needs: Erlang C, Erlang A with patience, chats at once, and a forecast.

A "place" is room for one chat: an agent who serves three chats at once is three places. Loads are
in erlangs: arrivals in a time divided by it, times how long a place is taken by each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.domain.errors import InvalidInput

# More places than this are no desk; it also ends the search for a goal that cannot be met.
MAX_PLACES = 10_000
# What is rarer than this in a queue is left out.
_RARE = 1e-12
WEEKS = 8
_HALF_LIFE_WEEKS = 3


@dataclass(frozen=True, slots=True)
class Demand:
    """What comes in: ``arrivals`` in ``period_ms``, each taking a place for ``hold_ms``.

    ``patience_ms`` is how long a shopper waits on average before leaving; None for ever.
    """

    arrivals: float
    period_ms: int
    hold_ms: float
    patience_ms: float | None = None

    @property
    def load(self) -> float:
        """The load in erlangs: how many places are taken on average if nobody leaves."""
        return self.arrivals * self.hold_ms / self.period_ms


@dataclass(frozen=True, slots=True)
class Service:
    """What so many places make of a demand.

    ``wait_share`` of the shoppers wait at all, ``in_time`` are served within the goal, ``left``
    leave; ``wait_ms`` is the mean wait of all; ``occupancy`` the share of the places taken.
    """

    places: int
    wait_share: float
    in_time: float
    wait_ms: float
    left: float
    occupancy: float


def erlang_b(places: int, load: float) -> float:
    """The share that finds all places taken where nobody waits.

    By the recursion that neither overflows nor cancels (Jagerman 1974, Bell System Tech. J. 53).

    >>> round(erlang_b(14, 10), 4)
    0.0568
    """
    blocked = 1.0
    for number in range(1, places + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(places: int, load: float) -> float:
    """The share that has to wait where everybody waits until served; 1 where the queue grows.

    Erlang 1917. 100 chats in 30 minutes of 3 minutes each, 14 places:

    >>> round(erlang_c(14, 10), 4)
    0.1741
    """
    if places <= load:
        return 1.0
    blocked = erlang_b(places, load)
    return blocked / (1 - load / places * (1 - blocked))


def service(demand: Demand, places: int, *, goal_ms: int) -> Service:
    """What ``places`` make of a demand, by Erlang C or, with a patience, by Erlang A.

    Raises InvalidInput for a demand that is none.
    """
    _check(demand)
    if demand.load == 0:
        return Service(places, 0.0, 1.0, 0.0, 0.0, 0.0)
    if demand.patience_ms is None:
        return _erlang_c(demand, places, goal_ms)
    return _erlang_a(demand, places, goal_ms, demand.patience_ms)


def _erlang_c(demand: Demand, places: int, goal_ms: int) -> Service:
    spare = places - demand.load
    if spare <= 0:
        return Service(places, 1.0, 0.0, math.inf, 0.0, 1.0)
    waits = erlang_c(places, demand.load)
    return Service(
        places=places,
        wait_share=waits,
        in_time=1 - waits * math.exp(-spare * goal_ms / demand.hold_ms),
        wait_ms=waits * demand.hold_ms / spare,
        left=0.0,
        occupancy=demand.load / places,
    )


def _erlang_a(demand: Demand, places: int, goal_ms: int, patience_ms: float) -> Service:
    """M/M/n+M (Palm 1957; Garnett, Mandelbaum and Reiman 2002, MSOM 4).

    Rates are per millisecond. With k others before one in the queue, the time until service is a
    sum of exponential times of rates n*served, n*served+leaving, ..., of which e^(-leaving*time) is
    Beta distributed; so the share served in time needs no simulation.
    """
    arriving = demand.arrivals / demand.period_ms
    leaving, serving = 1 / patience_ms, places / demand.hold_ms
    queue = _queue(arriving, serving, leaving)
    # The chances of 0..places-1 taken places, relative to that of all taken and nobody waiting.
    blocked = erlang_b(places, demand.load)
    if blocked == 0:
        return Service(places, 0.0, 1.0, 0.0, 0.0, demand.load / places)
    below = (1 - blocked) / blocked
    whole = below + sum(queue)
    waits = sum(queue) / whole
    waiting = sum(number * chance for number, chance in enumerate(queue)) / whole
    left = leaving * waiting / arriving
    rate, x = serving / leaving, math.exp(-leaving * goal_ms)
    in_time = below / whole
    if places and goal_ms > 0:
        for ahead, late in zip(range(len(queue)), _beta(rate + 1, x), strict=False):
            in_time += queue[ahead] / whole * rate / (rate + ahead + 1) * (1 - late)
    return Service(
        places=places,
        wait_share=waits,
        in_time=min(1.0, in_time),
        wait_ms=waiting / arriving,
        left=left,
        occupancy=demand.load * (1 - left) / places if places else 1.0,
    )


def _queue(arriving: float, serving: float, leaving: float) -> list[float]:
    """The chances of 0, 1, 2... waiting while all places are taken, relative to that of 0."""
    found, chance, whole = [1.0], 1.0, 1.0
    while True:
        rate = serving + len(found) * leaving
        chance *= arriving / rate
        if arriving < rate and chance < _RARE * whole:
            return found
        found.append(chance)
        whole += chance


def _beta(a: float, x: float) -> Iterator[float]:
    """The regularised incomplete beta functions I_x(a, 1), I_x(a, 2), ...

    DLMF 8.17.20: I_x(a, b + 1) = I_x(a, b) + x^a (1 - x)^b / (b B(a, b)); in logarithms, because
    the first of them is 0 in a float where many places meet a long goal.
    """
    term, value = a * math.log(x), 0.0
    number = 0
    while True:
        value += math.exp(term)
        yield min(1.0, value)
        term += math.log1p(-x) + math.log(a + number) - math.log(number + 1)
        number += 1


def places_needed(demand: Demand, *, goal: float, goal_ms: int, at_least: int = 0) -> Service:
    """The fewest places that serve the share ``goal`` within ``goal_ms``, and what they make of it.

    Raises InvalidInput for a goal that no desk meets.

    >>> demand = Demand(arrivals=100, period_ms=1_800_000, hold_ms=180_000)
    >>> found = places_needed(demand, goal=0.8, goal_ms=20_000)
    >>> found.places, round(found.in_time, 4)
    (14, 0.8884)
    """
    if not 0 <= goal < 1:
        raise InvalidInput("The goal must be a share below 1.", goal=goal)
    low = at_least
    found = service(demand, low, goal_ms=goal_ms)
    if found.in_time >= goal:
        return found
    step = 1
    while (more := service(demand, low + step, goal_ms=goal_ms)).in_time < goal:
        low += step
        step *= 2
        if low + step > MAX_PLACES:
            raise InvalidInput("No number of agents meets this goal.", goal=goal)
    high = more
    while high.places - low > 1:
        middle = service(demand, (low + high.places) // 2, goal_ms=goal_ms)
        if middle.in_time >= goal:
            high = middle
        else:
            low = middle.places
    return high


@dataclass(frozen=True, slots=True)
class Need:
    """How many agents a time needs; ``rostered`` is how many to plan with breaks and absences."""

    agents: int
    rostered: int
    service: Service


def agents_needed(
    demand: Demand,
    *,
    goal: float,
    goal_ms: int,
    concurrency: float = 1.0,
    shrinkage: float = 0.0,
) -> Need:
    """The agents that a demand needs when each serves ``concurrency`` chats at once.

    ``hold_ms`` is then how long a chat takes at that concurrency, which is longer than alone.
    ``shrinkage`` is the share of paid time away from chats. Raises InvalidInput for no such values.
    """
    if concurrency < 1 or not 0 <= shrinkage < 1:
        raise InvalidInput("Chats at once are at least 1, shrinkage is a share below 1.")
    places = places_needed(demand, goal=goal, goal_ms=goal_ms).places
    agents = math.ceil(round(places / concurrency, 9))
    return Need(
        agents=agents,
        rostered=math.ceil(round(agents / (1 - shrinkage), 9)),
        service=service(demand, max(places, math.floor(agents * concurrency)), goal_ms=goal_ms),
    )


def patience_ms(waits: Iterable[tuple[int, bool]]) -> float | None:
    """Mean patience by waits (milliseconds, left); those who were served would have waited longer.

    All time waited over the number of those who left, which is the likeliest mean of exponential
    times that are censored (Mandelbaum and Zeltyn 2004). None while nobody left.

    >>> patience_ms([(10_000, False), (50_000, True)])
    60000.0
    """
    total = left = 0
    for wait_ms, has_left in waits:
        total += wait_ms
        left += has_left
    return total / left if left else None


Counts = Mapping[tuple[date, int], int]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an hour is expected to bring: between ``low`` and ``high`` nine times out of ten.

    ``weeks`` is from how many days of that weekday; with none there is nothing to go by.
    """

    hour: int
    expected: float
    low: float
    high: float
    weeks: int


def forecast(counts: Counts, day: date, *, first: date, hours: Sequence[int]) -> list[Forecast]:
    """What each hour of a day is expected to bring, from the same weekdays before it.

    ``counts`` are arrivals by (local day, hour); an hour that is absent brought none. ``first`` is
    the first day of which anything is known. Each week further back counts less, by half after
    three; what day and after are is never looked at.
    """
    days = [day - timedelta(weeks=back) for back in range(1, WEEKS + 1)]
    weights = {
        past: 0.5 ** (back / _HALF_LIFE_WEEKS) for back, past in enumerate(days) if past >= first
    }
    return [_hour(counts, weights, hour) for hour in hours]


def _hour(counts: Counts, weights: Mapping[date, float], hour: int) -> Forecast:
    if not weights:
        return Forecast(hour, 0.0, 0.0, 0.0, 0)
    whole = sum(weights.values())
    seen = {day: counts.get((day, hour), 0) for day in weights}
    mean = sum(weight * seen[day] for day, weight in weights.items()) / whole
    spread = sum(weight * (seen[day] - mean) ** 2 for day, weight in weights.items()) / whole
    # Arrivals vary at least as chance does; how well a few weeks tell their mean varies, too.
    used = whole * whole / sum(weight * weight for weight in weights.values())
    deviation = math.sqrt(max(spread, mean) * (1 + 1 / used))
    return Forecast(
        hour, mean, max(0.0, mean - 1.645 * deviation), mean + 1.645 * deviation, len(weights)
    )


@dataclass(frozen=True, slots=True)
class BackTest:
    """How a forecast of a day compares with what came, and with saying "as a week ago".

    ``error`` is the sum of the hours' deviations over all that came (WAPE), ``naive_error`` that of
    last week's counts; None when nothing came. ``within`` counts hours inside their band.
    """

    day: date
    hours: tuple[tuple[Forecast, int], ...]
    error: float | None
    naive_error: float | None
    bias: float
    within: int


def back_test(counts: Counts, day: date, *, first: date, hours: Sequence[int]) -> BackTest | None:
    """The forecast that would have been made for a day that is over; None without days before."""
    made = forecast(counts, day, first=first, hours=hours)
    if not any(hour.weeks for hour in made):
        return None
    came = [counts.get((day, hour), 0) for hour in hours]
    week_ago = [counts.get((day - timedelta(weeks=1), hour), 0) for hour in hours]
    total = sum(came)
    off = sum(abs(f.expected - real) for f, real in zip(made, came, strict=True))
    naive = sum(abs(before - real) for before, real in zip(week_ago, came, strict=True))
    return BackTest(
        day=day,
        hours=tuple(zip(made, came, strict=True)),
        error=off / total if total else None,
        naive_error=naive / total if total else None,
        bias=sum(f.expected for f in made) - total,
        within=sum(f.low <= real <= f.high for f, real in zip(made, came, strict=True)),
    )


def _check(demand: Demand) -> None:
    if demand.period_ms <= 0 or demand.arrivals < 0 or demand.hold_ms <= 0:
        raise InvalidInput("A demand needs arrivals, a time and how long each takes.")
    if demand.patience_ms is not None and demand.patience_ms <= 0:
        raise InvalidInput("Patience must be longer than nothing.")
