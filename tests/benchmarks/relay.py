"""A bare python-socketio relay: what the stack costs before it does anything of ours.

It does the least that a chat could do: acknowledge, and send the message to both parties of a room.
Nothing is checked, stored or remembered. ``plain`` is python-socketio as it comes, ``tuned`` has
the product's own loop and JSON (uvloop, orjson). The clients offer no compression to either.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any  # Any: JSON values and python-socketio

import orjson
import socketio
import uvloop
from aiohttp import web

NAMESPACE = "/relay"


class Orjson:
    """orjson in the two functions that python-socketio asks of a JSON module."""

    @staticmethod
    def dumps(value: Any, **_options: Any) -> str:  # Any: JSON values
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str, **_options: Any) -> Any:  # Any: JSON values
        return orjson.loads(text)


async def serve(port: int, *, tuned: bool) -> None:
    """Relays until it is killed; prints one line when it listens."""
    options = {"json": Orjson} if tuned else {}
    server = socketio.AsyncServer(
        async_mode="aiohttp",
        cors_allowed_origins="*",
        namespaces=[NAMESPACE],
        transports=["websocket"],
        **options,
    )

    async def connect(sid: str, _environ: object, auth: dict[str, Any]) -> None:  # Any: JSON
        await server.enter_room(sid, auth["room"], namespace=NAMESPACE)
        async with server.session(sid, namespace=NAMESPACE) as session:
            session["room"] = auth["room"]

    async def post(sid: str, message: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        session = await server.get_session(sid, namespace=NAMESPACE)
        event = {"kind": "message.posted", "data": {"message": message}}
        await server.emit("event", event, room=session["room"], namespace=NAMESPACE)
        return {"ok": True}

    server.on("connect", connect, namespace=NAMESPACE)
    server.on("message.post", post, namespace=NAMESPACE)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"ready http://127.0.0.1:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    is_tuned = sys.argv[2] == "tuned"
    (uvloop.run if is_tuned else asyncio.run)(serve(int(sys.argv[1]), tuned=is_tuned))
