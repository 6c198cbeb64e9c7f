"""On SQLite one process serves a folder, and the system itself takes the lock from a dead one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.domain.errors import Conflict
from server.storage.lock import take_serving_lock
from tests.support import processes
from tests.support.waiting import wait_until

HOLD = """
import sys
from pathlib import Path
from server.storage.lock import take_serving_lock
lock = take_serving_lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=processes.clean_environment(),
    )
    processes.kill_at_exit(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    process.send_signal(how)
    process.communicate(timeout=150)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_second_serving_process_is_refused_by_name_until_the_first_is_dead(
    tmp_path: Path, how: signal.Signals
) -> None:
    first = hold(tmp_path)
    with pytest.raises(Conflict) as refusal:
        take_serving_lock(tmp_path)
    assert f"pid {first.pid}" in refusal.value.message
    assert "PostgreSQL" in refusal.value.message
    assert refusal.value.details == {"pid": str(first.pid)}
    end(first, how)
    with wait_until(lambda: take_serving_lock(tmp_path)) as lock:
        lock.seek(0)
        assert lock.read() == str(os.getpid())


def test_closing_the_lock_lets_another_serve(tmp_path: Path) -> None:
    take_serving_lock(tmp_path).close()
    take_serving_lock(tmp_path).close()


def test_another_folder_has_another_lock(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with take_serving_lock(tmp_path), take_serving_lock(tmp_path / "other"):
        pass
