"""Records put together by what they belong to, on disk, in files that each fit in memory.

The pages of an export come in any order, and the messages of a conversation may lie in many of
them. The files have no names: nobody else can open them, and they are gone with this process,
however it ends.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

import orjson

from server.importers.canonical import Parts
from server.importers.values import Json

BUCKET_BYTES = 8 * 1024 * 1024
# Three spools together stay below the 256 files that some systems let a process open.
MAX_BUCKETS = 60


class Spool:
    """Records of one sort, such as those of conversations; use it in a ``with``."""

    def __init__(self, *, total_bytes: int) -> None:
        """``total_bytes`` is about how much will come, to choose the number of files."""
        self.count = min(MAX_BUCKETS, 1 + total_bytes // BUCKET_BYTES)
        self.records = 0
        self._files: dict[int, IO[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def add(self, key: str, kind: str, record: Json) -> None:
        """Keeps a record of what ``key`` names."""
        number = zlib.crc32(key.encode("utf-8", "replace")) % self.count
        file = self._files.get(number)
        if file is None:
            file = self._files[number] = tempfile.TemporaryFile()  # noqa: SIM115  # closed on exit
        file.write(_line(key, kind, record))
        self.records += 1

    def parts(self) -> Iterator[Parts]:
        """What was kept, key by key, once; one file at a time is in memory."""
        for number in sorted(self._files):
            lines: dict[str, list[bytes]] = {}
            with self._files.pop(number) as file:
                file.seek(0)
                for line in file:
                    key, _, rest = line.partition(b"\t")
                    lines.setdefault(key.decode(), []).append(rest)
            while lines:
                name, found = lines.popitem()
                yield _parts(name, found)


def _line(key: str, kind: str, record: Json) -> bytes:
    head = "\t".join(" ".join(word.split()) for word in (key, kind)).encode("utf-8", "replace")
    try:
        return head + b"\to" + orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except (TypeError, orjson.JSONEncodeError):
        # Whole numbers beyond 64 bits and lone surrogates are beyond it, not beyond JSON.
        return head + b"\tj" + json.dumps(record).encode() + b"\n"


def _parts(key: str, lines: list[bytes]) -> Parts:
    parts = Parts(key)
    for line in lines:
        kind, _, raw = line.partition(b"\t")
        record = orjson.loads(raw[1:]) if raw[:1] == b"o" else json.loads(raw[1:])
        parts.records.setdefault(kind.decode(), []).append(record)
    return parts
