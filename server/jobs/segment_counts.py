"""Counts of saved segments that are too large to be counted while somebody waits."""

from __future__ import annotations

from functools import partial
from time import perf_counter

from server.domain.spans import MINUTE_MS
from server.storage import saved_segments
from server.storage.database import Database
from server.storage.saved_segments import Segment

# A count is at most this old, unless there is more to count than fits in between.
FRESH_MS = 30 * MINUTE_MS
AT_ONCE = 20


async def count_segments(database: Database) -> None:
    """Counts again the segments whose counts are oldest."""
    for _ in range(AT_ONCE):
        before_ms = database.clock() - FRESH_MS
        segment = await database.read(partial(saved_segments.least_fresh, before_ms=before_ms))
        if segment is None:
            return
        await _count(database, segment)


async def _count(database: Database, segment: Segment) -> None:
    at_ms, began_s = database.clock(), perf_counter()
    count = await database.read(lambda c: saved_segments.count_now(c, segment, at_ms=at_ms))
    took_ms = round((perf_counter() - began_s) * 1000)
    await database.write(lambda tx: saved_segments.keep_count(tx, segment, count, took_ms=took_ms))
