"""Pictures that a mail names and that are elsewhere, fetched by the server and drawn anew.

Who owns such a picture learns that this server asked for it, and nothing of the person who looks:
neither the address of their network nor a cookie. It goes out by the guarded session of webhooks,
and each redirect is a request that is checked like the first. Nothing is kept here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urljoin

import aiohttp
import structlog

from server.channels.outbound import (
    ForbiddenAddressError,
    Lookup,
    check_host,
    look_up,
    open_session,
)
from server.domain.addresses import checked_url
from server.domain.errors import AppError
from server.domain.files import MEGABYTE
from server.files.pictures import Picture, drawn_picture
from server.files.store import Store
from server.stats import Reading

log = structlog.stdlib.get_logger("shopbell.mail")

MOST_BYTES = 8 * MEGABYTE
# Redirects included.
LIMIT_S = 10.0
MOST_REDIRECTS = 3
# Fetched by a process at once, and drawn: each drawing is a process of its own. Who comes when so
# many wait already gets no picture.
AT_ONCE = 8
DRAWN_AT_ONCE = 2
MOST_WAITING = 200
OUTCOMES = ("shown", "missing", "refused")
_PORTION = 64 * 1024


class _NoPicture(Exception):
    """There is none to show, for a reason that is told in a word."""

    def __init__(self, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is fetched, and how long that may take."""

    most_bytes: int = MOST_BYTES
    limit_s: float = LIMIT_S


class RemotePictures:
    """Fetches pictures by their addresses, some at once."""

    def __init__(
        self,
        store: Store,
        *,
        inside: bool = False,
        look_up: Lookup = look_up,
        limits: Limits | None = None,
    ) -> None:
        """``store`` lends room for drawing; ``inside`` lets private addresses pass."""
        self._store = store
        self._inside = inside
        self._look_up = look_up
        self._limits = limits or Limits()
        self._fetching = asyncio.Semaphore(AT_ONCE)
        self._drawing = asyncio.Semaphore(DRAWN_AT_ONCE)
        self._waiting = 0
        self.outcomes: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))

    def reading(self) -> Reading:
        """What ``/metrics`` shows of this."""
        return Reading(
            "shopbell_mail_pictures_total",
            "Pictures elsewhere that mails name and this process was asked for, by outcome.",
            lambda: self.outcomes,
            label="outcome",
            counter=True,
        )

    async def fetch(self, url: str) -> Picture | None:
        """The picture at an address, drawn anew; None for whatever is no picture that may be shown.

        An outcome counts as refused when the address leads, or redirects, to where nothing may.
        """
        if self._waiting >= MOST_WAITING:
            self.outcomes["missing"] += 1
            return None
        self._waiting += 1
        try:
            async with self._fetching:
                content = await self._fetched(url)
                # In here, so that few of them are in memory while they wait to be drawn.
                async with self._drawing:
                    picture = await drawn_picture(self._store, content)
        except _NoPicture as error:
            self.outcomes["refused" if error.refused else "missing"] += 1
            log.info("a picture of a mail is not shown", reason=str(error))
            return None
        except AppError as error:
            self.outcomes["missing"] += 1
            log.info("a picture of a mail is not shown", reason=error.details.get("reason"))
            return None
        finally:
            self._waiting -= 1
        self.outcomes["shown"] += 1
        return picture

    async def _fetched(self, url: str) -> bytes:
        """The bytes at an address, wherever it redirects to. Raises _NoPicture."""
        limit_s = self._limits.limit_s
        try:
            async with (
                asyncio.timeout(limit_s),
                open_session(
                    total_s=limit_s, inside=self._inside, look_up=self._look_up
                ) as session,
            ):
                for _ in range(MOST_REDIRECTS + 1):
                    found = await self._asked(session, url)
                    if isinstance(found, bytes):
                        return found
                    url = found
        except TimeoutError:
            raise _NoPicture("timeout") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
            inside = isinstance(cause, ForbiddenAddressError)
            raise _NoPicture("inside" if inside else "unreachable", refused=inside) from None
        raise _NoPicture("redirects")

    async def _asked(self, session: aiohttp.ClientSession, url: str) -> bytes | str:
        """What stands at one address: bytes, or the next address. Raises _NoPicture and others."""
        try:
            url = checked_url(url.partition("#")[0], inside=self._inside, plain=True)
            check_host(url, inside=self._inside)
        except (AppError, OSError):
            raise _NoPicture("address", refused=True) from None
        async with session.get(
            url, headers={"Accept": "image/*"}, allow_redirects=False
        ) as response:
            if response.status in (301, 302, 303, 307, 308):
                return urljoin(url, response.headers.get("Location", ""))
            if response.status != 200:
                raise _NoPicture("status")
            return await self._body(response)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        most, found = self._limits.most_bytes, bytearray()
        if (response.content_length or 0) > most:
            raise _NoPicture("too_large")
        async for portion in response.content.iter_chunked(_PORTION):
            found += portion
            if len(found) > most:
                raise _NoPicture("too_large")
        return bytes(found)
