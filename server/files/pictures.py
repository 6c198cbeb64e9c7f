"""Drawing a picture anew in a process of its own, so that no picture can stop the server."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from server.children import environment
from server.domain.errors import InvalidInput, TooLarge
from server.domain.files import MEGABYTE
from server.files import picture_child
from server.files.kinds import kind_of
from server.files.picture_child import CPU_S, REFUSED
from server.files.store import Store, no_room, places

# The wall's clock, for a machine that is busy; the processor's own limit is CPU_S.
LIMIT_S = 3 * CPU_S
# What is drawn anew can be larger than what came.
MOST_DRAWN_BYTES = 20 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was drawn anew, for who shows it and does not keep it."""

    media_type: str
    content: bytes


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
        env=environment(),
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


async def drawn_picture(store: Store, content: bytes) -> Picture:
    """What should be a picture by its bytes, drawn anew; ``store`` lends the room for it.

    Raises InvalidInput for what is none or cannot be drawn, TooLarge, and Unavailable when there is
    no room.
    """
    await asyncio.to_thread(store.need, len(content))
    with places(store, 3) as (came, drawn, thumb):
        await asyncio.to_thread(_write, came, content)
        kind = await asyncio.to_thread(kind_of, came)
        if kind is None or not kind.picture:
            raise InvalidInput("This is no picture.", reason="file_type")
        await draw_anew(came, kind.media_type, drawn, thumb)
        if drawn.stat().st_size > MOST_DRAWN_BYTES:
            raise TooLarge(f"At most {MOST_DRAWN_BYTES} bytes.", reason="file_large")
        return Picture(kind.media_type, await asyncio.to_thread(drawn.read_bytes))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise no_room(error) from None


def _refused(why: str) -> InvalidInput:
    return InvalidInput("The picture cannot be read.", field="file", reason="file_picture", why=why)
