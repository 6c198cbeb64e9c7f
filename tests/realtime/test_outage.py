"""The database goes away and comes back: refusals in time, nothing lost, nobody stuck."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.realtime.client import People, Refused
from tests.realtime.desk import IMPATIENT, Desk, make_desk
from tests.realtime.follower import read_all
from tests.support.postgres import PostgresCluster
from tests.support.tools import require

# The promise is 5 s on a machine that is not busy with other things.
LIMIT_S = 30.0


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[tuple[Desk, PostgresCluster]]:
    """A shop on a PostgreSQL that this test may stop."""
    from server.storage.database import Database
    from server.storage.migrate import migrate

    cluster = PostgresCluster(require("postgres"))
    url = cluster.create()
    database = Database(url, tmp_path)
    migrate(database.engine)
    database.close()
    desk = make_desk(tmp_path / "data", url, env=IMPATIENT)
    desk.server.start()
    yield desk, cluster
    desk.server.kill()
    cluster.close()


def children(cluster: PostgresCluster) -> list[int]:
    """The processes that serve the connections of a cluster."""
    assert cluster._process is not None
    pid = cluster._process.pid
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in found.split()]


async def test_a_stopped_database_refuses_in_time_and_nothing_is_lost(
    fragile: tuple[Desk, PostgresCluster],
) -> None:
    desk, cluster = fragile
    people = People(desk)
    shopper, agent = await people.shopper(), await people.agent()
    conversation_id = (await shopper.post("before"))["conversation_id"]
    await agent.hears("before")
    for how in (signal.SIGINT, signal.SIGQUIT):
        cluster.stop(how)
        for client, command, payload in (
            (shopper, "message.post", {"client_id": f"x{how}", "body": f"during {how}"}),
            (agent, "conversation.open", {"conversation_id": conversation_id}),
            (agent, "conversation.claim", {"conversation_id": conversation_id}),
        ):
            begun = time.monotonic()
            assert await client.refused(command, **payload) == "unavailable"
            assert time.monotonic() - begun < LIMIT_S
        with pytest.raises(Refused) as refused:
            await people.made("/visitor", {"site": desk.site}).connect()
        assert refused.value.code == "unavailable"
        assert desk.server.status("/healthz") == 200
        assert desk.server.status("/readyz") == 503
        cluster.start()

        async def posted(client_id: str = f"x{how}", body: str = f"during {how}") -> bool:
            answer = await shopper.ask("message.post", {"client_id": client_id, "body": body})
            return bool(answer["ok"])

        # The same connections as before serve on.
        await shopper.until(posted, "the recovery")
        await agent.hears(f"during {how}")
    assert desk.server.status("/readyz") == 200
    log = await read_all(agent, conversation_id)
    bodies = [e["data"]["message"]["body"] for e in log if e["kind"] == "message.posted"]
    assert bodies == ["before", "during 2", "during 3"]
    assert "Traceback" not in desk.server.stderr
    assert len(desk.server.stderr.splitlines()) < 200
    await people.close()
    assert desk.server.terminate() == 0


async def test_a_database_that_hangs_refuses_in_time(
    fragile: tuple[Desk, PostgresCluster],
) -> None:
    """No answer at all is the worse outage: neither an error nor a closed line."""
    desk, cluster = fragile
    people = People(desk)
    shopper = await people.shopper()
    await shopper.post("before")
    processes = children(cluster)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        code = await shopper.refused("message.post", client_id="x", body="hanging")
        assert code == "unavailable"
        assert time.monotonic() - begun < LIMIT_S
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)

    async def posted() -> bool:
        answer = await shopper.ask("message.post", {"client_id": "x", "body": "hanging"})
        return bool(answer["ok"])

    await shopper.until(posted, "the recovery")
    (head,) = (await people.shopper(shopper.welcome["visitor_token"])).welcome["conversations"]
    log = await read_all(shopper, head["id"])
    bodies = [e["data"]["message"]["body"] for e in log if e["kind"] == "message.posted"]
    assert bodies == ["before", "hanging"]
    await people.close()
