"""Opening the database that the settings name, at this version's tables."""

from __future__ import annotations

from typing import IO

from server.config import Settings
from server.storage import event_log
from server.storage.answering import answering
from server.storage.database import Database
from server.storage.lock import take_serving_lock
from server.storage.migrate import check_current, migrate


def connect(settings: Settings) -> Database:
    """The database that the settings name, whatever tables it has."""
    return Database(
        settings.database_url, settings.sqlite_path, patience_s=settings.database_patience_s
    )


def open_database(settings: Settings, *, serving: bool) -> tuple[Database, IO[str] | None]:
    """The database at this version's tables, and with SQLite the lock of the serving process.

    Raises Conflict when another process serves this folder, or the tables are not this version's,
    and Unavailable when the database does not answer.
    """
    lock = None
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if serving:
            lock = take_serving_lock(settings.data_dir)
    database = connect(settings)
    try:
        with answering():
            if settings.database_url is None:
                migrate(database.engine, backup_of=settings.sqlite_path)
            else:
                check_current(database.engine)
        database.clock.not_before(database.read_now(event_log.last_live_at_ms))
    except BaseException:
        database.close()
        raise
    return database, lock
