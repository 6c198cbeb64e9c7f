"""Timed work about targets: clocks that warn, are met and are missed, each told once."""

from __future__ import annotations

from functools import partial

from server.actions import targets as actions
from server.domain.errors import NotFound
from server.jobs.log_end import log_end
from server.storage import log_readers, targets
from server.storage.database import Database

AT_ONCE = 200


async def follow(database: Database) -> None:
    """Looks at the chats and tickets to which something has happened.

    Two processes may look at the same one; what is told is told once, as each looks with the
    conversation locked.
    """
    while True:
        up_to = await log_end(database, targets.READER)
        found = await database.read(partial(actions.where_to_look, up_to=up_to))
        if found is None:
            return
        ids, place = found
        await _look(database, ids)
        await database.write(partial(log_readers.move_place, reader=targets.READER, seq=place))
        if place >= up_to:
            return


async def watch(database: Database) -> None:
    """Looks at the clocks that are about to warn or have run out."""
    while True:
        at_ms = database.clock()
        ids = await database.read(partial(targets.due_watches, at_ms=at_ms, limit=AT_ONCE))
        await _look(database, ids)
        if len(ids) < AT_ONCE:
            return


async def _look(database: Database, ids: list[str]) -> None:
    for conversation_id in ids:
        try:
            await database.write(partial(actions.look, conversation_id=conversation_id))
        except NotFound:
            continue
