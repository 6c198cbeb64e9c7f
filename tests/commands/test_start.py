"""What a start loads: nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from server.config import Settings
from server.storage.opening import open_database
from tests.support import processes

HEAVY = ("aiohttp", "alembic", "pydantic", "redis", "socketio", "sqlalchemy", "sqlmodel")
HELP = "import server.cli"
AGAIN = """
from pathlib import Path
from server.config import Settings
from server.storage.opening import open_database
open_database(Settings(data_dir=Path(sys.argv[1])), serving=False)[0].close()
"""


def _loaded(script: str, *arguments: str | Path) -> set[str]:
    """The heavy ones among the modules that a script loads."""
    script = f"import sys\n{script}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=processes.ROOT,
        env=processes.clean_environment(),
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    return set(HEAVY) & set(done.stdout.split())


def test_the_help_loads_neither_server_nor_database() -> None:
    assert _loaded(HELP) == set()


def test_a_database_that_is_at_this_version_is_opened_without_the_migrations(
    tmp_path: Path,
) -> None:
    open_database(Settings(data_dir=tmp_path), serving=False)[0].close()
    assert _loaded(AGAIN, tmp_path) & {"aiohttp", "alembic", "socketio"} == set()
