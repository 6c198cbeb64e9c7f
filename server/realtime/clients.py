"""Who is connected to this process, and where the signals of a conversation go."""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any  # Any: JSON values

from server.domain.actors import Actor
from server.realtime.limits import Pace
from server.realtime.rooms import AGENT, VISITOR
from server.storage.views import sees

Json = dict[str, Any]  # Any: JSON values
MOST_PLACES = 20_000


@dataclass(slots=True)
class Client:
    """A connected socket of one namespace."""

    sid: str
    eio_sid: str
    namespace: str
    actor: Actor
    pace: Pace
    credential: str | None = None
    by_cookie: bool = False
    address: str | None = None
    viewing: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation's signals go."""

    customer_id: str
    team_id: str | None
    assignee_id: str | None

    def seen_by(self, actor: Actor) -> bool:
        """True when the actor may see the conversation."""
        if actor.kind == "customer":
            return actor.is_shopper(self.customer_id)
        return sees(actor, self.team_id, self.assignee_id)


class Clients:
    """The sockets of this process, by socket and by shopper; lost and built up again at will.

    ``gone_at_s`` says when (monotonic) a shopper's last socket went, until it is back or counted
    as having left.
    """

    def __init__(self) -> None:
        self.by_sid: dict[str, Client] = {}
        self.gone_at_s: dict[str, float] = {}
        self._shoppers: dict[str, set[str]] = {}
        self._places: dict[str, Place] = {}

    def add(self, client: Client) -> None:
        """Takes in a socket; its shopper is back."""
        self.by_sid[client.sid] = client
        if client.namespace == VISITOR and client.actor.id is not None:
            for row in _rows(client.actor):
                self._shoppers.setdefault(row, set()).add(client.sid)
                self.gone_at_s.pop(row, None)

    def remove(self, sid: str) -> Client | None:
        """The socket that is gone now, None when it was not here."""
        client = self.by_sid.pop(sid, None)
        if client is not None and client.namespace == VISITOR and client.actor.id is not None:
            for row in _rows(client.actor):
                sids = self._shoppers.get(row, set())
                sids.discard(sid)
                if not sids:
                    self._shoppers.pop(row, None)
                    self.gone_at_s[row] = time.monotonic()
        return client

    def agents(self) -> list[Client]:
        """The sockets of people of the shop."""
        return [client for client in self.by_sid.values() if client.namespace == AGENT]

    def shoppers(self) -> AbstractSet[str]:
        """Ids of the shoppers who are connected here."""
        return self._shoppers.keys()

    def sids_of(self, customer_id: str) -> list[str]:
        """The sockets of a shopper."""
        return list(self._shoppers.get(customer_id, ()))

    def viewers(self, conversation_id: str) -> list[Json]:
        """Who has the conversation in front of them: id and name."""
        viewers = {
            client.actor.id: client.actor.name
            for client in self.by_sid.values()
            if conversation_id in client.viewing
        }
        return [{"id": agent_id, "name": name} for agent_id, name in viewers.items()]

    def place(self, conversation_id: str) -> Place | None:
        """Where the conversation's signals go, None when it is not known here."""
        return self._places.get(conversation_id)

    def remember(self, conversation_id: str, place: Place) -> None:
        """Notes where the conversation's signals go; forgets all when there are too many."""
        if len(self._places) > MOST_PLACES:
            self._places.clear()
        self._places[conversation_id] = place


def _rows(actor: Actor) -> list[str]:
    """The customer rows that a shopper's socket speaks for."""
    return [actor.id or "", *sorted(actor.also)]
