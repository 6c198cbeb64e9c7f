"""Shoppers who connect are welcomed together: after a restart they all come at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from server.actions import desk
from server.bus import Bus
from server.domain.errors import AppError
from server.realtime.clients import Client, Clients, Json
from server.realtime.engine import Engine
from server.realtime.rooms import VISITORS, customer_room
from server.storage.database import Database

log = structlog.stdlib.get_logger("shopbell.realtime")

# So many share one look at the database; events wait meanwhile.
TOGETHER = 100
Welcome = Callable[[Client, Json, list[str]], Awaitable[None]]
Returned = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Shopper:
    """One who waits for the welcome, and the token that goes with it."""

    client: Client
    customer_id: str
    visitor_token: str


class Arrivals:
    """Calls ``welcome`` for each shopper, then ``returned`` for those who had left.

    All between two commits, so that the heads that are told fit the events that follow. A socket
    that cannot be welcomed is closed, it would wait for ever; its client tries again.
    """

    def __init__(
        self,
        engine: Engine,
        database: Database,
        bus: Bus,
        *,
        clients: Clients,
        welcome: Welcome,
        returned: Returned,
    ) -> None:
        self._engine = engine
        self._database = database
        self._bus = bus
        self._clients = clients
        self._welcome = welcome
        self._returned = returned
        self._waiting: list[_Shopper] = []

    def add(self, client: Client, customer_id: str, visitor_token: str) -> None:
        """Lets a shopper wait for the welcome."""
        if not self._waiting:
            self._bus.in_turn(self._let_in)
        self._waiting.append(_Shopper(client, customer_id, visitor_token))

    async def _let_in(self) -> None:
        shoppers, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        if self._waiting:
            self._bus.in_turn(self._let_in)
        here = [s for s in shoppers if s.client.sid in self._clients.by_sid]
        try:
            await self._let_in_together(here)
        except AppError as error:
            log.warning("shoppers could not be welcomed", code=error.code, shoppers=len(here))
            await self._turn_away(here)
        except BaseException:
            await self._turn_away(here)
            raise

    async def _let_in_together(self, shoppers: Sequence[_Shopper]) -> None:
        at_ms = self._database.clock()
        ids = [shopper.customer_id for shopper in shoppers]
        found = await self._database.read(lambda c: desk.arrivals(c, ids, at_ms=at_ms))
        left = {}
        for shopper in shoppers:
            arrival = found.get(shopper.customer_id)
            if arrival is None:
                await self._turn_away([shopper])
                continue
            client, welcome = shopper.client, arrival.welcome
            client.actor = replace(client.actor, name=welcome["customer"]["name"])
            rows = (shopper.customer_id, *sorted(client.actor.also))
            rooms = [VISITORS, *(customer_room(row) for row in rows)]
            await self._welcome(client, welcome | {"visitor_token": shopper.visitor_token}, rooms)
            if arrival.left:
                left[shopper.customer_id] = shopper
        await asyncio.gather(*(self._take_back(shopper) for shopper in left.values()))

    async def _take_back(self, shopper: _Shopper) -> None:
        try:
            await self._returned(shopper.customer_id)
        except AppError as error:
            log.warning("a shopper's return could not be noted", code=error.code)
            await self._turn_away([shopper])

    async def _turn_away(self, shoppers: Sequence[_Shopper]) -> None:
        for shopper in shoppers:
            await self._engine.hang_up(shopper.client.eio_sid)
