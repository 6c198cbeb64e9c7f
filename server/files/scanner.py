"""Asking a virus scanner about a file: clamd over its socket, or a command of the shop's own."""

from __future__ import annotations

import asyncio
import os
import shlex
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import structlog

log = structlog.stdlib.get_logger("shopbell.files")
Verdict = Literal["clean", "infected"]
LIMIT_S = 60.0
CONNECT_S = 5.0
_PORTION = 128 * 1024
_LONGEST_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class Scanner:
    """A scanner by its setting: ``clamd://HOST:PORT``, ``clamd:///PATH`` or ``exec:COMMAND``.

    The command gets the file on its standard input and says by its exit status: 0 clean, 1 not.
    """

    setting: str

    async def look(self, path: Path) -> Verdict | None:
        """What the scanner says of a file; None when it cannot be asked now."""
        try:
            async with asyncio.timeout(LIMIT_S):
                if self.setting.startswith("exec:"):
                    return await _command(self.setting.removeprefix("exec:"), path)
                return await _clamd(self.setting, path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            log.warning("the scanner cannot be asked", error=type(error).__name__)
            return None


async def _command(command: str, path: Path) -> Verdict | None:
    with path.open("rb") as file:
        child = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            stdin=file,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath)},
        )
    try:
        status = await child.wait()
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if status not in (0, 1):
        log.warning("the scanner failed", status=status)
        return None
    return "infected" if status else "clean"


async def _clamd(setting: str, path: Path) -> Verdict | None:
    """INSTREAM of clamd(8): portions with their length before them, none at the end."""
    parts = urlsplit(setting)
    async with asyncio.timeout(CONNECT_S):
        if parts.hostname:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 3310)
        else:
            reader, writer = await asyncio.open_unix_connection(parts.path)
    try:
        writer.write(b"zINSTREAM\0")
        with path.open("rb") as file:
            while portion := file.read(_PORTION):
                writer.write(struct.pack("!L", len(portion)) + portion)
                await writer.drain()
        writer.write(struct.pack("!L", 0))
        await writer.drain()
        answer = (await reader.read(_LONGEST_ANSWER)).rstrip(b"\0\n")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    if answer.endswith(b" OK"):
        return "clean"
    if answer.endswith(b" FOUND"):
        return "infected"
    log.warning("the scanner failed", answer=answer[:80].decode("ascii", "replace"))
    return None
