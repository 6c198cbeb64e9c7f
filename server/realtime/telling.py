"""Telling: the events of a commit, to those who may know."""

from __future__ import annotations

import time
from dataclasses import replace

from server.domain.events import Event
from server.domain.ticket import CHANNEL
from server.realtime.clients import Clients, Json, Place
from server.realtime.engine import Engine
from server.realtime.known import Known
from server.realtime.rooms import AGENT, STAFF, VISITOR, customer_room, staff_rooms
from server.storage import people, requests, views
from server.storage.connection import Connection
from server.storage.conversations import Found
from server.storage.database import Committed, Database
from server.storage.views import Facts

LOOK_UP_NAMES_S = 1.0
# A request looks other to its shopper also by these, of which they hear nothing else.
_SILENT = frozenset({"ticket.merged", "sla.applied"})


class Teller:
    """Sends events to rooms; what a commit of this process left behind needs no read."""

    def __init__(self, engine: Engine, database: Database, clients: Clients) -> None:
        self._engine = engine
        self._database = database
        self._clients = clients
        self._known = Known(time.monotonic)

    async def look_up_names(self) -> None:
        """Reads the names of people and teams, which other processes may have changed."""

        def look(connection: Connection) -> tuple[dict[str, str], dict[str, str]]:
            teams = people.load_teams(connection)
            return people.names(connection), {team.id: team.name for team in teams}

        self._known.name_people(*await self._database.read(look))

    async def tell(self, committed: Committed) -> None:
        """Sends the events of a commit to everybody who may see them, in order."""
        self._known.heed(committed)
        talk = [
            event
            for event in committed.events
            if event.conversation_id is not None and not event.imported
        ]
        if talk:
            await self._tell_events(talk, await self._facts(committed, talk))

    async def _facts(self, committed: Committed, events: list[Event]) -> Facts:
        """What is known of the events; the rest is read."""
        known, unknown = self._known.recall(committed, events)
        if not unknown:
            return known
        read = await self._database.read(lambda c: views.facts_of(c, unknown))
        self._known.learn(read)
        return replace(
            read, texts={**known.texts, **read.texts}, found={**known.found, **read.found}
        )

    async def _tell_events(self, events: list[Event], facts: Facts) -> None:
        states = {
            key: views.summary(found, names=facts.names) for key, found in facts.found.items()
        }
        listening = self._clients.shoppers()
        changed: dict[str, None] = {}
        for event in events:
            found = facts.found.get(event.conversation_id or "")
            envelope = views.envelope(event, facts, audience="agent")
            ticket = found is not None and found.conversation.channel == CHANNEL
            if found is not None and not ticket:
                # Only chats stand in the console's lists, which are kept by these.
                envelope["state"] = states[found.conversation.id]
            rooms = [STAFF] if found is None else self._rooms(found)
            await self._engine.emit("event", envelope, room=rooms, namespace=AGENT)
            heard = event.visitor_seq is not None and event.customer_id in listening
            if heard and not ticket:
                await self._tell_shopper(event, views.envelope(event, facts, audience="visitor"))
            elif ticket and event.customer_id in listening and (heard or event.kind in _SILENT):
                changed[event.customer_id or ""] = None
        for customer_id in changed:
            await self._tell_of_requests(customer_id)

    async def _tell_of_requests(self, customer_id: str) -> None:
        """Tells a shopper's widget that something of their requests is other now.

        A widget shows one chat by its events; a request it asks for when the shopper looks.
        """
        owners = {
            client.actor.id or ""
            for sid in self._clients.sids_of(customer_id)
            if (client := self._clients.by_sid.get(sid)) is not None
        }
        if not owners:
            return
        news = await self._database.read(lambda c: requests.news_of(c, sorted(owners)))
        for owner, told in news.items():
            await self._engine.emit(
                "signal",
                {"kind": "request.changed", "data": told},
                room=customer_room(owner),
                namespace=VISITOR,
            )

    async def _tell_shopper(self, event: Event, envelope: Json) -> None:
        room = customer_room(event.customer_id or "")
        await self._engine.emit("event", envelope, room=room, namespace=VISITOR)

    def _rooms(self, found: Found) -> list[str]:
        """Those who may see the conversation, and those who just lost sight of it: to hear why."""
        c = found.conversation
        place = Place(c.customer_id, c.team_id, c.assignee_id)
        before = self._clients.place(c.id)
        rooms = staff_rooms(place.team_id, place.assignee_id)
        if before == place:
            return rooms
        self._clients.remember(c.id, place)
        if before is None:
            return rooms
        return list(dict.fromkeys([*rooms, *staff_rooms(before.team_id, before.assignee_id)]))
