"""What a process counts of its own work, cheap enough for the message path; ``/metrics`` shows it.

Plain numbers without locks: each counter has one thread that adds to it, and whoever reads may see
a number of a moment ago. Adding costs less than a microsecond.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

LOOK_AT_LOOP_S = 0.5
# Seconds, for what people wait for.
ANSWER_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
LAG_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
PAGE_BOUNDS = (0.005, 0.02, 0.1, 0.5, 2.0)
JOBS_BOUNDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)


class Histogram:
    """How many values fell between bounds; the last place counts what is above all of them."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Counts a value; one that equals a bound falls below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that is asked for when somebody looks, or one for each value of ``label``.

    ``text`` is its description; ``counter`` says that it only grows. The values of a label are few
    and known from the code: never a person, an address or a text.
    """

    name: str
    text: str
    read: Callable[[], float | Mapping[str, float]]
    label: str = ""
    counter: bool = False


class Stats:
    """The counters of one process."""

    def __init__(self) -> None:
        self.batch_jobs = Histogram(JOBS_BOUNDS)
        self.commit_s = Histogram(ANSWER_BOUNDS)
        self.outages = 0
        self.lag_s = Histogram(LAG_BOUNDS)
        self.commands: dict[tuple[str, str], Histogram] = {}
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.routes: dict[str, Histogram] = {}
        self.incidents: Counter[str] = Counter()
        self.readings: list[Reading] = []

    def committed(self, *, jobs: int, took_s: float) -> None:
        """Counts a commit; on the writer's thread."""
        self.batch_jobs.add(jobs)
        self.commit_s.add(took_s)

    def expect(self, namespace: str, commands: Iterable[str]) -> None:
        """Names the commands whose answers are counted; others would be labels without bound."""
        for command in commands:
            self.commands[namespace, command] = Histogram(ANSWER_BOUNDS)

    def answered(self, namespace: str, command: object, *, took_s: float) -> None:
        """Counts the answer to a command."""
        spans = self.commands.get((namespace, command)) if isinstance(command, str) else None
        if spans is not None:
            spans.add(took_s)

    def refused(self, namespace: str, code: str) -> None:
        """Counts a command that was refused, by its code."""
        self.refusals[namespace, code] += 1
        if code == "internal":
            self.incidents["socket"] += 1

    def requested(self, method: str, route: str, status: int, *, took_s: float | None) -> None:
        """Counts an HTTP request by the pattern of its route; None leaves its time out."""
        self.requests[method, route, status] += 1
        if took_s is None:
            return
        spans = self.routes.get(route)
        if spans is None:
            spans = self.routes[route] = Histogram(PAGE_BOUNDS)
        spans.add(took_s)

    def show(self, *readings: Reading) -> None:
        """Adds numbers that are asked for when somebody looks."""
        self.readings.extend(readings)


async def watch_loop(stats: Stats) -> None:
    """Runs until cancelled: measures how late the event loop wakes who asked to be woken."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + LOOK_AT_LOOP_S
        await asyncio.sleep(LOOK_AT_LOOP_S)
        stats.lag_s.add(max(0.0, loop.time() - due_s))
