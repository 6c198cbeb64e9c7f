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
