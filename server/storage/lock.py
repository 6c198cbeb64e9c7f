"""One serving process on SQLite: a lock file that the system frees when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from server.domain.errors import Conflict


def take_serving_lock(data_dir: Path) -> IO[str]:
    """The held lock; it lasts until it is closed or the process ends, even by SIGKILL.

    Raises Conflict, naming the process, when another one serves this folder.
    """
    file = (data_dir / "serve.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        pid = file.read().strip() or "unknown"
        file.close()
        raise Conflict(
            f"Another process (pid {pid}) serves {data_dir}. SQLite allows one serving process;"
            " stop that one, choose another --data-dir, or set SHOPBELL_DATABASE_URL to use"
            " PostgreSQL.",
            pid=pid,
        ) from None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def is_served(data_dir: Path) -> bool:
    """Whether a process serves this folder just now."""
    try:
        with (data_dir / "serve.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
