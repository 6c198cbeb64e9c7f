"""The databases that tests are given are empty, migrated, and of the kind they say."""

from __future__ import annotations

from sqlalchemy import text

from server.storage.database import Database
from server.storage.migrate import check_current


def test_a_test_gets_a_migrated_and_empty_database(database: Database) -> None:
    check_current(database.engine)
    count = database.read_now(lambda c: c.execute(text("SELECT count(*) FROM event")).scalar_one())
    assert count == 0


def test_the_kind_is_the_one_in_the_name(database: Database, database_url: str | None) -> None:
    assert database.is_sqlite == (database_url is None)
    name = "sqlite" if database.is_sqlite else "postgresql"
    assert database.engine.dialect.name == name
