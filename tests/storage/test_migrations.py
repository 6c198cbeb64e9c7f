"""From nothing to this version's tables, without losing what is there, on both databases."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel

from server.domain.errors import Conflict
from server.storage import migrate as migrate_module
from server.storage import tables
from server.storage.database import Database
from server.storage.migrate import check_current, head, migrate, revision
from server.storage.migrate import upgrade as upgrade_to
from tests.support.waiting import LIMIT_S, wait_until

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("team", sa.Column("colour", sa.String(), nullable=True))
"""


PAID_ORDERS = """
    INSERT INTO shop_order (id, source, external_id, number, created_at_ms, day, currency,
        total_minor, refunded_minor, net_minor, counted, status, test, written_at_ms)
    VALUES ('o1', 's', '1', '1', 0, 0, 'CNY', 5, 0, 5, true, 'paid', false, 0),
        ('o2', 's', '2', '2', 0, 0, 'CNY', 5, 0, 5, true, 'paid', false, 0)
"""
PAID_LINES = """
    INSERT INTO order_line (order_id, line_no, sku, title, quantity, refunded_quantity, price_minor)
    VALUES ('o1', 1, 'LAMP', 'Lamp', 1, 0, 5), ('o1', 2, 'CUP', 'Cup', 1, 0, 5),
        ('o1', 3, 'LAMP', 'Lamp', 1, 0, 5), ('o1', 4, NULL, 'Gift', 1, 0, 5),
        ('o2', 1, NULL, 'Gift', 1, 0, 5)
"""
PAID_EVENTS = """
    INSERT INTO event (seq, event_id, at_ms, kind, actor_kind, data, imported, v)
    VALUES (1, 'a', 0, 'order.paid', 'system', '{"order_id":"o1","amount_minor":5}', false, 1),
        (2, 'b', 0, 'order.paid', 'system', '{"order_id":"o2"}', false, 1),
        (3, 'c', 0, 'order.paid', 'system', '{"order_id":"imported"}', true, 1),
        (4, 'd', 0, 'order.created', 'system', '{"order_id":"o1"}', false, 1)
"""


@pytest.fixture
def empty(empty_database_url: str | None, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    database = Database(empty_database_url, tmp_path / "shopbell.db", patience_s=LIMIT_S)
    yield database
    database.close()


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """All but the full-text tables, of which each database has its own and no model stands for."""
    return kind != "table" or not (name or "").startswith("ticket_words")


# This index is PostgreSQL's alone; Alembic cannot look at it in SQLite.
@pytest.mark.filterwarnings("ignore:autogenerate skipping .*ix_conversation_queue:UserWarning")
def test_the_migrations_make_the_tables_that_the_program_works_with(empty: Database) -> None:
    assert migrate(empty.engine) is None
    assert tables.table(tables.Shop) is SQLModel.metadata.tables["shop"]
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": _is_ours,
            },
        )
        assert compare_metadata(context, SQLModel.metadata) == []
        assert revision(connection) == head()


def test_keys_uniques_and_what_may_be_absent_are_the_models_(empty: Database) -> None:
    migrate(empty.engine)
    with empty.engine.connect() as connection:
        for name, table in SQLModel.metadata.tables.items():
            _same_columns(connection, name)
            keys = inspect(connection).get_pk_constraint(name)["constrained_columns"]
            assert keys == [column.name for column in table.primary_key.columns], name


def _same_columns(connection: Connection, name: str) -> None:
    found = {column["name"]: column for column in inspect(connection).get_columns(name)}
    model = SQLModel.metadata.tables[name].columns
    assert list(found) == [column.name for column in model], name
    for column in model:
        assert found[column.name]["nullable"] == column.nullable, (name, column.name)
    uniques = {
        tuple(unique["column_names"]) for unique in inspect(connection).get_unique_constraints(name)
    }
    for column in model:
        assert not column.unique or (column.name,) in uniques, (name, column.name)


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    migrate(empty.engine)
    assert migrate(empty.engine) == head()


def test_two_processes_that_start_together_migrate_once(
    empty: Database, empty_database_url: str | None, tmp_path: Path
) -> None:
    other = Database(empty_database_url, tmp_path / "shopbell.db", patience_s=LIMIT_S)
    failures: list[Exception] = []

    def run(database: Database) -> None:
        try:
            migrate(database.engine)
        except Exception as error:  # noqa: BLE001  # looked at below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(d,)) for d in (empty, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    other.close()
    assert failures == []
    check_current(empty.engine)


def test_a_migration_and_who_waits_for_it_take_longer_than_others_may(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    limits = " ".join(f"-c {name}=2000" for name in names)
    address = make_url(empty_postgres_url).set(drivername="postgresql+psycopg")
    engine = create_engine(address, connect_args={"options": limits})
    failures: list[Exception] = []

    def run() -> None:
        try:
            migrate(engine)
        except Exception as error:  # noqa: BLE001  # looked at below
            failures.append(error)

    thread = threading.Thread(target=run)
    others = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    long_since = "state_change < clock_timestamp() - interval '2.5 s'"
    waits = f"{others} AND wait_event_type = 'Lock' AND {long_since}"
    rests = f"{others} AND state = 'idle in transaction' AND {long_since}"
    with psycopg.connect(empty_postgres_url, autocommit=True) as other:

        def slow(connection: Connection, to: str) -> None:
            wait_until(
                lambda: other.execute(rests).fetchone() or not other.execute(others).fetchone()
            )
            upgrade_to(connection, to)

        monkeypatch.setattr(migrate_module, "upgrade", slow)
        other.execute("SELECT pg_advisory_lock(%s)", [migrate_module.LOCK])
        thread.start()
        wait_until(lambda: not thread.is_alive() or other.execute(waits).fetchone())
        other.execute("SELECT pg_advisory_unlock(%s)", [migrate_module.LOCK])
        thread.join(LIMIT_S)
    assert failures == []
    check_current(engine)
    engine.dispose()


def test_an_empty_database_is_told_to_be_migrated(empty: Database) -> None:
    with pytest.raises(Conflict, match="shopbell migrate"):
        check_current(empty.engine)


def test_a_newer_version_s_database_is_left_alone(empty: Database) -> None:
    migrate(empty.engine)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    for attempt in (migrate, check_current):
        with pytest.raises(Conflict, match="newer version"):
            attempt(empty.engine)


def test_an_older_database_is_brought_forward_and_copied_before(
    empty: Database,
    empty_database_url: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "shopbell.db"
    migrate(empty.engine)
    before = head()
    empty.write_now(lambda tx: tx.later(text("INSERT INTO team VALUES ('t', 'Returns', NULL, 0)")))
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate_module._SCRIPTS, scripts)
    (scripts / "versions" / "9999_next.py").write_text(NEXT.format(head=before))
    monkeypatch.setattr(migrate_module, "_SCRIPTS", scripts)
    with pytest.raises(Conflict, match="older version"):
        check_current(empty.engine)
    backup_of = path if empty.is_sqlite else None
    assert migrate(empty.engine, backup_of=backup_of) == before
    colours = empty.read_now(lambda c: c.execute(text("SELECT name, colour FROM team")).all())
    assert colours == [("Returns", None)]
    copy = tmp_path / "shopbell.db.before-9999"
    assert copy.exists() == empty.is_sqlite
    if empty.is_sqlite:
        with closing(sqlite3.connect(copy)) as old:
            assert old.execute("SELECT * FROM team").fetchall() == [("t", "Returns", None, 0)]
            assert old.execute("SELECT version_num FROM alembic_version").fetchone() == (before,)


def test_a_migration_that_fails_leaves_everything_as_it_was(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty.engine)
    before = head()
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate_module._SCRIPTS, scripts)
    broken = NEXT.format(head=before) + '    op.execute("SELECT * FROM nowhere")\n'
    (scripts / "versions" / "9999_next.py").write_text(broken)
    monkeypatch.setattr(migrate_module, "_SCRIPTS", scripts)
    with pytest.raises(Exception, match="nowhere"):
        migrate(empty.engine)
    with empty.engine.connect() as connection:
        assert revision(connection) == before
        names = [column["name"] for column in inspect(connection).get_columns("team")]
        assert "colour" not in names


def test_orders_paid_before_the_log_told_what_was_in_them_get_their_skus(empty: Database) -> None:
    with empty.engine.begin() as connection:
        upgrade_to(connection, "0029")
        for statement in (PAID_ORDERS, PAID_LINES, PAID_EVENTS):
            connection.exec_driver_sql(statement)
    migrate(empty.engine)
    told = "SELECT data FROM event ORDER BY seq"
    found = empty.read_now(lambda c: c.exec_driver_sql(told).scalars().all())
    assert list(map(json.loads, found)) == [
        {"order_id": "o1", "amount_minor": 5, "skus": ["LAMP", "CUP"]},
        {"order_id": "o2"},
        {"order_id": "imported"},
        {"order_id": "o1"},
    ]


def test_a_migration_imports_nothing_of_the_program() -> None:
    """Tables change with the program; what a migration did must not."""
    for script in (migrate_module._SCRIPTS / "versions").glob("*.py"):
        assert not re.search(
            r"^\s*(from|import) (server|sqlmodel)\b", script.read_text(), re.MULTILINE
        )
