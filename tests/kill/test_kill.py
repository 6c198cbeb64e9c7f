"""The server is killed again and again under load, and nothing that it promised is lost.

SHOPBELL_KILL_ROUNDS sets how many kills a database gets (20 by default; 200 is a thorough night),
SHOPBELL_KILL_SEED repeats a run's choices.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable

import pytest

from tests.kill.load import LONG, SEED, SHOPPERS, Load, judged
from tests.realtime.client import Client
from tests.realtime.desk import Desk
from tests.realtime.follower import Follower
from tests.support.program import FRESH
from tests.support.waiting import let_time_pass

ROUNDS = int(os.environ.get("SHOPBELL_KILL_ROUNDS", "30" if LONG else "20"))
# One kill in five hits a server that is still starting.
EARLY_KILL = 0.2
# How long such a one has been starting: a new interpreter takes its time.
EARLY_S = (0.3, 1.5) if FRESH else (0.02, 0.3)

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300 + ROUNDS * 10)]


def make_load(desk: Desk, chance: random.Random) -> Load:
    """Several shoppers and agents of one server."""
    site = desk.site
    shoppers = [
        Follower(f"shopper {n}", lambda: Client(desk.url, "/visitor", {"site": site}), window=4)
        for n in range(SHOPPERS)
    ]
    agents = [
        Follower(name, lambda t=token: Client(desk.url, "/agent", {"token": t}), window=window)  # type: ignore[misc]  # bound default
        for name, token, window in (
            ("ana", desk.people["ana"].token, 3),
            ("ida", desk.people["ida"].token, 1),
        )
    ]
    return Load(shoppers, agents, chance)


async def kill_repeatedly(desk: Desk, chance: random.Random) -> int:
    """Kills and restarts the server; the number of kills."""
    kills = 0
    while kills < ROUNDS:
        await let_time_pass(chance.uniform(0.05, 0.9))
        desk.server.kill()
        kills += 1
        if chance.random() < EARLY_KILL and kills < ROUNDS:
            desk.server.launch()
            await let_time_pass(chance.uniform(*EARLY_S))
            desk.server.kill()
            kills += 1
        await asyncio.to_thread(desk.server.start)
    return kills


async def test_nothing_acknowledged_is_lost_doubled_or_reordered(
    own_desk: Desk, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(SEED)
    own_desk.server.start()
    load = make_load(own_desk, random.Random(SEED + 1))
    load.start()
    try:
        await load.under_way()
        kills = await kill_repeatedly(own_desk, chance)
    except BaseException:
        await load.stop()
        raise
    found = await judged(
        load,
        [own_desk.server],
        site=own_desk.site,
        token=own_desk.people["ana"].token,
        record=record_property,
        also={"kills": kills},
    )
    assert found == []
