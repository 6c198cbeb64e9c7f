"""Orders of a file a second, with customers, contacts, profiles and the log.

SHOPBELL_BENCH_ORDERS orders (100,000) of a third as many customers come in twice, on SQLite and on
PostgreSQL; beside the time on the clock stands that of the processor, which neighbours on the
machine disturb less. It prints, and never fails on time.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.config import Settings
from server.importers.shop_files import import_orders, undo_import
from server.storage.database import Database
from server.storage.migrate import migrate
from server.storage.shop import Shop, insert_shop
from tests.benchmarks.conftest import Results
from tests.support.postgres import PostgresCluster

SEED = 7
START = dt.datetime(2023, 1, 1)  # noqa: DTZ001  # local time of the shop
SPAN_S = 90_000_000


def _orders() -> int:
    return int(os.environ.get("SHOPBELL_BENCH_ORDERS", "100000"))


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Database]]:
    """A database with a shop that knows nobody yet, and what it is called."""
    url, cluster = None, None
    if request.param == "PostgreSQL":
        cluster = request.getfixturevalue("postgres")
        assert isinstance(cluster, PostgresCluster)
        url = cluster.create()
    database = Database(url, Settings(data_dir=tmp_path).sqlite_path)
    migrate(database.engine)
    shop = Shop(name="New", locale="en", timezone="UTC", currency="EUR", site_key="new")
    database.write_now(lambda tx: insert_shop(tx, shop))
    yield str(request.param), database
    database.close()
    if cluster is not None and url is not None:
        cluster.drop(url)


def _file(folder: Path, count: int) -> Path:
    """Orders in the order in which they were made, as a shop exports them."""
    chance = random.Random(SEED)
    path = folder / "orders.csv"
    with path.open("w") as file:
        file.write("order_id,customer_id,email,created_at,paid_at,total,refunded\n")
        for number in range(count):
            who = chance.randrange(max(count // 3, 1))
            at = (START + dt.timedelta(seconds=number * SPAN_S // count)).isoformat()
            total, refunded = chance.randint(500, 30_000), 5 if chance.random() < 0.05 else 0
            file.write(
                f"{number},c{who},c{who}@shopper.example.com,{at},{at},"
                f"{total // 100}.{total % 100:02d},{refunded}\n"
            )
    return path


def test_a_large_file_of_orders(
    results: Results, empty: tuple[str, Database], tmp_path: Path
) -> None:
    name, database = empty
    count = _orders()
    path = _file(tmp_path, count)
    batch = ""
    for what in ("import of new orders", "the same file again"):
        began, worked = time.monotonic(), time.process_time()
        outcome = import_orders(database, path)
        took, worked = time.monotonic() - began, time.process_time() - worked
        assert outcome.accepted + outcome.unchanged == count
        results.add(f"{name}: {what}", round(count / took), "orders/s", "at least 5,000")
        results.add(f"{name}: {what}, by processor time", round(count / worked), "orders/s")
        if outcome.batch is not None:
            batch = outcome.batch
    began = time.monotonic()
    undo_import(database, batch)
    results.add(f"{name}: import undone", round(count / (time.monotonic() - began)), "orders/s")
