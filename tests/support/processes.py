"""Child processes of the tests: none outlives the test run, each leaves its output in a file."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Protocol

from tests.support.waiting import LIMIT_S

ROOT = Path(__file__).resolve().parent.parent.parent
# Where a machine has ten others at work, all takes ten times as long; a hang is told all the same.
STOP_LIMIT_S = 60.0


def clean_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """This environment without the settings of a Shopbell that the person may have, plus extra."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHOPBELL_")}
    kept |= {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    # Hundreds of processes start; compiling the program anew takes each half a second.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    # A machine that stands still for some seconds makes no outage.
    kept["SHOPBELL_DATABASE_PATIENCE_S"] = f"{LIMIT_S:g}"
    return kept | (extra or {})


def unprivileged_user() -> pwd.struct_passwd | None:
    """Whom a database server should run as: None when we are not root, who it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("neither postgres nor nobody is a user of this machine")


def start(
    command: list[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    user: pwd.struct_passwd | None = None,
) -> subprocess.Popen[bytes]:
    """A running program whose output goes to ``log``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    kill_at_exit(process)
    return process


class Killed(Protocol):
    """Something that runs until it is killed."""

    def kill(self) -> None: ...


def kill_at_exit(process: Killed) -> None:
    """Ends the process with the test run, whatever became of the test that started it."""
    atexit.register(process.kill)


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> int:
    """The exit status after a signal; SIGKILL follows when the process does not heed it."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(STOP_LIMIT_S)


def tail(log: Path, lines: int = 30) -> str:
    """The end of an output file, for the message of a failure."""
    if not log.exists():
        return "(no output)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def remove(folder: Path) -> None:
    """Removes a folder whose files may belong to another user."""
    shutil.rmtree(folder, ignore_errors=True)
