"""The files of the tests, in memory where there is room: no test waits for a busy disk.

Programs are killed by the tests, the machine never is, so no test can tell the difference.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

FOLDER = Path("/dev/shm")  # what is made in it has names of its own
# Of what a run needs at most at a time there is then several times as much.
LEAST_BYTES = 6 * 1024**3


def take_for_files() -> None:
    """Makes the folder of files in memory the one for temporary files, here and in children.

    Not where the person has named one, nor where a program could not be run from it.
    """
    if "TMPDIR" in os.environ or not _is_fit():
        return
    os.environ["TMPDIR"] = str(FOLDER)
    tempfile.tempdir = None


def _is_fit() -> bool:
    try:
        return (
            os.access(FOLDER, os.W_OK)
            and not os.statvfs(FOLDER).f_flag & os.ST_NOEXEC
            and shutil.disk_usage(FOLDER).free >= LEAST_BYTES
        )
    except OSError:
        return False
