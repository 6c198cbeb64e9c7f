"""The databases that tests are given are empty, migrated, and of the kind they say."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from sqlalchemy import Connection, func, select, text
from sqlmodel import SQLModel

from server.actions.shop import init_shop
from server.storage.database import Database
from server.storage.migrate import check_current
from tests.support import spares
from tests.support.spares import Spares
from tests.support.waiting import LIMIT_S


def test_a_test_gets_a_migrated_and_empty_database(database: Database) -> None:
    check_current(database.engine)
    count = database.read_now(lambda c: c.execute(text("SELECT count(*) FROM event")).scalar_one())
    assert count == 0


def test_the_kind_is_the_one_in_the_name(database: Database, database_url: str | None) -> None:
    assert database.is_sqlite == (database_url is None)
    name = "sqlite" if database.is_sqlite else "postgresql"
    assert database.engine.dialect.name == name


def test_a_database_that_was_used_is_as_empty_as_a_new_one(
    postgres_spares: Spares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine takes its time to end the sessions of those who have gone.
    monkeypatch.setattr(spares, "GONE_LIMIT_S", LIMIT_S)

    def use(url: str) -> dict[str, int]:
        """How many rows each table has had before a shop was made."""
        with closing(Database(url, tmp_path, patience_s=LIMIT_S)) as database:
            check_current(database.engine)
            found = database.read_now(_counts)
            database.write_now(
                lambda tx: init_shop(
                    tx, name="Mori", locale="en", timezone="Asia/Shanghai", currency="CNY"
                )
            )
            database.write_now(lambda tx: tx.later(text("DELETE FROM alembic_version")))
            assert database.read_now(_counts) != found
        postgres_spares.take_back(url)
        return found

    url = postgres_spares.lend()
    new = use(url)
    assert postgres_spares.lend() == url
    assert use(url) == new


@pytest.mark.parametrize("change", ["ALTER TABLE shop ADD mark int", "DROP TABLE shop"])
def test_a_database_whose_tables_were_changed_is_not_lent_again(
    postgres_spares: Spares, change: LiteralString
) -> None:
    url = postgres_spares.lend()
    with psycopg.connect(url) as connection:
        connection.execute(change)
    postgres_spares.take_back(url)
    assert postgres_spares.lend() != url


def test_a_database_somebody_is_connected_to_is_not_lent_again(postgres_spares: Spares) -> None:
    url = postgres_spares.lend()
    with closing(psycopg.connect(url)):
        postgres_spares.take_back(url)
        assert postgres_spares.lend() != url


def _counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in SQLModel.metadata.sorted_tables
    }
