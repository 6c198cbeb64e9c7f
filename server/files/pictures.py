"""Drawing a picture anew in a process of its own, so that no picture can stop the server."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from server.domain.errors import InvalidInput
from server.files import picture_child
from server.files.picture_child import CPU_S, REFUSED

# The wall's clock, for a machine that is busy; the processor's own limit is CPU_S.
LIMIT_S = 3 * CPU_S


@dataclass(frozen=True, slots=True)
class Size:
    """How large a picture is, in pixels."""

    width: int
    height: int


async def draw_anew(source: Path, media_type: str, target: Path, thumb: Path) -> Size:
    """Draws the picture and a small one. Raises InvalidInput for what cannot be drawn.

    The paths are absolute.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        picture_child.__file__,
        str(source),
        media_type,
        str(target),
        str(thumb),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            told, _ = await child.communicate()
    except TimeoutError:
        raise _refused("took_too_long") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode == REFUSED:
        raise _refused(told.decode("ascii", "replace")[:40])
    if child.returncode != 0:
        raise _refused("too_much")
    return Size(**orjson.loads(told))


def _refused(why: str) -> InvalidInput:
    return InvalidInput("The picture cannot be read.", field="file", reason="file_picture", why=why)
