"""The console and the server-rendered pages: templates, static files, sentences."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
STATIC_DIR = FOLDER / "static"
"""The folder whose files are served below `/static/{version}/`."""

_NOT_SERVED = {".LICENSE", ".ts"}


def static_files() -> list[Path]:
    """Every file that a browser may ask for, in a stable order."""
    files = (path for path in STATIC_DIR.rglob("*") if path.is_file())
    return sorted(path for path in files if path.suffix not in _NOT_SERVED)


@cache
def static_version() -> str:
    """A hash over all static files and how they are served; it changes when any of that does."""
    digest = hashlib.sha256((FOLDER / "lean.py").read_bytes())
    for path in static_files():
        name = path.relative_to(STATIC_DIR).as_posix()
        digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
