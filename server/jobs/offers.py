"""Timed work about offers: who asks for a price, what came of offers, what goes together."""

from __future__ import annotations

from functools import partial

from server.actions import offers, pairs
from server.jobs.log_end import log_end
from server.storage.database import Database
from server.storage.offers import READER, unsettled

PAGE = 200


async def listen(database: Database) -> None:
    """Marks conversations in which somebody asks for a price, and notes what agents showed."""
    while True:
        up_to = await log_end(database, READER)
        heard = await database.read(partial(offers.listen, up_to=up_to))
        if heard is None:
            break
        if not await database.write(partial(offers.note, heard=heard)) or heard.after >= up_to:
            break


async def settle(database: Database) -> None:
    """Looks what became of the products that agents showed."""
    after = ""
    while rows := await database.read(partial(unsettled, after=after, limit=PAGE)):
        await database.write(partial(offers.settle_page, rows=rows))
        after = str(rows[-1]["id"])


async def work_out_pairs(database: Database) -> None:
    """Counts what is bought together, once a day, in one of the processes."""
    at_ms = database.clock()
    if not await database.read(partial(pairs.due, at_ms=at_ms)):
        return
    if not await database.write(pairs.take_turn):
        return
    orders, common = await database.read(partial(pairs.common_products, at_ms=at_ms))
    skus = list(common)
    for start in range(0, len(skus), pairs.AT_ONCE):
        part = skus[start : start + pairs.AT_ONCE]
        found = await database.read(
            partial(pairs.partners_of, skus=part, orders=orders, common=common, at_ms=at_ms)
        )
        await database.write(partial(pairs.keep, found=found))
    await database.write(partial(pairs.forget, before_ms=at_ms))
    await database.write(partial(pairs.end_turn, orders=orders))
