"""Asking the scanner: by clamd's own protocol, or a command."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.files.scanner import Scanner

# Not the test virus itself, so that no scanner takes this file away.
BAD = b"X5O!P%@AP-stand-in"


@asynccontextmanager
async def clamd(folder: Path) -> AsyncIterator[str]:
    """What of clamd we need, on a socket of its own."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!L", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
        found = b"stream: Stand-In FOUND\0" if BAD in content else b"stream: OK\0"
        writer.write(b"INSTREAM size limit exceeded. ERROR\0" if len(content) > 500_000 else found)
        await writer.drain()
        writer.close()

    path = folder / "clamd.sock"
    server = await asyncio.start_unix_server(answer, path)
    async with server:
        yield f"clamd://{path}"


async def test_clamd_says_what_it_found(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    async with clamd(tmp_path) as setting:
        for content, verdict in (
            (b"x" * 300_000, "clean"),
            (b"x" * 200_000 + BAD, "infected"),
            (b"x" * 600_000, None),
        ):
            sent.write_bytes(content)
            assert await Scanner(setting).look(sent) == verdict
    assert await Scanner(setting).look(sent) is None  # nobody is there any more


@pytest.mark.parametrize(
    ("command", "content", "verdict"),
    [
        ("grep -qv stand-in", b"fine", "clean"),
        ("grep -qv stand-in", b"stand-in", "infected"),
        ("sh -c 'exit 2'", b"fine", None),
        ("no-such-program", b"fine", None),
    ],
)
async def test_a_command_says_it_by_its_status(
    command: str, content: bytes, verdict: str | None, tmp_path: Path
) -> None:
    sent = tmp_path / "sent"
    sent.write_bytes(content)
    assert await Scanner(f"exec:{command}").look(sent) == verdict
