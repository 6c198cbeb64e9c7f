"""A database looked over from outside, for ``shopbell check``: nothing is changed by looking."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from server.domain.errors import Unavailable
from server.storage.database import Database
from server.storage.event_log import last_live_at_ms
from server.storage.migrate import revision
from server.storage.shop import Shop, load_shop
from server.storage.tables import Agent, table

BUSY_MS = 2000
# Reading all of a file takes a second for each gigabyte and pushes others out of memory.
LOOK_INSIDE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Seen:
    """What a database said of itself; ``took_ms`` is the time of one question.

    ``apart_ms`` is how far its clock is from this machine's, None for SQLite, which has this one.
    """

    version: str
    took_ms: float
    revision: str | None
    apart_ms: int | None
    last_event_at_ms: int
    shop: Shop | None
    admins: int


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """How a SQLite file stands; ``fault`` is the first thing wrong in it, None for not looked."""

    journal_mode: str
    writable: bool
    fault: str | None
    bytes: int
    wal_bytes: int


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """What of a PostgreSQL server matters here."""

    fsync: bool
    full_page_writes: bool
    encoding: str
    connections_free: int
    idle_in_transaction: int


def look(database: Database, *, head: str) -> Seen:
    """What the database says; of other tables than this version's only the revision.

    Raises Unavailable with its reason when it does not answer.
    """
    try:
        with database.engine.connect() as connection:
            began = time.perf_counter()
            version = _version(connection)
            took_ms = (time.perf_counter() - began) * 1000
            found = revision(connection)
            known = found == head
            return Seen(
                version=version,
                took_ms=took_ms,
                revision=found,
                apart_ms=_apart_ms(connection),
                last_event_at_ms=last_live_at_ms(connection) if known else 0,
                shop=load_shop(connection) if known else None,
                admins=_admins(connection) if known else 0,
            )
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        raise Unavailable(lines[0]) from None


def sqlite_file(path: Path) -> SqliteFile:
    """How the file stands. Raises Unavailable for a file that is no database."""
    size = path.stat().st_size
    wal = path.with_name(path.name + "-wal")
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)) as file:
            mode = str(file.execute("PRAGMA journal_mode").fetchone()[0])
            fault = None
            if size <= LOOK_INSIDE_BYTES:
                said = str(file.execute("PRAGMA quick_check(1)").fetchone()[0])
                fault = None if said == "ok" else said
            return SqliteFile(
                journal_mode=mode,
                writable=_can_write(file),
                fault=fault,
                bytes=size,
                wal_bytes=wal.stat().st_size if wal.exists() else 0,
            )
    except sqlite3.DatabaseError as error:
        raise Unavailable(str(error)) from None


def postgres_server(database: Database) -> PostgresServer:
    """What the server is set to, and how full it is."""
    with database.engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT current_setting('fsync') = 'on',"
                " current_setting('full_page_writes') = 'on',"
                " pg_encoding_to_char(encoding),"
                " current_setting('max_connections')::int"
                " - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
                " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%'"
                " AND state_change < now() - interval '1 minute')"
                " FROM pg_database WHERE datname = current_database()"
            )
        ).one()
        return PostgresServer(*row)


def _version(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":
        return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}"
    return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar_one()}"


def _apart_ms(connection: Connection) -> int | None:
    """How far the database's clock is from this machine's; the time of the question is none of it.

    None for SQLite, which has this machine's clock.
    """
    if connection.dialect.name != "postgresql":
        return None
    shown = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    before_ms = int(time.time() * 1000)
    found_ms = int(connection.execute(shown).scalar_one())
    after_ms = int(time.time() * 1000)
    return max(0, before_ms - found_ms, found_ms - after_ms)


def _admins(connection: Connection) -> int:
    agent = table(Agent).c
    who = (agent.role == "admin", agent.active, agent.password_hash.is_not(None))
    return int(connection.execute(select(func.count()).where(*who)).scalar_one())


def _can_write(file: sqlite3.Connection) -> bool:
    """True when nobody holds the file for longer than a commit takes."""
    try:
        file.execute("BEGIN IMMEDIATE")
        file.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    return True
