"""A look over all contacts: values that many share, and pairs that somebody should look at."""

from __future__ import annotations

from server.actions import identity
from server.storage.database import Database


async def look_over(database: Database) -> None:
    """Lists what too many share and opens cases; reads first, and writes only what is new."""
    found = await database.read(identity.find_to_look_over)
    if found.shared or found.alike:
        await database.write(lambda tx: identity.look_over(tx, found))
