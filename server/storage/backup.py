"""All rows of one moment into an archive, and an archive into a database; on either database."""

from __future__ import annotations

import base64
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

from psycopg import sql
from sqlalchemy import (
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    collate,
    create_engine,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from server import __version__
from server.domain.errors import Conflict, NotFound, Unavailable
from server.storage import tables as _tables  # noqa: F401  # fills SQLModel.metadata
from server.storage.answering import answering
from server.storage.archive import (
    FORMAT,
    Manifest,
    Member,
    Reading,
    Row,
    Tell,
    Writing,
    sync_folder,
)
from server.storage.database import Database
from server.storage.migrate import LOCK, check_not_newer, head, revision, revisions, upgrade

WORDS_TABLE = "ticket_words"
BATCH = 2000
VERSION_TABLE = "alembic_version"
ALONE_WITHIN_S = 3.0
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND application_name LIKE 'shopbell%'"
)


def back_up(database: Database, archive: Writing, tell: Tell) -> Manifest:
    """What was written: every row that was committed when this began, and nothing later.

    Others may write meanwhile. Raises NotFound for a database without tables.
    """
    with answering(), database.engine.connect() as connection:
        _begin_snapshot(connection)
        found = revision(connection)
        if found is None:
            raise NotFound("There is nothing to back up: the database is empty.")
        check_not_newer(found)
        made_at_ms = database.clock()
        tables = _reflected(connection)
        total = sum(_count(connection, table) for table in tables)
        done = 0

        def told(rows: Iterator[Row]) -> Iterator[Row]:
            nonlocal done
            for row in rows:
                done += 1
                if not done % BATCH:
                    tell(done, total)
                yield row

        for table in tables:
            archive.table(table.name, list(table.c.keys()), told(_rows(connection, table)))
        manifest = Manifest(
            format=FORMAT,
            version=__version__,
            schema_revision=found,
            database=connection.dialect.name,
            made_at_ms=made_at_ms,
            members=archive.members,
        )
        archive.finish(manifest)
        tell(total, total)
        return manifest


def is_empty(database: Database) -> bool:
    """True when nothing is in the database that a restore could destroy. Raises Conflict."""
    with answering(), database.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return not any(
            connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first()  # noqa: S608  # ours
            for name in ("shop", "agent", "event")
            if name in names
        )


def check_fits(archive: Reading) -> None:
    """Returns nothing. Raises Conflict for a backup of a newer version's tables."""
    if archive.manifest.schema_revision not in revisions():
        raise Conflict(
            "This backup was made by a newer version of Shopbell"
            f" ({archive.manifest.version}). Install that version."
        )


def restore_sqlite(path: Path, archive: Reading, tell: Tell) -> Path | None:
    """Where the database that stood at ``path`` is kept now, None when there was none.

    The new one is made beside it and takes its place at once, whole and on disk. The caller holds
    the lock of the serving process. Raises Conflict while a command uses the database.
    """
    new = path.with_name(f"{path.name}.restoring")
    new.unlink(missing_ok=True)
    engine = create_engine(
        f"sqlite:///{new}",
        hide_parameters=True,
        poolclass=NullPool,
        connect_args={"isolation_level": None},
    )
    try:
        with engine.connect() as connection:
            # Nobody else knows the file; when anything goes wrong it is thrown away.
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=ON"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _load(connection, archive, tell)
            connection.commit()
            _check_references(connection)
        new.chmod(0o600)
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        return _put_in_place(new, path)
    except OperationalError as error:
        new.unlink(missing_ok=True)
        raise Unavailable(
            f"{new} cannot be written: {error.orig}. Is there room? Nothing was changed."
        ) from None
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def restore_postgresql(database: Database, archive: Reading, tell: Tell) -> None:
    """Replaces what is in the database by the archive, in one transaction.

    Raises Conflict while a server or a command of Shopbell is connected.
    """
    with answering(), database.engine.connect() as connection:
        _take_time(connection)
        _check_alone(connection)
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        _clear(connection)
        _load(connection, archive, tell)
        connection.commit()


def _take_time(connection: Connection) -> None:
    """Lets the transaction last, also while a file is written between two statements."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def _begin_snapshot(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        _take_time(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _reflected(connection: Connection) -> list[Table]:
    """The tables as they are, whatever the revision; what others refer to comes first.

    Without the indexes of words, virtual tables with SQLite and one table with PostgreSQL: triggers
    fill them with the rows that they are made of.
    """
    made = {VERSION_TABLE, WORDS_TABLE}
    if connection.dialect.name == "sqlite":
        kinds = "SELECT name FROM pragma_table_list WHERE type IN ('virtual', 'shadow')"
        made |= set(connection.exec_driver_sql(kinds).scalars())
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in made]


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    """The rows in the order of their key, the same on both databases."""
    bytewise = connection.dialect.name == "postgresql"
    order = [
        collate(column, "C") if bytewise and isinstance(column.type, String) else column
        for column in table.primary_key.columns
    ]
    statement = select(table).order_by(*order)
    options = {"stream_results": True, "yield_per": BATCH}
    for row in connection.execute(statement, execution_options=options):
        yield list(row)


def _load(connection: Connection, archive: Reading, tell: Tell) -> None:
    """Makes the archive's tables, fills them and brings them to this version's."""
    manifest = archive.manifest
    upgrade(connection, manifest.schema_revision)
    tables = _reflected(connection)
    members = {member.table: member for member in manifest.members}
    _check_known(members, tables)
    for table in reversed(tables):  # what migrations put in by themselves is in the archive too
        connection.execute(table.delete())
    done = 0
    for table in tables:
        member = members.get(table.name)
        if member is None:
            continue
        rows = archive.rows(member)
        while batch := list(islice(rows, BATCH)):
            _insert(connection, table.name, member.columns, _with_bytes(table, member, batch))
            done += len(batch)
            tell(done, manifest.rows)
        if _count(connection, table) != member.rows:
            raise Conflict(f"This backup is damaged: {member.name} is short. Use another one.")
    if connection.dialect.name == "postgresql":
        _set_sequences(connection, tables)
    if manifest.schema_revision != head():
        upgrade(connection, head())


def _with_bytes(table: Table, member: Member, rows: list[Row]) -> list[Row]:
    """The rows with what the archive has as base64 as the bytes that it stands for."""
    binary = [isinstance(table.c[name].type, LargeBinary) for name in member.columns]
    if any(binary):
        for row in rows:
            for place, is_binary in enumerate(binary):
                if is_binary and row[place] is not None:
                    row[place] = base64.b64decode(row[place])
    return rows


def _check_known(members: dict[str, Member], tables: Sequence[Table]) -> None:
    """Returns nothing. Raises Conflict for names that are not of this revision's tables."""
    known = {table.name: set(table.c.keys()) for table in tables}
    for name, member in members.items():
        if not set(member.columns) <= known.get(name, set()):
            raise Conflict("This backup has tables that its version never had. Use another one.")


def _insert(connection: Connection, table: str, columns: list[str], rows: list[Row]) -> None:
    if connection.dialect.name == "postgresql":
        raw = connection.connection.driver_connection
        assert raw is not None  # a checked-out connection has one
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with raw.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    connection.exec_driver_sql(
        f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608  # checked names
        [tuple(row) for row in rows],
    )


def _set_sequences(connection: Connection, tables: Sequence[Table]) -> None:
    """Lets each sequence go on behind the highest number in use."""
    sequences = {"event_seq": ("event", "seq")}
    for table in tables:
        for column in table.primary_key.columns:
            found = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"),
                {"table": f'"{table.name}"', "column": column.name},
            ).scalar()
            if found is not None:
                sequences[str(found)] = (table.name, column.name)
    for sequence, (name, column_name) in sequences.items():
        connection.execute(
            text(
                f"SELECT setval('{sequence}', greatest(1, coalesce(max({column_name}), 0)),"  # noqa: S608  # our own names
                f" count(*) > 0) FROM {name}"
            )
        )


def _check_references(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise Conflict("This backup does not hold together. Use another one.")


def _check_alone(connection: Connection) -> None:
    """Raises Conflict while others of this program are connected.

    The server's end of a session outlives its process for a moment.
    """
    deadline_s = time.monotonic() + ALONE_WITHIN_S
    while others := connection.execute(_OTHERS).scalar_one():
        if time.monotonic() > deadline_s:
            raise Conflict(
                f"Shopbell is connected to this database ({others} sessions)."
                " Stop every server and command first."
            )
        time.sleep(0.1)
        # Without it a transaction sees the sessions of its first look for ever.
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))


def _clear(connection: Connection) -> None:
    """Takes away our tables, and nothing else that may be in the database."""
    check_not_newer(revision(connection))
    ours = {*SQLModel.metadata.tables, VERSION_TABLE, WORDS_TABLE}
    for name in sorted(ours & set(inspect(connection).get_table_names())):
        connection.execute(text(f'DROP TABLE "{name}" CASCADE'))
    connection.execute(text("DROP SEQUENCE IF EXISTS event_seq"))


def _put_in_place(new: Path, path: Path) -> Path | None:
    """Where the old database is kept; at every moment either the old or the new is at ``path``."""
    kept = None
    if path.exists():
        _fold(path)
        kept = path.with_name(f"{path.name}.before-restore-{time.time_ns() // 1_000_000_000}")
        with suppress(FileExistsError):
            os.link(path, kept)
    new.replace(path)
    sync_folder(path.parent)
    return kept


def _fold(path: Path) -> None:
    """Brings what is in the log beside a SQLite file into the file, so that it stands alone.

    A log left behind would be applied to the file that takes its place. One of a file that cannot
    be read any more is put aside instead. Raises Conflict while somebody uses the database.
    """
    try:
        with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as old:
            mode = old.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except sqlite3.OperationalError as error:
        raise Conflict(
            f"A command uses {path} ({error}). Let it end, then restore again."
        ) from None
    except sqlite3.DatabaseError:
        mode = "unreadable"
    if mode == "wal":
        raise Conflict(f"A command uses {path}. Let it end, then restore again.")
    for ending in ("-wal", "-shm"):
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.replace(beside.with_name(f"{beside.name}.unreadable"))
