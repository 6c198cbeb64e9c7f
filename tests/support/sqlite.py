"""Migrated SQLite files for tests: made once in a process, then copied.

Every migration since the first takes 150 ms of a processor, a copy 1 ms.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from tests.support.waiting import LIMIT_S


def put_migrated(path: Path) -> None:
    """Puts an empty database of this version's tables at ``path``, unless a file is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_migrated(), path)


@functools.cache
def _migrated() -> Path:
    # Late, so that a fault in storage does not keep the tests of the domain from running.
    from server.storage.database import Database
    from server.storage.migrate import migrate

    folder = Path(tempfile.mkdtemp(prefix="shopbell-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "migrated.db"
    database = Database(None, path, patience_s=LIMIT_S)
    try:
        migrate(database.engine)
    finally:
        # The last to close the file writes into it what stands beside it.
        database.close()
    assert [file.name for file in folder.iterdir()] == [path.name]
    return path
