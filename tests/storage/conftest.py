"""Fixtures for the tests of storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any  # Any: handed on

import pytest

from server.storage.database import Database
from tests.support.waiting import LIMIT_S


@pytest.fixture
def open_postgres(postgres_url: str, tmp_path: Path) -> Iterator[Callable[..., Database]]:
    """Opens this test's PostgreSQL database, each time as another process would; then closes it."""
    opened: list[Database] = []

    def open_it(**options: Any) -> Database:  # Any: handed on
        opened.append(Database(postgres_url, tmp_path, **{"patience_s": LIMIT_S, **options}))
        return opened[-1]

    yield open_it
    for database in opened:
        database.close()
