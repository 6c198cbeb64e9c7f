"""Up to where the log can be read: what the timed work that follows the log begins with."""

from __future__ import annotations

from functools import partial

from server.storage import log_readers
from server.storage.database import Database
from server.storage.event_log import settled_seq


async def begin_reading(database: Database, reader: str) -> None:
    """Gives a reader that is new its place: at the end of the log, for what comes from now on."""
    if await database.read(partial(log_readers.place, reader=reader)) is None:
        await database.write(partial(log_readers.begin, reader=reader))


async def log_end(database: Database, reader: str) -> int:
    """Up to which number a reader may read the log now; one that is new begins at its end."""
    await begin_reading(database, reader)
    # Looked up apart from what is read then, so that nothing below it is still being written.
    return await database.read(settled_seq)
