"""The bytes of files in a folder, named by their SHA-256; the same bytes are there once.

A file is written under another name, forced to the disk and then renamed, so what has its name is
whole. Several processes, also on several machines, may share the folder. Bytes go in two steps, see
``discard``, because another process may be taking in the same ones just then.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import EDQUOT, EFBIG, ENOSPC, errorcode
from pathlib import Path

import structlog

from server.domain.errors import Unavailable

log = structlog.stdlib.get_logger("shopbell.files")

# Room that others on the disk, the database first of all, are left with.
LEAST_FREE = 1024**3
LEAST_FREE_SHARE = 0.1
# Bytes that were put or met again this lately may belong to an upload whose row is on its way.
YOUNG_S = 600.0
STALE_S = 86_400.0
THUMB = ".thumb"
_FULL = frozenset({ENOSPC, EDQUOT, EFBIG})


def no_room(error: OSError | None = None) -> Unavailable:
    """What is said when the disk is full; what else keeps files from it is for the operator."""
    note_fault(error)
    return Unavailable("There is no room for files on the server just now.", reason="disk_full")


def note_fault(error: OSError | None) -> None:
    """Logs why files cannot be written, unless it is for want of room."""
    if error is not None and error.errno not in _FULL:
        log.error("files cannot be written", reason=errorcode.get(error.errno or 0, "unknown"))


class Incoming:
    """A file that is being written; ``close`` leaves nothing of it unless it was put in place."""

    def __init__(self, path: Path) -> None:
        """Begins the file. Raises Unavailable when there is no room."""
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256()
        try:
            self._file = path.open("xb")
        except OSError as error:
            raise no_room(error) from None

    def write(self, portion: bytes) -> None:
        """Adds bytes. Raises Unavailable when there is no room."""
        try:
            self._file.write(portion)
        except OSError as error:
            raise no_room(error) from None
        self._hash.update(portion)
        self.size += len(portion)

    def finish(self) -> str:
        """The SHA-256 of all that was written, which is on the disk now. Raises Unavailable."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise no_room(error) from None
        return self._hash.hexdigest()

    def close(self) -> None:
        """Removes what is left under this name."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


def _room(folder: Path) -> tuple[int, int]:
    found = shutil.disk_usage(folder)
    return found.total, found.free


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of files. ``room`` tells all bytes of its disk and the free ones."""

    folder: Path
    room: Callable[[Path], tuple[int, int]] = _room
    young_s: float = YOUNG_S

    def prepare(self) -> None:
        """Makes the folders, for their owner only."""
        for name in ("new", "old"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self) -> Incoming:
        """A file to write into. Raises Unavailable when there is no room."""
        try:
            self.prepare()
        except OSError as error:
            raise no_room(error) from None
        return Incoming(self.folder.absolute() / "new" / secrets.token_hex(16))

    def need(self, size: int) -> None:
        """Returns nothing. Raises Unavailable when so many bytes would fill the disk."""
        try:
            self.prepare()
            total, free = self.room(self.folder)
        except OSError as error:
            raise no_room(error) from None
        if free - size < min(LEAST_FREE, int(total * LEAST_FREE_SHARE)):
            raise no_room()

    def path(self, sha256: str) -> Path:
        """Where these bytes stand, if they are there."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):  # SHA-256 in hex
            raise ValueError("no SHA-256")
        return self.folder / sha256[:2] / sha256

    def thumb(self, sha256: str) -> Path:
        """Where the small picture of these bytes stands, if they have one."""
        return self.path(sha256).with_name(sha256 + THUMB)

    def has(self, sha256: str) -> bool:
        """True when these bytes are there."""
        return self.path(sha256).is_file()

    def put(self, sha256: str, new: Path, thumb: Path | None = None) -> None:
        """Gives a finished file its name; one that has it already counts as met again.

        Raises Unavailable.
        """
        place = self.path(sha256)
        try:
            place.parent.mkdir(mode=0o700, exist_ok=True)
            if thumb is not None and not self.thumb(sha256).is_file():
                thumb.rename(self.thumb(sha256))
            if place.is_file():
                os.utime(place)
            else:
                os.utime(new)
                new.rename(place)
                _sync(place.parent)
        except OSError as error:
            raise no_room(error) from None

    def read(self, sha256: str) -> bytes | None:
        """The bytes, None when they are not there."""
        try:
            return self.path(sha256).read_bytes()
        except (OSError, ValueError):
            return None

    def discard(self, sha256: str, wanted: Callable[[], bool]) -> bool:
        """Lets bytes go unless they are ``wanted``; False when that is to be asked again later.

        They are put aside first and asked for then: who took the same bytes in before that has
        written their row by now, and is seen; who does it after that finds no bytes and puts them.
        """
        place, aside = self.path(sha256), self.folder / "old" / sha256
        try:
            if time.time() - place.stat().st_mtime < self.young_s:
                return False
            place.rename(aside)
        except FileNotFoundError:
            if not aside.is_file():
                return True
        if wanted():
            if not place.is_file():
                aside.rename(place)
                return True
        elif not place.is_file():
            self.thumb(sha256).unlink(missing_ok=True)
        aside.unlink(missing_ok=True)
        return True

    def clean(self) -> Iterator[str]:
        """Removes what uploads that broke off have left; the names of bytes that are a day old."""
        self.prepare()
        before = time.time() - STALE_S
        for path in (self.folder / "new").iterdir():
            with suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()
        yield from (path.name for path in (self.folder / "old").iterdir())
        for folder in sorted(self.folder.iterdir()):
            if len(folder.name) != 2 or not folder.is_dir():
                continue
            for path in sorted(folder.iterdir()):
                with suppress(OSError):
                    if len(path.name) == 64 and path.stat().st_mtime < before:  # no thumbs
                        yield path.name


@contextmanager
def places(store: Store, count: int) -> Iterator[tuple[Path, ...]]:
    """Names for files that somebody else writes, which are gone afterwards. Raises Unavailable."""
    made = []
    for _ in range(count):
        one = store.begin()
        one.close()
        made.append(one.path)
    try:
        yield tuple(made)
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Lets a new name outlive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
