"""Timed work of notices: reading on in the log, and forgetting what is old."""

from __future__ import annotations

from functools import partial

from server.actions import notices as actions
from server.jobs.log_end import log_end
from server.storage import notices
from server.storage.database import Database


async def follow(database: Database) -> None:
    """Tells people what has happened since; one process at a time."""
    up_to = await log_end(database, notices.READER)
    if await database.read(partial(actions.waits, up_to=up_to)):
        while await database.write(partial(actions.tell, up_to=up_to)):
            pass


async def forget(database: Database) -> None:
    """Removes old notices."""
    while await database.write(actions.forget_old) == actions.FORGET_AT_ONCE:
        pass
