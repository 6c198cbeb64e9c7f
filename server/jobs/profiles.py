"""Customers as time passes: stages whose day has come, new limits every night."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import structlog

from server.storage import rescoring
from server.storage.database import Database

log = structlog.stdlib.get_logger("shopbell.profiles")


class _Stopped(Exception):
    """The server stops; what was written stays right."""


async def flip_stages(database: Database) -> None:
    """Brings customers to the stage that the passing of time has made theirs."""
    at_ms = database.clock()
    if await database.read(partial(rescoring.any_due, at_ms=at_ms)):
        while await database.write(rescoring.flip_due) == rescoring.RECOMPUTED:
            pass


async def rescore(database: Database) -> None:
    """Freezes new limits when it is time, and labels everybody by them, beside the other work."""
    at_ms = database.clock()
    if not await database.read(partial(rescoring.is_due, at_ms=at_ms)):
        return
    stop = threading.Event()

    def tell(_done: int, _total: int) -> None:
        if stop.is_set():
            raise _Stopped

    try:
        done = await asyncio.to_thread(rescoring.rebuild, database, tell=tell)
    finally:
        stop.set()
    if done is None:
        return
    say = log.warning if done.drifted else log.info
    say(
        "profiles rebuilt",
        version=done.version,
        persons=done.persons,
        written=done.written,
        drifted=done.drifted,
        took_ms=done.took_ms,
    )
