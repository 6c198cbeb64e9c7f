"""Timed work of notices: reading on in the log, and forgetting what is old."""

from __future__ import annotations

from functools import partial

from server.actions import notices as actions
from server.storage import log_readers, notices
from server.storage.database import Database
from server.storage.event_log import settled_seq


async def follow(database: Database) -> None:
    """Tells people what has happened since; one process at a time."""
    if await database.read(lambda c: log_readers.place(c, notices.READER)) is None:
        await database.write(actions.begin)
    # The end is looked up apart, so that nothing below it is still being written.
    up_to = await database.read(settled_seq)
    if await database.read(partial(actions.waits, up_to=up_to)):
        while await database.write(partial(actions.tell, up_to=up_to)):
            pass


async def forget(database: Database) -> None:
    """Removes old notices."""
    while await database.write(actions.forget_old) == actions.FORGET_AT_ONCE:
        pass
