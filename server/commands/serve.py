"""``shopbell serve`` and ``shopbell demo``."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.common import DataDir, say

if TYPE_CHECKING:
    from server.app import Running


Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")]


def serve_command(host: Host = "127.0.0.1", port: Port = 8080, data_dir: DataDir = None) -> None:
    """Run the server; in an empty folder it opens a set-up page instead of a shop."""
    gc.disable()  # nothing of what is loaded now will be garbage: 0.1 s
    from server import config
    from server.app import serve
    from server.log import configure
    from server.storage.opening import open_database

    async def announce(server: Running) -> None:
        gc.freeze()  # nor need the collector look at it again while people wait for an answer
        gc.enable()
        say(f"ready {server.url}")
        if server.setup_code is not None:
            say(f"Set up your shop at {server.url}/setup with the code {server.setup_code}")

    settings = config.load(data_dir)
    configure(level=settings.log_level)
    database, lock = open_database(settings, serving=True)
    try:
        _run(serve(settings, database, host=host, port=port, announce=announce))
    finally:
        database.close()
        if lock is not None:
            lock.close()


def demo_command(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data_dir: DataDir = None,
    traffic: Annotated[
        bool, typer.Option("--traffic/--no-traffic", help="Simulated shoppers.")
    ] = True,
) -> None:
    """Run the demo shop Mori & Oak; its storefront is on the next port."""
    from server import config
    from server.demo.run import prepare, run_demo
    from server.log import configure
    from server.storage.opening import open_database

    settings = config.load(data_dir)
    configure(level=settings.log_level)
    database, lock = open_database(settings, serving=True)
    try:
        prepare(database, shop_url=f"http://127.0.0.1:{port + 1}", say=say)
        _run(run_demo(settings, database, host=host, port=port, traffic=traffic, say=say))
    finally:
        database.close()
        if lock is not None:
            lock.close()


def _run(work: object) -> None:
    """Runs a coroutine on the fastest loop there is."""
    assert asyncio.iscoroutine(work)  # for the type checker
    try:
        import uvloop  # not made for every system
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


def add_to(app: typer.Typer) -> None:
    """Adds the commands that serve."""
    app.command("serve")(serve_command)
    app.command("demo")(demo_command)
