from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import DATABASES, FAILED
from tests.realtime.client import People
from tests.realtime.desk import Desk, make_desk
from tests.support.processes import tail


@pytest.fixture(scope="module", params=DATABASES)
def shared_desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """A served shop that the tests of a module share, without rate limits; on both databases."""
    url = None
    if request.param == "postgresql":
        template = request.getfixturevalue("postgres_template")
        url = request.getfixturevalue("postgres").create(template)
    desk = make_desk(tmp_path_factory.mktemp("desk") / "data", url)
    desk.server.start()
    yield desk
    desk.server.kill()
    if url is not None:
        request.getfixturevalue("postgres").drop(url)


@pytest.fixture
def desk(shared_desk: Desk, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The shared shop; its log must stay free of tracebacks, and is shown when the test failed."""
    before = len(shared_desk.server.stderr)
    yield shared_desk
    told = shared_desk.server.stderr[before:]
    if request.node.stash.get(FAILED, False):
        print(f"the log:\n{tail(shared_desk.server.log)}")
    assert "Traceback" not in told, told[-5000:]
    assert "exception" not in told, told[-5000:]


@pytest_asyncio.fixture
async def people(desk: Desk) -> AsyncIterator[People]:
    """Opens clients of the shared shop."""
    opened = People(desk)
    yield opened
    await opened.close()


@pytest.fixture
def own_desk(
    data_dir: Path, database_url: str | None, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    """A shop of this test's own, not started yet, without rate limits; on both databases."""
    desk = make_desk(data_dir, database_url)
    yield desk
    if desk.server.running:
        desk.server.kill()
    if request.node.stash.get(FAILED, False):
        print(f"the log:\n{tail(desk.server.log)}")


@pytest_asyncio.fixture
async def own_people(own_desk: Desk) -> AsyncIterator[People]:
    """Opens clients of this test's own shop."""
    opened = People(own_desk)
    yield opened
    await opened.close()
