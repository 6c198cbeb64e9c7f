"""Bringing a database to this version's tables."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from server.domain.errors import Conflict

# Held by whoever changes tables on PostgreSQL.
LOCK = 5107234
_LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
_SCRIPTS = Path(__file__).parent / "migrations"


def revisions() -> list[str]:
    """All revisions that this version of the program knows, oldest first.

    A script's name begins with its revision, so that a start without anything to migrate need not
    load Alembic (0.1 s and 10 MB).
    """
    return sorted(
        path.name.partition("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*_*.py")
    )


def head() -> str:
    """The revision that this version of the program works with."""
    return revisions()[-1]


def revision(connection: Connection) -> str | None:
    """The revision a database is at, None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def migrate(engine: Engine, *, backup_of: Path | None = None) -> str | None:
    """The revision the database was at before it was brought to this version's.

    A SQLite file that already holds data is copied first, to ``NAME.before-REVISION``.
    Raises Conflict for a database that a newer version has written.
    """
    with engine.connect() as connection:
        before = revision(connection)
    if before == head():
        return before
    check_not_newer(before)
    if before is not None and backup_of is not None:
        _copy(backup_of, backup_of.with_name(f"{backup_of.name}.before-{head()}"))
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # Two processes that start together must not both create the tables. On a busy machine
            # one takes longer at it than anybody waits for a lock otherwise; and of a large shop,
            # a step takes longer than any other statement may, or what lies between two of them.
            for limit in _LIMITS:
                connection.execute(text(f"SET LOCAL {limit} = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            connection.execute(text("RESET lock_timeout"))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrade(connection, head())
        connection.commit()
    return before


def upgrade(connection: Connection, to: str) -> None:
    """Brings the tables to the revision ``to``, in the transaction of the connection."""
    # Its lines about dialects and transactions tell an operator nothing; some come at its import.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command  # noqa: PLC0415  # only a migration pays for it
    from alembic.config import Config  # noqa: PLC0415  # likewise

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def check_not_newer(found: str | None) -> None:
    """Returns nothing. Raises Conflict when ``found`` is a revision this version does not know."""
    if found is not None and found not in revisions():
        raise Conflict(
            "This database was written by a newer version of Shopbell. Install that version or"
            " restore a backup.",
            revision=found,
        )


def check_current(engine: Engine) -> None:
    """Returns nothing. Raises Conflict when the database is not at this version's revision."""
    with engine.connect() as connection:
        found = revision(connection)
        empty = not inspect(connection).get_table_names()
    check_not_newer(found)
    if found != head():
        what = "is empty" if empty else "was written by an older version of Shopbell"
        raise Conflict(f"The database {what}. Run: shopbell migrate", revision=found)


def _copy(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite file, also while others write to it."""
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
