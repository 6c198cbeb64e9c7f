"""Timed work of rules: what has happened since, what time has come for, what was put off.

Every process looks; what a rule is asked, it is asked once, in a transaction that holds the place
of this reader in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from server.actions import automation
from server.actions.automation import Ask, Attempt
from server.domain.errors import AppError, Unavailable
from server.jobs.log_end import begin_reading, log_end
from server.storage import log_readers, rules
from server.storage.database import Database
from server.storage.unit import Tx

log = structlog.stdlib.get_logger("shopbell.rules")

AT_ONCE = 100


async def follow(database: Database) -> None:
    """Asks the rules that look at what has happened, one event after the other."""
    while True:
        up_to = await log_end(database, rules.READER)
        found = await database.read(partial(automation.news, up_to=up_to))
        if found is None:
            return
        for event in found.events:
            asked: set[str] = set()
            # A rule sees what those before it have done.
            while (
                ask := await database.read(
                    partial(
                        automation.asked_by,
                        event=event,
                        rules=found.rules,
                        at_ms=database.clock(),
                        but=asked,
                    )
                )
            ) is not None:
                asked.add(ask.rule_id)
                if not await _ask(database, ask):
                    return
        await database.write(partial(log_readers.move_place, reader=rules.READER, seq=found.up_to))


async def watch(database: Database) -> None:
    """Asks the rules about what their time has come for, and does what was put off."""
    await begin_reading(database, rules.READER)
    for ask in await database.read(partial(automation.due, at_ms=database.clock())):
        await _ask(database, ask)
    due = partial(rules.due_runs, at_ms=database.clock(), limit=AT_ONCE)
    for run_id in await database.read(due):
        try:
            await _attempt(database, partial(automation.ask_again, run_id=run_id))
        except Unavailable:
            raise
        except Exception:
            log.exception("a rule that was put off failed", run=run_id)
            await database.write(partial(automation.give_up, run_id=run_id))


async def forget(database: Database) -> None:
    """Removes what rules did long ago from their logs."""
    while await database.write(automation.forget_old) == automation.FORGET_AT_ONCE:
        pass


async def _ask(database: Database, ask: Ask) -> bool:
    """False when another process is at work. A rule that meets a fault does not stop the others."""
    try:
        return await _attempt(database, partial(automation.ask, asked=ask))
    except Unavailable:
        raise
    except Exception:
        log.exception("a rule failed", rule=ask.rule_id, cause=ask.cause)
        await database.write(partial(automation.note_broken, asked=ask))
        return True


async def _attempt(database: Database, job: Callable[..., bool]) -> bool:
    """What a rule's job says; run again without what was refused, until the rest is done."""
    attempt = Attempt()

    def run(tx: Tx) -> bool:
        return job(tx, attempt=attempt)

    while True:
        try:
            return await database.write(run)
        except Unavailable:
            raise
        except AppError as error:
            if attempt.at is None or attempt.at in attempt.failed:
                raise
            attempt.failed[attempt.at] = str(error.details.get("reason") or error.code)
