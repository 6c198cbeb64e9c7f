"""A line between client and server that a test can hold up or cut: a TCP proxy of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from tests.support.ports import HOST

CHUNK = 64 * 1024
# What a machine that does not read takes from the server before the line is full.
SMALL_BUFFER = 4096


class Valve:
    """Passes bytes on, both ways, while it is open.

    Held, it keeps what clients send and takes nothing from the server, as a network does that has
    lost its way: neither side hears of the other, nor that the other has gone. What was kept goes
    on its way when the valve opens again, also if its sender has left meanwhile.
    """

    def __init__(self, port: Callable[[], int]) -> None:
        """Leads to the port of this machine that ``port`` gives at each connection."""
        self._port = port
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self.passed = 0

    @property
    def port(self) -> int:
        """Where clients connect."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """Where clients connect that speak HTTP."""
        return f"http://{HOST}:{self.port}"

    def hold(self) -> None:
        """Lets nothing pass any more."""
        self._open.clear()

    def release(self) -> None:
        """Lets everything pass, what was kept first."""
        self._open.set()

    def cut(self) -> None:
        """Ends all lines; what was kept is lost."""
        for line in list(self._lines):
            line.cancel()

    async def start(self) -> None:
        """Begins to accept clients."""
        self._server = await asyncio.start_server(self._accept, HOST, 0)

    async def stop(self) -> None:
        """Ends all lines and accepts nobody any more."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._lines, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            await self._connect(reader, writer)
        except OSError:
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._lines.discard(line)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plug = socket.socket()
        plug.setblocking(False)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        await asyncio.get_running_loop().sock_connect(plug, (HOST, self._port()))
        far_reader, far_writer = await asyncio.open_connection(sock=plug, limit=SMALL_BUFFER)
        kept: asyncio.Queue[bytes] = asyncio.Queue()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._keep(reader, kept))
                both.create_task(self._pass_on(kept, far_writer))
                both.create_task(self._bring(far_reader, writer))
        except* OSError:
            pass
        finally:
            far_writer.transport.abort()

    async def _keep(self, reader: asyncio.StreamReader, kept: asyncio.Queue[bytes]) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                kept.put_nowait(chunk)
        kept.put_nowait(b"")

    async def _pass_on(self, kept: asyncio.Queue[bytes], to: asyncio.StreamWriter) -> None:
        while chunk := await kept.get():
            await self._open.wait()
            to.write(chunk)
            await to.drain()
            self.passed += len(chunk)
        await self._open.wait()
        to.write_eof()

    async def _bring(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while True:
            await self._open.wait()
            chunk = await reader.read(SMALL_BUFFER)
            if not chunk:
                break
            # Came before the valve was closed, or in the moment of it.
            await self._open.wait()
            to.write(chunk)
            with suppress(OSError):
                await to.drain()
        to.close()


@asynccontextmanager
async def valve(port: Callable[[], int]) -> AsyncIterator[Valve]:
    """A valve for the time of the block."""
    made = Valve(port)
    await made.start()
    yield made
    made.release()
    await made.stop()
