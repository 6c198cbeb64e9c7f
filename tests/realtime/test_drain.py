"""SIGTERM: what was accepted is finished, everybody is told to come back, the end is orderly."""

from __future__ import annotations

import asyncio
from types import NoneType

import aiohttp
from socketio.exceptions import SocketIOError

from tests.realtime.client import Client, People
from tests.realtime.desk import PATIENT, Desk
from tests.realtime.follower import read_all

SOCKETS = 300
SOCKETS_AT_ONCE = 25


async def crowd(people: People, desk: Desk) -> list[Client]:
    """Many connected shoppers, let in a few at a time."""
    door = asyncio.Semaphore(SOCKETS_AT_ONCE)

    async def enter() -> Client:
        async with door:
            return await people.shopper()

    return list(await asyncio.gather(*(enter() for _ in range(SOCKETS))))


async def test_a_drained_server_has_kept_all_it_acknowledged_and_told_all_to_come_back(
    own_desk: Desk, own_people: People
) -> None:
    own_desk.server.env |= PATIENT
    own_desk.server.start()
    clients = await crowd(own_people, own_desk)
    writers = clients[:20]
    acknowledged: dict[str, list[str]] = {w.welcome["visitor_token"]: [] for w in writers}
    codes: set[str] = set()

    async def write(writer: Client) -> None:
        bodies = acknowledged[writer.welcome["visitor_token"]]
        while True:
            number = str(len(bodies))
            try:
                answer = await writer.ask("message.post", {"client_id": number, "body": number})
            except SocketIOError:
                return
            if answer["ok"]:
                bodies.append(number)
                continue
            codes.add(answer["error"]["code"])
            # Until it says goodbye the machine may be too busy to answer in time: once more.
            if writer.signals("server.drain"):
                return

    writing = [asyncio.create_task(write(writer)) for writer in writers]
    await writers[0].until(lambda: all(acknowledged.values()), "the first answers")
    status = await asyncio.to_thread(own_desk.server.terminate)
    assert status == 0
    for client in clients:
        await client.gone()
    for written in writing:
        written.cancel()  # an answer that was under way never comes
    ended = await asyncio.gather(*writing, return_exceptions=True)
    assert {type(how) for how in ended} <= {NoneType, asyncio.CancelledError}
    assert codes <= {"unavailable"}
    delays = [s["retry_in_ms"] for c in clients for s in c.signals("server.drain")]
    assert len(delays) == SOCKETS
    assert all(0 <= delay <= 5000 for delay in delays)
    assert len(set(delays)) > SOCKETS / 3
    assert "Traceback" not in own_desk.server.stderr
    assert "cut short" not in own_desk.server.stderr
    own_desk.server.start()
    for token, bodies in acknowledged.items():
        shopper = await own_people.shopper(token)
        (head,) = shopper.welcome["conversations"]
        log = await read_all(shopper, head["id"])
        kept = [e["data"]["message"]["body"] for e in log if e["kind"] == "message.posted"]
        assert kept[: len(bodies)] == bodies
        assert len(kept) <= len(bodies) + 1


async def test_a_draining_server_says_that_it_is_not_ready_and_lets_nobody_in(
    own_desk: Desk, own_people: People
) -> None:
    own_desk.server.start()
    async with aiohttp.ClientSession() as http:
        seen: list[int] = []
        async with http.get(own_desk.url + "/readyz") as response:
            seen.append(response.status)
        clients = [await own_people.shopper() for _ in range(30)]
        ending = asyncio.create_task(asyncio.to_thread(own_desk.server.terminate))
        # On the line that is open already; new ones are refused.
        while not ending.done():
            try:
                async with http.get(own_desk.url + "/readyz") as response:
                    seen.append(response.status)
            except (aiohttp.ClientError, OSError):
                break
        assert await ending == 0
    assert seen[0] == 200
    assert set(seen) <= {200, 503}
    # The server is gone, but what it said last may still be on its way to be read.
    for client in clients:
        await client.until(lambda c=client: c.signals("server.drain"), "a word")  # type: ignore[misc]  # bound default
