"""When shoppers come and when agents work: the rhythm of the demo shop, as pure functions."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from server.demo.people import DEMO_SHOP, DemoPerson
from server.domain.spans import HOUR_MS, MINUTE_MS

# Share of a day's chats by local hour: a rise before lunch, the peak after dinner.
HOURS = (2, 1, 1, 0, 0, 0, 1, 2, 5, 24, 34, 32, 30, 27, 29, 30, 29, 27, 30, 42, 58, 60, 38, 7)
WEEKDAYS = (0.9, 0.86, 0.88, 0.93, 1.05, 1.3, 1.26)
CHATS_A_DAY = 18.5

_ZONE = ZoneInfo(DEMO_SHOP.timezone)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which an agent takes chats; `end_at_ms` is exclusive."""

    email: str
    start_at_ms: int
    end_at_ms: int


def local_day(at_ms: int) -> date:
    """The day in the shop's zone on which an instant falls."""
    return datetime.fromtimestamp(at_ms / 1000, tz=_ZONE).date()


def local_hour_at_ms(day: date, hour: int) -> int:
    """The instant at which a local hour begins; hour 24 is the next midnight."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=_ZONE)
    return int((midnight + timedelta(hours=hour)).astimezone(UTC).timestamp() * 1000)


def days_between(start_at_ms: int, end_at_ms: int) -> list[date]:
    """Every local day that the two instants touch, in order."""
    first, last = local_day(start_at_ms), local_day(end_at_ms)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def sale_day(days: Sequence[date]) -> date:
    """Singles' Day when it lies within, else a Saturday about two thirds of the way."""
    for day in days:
        if (day.month, day.day) == (11, 11):
            return day
    late = days[len(days) * 2 // 3 :]
    return next((day for day in late if day.weekday() == 5), days[-1])


def arrivals(draw: random.Random, *, start_at_ms: int, end_at_ms: int) -> list[int]:
    """The instants at which chats begin, ascending."""
    days = days_between(start_at_ms, end_at_ms)
    sale = sale_day(days)
    found: list[int] = []
    for number, day in enumerate(days):
        growth = 0.92 + 0.16 * number / max(1, len(days) - 1)
        expected = CHATS_A_DAY * WEEKDAYS[day.weekday()] * growth * _rush(day, sale)
        for _ in range(_poisson(draw, expected)):
            hour = draw.choices(range(24), HOURS)[0]
            found.append(local_hour_at_ms(day, hour) + draw.randrange(HOUR_MS))
    return sorted(at_ms for at_ms in found if start_at_ms <= at_ms < end_at_ms)


def stretches(
    draw: random.Random, people: Iterable[DemoPerson], *, start_at_ms: int, end_at_ms: int
) -> list[Stretch]:
    """Everybody's working hours: two stretches a day with a meal between them."""
    found: list[Stretch] = []
    days = days_between(start_at_ms, end_at_ms)
    sale = sale_day(days)
    for number, person in enumerate(people):
        for day in days:
            if day.weekday() in person.days_off and day != sale:
                continue
            begin = local_hour_at_ms(day, person.shift[0]) + draw.randrange(-4, 9) * MINUTE_MS
            finish = local_hour_at_ms(day, person.shift[1]) + draw.randrange(-3, 12) * MINUTE_MS
            # One after the other, so that somebody is always there.
            share = 0.36 + 0.09 * number
            meal = begin + round((finish - begin) * share) + draw.randrange(-6, 6) * MINUTE_MS
            back = meal + draw.randrange(22, 38) * MINUTE_MS
            found += [Stretch(person.email, begin, meal), Stretch(person.email, back, finish)]
    return [
        Stretch(one.email, one.start_at_ms, min(one.end_at_ms, end_at_ms))
        for one in found
        if start_at_ms <= one.start_at_ms < end_at_ms
    ]


def log_normal_ms(draw: random.Random, median_ms: float, *, sigma: float = 0.7) -> int:
    """A span with the long tail that human waits have; never under a second."""
    return max(1_000, round(median_ms * math.exp(draw.gauss(0, sigma))))


def _rush(day: date, sale: date) -> float:
    return {-2: 1.3, -1: 2.1, 0: 6.5, 1: 2.6, 2: 1.6}.get((day - sale).days, 1.0)


def _poisson(draw: random.Random, expected: float) -> int:
    """A Poisson number by multiplying uniforms (Knuth, TAOCP vol. 2, 3.4.1); fine below 700."""
    limit, product, count = math.exp(-expected), draw.random(), 0
    while product > limit:
        product *= draw.random()
        count += 1
    return count
