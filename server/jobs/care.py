"""Timed work of care: spikes of defects, repairs of rifts, follow-up calls."""

from __future__ import annotations

from functools import partial

import structlog

from server.actions import follow_up_calls, product_quality, repairs
from server.domain.errors import Unavailable
from server.jobs.log_end import log_end
from server.reports.products import find_spikes
from server.storage import care, log_readers
from server.storage.database import Database

log = structlog.stdlib.get_logger("shopbell.care")

LIMIT_S = 60.0


async def watch_defects(database: Database) -> None:
    """Looks once a local day whether a product has more defects than chance explains."""
    at_ms = database.clock()
    day = await database.read(partial(product_quality.today, at_ms=at_ms))
    if day is None:
        return
    await database.write(product_quality.begin_watch)
    found = await database.read(partial(find_spikes, at_ms=at_ms), limit_s=LIMIT_S)
    await database.write(partial(product_quality.tell_spikes, found=found, day=day))


async def follow(database: Database) -> None:
    """Looks whether what has happened strained a relation; a cause is kept, so each acts once."""
    while True:
        up_to = await log_end(database, care.READER)
        found = await database.read(partial(repairs.news, up_to=up_to))
        if found is None:
            return
        events, place = found
        for event in events:
            cause = await database.read(partial(repairs.cause_of, event=event))
            if cause is None:
                continue
            try:
                await database.write(partial(repairs.mend, cause=cause))
            except Unavailable:
                raise
            except Exception:
                # One cause that meets a fault does not keep the others from theirs.
                log.exception("a repair failed", cause=cause.key)
        await database.write(partial(log_readers.move_place, reader=care.READER, seq=place))


async def make_calls(database: Database) -> None:
    """Makes the follow-up calls that are due, of each plan in portions."""
    at_ms = database.clock()
    for plan in await database.read(partial(care.load_plans, enabled=True)):
        after: tuple[int, str] | None = (0, "")
        while after is not None:
            job = partial(follow_up_calls.make_due, plan_id=plan.id, at_ms=at_ms, after=after)
            after = await database.write(job)
