from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.actions.conftest import opener, scene
from tests.actions.scene import Scene
from tests.channels.post_office import PostOffice
from tests.channels.receiver import Receiver

__all__ = ["opener", "scene"]


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who receives webhooks and keeps them."""
    async with Receiver() as listening:
        yield listening


@pytest_asyncio.fixture
async def office(scene: Scene) -> AsyncIterator[PostOffice]:
    """A desk whose events are sent to receivers on this machine; on SQLite and PostgreSQL."""
    opened = PostOffice(scene)
    yield opened
    await opened.close()
