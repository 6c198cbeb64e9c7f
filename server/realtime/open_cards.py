"""Open customer cards: whoever has one in front of them hears that it is no longer up to date.

What changed is collected for a moment, so that an import of a hundred thousand orders is no more
than a few looks at the few persons whose cards are open here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any  # Any: JSON values

from server.domain.events import Event
from server.news.news import News
from server.realtime.clients import Clients, Place
from server.realtime.engine import Engine
from server.realtime.rooms import AGENT
from server.storage.connection import Connection
from server.storage.customers import CustomerChanged
from server.storage.database import Committed, Database
from server.storage.persons import persons_and_rows

Json = dict[str, Any]  # Any: JSON values
TELL_EVERY_S = 0.2
# More than these, and every open card is taken to have changed.
MAX_CHANGED = 400
_IDS_EACH = 20
# Nouns of events that show on a card; a message alone changes nothing that is shown there.
_NOUNS = frozenset({"order", "customer", "contact", "consent", "rating", "ticket"})
_KINDS = frozenset({"conversation.opened", "conversation.status_changed", "conversation.tagged"})


class OpenCards:
    """Collects the customers who changed, and tells agents whose open conversation is theirs."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        *,
        clients: Clients,
        news: News,
        place_of: Callable[[str], Awaitable[Place | None]],
    ) -> None:
        self._engine = engine
        self._database = database
        self._clients = clients
        self._news = news
        self._place_of = place_of
        self._changed: set[str] = set()
        self._unsaid: set[str] = set()

    async def heed(self, committed: Committed) -> None:
        """Takes in what a commit changed; the log takes events to other processes, not notices."""
        told = {e.customer_id for e in committed.events if e.customer_id and _shows(e)}
        noticed = {n.customer_id for n in committed.notices if isinstance(n, CustomerChanged)}
        self._add(told | noticed)
        if len(self._unsaid) <= MAX_CHANGED:
            self._unsaid |= noticed

    async def hear(self, signal: Json) -> None:
        """Takes in what changed in another process; without ids it may be anybody."""
        ids = signal.get("ids")
        if isinstance(ids, str):
            self._add(ids.split()[:_IDS_EACH])
        else:
            self._changed = {""} if len(self._changed) > MAX_CHANGED else self._changed | {""}

    async def flush(self) -> None:
        """Tells what was collected: other processes which customers, agents whose card is open."""
        unsaid, self._unsaid = sorted(self._unsaid), set()
        if len(unsaid) > MAX_CHANGED:
            self._news.signal("cards")
        else:
            for start in range(0, len(unsaid), _IDS_EACH):
                self._news.signal("cards", ids=" ".join(unsaid[start : start + _IDS_EACH]))
        changed, self._changed = self._changed, set()
        if changed:
            await self._tell(changed)

    def _add(self, customer_ids: Iterable[str]) -> None:
        if len(self._changed) <= MAX_CHANGED:
            self._changed |= set(customer_ids)

    async def _tell(self, changed: AbstractSet[str]) -> None:
        beside: dict[str, list[str]] = {}
        for client in self._clients.agents():
            for conversation_id in client.viewing:
                place = await self._place_of(conversation_id)
                if place is not None:
                    beside.setdefault(place.customer_id, []).append(client.sid)
        if not beside:
            return

        def look(connection: Connection) -> dict[str, tuple[str, ...]]:
            return persons_and_rows(connection, list(beside))

        anybody = "" in changed or len(changed) > MAX_CHANGED
        rows_of = await self._database.read(look)
        for customer_id, sids in beside.items():
            rows = rows_of.get(customer_id, (customer_id,))
            if anybody or not changed.isdisjoint(rows):
                data = {"customer_id": rows[0], "customer_ids": list(rows)}
                for sid in dict.fromkeys(sids):
                    await self._engine.emit(
                        "signal",
                        {"kind": "card.changed", "data": data},
                        to=sid,
                        namespace=AGENT,
                    )


def _shows(event: Event) -> bool:
    return event.kind.partition(".")[0] in _NOUNS or event.kind in _KINDS
