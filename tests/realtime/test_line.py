"""The short way past engineio's queue: same packets, same order, and its own rules still hold."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp.http_websocket import WebSocketWriter, WSMsgType
from engineio.async_drivers import aiohttp as driver
from engineio.async_socket import AsyncSocket
from engineio.packet import MESSAGE, PING, Packet

from server.realtime.engine import PING_TIMEOUT_S, Engine
from server.realtime.line import Outbox, Parcel, text_frame
from tests.realtime.client import People
from tests.realtime.desk import Desk
from tests.realtime.raw import shopper_line


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
async def test_a_frame_of_any_size_is_the_one_that_aiohttp_sends(size: int) -> None:
    wire = Wire()
    text = "订单"[: size // 3] + "x" * (size - 3 * len("订单"[: size // 3]))
    writer = WebSocketWriter(None, wire)  # type: ignore[arg-type]  # only ever written to
    await writer.send_frame(text.encode(), WSMsgType.TEXT)
    assert text_frame(text) == wire.written
    assert len(text.encode()) == size


def test_what_engineio_is_relied_on_for_is_still_there() -> None:
    """The seams are its table of drivers, ``create_queue`` and the bound websocket handler."""
    assert driver._async["websocket"] is driver.WebSocket
    engine = Engine(connect_limit_s=1)
    socket = AsyncSocket(engine.eio, "one")
    assert isinstance(socket.queue, Outbox)
    assert socket._websocket_handler.__self__ is socket
    assert engine.eio._async["websocket"] is not driver.WebSocket


async def test_who_does_not_answer_a_ping_is_closed_and_forgotten() -> None:
    engine = Engine(connect_limit_s=60)
    waiting, silent = AsyncSocket(engine.eio, "waiting"), AsyncSocket(engine.eio, "silent")
    engine.eio.sockets = {"waiting": waiting, "silent": silent}
    waiting.last_ping = time.time() - PING_TIMEOUT_S + 5
    silent.last_ping = time.time() - PING_TIMEOUT_S - 1
    await engine.watch()
    assert silent.closed
    assert not waiting.closed
    await engine.watch()
    assert engine.eio.sockets == {"waiting": waiting}


async def test_nothing_passes_what_engineio_has_taken_to_send() -> None:
    """A packet that waits, or that its writer holds, keeps all later ones behind it."""
    sent: list[str] = []

    class Open:
        """A line that always takes a packet."""

        def send_now(self, packet: Packet) -> bool:
            sent.append(packet.data)
            return True

    outbox = Outbox()
    outbox.line = Open()  # type: ignore[assignment]  # only send_now is asked
    outbox.put_nowait(Parcel("before there is a writer"))
    assert (await outbox.get()).data == "before there is a writer"
    outbox.put_nowait(Parcel("while the writer sends"))
    assert (await outbox.get()).data == "while the writer sends"
    waiting = outbox.get()
    outbox.put_nowait(Parcel("now"))
    assert sent == ["now"]
    outbox.put_nowait(Packet(PING))
    outbox.put_nowait(Packet(MESSAGE, "behind the ping"))
    assert (await waiting).packet_type == PING
    outbox.put_nowait(Parcel("behind both"))
    assert [(await outbox.get()).data, (await outbox.get()).data] == [
        "behind the ping",
        "behind both",
    ]
    assert sent == ["now"]


async def test_a_queue_is_done_once_all_of_it_was_taken() -> None:
    outbox = Outbox()
    await outbox.join()
    for number in range(2):
        outbox.put_nowait(Packet(MESSAGE, str(number)))
    joined = asyncio.create_task(outbox.join())
    assert (await outbox.get()).data == "0"
    outbox.task_done()
    assert outbox.get_nowait().data == "1"
    assert not joined.done()
    outbox.task_done()
    await joined
    with pytest.raises(asyncio.QueueEmpty):
        outbox.get_nowait()


async def test_who_has_given_up_waiting_takes_no_packet_along() -> None:
    outbox = Outbox()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await outbox.get()
    waiting = outbox.get()
    outbox.put_nowait(Packet(MESSAGE, "for the one who waits"))
    assert (await waiting).data == "for the one who waits"


async def test_a_client_that_upgrades_in_the_middle_of_a_flood_hears_it_in_order(
    desk: Desk, people: People
) -> None:
    writer = await people.shopper()
    await writer.post("begin")
    flood = asyncio.gather(*(writer.post(f"flood {number}") for number in range(150)))
    token = writer.welcome["visitor_token"]
    tabs = []
    for _ in range(3):
        tab = people.made("/visitor", {"site": desk.site, "visitor_token": token})
        tab.transports = ["polling", "websocket"]
        tabs.append(await tab.connect())
    await flood
    await writer.post("end")
    for tab in tabs:
        await tab.hears("end")
        numbers = [event["conversation_seq"] for event in tab.events]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_command_that_follows_its_connect_at_once_is_answered(desk: Desk) -> None:
    async with shopper_line(desk) as line:
        for number in range(50):
            await line.send(f'42/visitor,{number}["typing.set",{{}}]')
        for number in range(50):
            assert (await line.answer(number, "/visitor"))["ok"] is False


async def test_a_client_that_only_listens_is_let_go_by_a_drain_within_seconds(
    own_desk: Desk,
) -> None:
    """It neither heeds the packet that closes the transport nor answers the websocket's."""
    own_desk.server.start()
    async with shopper_line(own_desk):
        assert await asyncio.to_thread(own_desk.server.terminate) == 0
        assert "cut short" not in own_desk.server.stderr
