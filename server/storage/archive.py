"""The file of a backup: a zip of tables as lines of JSON, and a manifest that says what is in it.

The same for both databases, so a shop can move from one to the other with a backup and a restore.
``tables/NAME.jsonl`` has one JSON array a row, in the order of the columns in the manifest.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any  # Any: values of rows

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from server.domain.errors import Conflict, InvalidInput

FORMAT = 1
MANIFEST = "manifest.json"
# The lowest level already makes a quarter of text; the next take twice the time for a tenth more.
LEVEL = 1
CHUNK_BYTES = 1 << 20
MAX_MANIFEST_BYTES = 1 << 20
MAX_ROW_BYTES = 1 << 26
Row = list[Any]  # Any: text, number, truth or None
Tell = Callable[[int, int], None]


class Member(BaseModel):
    """One table in the archive."""

    model_config = ConfigDict(frozen=True)

    name: str
    table: str
    columns: list[str]
    rows: int
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What the archive says of itself: by which version, from what, when."""

    model_config = ConfigDict(frozen=True)

    format: int
    version: str
    schema_revision: str
    database: str
    made_at_ms: int
    members: list[Member]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(member.rows for member in self.members)


class Writing:
    """An archive that is being written; without ``finish`` it is none."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self.members: list[Member] = []
        self._file = file

    def table(self, name: str, columns: list[str], rows: Iterable[Row]) -> None:
        """Writes a table; its rows are taken as they are written."""
        digest, size, count, chunk = hashlib.sha256(), 0, 0, bytearray()
        member = f"tables/{name}.jsonl"
        with self._file.open(member, "w", force_zip64=True) as out:

            def put() -> None:
                nonlocal size
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
                chunk.clear()

            for row in rows:
                chunk += orjson.dumps(row, default=_as_text)
                chunk += b"\n"
                count += 1
                if len(chunk) >= CHUNK_BYTES:
                    put()
            put()
        self.members.append(
            Member(
                name=member,
                table=name,
                columns=columns,
                rows=count,
                bytes=size,
                sha256=digest.hexdigest(),
            )
        )

    def finish(self, manifest: Manifest) -> None:
        """Writes the manifest."""
        text = orjson.dumps(manifest.model_dump(), option=orjson.OPT_INDENT_2)
        self._file.writestr(MANIFEST, text)


def _as_text(value: object) -> str:
    """Bytes in base64, as a column of bytes is read again."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


@contextmanager
def writing(path: Path, *, force: bool = False) -> Iterator[Writing]:
    """An archive that stands at ``path``, whole and on disk, once the block ends without an error.

    Until then it is ``path.part``, which only its owner may read; an error removes it. Raises
    Conflict when ``path`` exists, unless ``force``, or when it is being written already.
    """
    _check_free(path, force=force)
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as raw:
        _take(raw, part)
        raw.truncate()
        os.fchmod(raw.fileno(), 0o600)
        try:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as file:
                yield Writing(file)
            raw.flush()
            os.fsync(raw.fileno())
            _put_in_place(part, path, force=force)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


def _check_free(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise Conflict(f"{path} exists. Choose another name, or give --force to replace it.")


def _take(raw: IO[bytes], part: Path) -> None:
    """Returns nothing. Raises Conflict while another process writes the same file."""
    try:
        fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Conflict(f"{part} is being written by another backup.") from None


def _put_in_place(part: Path, path: Path, *, force: bool) -> None:
    if force:
        part.replace(path)
        return
    try:
        # Unlike a rename it fails when somebody was faster.
        os.link(part, path)
    except FileExistsError:
        _check_free(path, force=False)
        raise
    except OSError:  # a file system without links
        _check_free(path, force=False)
        part.replace(path)
    else:
        part.unlink()


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder last, as fsync does for what is in a file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Reading:
    """An archive that is being read."""

    def __init__(self, file: zipfile.ZipFile, manifest: Manifest) -> None:
        self.manifest = manifest
        self._file = file

    def check(self, tell: Tell) -> None:
        """Reads all and compares it with the manifest. Raises Conflict for what does not agree."""
        size = sum(member.bytes for member in self.manifest.members)
        done = 0
        for member in self.manifest.members:
            digest, found = hashlib.sha256(), 0
            with self._file.open(member.name) as raw:
                while chunk := raw.read(CHUNK_BYTES):
                    digest.update(chunk)
                    found += len(chunk)
                    done += len(chunk)
                    if found > member.bytes:
                        break
                    tell(done, size)
            if found != member.bytes or digest.hexdigest() != member.sha256:
                raise _damaged(f"{member.name} is not what was written")

    def rows(self, member: Member) -> Iterator[Row]:
        """The rows of a table. Raises Conflict for a line that is no row of it."""
        with self._file.open(member.name) as raw:
            while line := raw.readline(MAX_ROW_BYTES):
                row = orjson.loads(line)
                if not isinstance(row, list) or len(row) != len(member.columns):
                    raise _damaged(f"{member.name} has a line that is no row")
                yield row


@contextmanager
def reading(path: Path) -> Iterator[Reading]:
    """An archive. Raises InvalidInput for a file that is none, Conflict for a damaged one."""
    try:
        with zipfile.ZipFile(path) as file:
            yield Reading(file, _manifest(file))
    except zipfile.BadZipFile:
        raise InvalidInput(f"{path} is not a backup of Shopbell, or it is not whole.") from None
    except (zlib.error, EOFError, orjson.JSONDecodeError):
        raise _damaged(f"{path} cannot be read to its end") from None


def _manifest(file: zipfile.ZipFile) -> Manifest:
    try:
        if file.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
            raise _damaged("its manifest is too long")
        manifest = Manifest.model_validate(orjson.loads(file.read(MANIFEST)))
    except (KeyError, ValidationError, orjson.JSONDecodeError):
        raise InvalidInput("This is not a backup of Shopbell: it has no manifest.") from None
    if manifest.format != FORMAT:
        raise Conflict("This backup was made by a newer version of Shopbell. Install that version.")
    names = set(file.namelist())
    if missing := [member.name for member in manifest.members if member.name not in names]:
        raise _damaged(f"{missing[0]} is missing")
    return manifest


def _damaged(how: str) -> Conflict:
    return Conflict(f"This backup is damaged: {how}. Use another one.")
