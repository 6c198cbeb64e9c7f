"""Records out of the files of an export: a file, a folder or a zip of them, in bounded memory.

Pages of an API, lists, one record a file and NDJSON all come out the same. A file that is not whole
or not JSON is refused with its name and the number of the record that could not be read.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any  # Any: JSON of another program

from server.domain.errors import InvalidInput
from server.domain.imported import both
from server.domain.zips import DAMAGED, is_damage
from server.importers.values import Json

SUFFIXES = (".json", ".ndjson", ".jsonl")
# Up to this size a file is read at once, which tells pages and records apart most surely.
SMALL_BYTES = 8 * 1024 * 1024
MAX_RECORD_CHARS = 64 * 1024 * 1024
_CHUNK_CHARS = 1024 * 1024
# Objects around the list of records in some answers.
_WRAPPERS = frozenset({"data", "payload"})


@dataclass(frozen=True, slots=True)
class Source:
    """One file of an export; ``name`` is its path inside the folder or zip."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Found:
    """A record, the list of the page that it was in, and where that was.

    ``where`` is the file's name, and the page's address when the page tells it.
    """

    container: str
    record: Json
    where: str


@contextmanager
def opened(path: Path) -> Iterator[list[Source]]:
    """The files of an export, by name. Raises InvalidInput when there are none or a zip is bad."""
    if path.is_dir():
        found = [
            Source(str(file.relative_to(path)), file.stat().st_size, _opener(file))
            for file in sorted(path.rglob("*"))
            if file.suffix.lower() in SUFFIXES and file.is_file() and not _hidden(file, path)
        ]
        yield _some(found, path)
    elif zipfile.is_zipfile(path):
        with _archive(path) as archive:
            members = sorted(archive.infolist(), key=lambda info: info.filename)
            yield _some(
                [
                    Source(info.filename, info.file_size, _member(archive, info))
                    for info in members
                    if info.filename.lower().endswith(SUFFIXES)
                    and not any(part.startswith(("__", ".")) for part in info.filename.split("/"))
                ],
                path,
            )
    else:
        yield [Source(path.name, path.stat().st_size, _opener(path))]


def records(
    source: Source, containers: frozenset[str], *, read: Callable[[int], None] = lambda _: None
) -> Iterator[Found]:
    """The records of one file; ``containers`` are the names of lists of records in pages.

    ``read`` is told how many more bytes were read. Raises InvalidInput, naming the file and the
    record, for what is cut off or no JSON.
    """
    lines = source.name.lower().endswith(SUFFIXES[1:])
    try:
        with source.open() as raw, _text(raw, read) as file:
            if lines:
                yield from _lines(file, source, containers)
            elif source.size <= SMALL_BYTES:
                yield from _small(file.read(), source, containers)
            else:
                yield from _large(file, source, containers)
    except UnicodeDecodeError as error:
        raise _bad(source, 0, "not UTF-8", "不是 UTF-8 编码") from error
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and not is_damage(error):
            raise
        raise _bad(
            source, 0, "damaged or encrypted in the zip", "在压缩包内已损坏或加密"
        ) from error


def _text(raw: IO[bytes], read: Callable[[int], None]) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(_Counted(raw, read)), encoding="utf-8-sig")


class _Counted(io.RawIOBase):
    """A file that tells how much of it is read."""

    def __init__(self, file: IO[bytes], read: Callable[[int], None]) -> None:
        super().__init__()
        self._file = file
        self._told = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # Any: what io hands over
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._told(len(piece))
        return len(piece)


def _some(found: list[Source], path: Path) -> list[Source]:
    if not found:
        raise InvalidInput(
            both(
                f"{path.name} holds no .json, .ndjson or .jsonl file.",
                f"{path.name} 里没有 .json、.ndjson 或 .jsonl 文件。",
            )
        )
    return found


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _opener(file: Path) -> Callable[[], IO[bytes]]:
    return lambda: file.open("rb")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise InvalidInput(
            both(f"{path.name} is a damaged zip.", f"{path.name} 是损坏的压缩包。")
        ) from None


def _small(text: str, source: Source, containers: frozenset[str]) -> Iterator[Found]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        rest = text[error.pos :].lstrip() if isinstance(error, json.JSONDecodeError) else ""
        if rest.startswith(("{", "[")) and error.args[0].startswith("Extra data"):
            yield from _lines(io.StringIO(text), source, containers)
            return
        yield from _large(io.StringIO(text), source, containers)  # finds the record that is broken
        raise _broken(source, 0) from None
    yield from _expanded(value, "", source.name, containers)


def _lines(file: IO[str], source: Source, containers: frozenset[str]) -> Iterator[Found]:
    """A value a line; one that is spread over lines is read to its end."""
    number = 0
    while line := file.readline(MAX_RECORD_CHARS):
        number += 1
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):  # also of numbers without end
            raise _broken(source, number, unit=("line", "行")) from None
        yield from _expanded(value, "", source.name, containers)


def _expanded(
    value: Any,  # Any: JSON
    container: str,
    where: str,
    containers: frozenset[str],
) -> Iterator[Found]:
    """The records inside a value: of a list, of the lists of a page, or the value itself."""
    if isinstance(value, list):
        for item in value:
            yield from _expanded(item, container, where, containers)
        return
    if not isinstance(value, dict):
        return
    inside = [key for key in value if key in containers or key in _WRAPPERS]
    if "id" in value or not inside:
        yield Found(container, value, where)
        return
    links = value.get("links") if isinstance(value.get("links"), dict) else {}
    pages = [value.get("next_page"), value.get("previous_page"), *dict(links or {}).values()]
    where = " ".join([where, *(page for page in pages if isinstance(page, str))])
    for key in inside:
        yield from _expanded(value[key], key, where, containers)


def _large(file: IO[str], source: Source, containers: frozenset[str]) -> Iterator[Found]:
    stream = _Stream(file, source)
    while stream.peek():
        yield from _value(stream, "", source.name, containers, depth=0)


def _value(
    stream: _Stream, container: str, where: str, containers: frozenset[str], *, depth: int
) -> Iterator[Found]:
    first = stream.peek()
    if first == "[":
        for _ in stream.items("]"):
            stream.number += 1
            yield from _expanded(stream.value(), container, where, containers)
    elif first == "{" and depth < 3:
        scalars: Json = {}
        for _ in stream.items("}"):
            key = stream.value()
            stream.take(":")
            if key in containers or key in _WRAPPERS:
                yield from _value(stream, str(key), where, containers, depth=depth + 1)
            else:
                scalars[str(key)] = stream.value()
        if "id" in scalars:
            yield Found(container, scalars, where)
    else:
        yield from _expanded(stream.value(), container, where, containers)


class _Stream:
    """JSON of any size read value by value; what has been read is forgotten."""

    def __init__(self, file: IO[str], source: Source) -> None:
        self._file = file
        self._source = source
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._chunk = _CHUNK_CHARS
        self.number = 0

    def peek(self) -> str:
        """The next character that is no white space, empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, expected: str) -> None:
        """Goes on behind an expected character."""
        if self.peek() != expected:
            raise _broken(self._source, self.number)
        self._at += 1

    def items(self, end: str) -> Iterator[None]:
        """Stands before each item of the list or object that begins here, and ends behind it."""
        self._at += 1
        if self.peek() == end:
            self._at += 1
            return
        while True:
            yield None
            if self.peek() == end:
                self._at += 1
                return
            self.take(",")

    def value(self) -> Any:  # Any: JSON
        """The whole value that begins here."""
        first = self.peek()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):  # also of numbers without end
                if len(self._text) - self._at > MAX_RECORD_CHARS or not self._more():
                    raise _broken(self._source, self.number) from None
                continue
            # A number at the end of what was read may go on.
            if end == len(self._text) and first not in '{["' and self._more():
                continue
            self._at = end
            self._chunk = _CHUNK_CHARS
            return found

    def _more(self) -> bool:
        piece = self._file.read(self._chunk)
        self._text = self._text[self._at :] + piece
        self._at = 0
        # Twice as much each time, so that a long record is not parsed again for every piece of it.
        self._chunk = min(self._chunk * 2, MAX_RECORD_CHARS)
        return bool(piece)


def _broken(
    source: Source, number: int, *, unit: tuple[str, str] = ("record", "条记录")
) -> InvalidInput:
    english, chinese = unit
    at = (f"{english} {number} is cut off or no JSON", f"第 {number} {chinese}不完整或不是 JSON")
    return _bad(source, number, *at)


def _bad(source: Source, number: int, english: str, chinese: str) -> InvalidInput:
    return InvalidInput(
        both(
            f"{source.name}: {english}. Nothing was written.",
            f"{source.name}：{chinese}。未写入任何数据。",
        ),
        file=source.name,
        record=number,
    )
