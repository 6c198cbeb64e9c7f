from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest_asyncio

from tests.api.caller import Caller, make_token
from tests.api.stage import Stage, set_stage
from tests.http.desk import Desk, served

if TYPE_CHECKING:
    from server.storage.database import Database

As = Callable[..., Awaitable[Caller]]


@pytest_asyncio.fixture
async def desk(open_database: Callable[..., Database], data_dir: Path) -> AsyncIterator[Desk]:
    """A server with a shop, a team and one person of each role, without limits of pace."""
    async with served(open_database, data_dir, rate_limits=False) as desk:
        await desk.set_up()
        yield desk


@pytest_asyncio.fixture
async def program(desk: Desk) -> AsyncIterator[As]:
    """Makes programs: ``await program("agent", scopes=[...])`` calls as that person."""
    made: list[Caller] = []

    async def make(who: str | None = "admin", **values: Any) -> Caller:  # Any: handed on
        token = None if who is None else await make_token(desk, who, **values)
        made.append(Caller(desk.url, token))
        return made[-1]

    yield make
    for caller in made:
        await caller.close()


@pytest_asyncio.fixture
async def stage(desk: Desk) -> Stage:
    """The desk with two teams and what shoppers wrote to them."""
    return await set_stage(desk)
