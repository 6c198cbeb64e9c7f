"""The loop that looks for what has become due; rows say what is, so a restart loses nothing.

Every process runs it. Each takes rows that no other has taken, so nothing is done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from server.actions import conversations as conversation_actions
from server.actions import presence, ticket_jobs, webhooks
from server.domain.errors import Unavailable
from server.jobs import automation, care, identity, notices, offers, retention, targets
from server.jobs.figures import keep_figures
from server.jobs.profiles import flip_stages, rescore
from server.jobs.segment_columns import keep_segments
from server.jobs.segment_counts import count_segments
from server.storage import conversations, portal
from server.storage.database import Database
from server.storage.kept_answers import forget_kept

log = structlog.stdlib.get_logger("shopbell.jobs")

Job = Callable[[Database], Awaitable[None]]


async def wake_snoozed(database: Database) -> None:
    """Brings back the conversations whose snooze is over."""
    at_ms = database.clock()
    if await database.read(lambda c: conversations.due_snoozes(c, at_ms=at_ms, limit=1)):
        while await database.write(conversation_actions.wake_due) == conversation_actions.AT_ONCE:
            pass


async def wake_tickets(database: Database) -> None:
    """Brings back the tickets put aside whose time has come."""
    while await database.write(ticket_jobs.wake_due) == ticket_jobs.AT_ONCE:
        pass


async def close_tickets(database: Database) -> None:
    """Takes the steps of automatic closing that are due, where the shop wants them."""
    after: str | None = ""
    while after is not None:
        _, after = await database.write(partial(ticket_jobs.close_due, after=after))


async def end_grace(database: Database) -> None:
    """Takes agents offline whose connection has been gone too long."""
    while await database.write(presence.end_grace) == presence.AT_ONCE:
        pass


async def place_waiting(database: Database) -> None:
    """Gives what waits to agents with room, should two processes have missed each other."""
    if await database.read(conversations.queue_length):
        await database.write(presence.place_waiting)


async def forget_kept_answers(database: Database) -> None:
    """Drops what programs were answered under idempotency keys more than a day ago."""
    await database.write(forget_kept)


async def forget_webhook_deliveries(database: Database) -> None:
    """Removes old deliveries from the log of webhooks."""
    while await database.write(webhooks.forget_old) == webhooks.FORGET_AT_ONCE:
        pass


async def forget_portal(database: Database) -> None:
    """Drops the codes and sign-ins of shoppers whose time is over."""
    await database.write(portal.forget_old)


# (seconds between runs, job)
JOBS: tuple[tuple[float, Job], ...] = (
    (1.0, offers.listen),
    (1.0, targets.follow),
    (1.0, targets.watch),
    (1.0, automation.follow),
    (1.0, notices.follow),
    (10.0, automation.watch),
    (2.0, wake_snoozed),
    (5.0, place_waiting),
    (15.0, end_grace),
    (15.0, wake_tickets),
    (300.0, close_tickets),
    (20.0, offers.work_out_pairs),
    (60.0, rescore),
    (60.0, keep_figures),
    (60.0, keep_segments),
    (300.0, identity.look_over),
    (300.0, flip_stages),
    (300.0, offers.settle),
    (600.0, count_segments),
    (600.0, forget_portal),
    (900.0, forget_webhook_deliveries),
    (3600.0, forget_kept_answers),
    (2.0, care.follow),
    (600.0, care.watch_defects),
    (600.0, care.make_calls),
    (3600.0, automation.forget),
    (3600.0, notices.forget),
    (3600.0, retention.forget_old),
)


async def run_jobs(database: Database) -> None:
    """Runs until cancelled; a job that fails is tried again at its next turn."""
    async with asyncio.TaskGroup() as group:
        for seconds, job in JOBS:
            group.create_task(_every(seconds, job, database))


async def _every(seconds: float, job: Job, database: Database) -> None:
    waits = False
    while True:
        await asyncio.sleep(seconds)
        try:
            await job(database)
        except Unavailable:
            if not waits:  # once an outage is enough, there are many jobs
                log.warning("a job waits for the database", job=job.__name__)
            waits = True
        except Exception:
            log.exception("a job failed", job=job.__name__)
        else:
            waits = False
