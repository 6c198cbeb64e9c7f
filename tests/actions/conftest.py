"""Fixtures for the tests of actions and of laws over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from server.storage.database import Database
from server.storage.migrate import migrate
from tests.actions.scene import Scene
from tests.conftest import DATABASES
from tests.support.postgres import PostgresCluster
from tests.support.waiting import LIMIT_S

Opener = Callable[..., Database]


@pytest.fixture(scope="session")
def opener(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Opener]:
    """Opens the one database of a kind that the tests of a run share, as another process would."""
    openers: dict[str, Opener] = {}
    folder = tmp_path_factory.mktemp("scenes")

    def make(kind: str) -> Opener:
        if kind not in openers:
            openers[kind] = _opener(request, kind, folder / "shopbell.db")
        return openers[kind]

    return make


def _opener(request: pytest.FixtureRequest, kind: str, path: Path) -> Opener:
    if kind == "sqlite":
        first = Database(None, path, patience_s=LIMIT_S)
        migrate(first.engine)
        first.close()
        return partial(Database, None, path, patience_s=LIMIT_S)
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    url = cluster.create(request.getfixturevalue("postgres_template"))
    return partial(Database, url, path, patience_s=LIMIT_S)


@pytest.fixture(params=DATABASES)
def scene(request: pytest.FixtureRequest, opener: Callable[[str], Opener]) -> Iterator[Scene]:
    """A desk with nobody in it yet; the test runs on SQLite and PostgreSQL.

    The database is the run's and emptied for each test: a new one each would take most of the time.
    """
    made = Scene(opener(request.param))
    yield made
    made.close()
