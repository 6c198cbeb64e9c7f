"""The storefront on a port of its own, served beside the tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from server.demo.storefront import storefront_app
from tests.support.waiting import LIMIT_S


@contextmanager
def storefront(*, desk_url: str, site_key: str) -> Iterator[str]:
    """The address of a running storefront, for the time of the block."""
    addresses: list[str] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        runner = web.AppRunner(storefront_app(desk_url=desk_url, site_key=site_key))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        addresses.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        return runner

    def serve() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(LIMIT_S)
    try:
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT_S)
