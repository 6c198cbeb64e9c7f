"""A shop whose log holds the worked example."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.actions.imports import import_events
from server.storage.database import Database
from tests.reports.worked_example import event_lines, open_shop, write_lines


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
