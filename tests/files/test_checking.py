"""Disk and database after a crash between them: what is missing is told, what is over goes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from server.actions import visitors
from server.actions.visitors import Connect
from server.domain.actors import customer
from server.files.checking import lost_files
from server.files.desk import FileDesk
from server.files.store import STALE_S, Store
from server.storage.database import Database
from server.storage.files import load
from server.storage.shop import Shop, insert_shop
from tests.files.test_handing_out import keep

# Nothing here depends on the kind of database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_file_whose_bytes_are_gone_is_told(
    open_database: Callable[..., Database], tmp_path: Path
) -> None:
    database, store = open_database(), Store(tmp_path / "files")
    shop = Shop("Tea", "en", "UTC", "EUR", site_key="s", identity_secret="x" * 32)
    database.write_now(lambda tx: insert_shop(tx, shop))
    answer = database.write_now(lambda tx: visitors.connect(tx, Connect(site="s")))
    who = customer(answer["customer_id"])
    ids = [keep(database, store, who, f"film {n}".encode()) for n in range(3)]
    assert list(lost_files(database, store)) == []
    file = database.read_now(lambda c: load(c, ids[1]))
    assert file is not None
    assert file.sha256 is not None
    store.path(file.sha256).unlink()
    [told] = lost_files(database, store)
    assert ids[1] in told


def test_bytes_that_a_kill_left_without_a_row_go_after_a_day(
    open_database: Callable[..., Database], tmp_path: Path
) -> None:
    store = Store(tmp_path / "files", young_s=0.0)
    store.prepare()
    child = os.fork()
    if child == 0:
        try:
            # As an upload does it, killed before its row is written.
            half = store.begin()
            half.write(b"half a film")
            incoming = store.begin()
            incoming.write(b"a film")
            store.put(incoming.finish(), incoming.path)
        finally:
            # Whatever happens: else there would be two of all the tests from here on.
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    left = [path for path in store.folder.rglob("*") if path.is_file()]
    assert len(left) == 2
    desk = FileDesk(open_database(), store)
    asyncio.run(desk.sweep())
    # It may be on its way still.
    assert sorted(path for path in store.folder.rglob("*") if path.is_file()) == sorted(left)
    for path in left:
        os.utime(path, (path.stat().st_mtime - STALE_S - 1,) * 2)
    asyncio.run(desk.sweep())
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
