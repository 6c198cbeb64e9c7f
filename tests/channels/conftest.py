from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from server.channels import webhook_turn
from server.storage import database as database_module
from tests.actions.conftest import opener, scene
from tests.actions.scene import Scene
from tests.channels.post_office import PostOffice
from tests.channels.receiver import Receiver
from tests.support.waiting import LIMIT_S

__all__ = ["opener", "scene"]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that does much else a commit may wait for the disk; that is no fault."""
    for module in (database_module, webhook_turn):
        monkeypatch.setattr(module, "ANSWER_LIMIT_S", LIMIT_S)


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
