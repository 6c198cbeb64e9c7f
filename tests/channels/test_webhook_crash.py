"""A server that is killed between a commit and its delivery delivers after it is started again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from server.actions import webhooks as actions
from server.actions.payload import parse
from server.actions.webhooks import CreateWebhook
from server.domain.actors import agent
from server.storage import webhooks
from tests.channels.receiver import Letter, Receiver
from tests.realtime.client import Client
from tests.realtime.desk import UNLIMITED, Desk, make_desk
from tests.realtime.follower import Follower
from tests.support.waiting import let_time_pass, wait_until_async

SEED = 20261121
ROUNDS = 2
MESSAGES = 30


@pytest.fixture
def desk(data_dir: Path, database_url: str | None) -> Iterator[Desk]:
    """A shop that may send to this machine, not started; on SQLite and PostgreSQL."""
    env = UNLIMITED | {"SHOPBELL_WEBHOOK_ALLOW_PRIVATE": "on"}
    made = make_desk(data_dir, database_url, env=env)
    yield made
    if made.server.running:
        made.server.kill()


@pytest.mark.kill
@pytest.mark.timeout(400)
async def test_every_acknowledged_message_is_delivered_whenever_the_server_is_killed(
    desk: Desk, receiver: Receiver
) -> None:
    chance = random.Random(SEED)
    admin = agent(desk.people["ida"].id, name="Ida", role="admin")
    payload = parse(CreateWebhook, {"url": receiver.url(), "kinds": ["message.posted"]})
    desk.write(lambda tx: actions.create_webhook(tx, admin, payload, inside=True))
    desk.server.start()

    async def slow_at_times(letter: Letter) -> web.StreamResponse:
        # So that a kill meets requests under way.
        await let_time_pass(chance.uniform(0, 0.03))
        return web.Response()

    receiver.answering = slow_at_times
    shopper = Follower(
        "shopper", lambda: Client(desk.url, "/visitor", {"site": desk.site}), window=4
    )
    shopper.start()
    for round_no in range(ROUNDS):
        for number in range(MESSAGES):
            shopper.post(f"{round_no}-{number}")
        taken = len(receiver.letters)
        await receiver.has(taken + chance.randrange(1, MESSAGES // 2))
        desk.server.kill()
        desk.server.start()
        # What the dead process held comes free by itself after 20 s; the test does not wait.
        desk.write(webhooks.end_all_turns)
    await wait_until_async(lambda: not shopper.pending or shopper.failed, what="an empty outbox")
    await shopper.stop()
    sent = {f"{round_no}-{number}" for round_no in range(ROUNDS) for number in range(MESSAGES)}

    def came() -> Counter[str]:
        return Counter(x.json["data"]["message"]["client_id"] for x in receiver.letters)

    await wait_until_async(lambda: sent <= set(came()), what="every message at the receiver")
    assert set(came()) == sent
    by_id: dict[str, set[bytes]] = {}
    for letter in receiver.letters:
        by_id.setdefault(letter.id, set()).add(letter.raw)
    assert len(by_id) == len(sent), "a repeat has the id of the first"
    assert all(len(bodies) == 1 for bodies in by_id.values())
    assert "Traceback" not in desk.server.stderr
