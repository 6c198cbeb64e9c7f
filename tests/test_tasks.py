"""Tasks end when they are told to, and whoever waits for that is not left waiting."""

from __future__ import annotations

import asyncio

from server.tasks import ended


async def test_a_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    lost: list[str] = []
    begun = asyncio.Event()

    async def loop() -> None:
        while True:
            try:
                begun.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append("as a driver does")

    task = asyncio.create_task(loop())
    await begun.wait()
    async with asyncio.timeout(30):
        await ended([task], again_s=0.01)
    assert task.cancelled()
    assert lost


async def test_what_a_task_puts_away_at_its_end_is_waited_for() -> None:
    put_away: list[str] = []
    begun = asyncio.Event()

    async def holds_something() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(put_away.append, "all of it")

    task = asyncio.create_task(holds_something())
    await begun.wait()
    await ended([task])
    assert put_away == ["all of it"]


async def test_a_task_that_has_failed_and_no_task_at_all_are_ends_too() -> None:
    async def fails() -> None:
        raise ValueError

    await ended([asyncio.create_task(fails())])
    await ended([])
