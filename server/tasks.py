"""How tasks that run until they are cancelled are brought to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any  # Any: what a task returns is nobody's matter here

# Longer than any task needs to put away what it holds.
AGAIN_S = 10.0


async def ended(tasks: Collection[asyncio.Task[Any]], *, again_s: float = AGAIN_S) -> None:
    """Cancels tasks and returns when all have ended, however.

    Cancels those that go on after a while once more: ``asyncio.wait_for`` of Python 3.11, which
    drivers use, loses a cancellation that comes in the turn in which what it waits for is ready
    (bpo-37658). A task that loops would then go on for ever, and so would who waits for its end.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=again_s)
    # So that no failure counts as one that nobody has looked at.
    await asyncio.gather(*tasks, return_exceptions=True)
