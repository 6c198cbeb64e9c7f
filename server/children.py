"""What a process of ours that works on strangers' bytes is given of the environment: no secrets."""

from __future__ import annotations

import os
import sys

# Where programs and libraries are, how text is written, where temporary files go. Passwords and
# addresses of databases come by other names.
_NEEDED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
)


def environment() -> dict[str, str]:
    """The environment of such a process, which finds the modules that this one finds."""
    kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
