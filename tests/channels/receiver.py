"""A receiver of webhooks, as somebody else would write it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self  # Any: JSON values

from aiohttp import web

from tests.support.ports import HOST
from tests.support.waiting import LIMIT_S, wait_until_async

Answering = Callable[["Letter"], web.StreamResponse | Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Letter:
    """What one request brought."""

    path: str
    headers: dict[str, str]
    raw: bytes
    request: web.Request

    @property
    def id(self) -> str:
        """The header ``webhook-id``."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        found: dict[str, Any] = json.loads(self.raw)
        return found


class Receiver:
    """Listens on a free port of this machine and keeps every request.

    ``answering`` decides what to answer; 200 with "thanks" at first. ``busiest`` is how many
    requests of one path were there at once, at most.
    """

    def __init__(self, port: int = 0) -> None:
        self.letters: list[Letter] = []
        self.answering: Answering = lambda _: web.Response(text="thanks")
        self.busiest = 0
        self._now: Counter[str] = Counter()
        self._port = port
        self._open: set[asyncio.Task[Any]] = set()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port, reuse_address=True).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._runner.addresses[0][1])

    def url(self, path: str = "/hook") -> str:
        """The address of a path of it."""
        return f"http://{HOST}:{self.port}{path}"

    def at(self, path: str) -> list[Letter]:
        """What came to a path, in order."""
        return [letter for letter in self.letters if letter.path == path]

    async def has(self, count: int, path: str = "/hook", limit_s: float = LIMIT_S) -> list[Letter]:
        """What came to a path, as soon as there are so many."""
        await wait_until_async(
            lambda: len(self.at(path)) >= count, limit_s, f"{count} requests to {path}"
        )
        return self.at(path)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        letter = Letter(
            request.path,
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
            request,
        )
        self.letters.append(letter)
        self._now[letter.path] += 1
        self.busiest = max(self.busiest, self._now[letter.path])
        try:
            answer = self.answering(letter)
            return await answer if isinstance(answer, Awaitable) else answer
        finally:
            self._now[letter.path] -= 1


def status(code: int, **options: Any) -> Answering:  # Any: handed on
    """Answers every request with a status."""
    return lambda _: web.Response(status=code, **options)


async def never(_letter: Letter) -> web.StreamResponse:
    """Takes a request and says nothing, until whoever asked goes away."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
