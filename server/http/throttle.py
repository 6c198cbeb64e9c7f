"""Who fails to sign in waits, whichever process is asked; see ``server.actions.throttle``."""

from __future__ import annotations

from server.actions.throttle import begin_try, try_succeeded
from server.storage.database import Database


class Throttle:
    """Failures by account and by address, counted in the database for all processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, account: str, address: str) -> None:
        """Counts a try as failed until ``succeeded``. Raises TooMany while it has to wait."""
        await self._database.write(lambda tx: begin_try(tx, account, address))

    async def succeeded(self, account: str, address: str) -> None:
        """Forgets the account's failures and takes this try back from the address."""
        await self._database.write(lambda tx: try_succeeded(tx, account, address))
