"""Who is connected to this process, kept where the other processes see it."""

from __future__ import annotations

import asyncio
import time

from server.news.news import News
from server.realtime.clients import Clients, Json
from server.storage import processes
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.processes import Here

BEAT_S = 4.0
RELEASE_LIMIT_S = 2.0


class Roll:
    """The page of one process; with SQLite there is no other to read it, and it stays empty.

    ``keep`` must be called about once a second. Who comes and goes in between costs nothing.
    """

    def __init__(self, database: Database, clients: Clients, news: News) -> None:
        self.process_id = news.process_id
        self._shared = not database.is_sqlite
        self._database = database
        self._clients = clients
        self._news = news
        self._written = Here()
        self._written_at_s = -BEAT_S
        self._gate = asyncio.Lock()

    async def keep(self) -> None:
        """Writes who came and went, and tells the others whose viewing changed."""
        if not self._shared:
            return
        async with self._gate:
            now, before = self._here(), self._written
            now_s = time.monotonic()
            if now == before and now_s - self._written_at_s < BEAT_S:
                return
            await self._database.write(
                lambda tx: processes.keep(tx, self.process_id, now=now, before=before)
            )
            self._written, self._written_at_s = now, now_s
        for conversation_id in sorted({key for key, _ in now.viewing ^ before.viewing}):
            self._news.signal("viewing", conversation_id=conversation_id)

    async def release(self) -> None:
        """Hands over what this process knows, at its end. Raises Unavailable, TimeoutError."""
        if self._shared:
            async with asyncio.timeout(RELEASE_LIMIT_S):
                await self.keep()
                await self._database.write(lambda tx: processes.release(tx, self.process_id))
            self._news.signal("gone")

    async def take_over(self) -> set[str]:
        """Takes over from processes that have died; the conversations that agents looked at there.

        Their shoppers are counted as left unless they come back or are connected elsewhere.
        """
        if not self._shared:
            return set()
        found = await self._database.write(processes.bury)
        now_s, now_ms = time.monotonic(), self._database.clock()
        here = self._clients.shoppers()
        for customer_id, gone_at_ms in found.shoppers.items():
            if customer_id not in here:
                away_s = 0.0 if gone_at_ms is None else max(0, now_ms - gone_at_ms) / 1000
                self._clients.gone_at_s.setdefault(customer_id, now_s - away_s)
        conversations = {conversation_id for conversation_id, _ in found.viewing}
        for conversation_id in sorted(conversations):
            self._news.signal("viewing", conversation_id=conversation_id)
        return conversations

    async def viewers(self, conversation_id: str) -> list[Json]:
        """Who has the conversation in front of them, here and elsewhere: id and name."""
        others: dict[str, str] = {}
        if self._shared:
            at_ms = self._database.clock()
            others = await self._database.read(
                lambda c: processes.viewers(c, conversation_id, but=self.process_id, at_ms=at_ms)
            )
        found = self._clients.viewers(conversation_id)
        here = {viewer["id"] for viewer in found}
        return found + [
            {"id": key, "name": name} for key, name in others.items() if key not in here
        ]

    def is_elsewhere(self, connection: Connection, customer_id: str, *, at_ms: int) -> bool:
        """True when the shopper is connected to another process."""
        return self._shared and processes.is_elsewhere(
            connection, customer_id, but=self.process_id, at_ms=at_ms
        )

    def _here(self) -> Here:
        now_s, now_ms = time.monotonic(), self._database.clock()
        shoppers: dict[str, int | None] = dict.fromkeys(self._clients.shoppers())
        for customer_id, gone_at_s in self._clients.gone_at_s.items():
            before_ms = self._written.shoppers.get(customer_id)
            # As written, or the same instant would be another millisecond at each look.
            shoppers[customer_id] = before_ms or now_ms - int((now_s - gone_at_s) * 1000)
        viewing = frozenset(
            (conversation_id, client.actor.id or "")
            for client in self._clients.agents()
            for conversation_id in client.viewing
        )
        return Here(shoppers, viewing)
