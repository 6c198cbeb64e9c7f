"""The server is killed again and again under load, and nothing that it promised is lost.

SHOPBELL_KILL_ROUNDS sets how many kills a database gets (20 by default; 200 is a thorough night),
SHOPBELL_KILL_SEED repeats a run's choices.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from pathlib import Path

import pytest

from tests.kill.checker import faults, message_of, tally
from tests.realtime.client import Client, People
from tests.realtime.desk import Desk
from tests.realtime.follower import Follower, read_all
from tests.support.waiting import let_time_pass, wait_until_async

ROUNDS = int(os.environ.get("SHOPBELL_KILL_ROUNDS", "20"))
SEED = int(os.environ.get("SHOPBELL_KILL_SEED", "20261121"))
SHOPPERS = 5
# One kill in five hits a server that is still starting.
EARLY_KILL = 0.2

pytestmark = [pytest.mark.kill, pytest.mark.timeout(120 + ROUNDS * 10)]


class Load:
    """Several shoppers and agents who write all the time, on their own clock."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self.desk = desk
        self.chance = chance
        self.on = True
        site = desk.site
        self.shoppers = [
            Follower(f"shopper {n}", lambda: Client(desk.url, "/visitor", {"site": site}), window=4)
            for n in range(SHOPPERS)
        ]
        # All of them see everything, so that each must show the whole log.
        self.agents = [
            Follower(name, lambda t=token: Client(desk.url, "/agent", {"token": t}), window=window)  # type: ignore[misc]  # bound default
            for name, token, window in (
                ("ana", desk.people["ana"].token, 3),
                ("ida", desk.people["ida"].token, 1),
            )
        ]
        self.all = self.shoppers + self.agents
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        for follower in self.all:
            follower.start()
        self._tasks += [asyncio.create_task(self._write(f)) for f in self.all]

    async def _write(self, follower: Follower) -> None:
        agent = follower.record.audience == "agent"
        for number in itertools.count(1):
            await let_time_pass(self.chance.uniform(0.005, 0.06))
            if not self.on:
                return
            known = sorted(follower.record.shown)
            if follower.pending > 50 or (agent and not known):
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

    async def settle(self) -> None:
        """Ends the writing and waits until every outbox is empty and everybody shows the same."""
        self.on = False
        await asyncio.gather(*self._tasks)
        await wait_until_async(
            lambda: not any(f.pending for f in self.all) or any(f.failed for f in self.all),
            60,
            "empty outboxes",
        )


async def final_log(people: People, load: Load) -> dict[str, dict[str, list[dict[str, object]]]]:
    """What fresh clients read of every conversation at the end."""
    final: dict[str, dict[str, list[dict[str, object]]]] = {"visitor": {}, "agent": {}}
    for follower in load.shoppers:
        shopper = await people.shopper(follower.visitor_token)
        for head in shopper.welcome["conversations"]:
            final["visitor"][head["id"]] = await read_all(shopper, head["id"])
            assert len(final["visitor"][head["id"]]) == head["conversation_seq"]
    agent = await people.agent("ana")
    for head in agent.welcome["conversations"]:
        final["agent"][head["id"]] = await read_all(agent, head["id"])
    return final


async def kill_repeatedly(desk: Desk, chance: random.Random) -> int:
    """Kills and restarts the server; the number of kills."""
    kills = 0
    while kills < ROUNDS:
        await let_time_pass(chance.uniform(0.05, 0.9))
        desk.server.kill()
        kills += 1
        if chance.random() < EARLY_KILL and kills < ROUNDS:
            desk.server.launch()
            await let_time_pass(chance.uniform(0.3, 1.5))
            desk.server.kill()
            kills += 1
        await asyncio.to_thread(desk.server.start)
    return kills


async def test_nothing_acknowledged_is_lost_doubled_or_reordered(
    own_desk: Desk, own_people: People, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    own_desk.server.start()
    load = Load(own_desk, random.Random(SEED + 1))
    load.start()
    try:
        await wait_until_async(
            lambda: all(f.record.sent and not f.failed for f in load.all), 20, "the first messages"
        )
        kills = await kill_repeatedly(own_desk, chance)
        await load.settle()
        final = await final_log(own_people, load)
        heads = {key: len(log) for key, log in final["agent"].items()}
        await wait_until_async(
            lambda: all(f.heads() == heads for f in load.agents), 20, "every agent at the head"
        )
        await wait_until_async(
            lambda: all(
                count == len(final["visitor"][key])
                for f in load.shoppers
                for key, count in f.heads().items()
            ),
            20,
            "every shopper at the head",
        )
    finally:
        await asyncio.gather(*(follower.stop() for follower in load.all))
    records = [follower.record for follower in load.all]
    print(
        f"{kills} kills (seed {SEED}), {tally(records)};"
        f" {sum(f.connects for f in load.all)} connections, {sum(f.gaps for f in load.all)} gaps"
    )
    assert faults(records, final) == []
    messages = sum(1 for log in final["agent"].values() for e in log if message_of(e))
    assert messages == sum(len(record.sent) for record in records)
    assert "Traceback" not in own_desk.server.stderr
    verified = own_desk.server.shopbell("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
