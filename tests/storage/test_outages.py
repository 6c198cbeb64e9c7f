"""A full disk and a locked file: nothing is lost, and it works again without a restart."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from server.domain.errors import Unavailable
from server.storage.database import Database
from server.storage.migrate import migrate
from server.storage.unit import Tx
from tests.support import processes
from tests.support.waiting import LIMIT_S

# The limit of a process's files stands for the end of the disk. A child, because it is for good.
FULL_DISK = """
import resource, sys
from pathlib import Path
from sqlalchemy import text
from server.domain.errors import Unavailable
from server.storage.database import Database
from server.storage.migrate import migrate

path = Path(sys.argv[1])
database = Database(None, path)
migrate(database.engine)
written = []

def put(name):
    values = {"name": name, "value": "x" * 20_000}
    database.write_now(lambda tx: tx.later(
        text("INSERT INTO secret (name, value) VALUES (:name, :value)"), values))
    written.append(name)

def names():
    return database.read_now(
        lambda c: list(c.execute(text("SELECT name FROM secret ORDER BY name")).scalars()))

soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
wal = path.with_name(path.name + "-wal")
resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 200_000, hard))
refused = 0
for number in range(60):
    try:
        put(f"row{number:03}")
    except Unavailable:
        refused += 1
assert refused > 20, refused
assert names() == written, (names(), written)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
put("row999")
assert names() == written
database.close()
print("ok", len(written), refused)
"""


def test_a_full_disk_refuses_and_works_again_with_room(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "shopbell.db")],
        capture_output=True,
        text=True,
        timeout=150,
        env=processes.clean_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("ok ")


def put(name: str) -> str:
    return f"INSERT INTO secret (name, value) VALUES ('{name}', '')"


def test_a_file_that_another_holds_too_long_is_unavailable_and_then_works(
    tmp_path: Path,
) -> None:
    path = tmp_path / "shopbell.db"
    database = Database(None, path)
    migrate(database.engine)

    def impatient(tx: Tx) -> None:
        tx.execute(text("PRAGMA busy_timeout=50"))

    database.write_now(impatient)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            database.write_now(lambda tx: tx.later(text(put("meanwhile"))))
        other.execute("COMMIT")
    database.write_now(lambda tx: tx.later(text(put("after"))))
    found = database.read_now(lambda c: c.execute(text("SELECT name FROM secret")).scalars().all())
    assert found == ["after"]
    database.close()


def test_a_command_writes_beside_the_serving_process(tmp_path: Path) -> None:
    path = tmp_path / "shopbell.db"
    serving, command = Database(None, path), Database(None, path)
    migrate(serving.engine)
    for number in range(20):
        futures = [
            database.submit(lambda tx, name=name: tx.later(text(put(name))))  # type: ignore[misc]  # bound default
            for database, name in ((serving, f"s{number}"), (command, f"c{number}"))
        ]
        for future in futures:
            future.result(LIMIT_S)
    count = serving.read_now(lambda c: c.execute(text("SELECT count(*) FROM secret")).scalar_one())
    assert count == 40
    serving.close()
    command.close()
