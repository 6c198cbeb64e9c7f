from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_asyncio

from tests.shops.shop import Shop, opened

if TYPE_CHECKING:
    from server.storage.database import Database


@pytest_asyncio.fixture
async def shop(open_database: Callable[..., Database], data_dir: Path) -> AsyncIterator[Shop]:
    """A desk with three sources; on SQLite and PostgreSQL."""
    async with opened(open_database, data_dir) as found:
        yield found
