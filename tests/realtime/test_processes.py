"""Two processes serve one shop: to those connected to either, they are one."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: JSON values

import pytest
import pytest_asyncio
from sqlalchemy import text

from server.actions import people as people_actions
from server.actions.shop import set_site
from server.domain.actors import SYSTEM
from server.storage.unit import Tx
from tests.conftest import FAILED
from tests.realtime.client import Client, Refused, let_in
from tests.realtime.desk import UNLIMITED, Desk, Staff, make_desk
from tests.support.postgres import PostgresCluster
from tests.support.processes import tail
from tests.support.redis import RedisServer
from tests.support.server import ServerProcess
from tests.support.tools import require
from tests.support.waiting import wait_until_async

Json = dict[str, Any]  # Any: JSON values
# Without news a process looks at the log every half second.
AT_ONCE_S = 0.25


@dataclass(slots=True)
class Pair:
    """A shop and the two processes that serve it."""

    desk: Desk
    one: ServerProcess
    two: ServerProcess

    @property
    def servers(self) -> tuple[ServerProcess, ServerProcess]:
        """Both processes."""
        return self.one, self.two

    def start(self) -> None:
        """Starts both at the same time."""
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait_ready()

    def end(self, *, failed: bool) -> None:
        """Kills what still runs; nothing may have gone wrong in there."""
        for server in self.servers:
            if server.running:
                server.kill()
            if failed:
                print(f"the log:\n{tail(server.log)}")
            assert "Traceback" not in server.stderr, server.stderr[-5000:]


def make_pair(folder: Path, url: str, env: dict[str, str]) -> Pair:
    desk = make_desk(folder / "data", url, env=UNLIMITED | env)
    two = ServerProcess(desk.server.data_dir, database_url=url, env=UNLIMITED | env)
    return Pair(desk, desk.server, two)


@pytest.fixture(scope="module", params=["redis", "notify"])
def shared_pair(
    request: pytest.FixtureRequest,
    postgres: PostgresCluster,
    postgres_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """Two processes that wake each other by Redis, or by the database, shared by the module."""
    env = {}
    if request.param == "redis":
        env["SHOPBELL_REDIS_URL"] = request.getfixturevalue("redis").url
    url = postgres.create(postgres_template)
    pair = make_pair(tmp_path_factory.mktemp("pair"), url, env)
    pair.start()
    yield pair
    pair.end(failed=bool(request.session.testsfailed))
    postgres.drop(url)


@pytest.fixture
def make_own_pair(
    postgres_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Pair]]:
    """Makes and starts two processes of this test's own; settings by keyword."""
    made: list[Pair] = []

    def make(**env: str) -> Pair:
        made.append(make_pair(tmp_path, postgres_url, env))
        made[-1].start()
        return made[-1]

    yield make
    for pair in made:
        pair.end(failed=request.node.stash.get(FAILED, False))


class Guests:
    """Opens clients of either process and closes them all."""

    def __init__(self) -> None:
        self._clients: list[Client] = []

    async def shopper(self, pair: Pair, at: ServerProcess, token: str | None = None) -> Client:
        auth = {"site": pair.desk.site} | ({"visitor_token": token} if token else {})
        return await self._connected(Client(at.url, "/visitor", auth))

    async def agent(self, pair: Pair, at: ServerProcess, who: str | Staff = "ana") -> Client:
        staff = pair.desk.people[who] if isinstance(who, str) else who
        return await self._connected(Client(at.url, "/agent", {"token": staff.token}))

    async def console(self, staff: Staff, at: ServerProcess) -> Client:
        headers = {"Cookie": f"sid={staff.cookie}", "Origin": at.url}
        return await self._connected(Client(at.url, "/agent", None, **headers))

    async def _connected(self, client: Client) -> Client:
        self._clients.append(client)
        return await let_in(client)

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


@pytest_asyncio.fixture
async def guests() -> AsyncIterator[Guests]:
    opened = Guests()
    yield opened
    await opened.close()


@dataclass(slots=True)
class Chat:
    """A shopper at the first process, staff at the second, and their conversation."""

    pair: Pair
    shopper: Client
    agent: Client
    id: str
    first: Json


@pytest_asyncio.fixture
async def chat(shared_pair: Pair, guests: Guests) -> Chat:
    shopper = await guests.shopper(shared_pair, shared_pair.one)
    agent = await guests.agent(shared_pair, shared_pair.two)
    first = await shopper.post("hello")
    await agent.hears("hello")
    return Chat(shared_pair, shopper, agent, first["conversation_id"], first)


def kinds_of(client: Client, conversation_id: str) -> list[str]:
    return [e["kind"] for e in client.events if e["conversation_id"] == conversation_id]


def readiness(server: ServerProcess) -> Json:
    with urllib.request.urlopen(server.url + "/readyz", timeout=60) as answer:
        found: Json = json.load(answer)
    return found


async def took_s(sender: Client, hearer: Client, body: str, **payload: Any) -> float:
    """How long after it was sent a message was heard."""
    begun = time.perf_counter()
    await sender.post(body, **payload)
    await hearer.hears(body)
    return time.perf_counter() - begun


async def test_messages_reach_the_other_process_at_once_in_both_directions(chat: Chat) -> None:
    quick = 0
    for number in range(200):
        there = await took_s(chat.shopper, chat.agent, f"question {number}")
        back = await took_s(chat.agent, chat.shopper, f"answer {number}", conversation_id=chat.id)
        quick = quick + 1 if max(there, back) < AT_ONCE_S else 0
        # By looking at the log alone this happens once in a million times.
        if quick == 10:
            break
    assert quick == 10
    for client in (chat.shopper, chat.agent):
        mine = [e for e in client.events if e["conversation_id"] == chat.id]
        numbers = [e["conversation_seq"] for e in mine]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert readiness(chat.pair.one) == readiness(chat.pair.two) == {"status": "ready"}


async def test_typing_is_seen_in_the_other_process_with_names(chat: Chat) -> None:
    await chat.agent.do("typing.set", conversation_id=chat.id, typing=True)
    await chat.shopper.until(lambda: chat.shopper.signals("typing.changed"))
    ana = chat.pair.desk.people["ana"]
    assert chat.shopper.signals("typing.changed") == [
        {
            "conversation_id": chat.id,
            "actor": {"kind": "agent", "id": ana.id, "name": "Ana"},
            "typing": True,
            "ttl_ms": 5000,
        }
    ]
    await chat.shopper.do("typing.set", conversation_id=chat.id, typing=True)
    await chat.agent.until(lambda: chat.agent.signals("typing.changed"))
    told = chat.agent.signals("typing.changed")[-1]["actor"]
    assert told == {"kind": "customer", "id": chat.shopper.welcome["customer_id"], "name": None}


async def test_read_marks_are_seen_in_the_other_process(chat: Chat) -> None:
    await chat.agent.do(
        "message.mark_read", conversation_id=chat.id, message_id=chat.first["message_id"]
    )
    await chat.shopper.until(lambda: chat.shopper.signals("message.read"))
    (told,) = chat.shopper.signals("message.read")
    assert (told["message_id"], told["reader"]["name"]) == (chat.first["message_id"], "Ana")
    assert told.keys() == {"conversation_id", "reader", "message_id", "at_ms"}


async def test_presence_and_load_are_seen_in_the_other_process(chat: Chat, guests: Guests) -> None:
    staff = chat.pair.desk.hire(f"pia{time.monotonic_ns()}")
    colleague = await guests.agent(chat.pair, chat.pair.one, staff)

    def seen(status: str, *, least_load: int = 0) -> bool:
        told = [s["agent"] for s in chat.agent.signals("presence.changed")]
        mine = [a for a in told if a["id"] == staff.id]
        return any(
            (a["status"], a["capacity"]) == (status, 7) and a["load"] >= least_load for a in mine
        )

    await colleague.do("presence.set", status="busy", capacity=7)
    await chat.agent.until(lambda: seen("busy"))
    await colleague.do("conversation.claim", conversation_id=chat.id)
    await chat.agent.until(lambda: seen("busy", least_load=1))
    await colleague.do("presence.set", status="offline")


async def test_viewers_of_both_processes_are_in_one_list(chat: Chat, guests: Guests) -> None:
    ida = await guests.agent(chat.pair, chat.pair.one, "ida")
    await ida.do("viewing.set", conversation_id=chat.id, viewing=True)
    await chat.agent.do("viewing.set", conversation_id=chat.id, viewing=True)

    def names(told: list[Json]) -> set[str]:
        return {viewer["name"] for viewer in told}

    for client in (ida, chat.agent):
        await client.until(
            lambda client=client: (
                names(  # type: ignore[misc]  # bound default
                    [s["agents"] for s in client.signals("viewing.changed")][-1:][0]
                    if client.signals("viewing.changed")
                    else []
                )
                == {"Ana", "Ida"}
            ),
            "both names",
        )
    opened = await chat.agent.do("conversation.open", conversation_id=chat.id)
    assert names(opened["viewing"]) == {"Ana", "Ida"}
    await ida.drop()
    await chat.agent.until(
        lambda: names(chat.agent.signals("viewing.changed")[-1]["agents"]) == {"Ana"}
    )
    opened = await chat.agent.do("conversation.open", conversation_id=chat.id)
    assert names(opened["viewing"]) == {"Ana"}


@pytest.mark.parametrize("shared_pair", ["redis"], indirect=True)
async def test_who_signs_out_at_one_process_loses_the_socket_at_the_other(
    shared_pair: Pair, guests: Guests
) -> None:
    staff = shared_pair.desk.hire(f"sam{time.monotonic_ns()}")
    here = await guests.console(staff, shared_pair.one)
    there = await guests.agent(shared_pair, shared_pair.two, staff)
    shared_pair.desk.write(lambda tx: people_actions.deactivate(tx, SYSTEM, staff.id))
    await here.gone()
    await there.gone()


@pytest.mark.parametrize("shared_pair", ["redis"], indirect=True)
async def test_a_page_that_is_taken_off_the_list_is_refused_by_both(
    shared_pair: Pair, guests: Guests
) -> None:
    desk = shared_pair.desk
    foreign = "https://other.example"

    async def code(server: ServerProcess) -> str | None:
        client = Client(server.url, "/visitor", {"site": desk.site}, Origin=foreign)
        try:
            await client.connect()
        except Refused as refused:
            return refused.code
        await client.close()
        return None

    assert [await code(server) for server in shared_pair.servers] == [None, None]
    desk.write(lambda tx: set_site(tx, SYSTEM, origins=["https://shop.example"]))
    for server in shared_pair.servers:

        async def is_refused(server: ServerProcess = server) -> bool:
            return await code(server) == "not_allowed"

        await wait_until_async(is_refused)
    desk.write(lambda tx: set_site(tx, SYSTEM, origins=[]))
    for server in shared_pair.servers:

        async def is_let_in(server: ServerProcess = server) -> bool:
            return await code(server) is None

        await wait_until_async(is_let_in)


def die(pair: Pair, server: ServerProcess) -> None:
    """Kills a process and lets the time pass after which the others take it for dead."""
    before = pair.desk.write(_living)
    server.kill()
    assert len(before) == 2
    # Whoever does not say again that it lives has died.
    pair.desk.write(_age)


def _living(tx: Tx) -> list[str]:
    return list(tx.execute(text("SELECT id FROM process")).scalars())


def _age(tx: Tx) -> None:
    tx.later(text("UPDATE process SET seen_at_ms = seen_at_ms - 14000"))


async def test_a_shopper_has_left_when_no_process_has_a_socket_of_them(
    make_own_pair: Callable[..., Pair], guests: Guests
) -> None:
    pair = make_own_pair(SHOPBELL_LEFT_AFTER_S="1")
    agent = await guests.agent(pair, pair.two)
    one = await guests.shopper(pair, pair.one)
    conversation_id = (await one.post("hello"))["conversation_id"]
    token = one.welcome["visitor_token"]
    two = await guests.shopper(pair, pair.two, token)
    other = await guests.shopper(pair, pair.one)
    await one.close()
    # As long as it takes until somebody else is counted as left.
    other_id = (await other.post("me too"))["conversation_id"]
    await other.close()
    await agent.until(lambda: "customer.left" in kinds_of(agent, other_id))
    await two.post("still here")
    await agent.hears("still here")
    assert "customer.left" not in kinds_of(agent, conversation_id)
    await two.close()
    await agent.until(lambda: "customer.left" in kinds_of(agent, conversation_id))
    back = await guests.shopper(pair, pair.one, token)
    await agent.until(lambda: "customer.returned" in kinds_of(agent, conversation_id))
    # Whose process dies has left as well, and nobody looks at anything through it any more.
    ida = await guests.agent(pair, pair.one, "ida")
    await ida.do("viewing.set", conversation_id=conversation_id, viewing=True)
    await agent.until(lambda: agent.signals("viewing.changed"))
    assert [v["name"] for v in agent.signals("viewing.changed")[-1]["agents"]] == ["Ida"]
    assert back.connected
    die(pair, pair.one)
    await agent.until(lambda: agent.signals("viewing.changed")[-1]["agents"] == [])
    await agent.until(lambda: kinds_of(agent, conversation_id).count("customer.left") == 2)
    assert "customer.left" in kinds_of(agent, other_id)


async def test_a_process_that_is_drained_hands_over_whom_it_knew(
    make_own_pair: Callable[..., Pair], guests: Guests
) -> None:
    pair = make_own_pair(SHOPBELL_LEFT_AFTER_S="1")
    agent, ida = await guests.agent(pair, pair.two), await guests.agent(pair, pair.one, "ida")
    stays, goes = await guests.shopper(pair, pair.one), await guests.shopper(pair, pair.one)
    chats = [(await client.post("hello"))["conversation_id"] for client in (stays, goes)]
    await ida.do("viewing.set", conversation_id=chats[0], viewing=True)
    await agent.until(lambda: agent.signals("viewing.changed"))
    assert await asyncio.to_thread(pair.one.terminate) == 0
    back = await guests.shopper(pair, pair.two, stays.welcome["visitor_token"])
    await agent.until(lambda: agent.signals("viewing.changed")[-1]["agents"] == [])
    await agent.until(lambda: "customer.left" in kinds_of(agent, chats[1]))
    assert back.connected
    assert len(pair.desk.write(_living)) == 1


async def test_redis_may_die_hang_and_come_back(
    make_own_pair: Callable[..., Pair],
    guests: Guests,
    record_property: Callable[[str, object], None],
) -> None:
    redis = RedisServer(require("redis-server"))
    try:
        pair = make_own_pair(SHOPBELL_REDIS_URL=redis.url)
        shopper, agent = await guests.shopper(pair, pair.one), await guests.agent(pair, pair.two)
        await took_s(shopper, agent, "before")

        async def works(how: str, degraded: list[str]) -> None:
            """Messages come, at once when it is known what does not work, and readiness says it."""
            delays = [await took_s(shopper, agent, f"{how} {number}") for number in range(5)]
            for server in pair.servers:
                await wait_until_async(
                    lambda server=server: readiness(server).get("degraded", []) == degraded,  # type: ignore[misc]  # bound default
                    what=f"{how}: {degraded}",
                )
            delays += [await took_s(shopper, agent, f"{how} {number}") for number in range(5, 10)]
            # The promise is 2 s on a quiet machine.
            slowest = f"slowest message while Redis is {how}: {max(delays):.2f} s"
            record_property("measured", slowest)

        redis.stop(signal.SIGKILL)
        await works("dead", ["redis"])
        redis.start()
        await works("back", [])
        redis.hang()
        await works("hung", ["redis"])
        redis.wake()
        await works("awake", [])

        def told(server: ServerProcess) -> tuple[int, int]:
            """How often a process said that it hears no news, and that it hears them again."""
            log = server.stderr
            return log.count("news are not heard"), log.count("news are heard again")

        for server in pair.servers:
            # Once when it begins and once when it ends, however often the line was tried. On a
            # busy machine a line may go once more, of itself.

            def each_end_is_told(server: ServerProcess = server) -> bool:
                begun, ended = told(server)
                return begun == ended >= 2

            await wait_until_async(each_end_is_told, what="a word about each end")
    finally:
        redis.close()
