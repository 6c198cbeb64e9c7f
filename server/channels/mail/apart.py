"""Reading a mail in a process of its own, so that no mail can stop the desk."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import orjson

from server.channels.mail.child import CPU_S, UNREADABLE
from server.children import environment
from server.domain.letter import Letter, Unreadable, from_json

# The wall's clock, for a machine that is busy; the processor's own limit is CPU_S.
LIMIT_S = 6 * CPU_S
TOOK_TOO_LONG = "took_too_long"


async def read_apart(raw: bytes) -> Letter:
    """The mail. Raises Unreadable, also for what took too long or too much memory."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server.channels.mail.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(),
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            told, _ = await child.communicate(raw)
    except TimeoutError:
        raise Unreadable(TOOK_TOO_LONG) from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode == UNREADABLE:
        raise Unreadable(told.decode("utf-8", "replace")[:100])
    if child.returncode != 0:
        raise Unreadable("too_much")
    try:
        return from_json(orjson.loads(told))
    except orjson.JSONDecodeError as error:
        raise Unreadable("answer") from error
