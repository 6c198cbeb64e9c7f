from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_asyncio

from tests.http.desk import Desk, served

if TYPE_CHECKING:
    from server.storage.database import Database


@pytest_asyncio.fixture
async def empty_desk(open_database: Callable[..., Database], data_dir: Path) -> AsyncIterator[Desk]:
    """A server whose shop is not set up; on SQLite and PostgreSQL."""
    async with served(open_database, data_dir) as desk:
        yield desk


@pytest_asyncio.fixture
async def desk(empty_desk: Desk) -> Desk:
    """A server with a shop, a team and one person of each role; on SQLite and PostgreSQL."""
    await empty_desk.set_up()
    return empty_desk
