"""A shop whose log holds the worked example."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.actions.imports import import_events
from server.storage.database import Database
from server.storage.migrate import migrate
from tests.reports.stories import Story
from tests.reports.worked_example import event_lines, open_shop, write_lines
from tests.support.waiting import LIMIT_S


@pytest.fixture
def shop_database(database: Database) -> Database:
    """A database with a shop in Asia/Shanghai and nothing else."""
    open_shop(database)
    return database


@pytest.fixture
def example(shop_database: Database, tmp_path: Path) -> Database:
    """The same with the worked example imported."""
    outcome = import_events(shop_database, write_lines(tmp_path / "c1.ndjson", event_lines()))
    assert outcome.rejected == []
    return shop_database


@pytest.fixture(scope="module")
def empty_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an SQLite database with a shop in Asia/Shanghai and nothing else."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    database = Database(None, path, patience_s=LIMIT_S)
    migrate(database.engine)
    open_shop(database)
    database.close()
    return path


@pytest.fixture
def story(empty_shop: Path, tmp_path: Path) -> Iterator[Callable[[Story], Database]]:
    """Makes a database with the shop and what a story tells."""
    opened: list[Database] = []

    def make(told: Story) -> Database:
        path = tmp_path / f"story{len(opened)}.db"
        shutil.copy(empty_shop, path)
        opened.append(Database(None, path, patience_s=LIMIT_S))
        told.write(opened[-1], tmp_path)
        return opened[-1]

    yield make
    for database in opened:
        database.close()
