"""Sends events to the receivers of webhooks: a durable reader of the log.

What happened is queued in the transaction that notes how far the log was read, so a crash at any
moment loses nothing. Every process may queue and send; a receiver is served by one process at a
time, which holds it for a few seconds and says so in the database. Delivery is at least once: a
crash between an answer and its record repeats the attempt, under the same ``webhook-id``.
Order: as it happened, as long as the receiver takes everything at the first attempt; what is tried
again comes later than what did not have to be.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter

import aiohttp
import structlog

from server.actions import webhooks as actions
from server.channels.outbound import Lookup, look_up, open_session
from server.channels.webhook_turn import ATTEMPT_S, LEASE_MS, Turn
from server.domain.errors import Unavailable
from server.domain.webhooks import OUTCOMES, STATES
from server.stats import Reading
from server.storage import webhooks
from server.storage.database import Committed, Database
from server.storage.event_log import settled_seq
from server.storage.webhooks import Backlog
from server.tasks import ended

log = structlog.stdlib.get_logger("shopbell.webhooks")

POLL_S = 1.0
# What is committed in such a moment is queued together.
GATHER_S = 0.05
# How many receivers a process serves at a time. A dead one takes a place for ten seconds and then
# rests for longer and longer.
TURNS = 16
LOOK_AT_BACKLOG_S = 10.0
# At the end of the process: for attempts under way to come to theirs.
FINISH_S = 3.0


class WebhookOut:
    """Queues what happened for the receivers that want it, and sends what is due."""

    def __init__(
        self,
        database: Database,
        *,
        inside: bool = False,
        look_up: Lookup = look_up,
        attempt_s: float = ATTEMPT_S,
        poll_s: float = POLL_S,
    ) -> None:
        """``inside`` lets receivers be on private networks; an attempt takes ``attempt_s``."""
        self._database = database
        self._inside = inside
        self._look_up = look_up
        self._attempt_s = attempt_s
        self._poll_s = poll_s
        self._lease = secrets.token_hex(8)
        self._wake = asyncio.Event()
        self._turns: dict[asyncio.Task[None], Turn] = {}
        self._wanted = False
        self._looked_at_s = -LOOK_AT_BACKLOG_S
        self.attempts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self.backlog = Backlog(0, None, {})

    async def heard(self, _committed: Committed) -> None:
        """A reader of the bus: something was committed; the log says what."""
        if self._wanted:
            self._wake.set()

    def readings(self) -> tuple[Reading, ...]:
        """What ``/metrics`` shows of this."""
        return (
            Reading(
                "shopbell_webhook_attempts_total",
                "Attempts of this process to deliver to receivers of webhooks, by outcome.",
                lambda: self.attempts,
                label="outcome",
                counter=True,
            ),
            Reading(
                "shopbell_webhook_deliveries_pending",
                "Deliveries that wait for receivers that are switched on.",
                lambda: self.backlog.pending,
            ),
            Reading(
                "shopbell_webhook_oldest_pending_seconds",
                "Age of the oldest delivery that waits; 0 when none does.",
                self._oldest_s,
            ),
            Reading(
                "shopbell_webhook_receivers",
                "Receivers of webhooks by state.",
                lambda: {state: self.backlog.states.get(state, 0) for state in STATES},
                label="state",
            ),
        )

    async def run(self) -> None:
        """Runs until cancelled; what it held is given back then."""
        async with open_session(
            total_s=self._attempt_s, inside=self._inside, look_up=self._look_up
        ) as session:
            try:
                await self._guarded_start()
                while True:
                    await self._guarded_step(session)
                    await self._rest()
            finally:
                await self._finish()

    async def _finish(self) -> None:
        """Lets what is being sent come to its end, for a moment."""
        for turn in self._turns.values():
            turn.stop()
        serving = list(self._turns)
        if serving:
            await asyncio.wait(serving, timeout=FINISH_S)
        await ended(serving)

    async def _guarded_start(self) -> None:
        if not self._database.is_sqlite:
            return
        try:  # there is one process, so whoever held a receiver is dead
            await self._database.write(webhooks.end_all_turns)
        except Unavailable:
            log.warning("webhooks wait for the database")

    async def _guarded_step(self, session: aiohttp.ClientSession) -> None:
        try:
            await self._step(session)
        except Unavailable:
            log.warning("webhooks wait for the database")
        except Exception:
            log.exception("a step of the webhooks failed")

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._wake.wait()
            await asyncio.sleep(GATHER_S)
        except TimeoutError:
            pass  # nobody woke it: it looks all the same
        self._wake.clear()

    async def _step(self, session: aiohttp.ClientSession) -> None:
        self._wanted = bool(await self._database.read(webhooks.active_webhooks))
        await self._look_at_backlog()
        if not self._wanted:
            return
        await self._queue()
        at_ms = self._database.clock()
        free = TURNS - len(self._turns)
        if free > 0 and await self._database.read(lambda c: webhooks.anything_due(c, at_ms)):
            found = await self._database.write(
                lambda tx: webhooks.take_turns(tx, lease=self._lease, lease_ms=LEASE_MS, limit=free)
            )
            for webhook in found:
                turn = Turn(
                    self._database,
                    session,
                    webhook.id,
                    lease=self._lease,
                    attempt_s=self._attempt_s,
                    inside=self._inside,
                    attempts=self.attempts,
                )
                task = asyncio.create_task(turn.run())
                self._turns[task] = turn
                task.add_done_callback(self._served)

    async def _queue(self) -> None:
        """Queues what the log has that is settled, page by page."""
        while True:
            # Before the look at the rows begins, or it could be older than this.
            up_to = await self._database.read(settled_seq)
            if up_to <= await self._database.read(webhooks.place):
                return
            queued = await self._database.write(
                lambda tx, up_to=up_to: actions.queue_events(tx, up_to=up_to)  # type: ignore[misc]  # bound default
            )
            if queued is None or queued < actions.PAGE:
                return

    def _served(self, task: asyncio.Task[None]) -> None:
        """Its place is free, and more may have become due for its receiver."""
        del self._turns[task]
        self._wake.set()

    async def _look_at_backlog(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_at_s >= LOOK_AT_BACKLOG_S:
            self._looked_at_s = now_s
            self.backlog = await self._database.read(webhooks.backlog)

    def _oldest_s(self) -> float:
        oldest = self.backlog.oldest_at_ms
        return 0.0 if oldest is None else max(0, self._database.clock() - oldest) / 1000
