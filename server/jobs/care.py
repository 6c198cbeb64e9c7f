"""Timed work of care: spikes of defects, repairs of rifts, follow-up calls."""

from __future__ import annotations

from functools import partial

from server.actions import product_quality
from server.reports.products import find_spikes
from server.storage.database import Database

LIMIT_S = 60.0


async def watch_defects(database: Database) -> None:
    """Looks once a local day whether a product has more defects than chance explains."""
    at_ms = database.clock()
    day = await database.read(partial(product_quality.today, at_ms=at_ms))
    if day is None:
        return
    found = await database.read(partial(find_spikes, at_ms=at_ms), limit_s=LIMIT_S)
    await database.write(partial(product_quality.tell_spikes, found=found, day=day))
