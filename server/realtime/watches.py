"""What is looked at again and again: who has left, who is still here, who may still be here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from server.actions import conversations as conversation_actions
from server.actions import presence
from server.actions.payload import ConversationRef
from server.dispatch import run
from server.domain.actors import SYSTEM
from server.domain.errors import Unavailable
from server.realtime.clients import Clients
from server.realtime.engine import Engine
from server.realtime.roll import Roll
from server.realtime.rooms import AGENT, rooms_of
from server.storage import conversations, people, sign_ins, tokens
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.persons import shopper_rows
from server.storage.unit import Tx
from server.tasks import ended

log = structlog.stdlib.get_logger("shopbell.realtime")

HEARTBEAT_S = 30.0
# What was changed without a word to this process (a command of the shell) counts within 2 s.
CHECK_PEOPLE_S = 1.8
LOOK_FOR_LEAVERS_S = 5.0
KEEP_ROLL_S = 1.0


class Watches:
    """The loops behind the sockets; ``left_after_s`` without a widget means a shopper has left."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        clients: Clients,
        roll: Roll,
        *,
        left_after_s: float,
    ) -> None:
        self._engine = engine
        self._database = database
        self._clients = clients
        self._roll = roll
        self._left_after_s = left_after_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Takes up who waited with an open widget before this process, and begins to watch."""
        here = await self._database.read(conversations.waiting_with_widget)
        self._clients.gone_at_s = dict.fromkeys(here, time.monotonic())
        await self._roll.keep()
        self.every(1.0, self._engine.watch)
        self.every(KEEP_ROLL_S, self._roll.keep)
        self.every(min(LOOK_FOR_LEAVERS_S, self._left_after_s / 2), self.notice_leavers)
        self.every(HEARTBEAT_S / 2, self.heartbeat)
        self.every(CHECK_PEOPLE_S, self.check_people)

    async def stop(self) -> None:
        """Ends all loops."""
        await ended(list(self._tasks))

    def every(self, seconds: float, task: Callable[[], Awaitable[object]]) -> None:
        """Runs ``task`` again and again, ``seconds`` apart, whatever becomes of one run."""

        async def loop() -> None:
            while True:
                await asyncio.sleep(seconds)
                try:
                    await task()
                except Unavailable:
                    log.warning("a watch waits for the database")
                except Exception:
                    log.exception("a watch failed")

        running = asyncio.create_task(loop())
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)

    async def returned(self, customer_id: str) -> None:
        """Logs that a shopper who had left is back, in each conversation that was left."""

        def look(connection: Connection) -> list[conversations.Found]:
            rows = shopper_rows(connection, customer_id)
            return [f for row in rows for f in conversations.of_customer(connection, row)]

        found = await self._database.read(look)
        for item in found:
            if not item.conversation.customer_present:
                payload = ConversationRef(conversation_id=item.conversation.id)
                await run(self._database, conversation_actions.customer_returned, SYSTEM, payload)

    async def notice_leavers(self) -> None:
        """Counts as left who has been away for long enough."""
        now_s = time.monotonic()
        since_s = now_s - self._left_after_s
        gone = [key for key, at_s in self._clients.gone_at_s.items() if at_s < since_s]
        for customer_id in gone:
            await self._count_as_left(customer_id)
            # Only now, so that a database that is away is asked again at the next turn.
            if self._clients.gone_at_s.get(customer_id, now_s) < since_s:
                self._clients.gone_at_s.pop(customer_id)

    async def _count_as_left(self, customer_id: str) -> None:
        """Logs it in each open conversation, unless another process has a socket of theirs."""

        def look(connection: Connection) -> list[str]:
            if self._roll.is_elsewhere(connection, customer_id, at_ms=at_ms):
                return []
            found = conversations.of_customer(connection, customer_id)
            return [f.conversation.id for f in found if f.conversation.status == "open"]

        def leave(tx: Tx, conversation_id: str) -> None:
            # Looked at again: they may have come to another process meanwhile.
            if not self._roll.is_elsewhere(tx.connection, customer_id, at_ms=tx.at_ms):
                payload = ConversationRef(conversation_id=conversation_id)
                conversation_actions.customer_left(tx, SYSTEM, payload)

        at_ms = self._database.clock()
        for conversation_id in await self._database.read(look):
            await self._database.write(lambda tx, key=conversation_id: leave(tx, key))  # type: ignore[misc]  # bound default

    async def heartbeat(self) -> None:
        """Notes which agents are connected."""
        here = {c.actor.id for c in self._clients.agents() if c.actor.id}
        await self._database.write(lambda tx: presence.seen(tx, sorted(here)))

    async def check_people(self) -> None:
        """Closes the sockets of people who may no longer be here, and follows changed rights."""
        clients = self._clients.agents()
        if not clients:
            return
        at_ms = self._database.clock()

        cookies = {c.credential for c in clients if c.by_cookie and c.credential}
        held = {c.credential for c in clients if not c.by_cookie and c.credential}

        def look(connection: Connection) -> tuple[dict[str, str], dict[str, people.Person]]:
            # Few queries whatever the number of agents: each one takes the interpreter from the
            # event loop, and two hundred of them every two seconds were felt by every message.
            owners = sign_ins.live_cookies(connection, cookies, at_ms=at_ms)
            owners |= tokens.live_tokens(connection, held, at_ms=at_ms)
            return owners, {person.id: person for person in people.load_people(connection)}

        owners, staff = await self._database.read(look)
        for client in clients:
            person = staff.get(owners.get(client.credential or "", ""))
            if person is None:
                await self._engine.disconnect(client.sid, namespace=AGENT)
            elif person.actor != client.actor:
                for room in set(rooms_of(client.actor)) - set(rooms_of(person.actor)):
                    await self._engine.leave_room(client.sid, room, namespace=AGENT)
                for room in set(rooms_of(person.actor)) - set(rooms_of(client.actor)):
                    await self._engine.enter_room(client.sid, room, namespace=AGENT)
                client.actor = person.actor
