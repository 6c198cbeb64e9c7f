"""Keeping the columns of figures near the end of the log, so that reports are quick."""

from __future__ import annotations

from functools import partial

from server.storage.database import Database
from server.storage.event_log import lasting_seq
from server.storage.figures import next_pack, write_pack


async def keep_figures(database: Database) -> None:
    """Takes what happened since the last time into the columns, a few hundred chats at a time."""
    # What is written now is above this; with a view of its own nothing below it is missing.
    up_to = await database.read(lasting_seq)
    while True:
        pack = await database.read(partial(next_pack, up_to=up_to))
        if pack is None or not await database.write(partial(write_pack, pack=pack)):
            return


def keep_figures_now(database: Database) -> int:
    """The same without an event loop: how many conversations were taken in."""
    up_to = database.read_now(lasting_seq)
    done = 0
    while True:
        pack = database.read_now(partial(next_pack, up_to=up_to))
        if pack is None or not database.write_now(partial(write_pack, pack=pack)):
            return done
        done += pack.conversations
