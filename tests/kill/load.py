"""Shoppers and agents who write all the time, and the judgement on what became of it."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any  # Any: JSON values

from tests.kill.checker import Fault, Final, faults, message_of, totals
from tests.realtime.client import Client, let_in
from tests.realtime.follower import Follower, read_all
from tests.support.server import ServerProcess
from tests.support.waiting import let_time_pass, wait_until_async

Json = dict[str, Any]  # Any: JSON values
LONG = os.environ.get("SHOPBELL_TEST_LONG") == "1"
SEED = int(os.environ.get("SHOPBELL_KILL_SEED", "20261121"))
SHOPPERS = 5
# Between two messages of one writer.
PACE_S = (0.005, 0.06)
MOST_PENDING = 50
SETTLE_LIMIT_S = 120.0
CAUGHT_UP_LIMIT_S = 120.0


class Load:
    """Writers on a clock of their own. ``shoppers`` and ``agents`` are there before ``start``."""

    def __init__(
        self, shoppers: Sequence[Follower], agents: Sequence[Follower], chance: random.Random
    ) -> None:
        self.shoppers = list(shoppers)
        # All of them see everything, so that each must show the whole log.
        self.agents = list(agents)
        self.chance = chance
        self.on = True
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def all(self) -> list[Follower]:
        """Everybody."""
        return self.shoppers + self.agents

    @property
    def acknowledged(self) -> int:
        """How many messages have been acknowledged so far."""
        return sum(len(follower.acked_at_s) for follower in self.all)

    def start(self) -> None:
        """Begins to connect and to write."""
        for follower in self.all:
            follower.start()
        self._tasks += [asyncio.create_task(self._write(f)) for f in self.all]

    async def under_way(self) -> None:
        """Waits until everybody has had an answer."""
        await self.grows(lambda: all(f.acked_at_s for f in self.all), "the first answers")

    async def more(self, messages: int, limit_s: float = 120.0) -> None:
        """Waits until so many more messages have been acknowledged."""
        until = self.acknowledged + messages
        await self.grows(lambda: self.acknowledged >= until, f"{messages} more", limit_s)

    async def grows(
        self, condition: Callable[[], bool], what: str = "", limit_s: float = 90.0
    ) -> None:
        """Waits for the condition, and no longer when somebody has ended by an error."""
        await wait_until_async(
            lambda: condition() or any(f.failed for f in self.all), limit_s, what
        )

    async def settle(self) -> None:
        """Ends the writing and waits until every outbox is empty."""
        self.on = False
        await asyncio.gather(*self._tasks)
        await self.grows(
            lambda: not any(f.pending for f in self.all), "empty outboxes", SETTLE_LIMIT_S
        )

    async def stop(self) -> None:
        """Ends everybody. Raises what went wrong inside one of them."""
        self.on = False
        await asyncio.gather(*(follower.stop() for follower in self.all))

    async def _write(self, follower: Follower) -> None:
        agent = follower.record.audience == "agent"
        for number in itertools.count(1):
            await let_time_pass(self.chance.uniform(*PACE_S))
            if not self.on:
                return
            known = sorted(follower.record.shown)
            if follower.pending > MOST_PENDING or (agent and not known):
                continue
            client_id = f"{follower.record.name} {number}"
            if agent:
                follower.post(
                    client_id,
                    conversation_id=self.chance.choice(known),
                    visibility=self.chance.choice(["public", "public", "private"]),
                )
            else:
                follower.post(client_id)


@dataclass(frozen=True, slots=True)
class Delays:
    """From the answer to the sender until a party shows the message, ms."""

    deliveries: int
    median_ms: int
    p99_ms: int
    max_ms: int


def delays(load: Load, *, begin_s: float, end_s: float) -> Delays:
    """The delays of the messages answered between two instants (monotonic), over all parties.

    Times are taken in the test's own process, so its load is in them.
    """
    acked = {k: t for f in load.all for k, t in f.acked_at_s.items() if begin_s <= t < end_s}
    spans = sorted(
        max(0, round(1000 * (shown - acked[key])))
        for follower in load.all
        for key, shown in follower.shown_at_s.items()
        if key in acked and key not in follower.acked_at_s
    )
    assert spans, "nothing was told between these instants"
    return Delays(
        deliveries=len(spans),
        median_ms=round(statistics.median(spans)),
        p99_ms=spans[len(spans) * 99 // 100],
        max_ms=spans[-1],
    )


async def judged(
    load: Load,
    servers: Sequence[ServerProcess],
    *,
    site: str,
    token: str,
    record: Callable[[str, object], None],
    also: Mapping[str, object] | None = None,
) -> list[Fault]:
    """The broken promises, once everything has settled and everybody has been stopped.

    ``token`` is of a person who sees everything. The figures go to the end of the test run by
    ``record`` (the fixture record_property), with ``also`` beside them.
    """
    try:
        await load.settle()
        final = await _final_log(load, servers[0].url, site, token)
        await _all_at_head(load, final)
    finally:
        await load.stop()
    records = [follower.record for follower in load.all]
    found = faults(records, final)
    written = sum(1 for log in final["agent"].values() for e in log if message_of(e))
    sent = sum(len(r.sent) for r in records)
    if written != sent:
        found.append(Fault("other", f"{sent} messages were sent, {written} are in the log"))
    figures = asdict(totals(records, found)) | {
        "connections": sum(f.connects for f in load.all),
        "gaps_closed": sum(f.gaps for f in load.all),
        **(also or {}),
    }
    record("delivery", figures)
    found += [
        Fault("other", f"{server.url} logged a traceback")
        for server in servers
        if "Traceback" in server.stderr
    ]
    verified = await asyncio.to_thread(servers[0].shopbell, "verify")
    if verified.returncode != 0:
        found.append(Fault("other", verified.stdout + verified.stderr))
    print(figures, *found, sep="\n")
    return found


async def _final_log(load: Load, url: str, site: str, token: str) -> Final:
    """What fresh clients read of every conversation at the end."""
    final: dict[str, dict[str, list[Json]]] = {"visitor": {}, "agent": {}}
    for follower in load.shoppers:
        auth = {"site": site, "visitor_token": follower.visitor_token}
        shopper = await let_in(Client(url, "/visitor", auth))
        for head in shopper.welcome["conversations"]:
            final["visitor"][head["id"]] = await read_all(shopper, head["id"])
            assert len(final["visitor"][head["id"]]) == head["conversation_seq"]
        await shopper.close()
    agent = await let_in(Client(url, "/agent", {"token": token}))
    for head in agent.welcome["conversations"]:
        final["agent"][head["id"]] = await read_all(agent, head["id"])
    await agent.close()
    return final


async def _all_at_head(load: Load, final: Final) -> None:
    """Waits until everybody shows as much as the log has; says who does not."""

    def behind() -> list[str]:
        staff = {key: len(log) for key, log in final["agent"].items()}
        late = [f.record.name for f in load.agents if f.heads() != staff]
        return late + [
            f.record.name
            for f in load.shoppers
            if any(count != len(final["visitor"][key]) for key, count in f.heads().items())
        ]

    try:
        await load.grows(lambda: not behind(), "everybody at the head", CAUGHT_UP_LIMIT_S)
    except AssertionError as error:
        raise AssertionError(f"{error}; behind: {behind()}") from None
