from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any  # Any: handed on

import pytest

from tests.conftest import FAILED
from tests.processes.several import Several, make_several
from tests.support.postgres import PostgresCluster
from tests.support.processes import tail
from tests.support.redis import RedisServer
from tests.support.tools import require
from tests.support.waiting import LIMIT_S


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresCluster, str]]:
    """A PostgreSQL that tests may stop and hang, and the name of a migrated database in it."""
    from server.storage.database import Database
    from server.storage.migrate import migrate

    cluster = PostgresCluster(require("postgres"))
    url = cluster.create()
    database = Database(url, tmp_path_factory.mktemp("template"), patience_s=LIMIT_S)
    migrate(database.engine)
    database.close()
    yield cluster, url.rpartition("/")[2]
    cluster.close()


@pytest.fixture
def several(
    fragile: tuple[PostgresCluster, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Several]]:
    """Makes and starts shops of several processes: processes, redis_url, env by keyword."""
    cluster, template = fragile
    made: list[Several] = []

    def make(**options: Any) -> Several:  # Any: handed on
        folder = tmp_path / f"shop{len(made)}"
        folder.mkdir()
        made.append(make_several(folder, cluster.create(template), cluster, **options))
        made[-1].start()
        return made[-1]

    yield make
    for shop in made:
        shop.kill()
        assert shop.desk.server.database_url is not None
        cluster.drop(shop.desk.server.database_url)
        if request.node.stash.get(FAILED, False):
            for server in shop.servers:
                print(f"the end of {server.log}:\n{tail(server.log)}")


def make_shop(
    fragile: tuple[PostgresCluster, str], folder: Path, **options: Any
) -> Iterator[Several]:  # Any: handed on
    """A started shop for the time of a fixture: processes, redis_url, env by keyword."""
    cluster, template = fragile
    shop = make_several(folder, cluster.create(template), cluster, **options)
    try:
        shop.start()
        yield shop
    finally:
        shop.kill()
        assert shop.desk.server.database_url is not None
        cluster.drop(shop.desk.server.database_url)


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that this test may stop and hang."""
    server = RedisServer(require("redis-server"))
    yield server
    server.close()
