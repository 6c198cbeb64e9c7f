"""Takes over what shops have told, after they were answered.

What came waits in the database, so a crash loses nothing; every process may take it over. A source
is served by one process at a time, and deliveries in the order in which they came as long as each
works at its first attempt. What is told twice or late changes nothing, so nothing depends on it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from server.actions import deliveries as actions
from server.domain.errors import InvalidInput, Unavailable
from server.domain.hooks import STATUSES
from server.domain.periods import zone
from server.domain.shop_told import Told
from server.shops import generic, shopify, woocommerce
from server.shops.values import Shop
from server.stats import Reading
from server.storage import deliveries
from server.storage.connection import Connection
from server.storage.database import Committed, Database
from server.storage.deliveries import Delivery, DeliveryStored
from server.storage.shop import load_shop
from server.storage.shop_sources import load_sources

log = structlog.stdlib.get_logger("shopbell.shops")

POLL_S = 1.0
PAGE = 64
# How many are handed to the writer together: they share a commit, and chats behind them wait for
# a few milliseconds at most.
AT_ONCE = 4

Read = Callable[[str, Mapping[str, str], bytes, Shop], Told]
READERS: Mapping[str, Read] = {
    "shopify": shopify.read,
    "woocommerce": woocommerce.read,
    "generic": generic.read,
}
"""How the deliveries of each kind of source are read."""


@dataclass(frozen=True, slots=True)
class Work:
    """Deliveries that are due, and what reading them needs to know."""

    due: tuple[Delivery, ...]
    kinds: Mapping[str, str]
    currency: str
    timezone: str

    def told(self, delivery: Delivery) -> Told:
        """What a delivery says. Raises InvalidInput when it cannot be read."""
        kind = self.kinds.get(delivery.source)
        if kind is None or kind not in READERS:
            return Told(nothing="removed")
        at_ms = delivery.triggered_at_ms or delivery.received_at_ms
        shop = Shop(self.currency, zone(self.timezone), at_ms)
        return READERS[kind](delivery.topic, delivery.headers, delivery.body, shop)


def find_work(connection: Connection, at_ms: int) -> Work:
    """What is to be taken over by now, some at a time."""
    shop = load_shop(connection)
    found = deliveries.due(connection, at_ms=at_ms, limit=PAGE) if shop is not None else []
    kinds = {source.name: source.kind for source in load_sources(connection)} if found else {}
    return Work(
        tuple(found),
        kinds,
        shop.currency if shop else "USD",
        shop.timezone if shop else "UTC",
    )


class ShopWorker:
    """Reads what waits and hands it to the writer."""

    def __init__(self, database: Database, *, poll_s: float = POLL_S) -> None:
        """``poll_s`` is how often it looks for what others have stored."""
        self._database = database
        self._poll_s = poll_s
        self._wake = asyncio.Event()
        self.outcomes: Counter[str] = Counter(dict.fromkeys(STATUSES, 0))

    async def heard(self, committed: Committed) -> None:
        """A reader of the bus: a delivery may have been stored."""
        if any(isinstance(notice, DeliveryStored) for notice in committed.notices):
            self._wake.set()

    def readings(self) -> tuple[Reading, ...]:
        """What ``/metrics`` shows of this."""
        return (
            Reading(
                "shopbell_shop_deliveries_total",
                "Deliveries of shops that this process took over, by what became of them.",
                lambda: self.outcomes,
                label="outcome",
                counter=True,
            ),
        )

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._wake.clear()
            more = False
            try:
                more = await self.step()
            except Unavailable:
                log.warning("deliveries of shops wait for the database")
            except Exception:
                log.exception("taking over deliveries of shops failed")
            if not more:
                await self._rest()

    async def step(self) -> bool:
        """Takes over what is due, some at a time; whether there may be more."""
        at_ms = self._database.clock()
        work = await self._database.read(lambda c: find_work(c, at_ms))
        for start in range(0, len(work.due), AT_ONCE):
            await asyncio.gather(
                *(self._take_over(work, one) for one in work.due[start : start + AT_ONCE])
            )
        return len(work.due) == PAGE

    async def _take_over(self, work: Work, delivery: Delivery) -> None:
        try:
            told = work.told(delivery)
            status = await self._database.write(lambda tx: actions.take_over(tx, delivery.id, told))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # one bad delivery must not stop the others
            reason, permanent = _failed(delivery, error)
            status = await self._database.write(
                lambda tx: actions.fail(tx, delivery.id, reason, permanent=permanent)
            )
        self.outcomes[status] += 1

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._wake.wait()
        except TimeoutError:
            pass  # nobody woke it: it looks all the same


def work_off(database: Database) -> int:
    """Takes over all that is due, without an event loop; how many could not be.

    For filling a shop before it is served.
    """
    dead = 0
    while True:
        work = database.read_now(lambda c: find_work(c, database.clock()))
        if not work.due:
            return dead
        dead += _work_off(database, work, work.due)


def _work_off(database: Database, work: Work, due: Sequence[Delivery]) -> int:
    dead = 0
    for delivery in due:
        try:
            told = work.told(delivery)
            database.write_now(
                lambda tx, one=delivery, said=told: actions.take_over(tx, one.id, said)  # type: ignore[misc]  # bound defaults
            )
        except Exception as error:  # noqa: BLE001  # counted for the caller
            reason, _ = _failed(delivery, error)
            database.write_now(
                lambda tx, one=delivery, why=reason: actions.fail(  # type: ignore[misc]  # bound defaults
                    tx, one.id, why, permanent=True
                )
            )
            dead += 1
    return dead


def _failed(delivery: Delivery, error: Exception) -> tuple[str, bool]:
    """What a failure is called and whether it is for good; a bug's stack goes to the log."""
    reason, permanent = actions.reason_of(error)
    if isinstance(error, InvalidInput):
        log.warning(
            "delivery unreadable", source=delivery.source, topic=delivery.topic, reason=reason
        )
    else:
        log.error("delivery failed", source=delivery.source, topic=delivery.topic, exc_info=error)
    return reason, permanent
