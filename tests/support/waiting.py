"""Waiting for a condition with a limit: the only place in the tests that sleeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

POLL_S = 0.02
# What comes costs no more for a long limit; a machine with ten others at work takes ten times as
# long for everything.
LIMIT_S = 60.0


def wait_until(condition: Callable[[], T], limit_s: float = LIMIT_S, what: str = "") -> T:
    """The first true answer of ``condition``. Raises AssertionError when none comes in time."""
    end = time.monotonic() + limit_s
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > end:
            raise AssertionError(_told(what, limit_s, answer))
        time.sleep(POLL_S)


@overload
async def wait_until_async(
    condition: Callable[[], Awaitable[T]], limit_s: float = ..., what: str = ...
) -> T: ...


@overload
async def wait_until_async(
    condition: Callable[[], T], limit_s: float = ..., what: str = ...
) -> T: ...


async def wait_until_async(
    condition: Callable[[], object], limit_s: float = LIMIT_S, what: str = ""
) -> object:
    """Like wait_until, for a test with an event loop; the condition may be a coroutine."""
    end = time.monotonic() + limit_s
    while True:
        answer = condition()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(_told(what, limit_s, answer))
        await asyncio.sleep(POLL_S)


def _told(what: str, limit_s: float, answer: object) -> str:
    return f"{what or 'the condition'} did not come within {limit_s:g} s; last answer: {answer!r}"


async def let_time_pass(seconds: float) -> None:
    """A pause where time itself is the stimulus: a random moment to kill, a client's back-off.

    Never to wait for something: that is what wait_until_async is for.
    """
    await asyncio.sleep(seconds)
