"""A client that speaks the protocol by hand: broken packets, silence, packets left unread."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any  # Any: JSON values

import aiohttp

from tests.realtime.desk import Desk
from tests.support.waiting import LIMIT_S

ENGINE = "/socket.io/?EIO=4&transport="


class Line:
    """One websocket. ``packets`` are the Engine.IO packets that came, pings answered."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, http: aiohttp.ClientSession
    ) -> None:
        self.socket = socket
        self.http = http
        self.packets: list[str] = []

    async def send(self, *packets: str) -> None:
        """Sends text frames as they are."""
        for packet in packets:
            await self.socket.send_str(packet)

    async def receive(self) -> str | None:
        """The next packet, None when the server has closed the line."""
        while True:
            message = await self.socket.receive(LIMIT_S)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return None
            if message.data == "2":
                await self.socket.send_str("3")
                continue
            self.packets.append(message.data)
            return str(message.data)

    async def until(self, pattern: str) -> str:
        """The first packet that begins with the pattern. Raises AssertionError at the end."""
        while (packet := await self.receive()) is not None:
            if re.match(pattern, packet):
                return packet
        raise AssertionError(f"closed before {pattern}; came: {self.packets[-5:]}")

    async def closed(self) -> None:
        """Waits until the server closes the line."""
        while await self.receive() is not None:
            pass

    async def join(self, namespace: str, auth: dict[str, Any]) -> Any:
        """The welcome of a namespace."""
        await self.send(f"40{namespace},{json.dumps(auth)}")
        packet = await self.until(f"42{namespace},")
        event, data = json.loads(packet.partition(",")[2])
        assert event == "welcome"
        return data

    async def ask(self, number: int, namespace: str, event: str, *arguments: Any) -> Any:
        """The acknowledgement of a command."""
        await self.send(f"42{namespace},{number}{json.dumps([event, *arguments])}")
        return await self.answer(number, namespace)

    async def answer(self, number: int, namespace: str) -> Any:
        """The acknowledgement with a number."""
        packet = await self.until(rf"43{namespace},{number}\[")
        return json.loads(packet[packet.index("[") :])[0]


@asynccontextmanager
async def line(desk: Desk, **options: Any) -> AsyncIterator[Line]:
    """An open transport that has not said who it is."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(
            desk.url + ENGINE + "websocket", autoping=False, max_msg_size=0, **options
        ) as socket,
    ):
        opened = Line(socket, http)
        await opened.until("0")
        yield opened


@asynccontextmanager
async def shopper_line(desk: Desk, **options: Any) -> AsyncIterator[Line]:
    """A shopper's open line, welcomed."""
    async with line(desk, **options) as opened:
        await opened.join("/visitor", {"site": desk.site})
        yield opened
