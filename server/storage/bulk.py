"""What helps to write much at once."""

from __future__ import annotations

import sqlite3
import time

from server.storage.database import Database
from server.storage.unit import Tx

CACHE_KIB = 64 * 1024
CHECKPOINT_PAGES = 8000
_MOMENT_S = 0.0002


def give_room(tx: Tx) -> None:
    """Lets this process's connection to SQLite keep more of the file in memory while it writes.

    Orders of many customers touch indexes all over; with the 2 MB of the default each touch of a
    large file reads a page and writes one.
    """
    connection = tx.connection
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


# What imports write, and what they ask on the way.
_GROWING = (
    "contact",
    "customer",
    "customer_origin",
    "import_change",
    "order_line",
    "product",
    "profile",
    "shop_order",
)


def count_rows(tx: Tx) -> None:
    """Lets PostgreSQL look how large the tables have become that an import fills.

    Its own look comes by the minute; until then it plans as if they were empty, and every question
    reads them whole. SQLite, whose plans do not follow sizes, does nothing.
    """
    connection = tx.connection
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"ANALYZE {', '.join(_GROWING)}")


def let_others() -> None:
    """Lets other threads of this process on, now: a thread that only computes yields every 5 ms.

    A message that is written passes from one thread to another several times, and would wait for
    that each time.
    """
    time.sleep(_MOMENT_S)


def tidy(database: Database) -> None:
    """Moves what was written to SQLite into its file, while others go on writing.

    Otherwise the writer does that itself, when it is a thousand pages, and messages wait for it.
    """
    if database.is_sqlite:
        connection = sqlite3.connect(database.path, timeout=1)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()
