"""Passwords are hashed beside the event loop, two at once: a flood cannot take the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from server.domain.errors import Unavailable

THREADS = 2
# Ahead of a request in the queue; each takes 66 ms, so the last waits about two seconds.
MAX_WAITING = 60
P = ParamSpec("P")
T = TypeVar("T")


class Hashing:
    """Owner of the hashing threads."""

    def __init__(self) -> None:
        """Threads start with the first use."""
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing")
        self._waiting = 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of a function that hashes. Raises Unavailable when too many wait."""
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many people sign in right now. Try again in a moment.")
        self._waiting += 1
        try:
            future = self._pool.submit(function, *args, **kwargs)
            return await asyncio.wrap_future(future)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Lets running hashes end and drops the waiting ones."""
        self._pool.shutdown(wait=True, cancel_futures=True)
