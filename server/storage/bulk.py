"""What helps to write much at once."""

from __future__ import annotations

from server.storage.unit import Tx

CACHE_KIB = 64 * 1024
CHECKPOINT_PAGES = 8000


def give_room(tx: Tx) -> None:
    """Lets this process's connection to SQLite keep more of the file in memory while it writes.

    Orders of many customers touch indexes all over; with the 2 MB of the default each touch of a
    large file reads a page and writes one.
    """
    connection = tx.connection
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
