"""Keeping the columns of segments near what the tables say, so that reports are quick."""

from __future__ import annotations

from functools import partial

from server.storage.database import Database
from server.storage.segment_columns import next_rewrite, write_segments


async def keep_segments(database: Database) -> None:
    """Writes the columns anew once enough customers are noted."""
    rewrite = await database.read(next_rewrite)
    if rewrite is not None:
        await database.write(partial(write_segments, rewrite=rewrite))


def keep_segments_now(database: Database, *, enough: int = 1) -> bool:
    """The same without an event loop; whether anything was written."""
    rewrite = database.read_now(partial(next_rewrite, enough=enough))
    return rewrite is not None and database.write_now(partial(write_segments, rewrite=rewrite))
