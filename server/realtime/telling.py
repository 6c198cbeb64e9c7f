"""Telling: the events of a commit, to those who may know."""

from __future__ import annotations

from server.domain.events import Event
from server.realtime.clients import Clients, Json, Place
from server.realtime.engine import Engine
from server.realtime.rooms import AGENT, STAFF, VISITOR, customer_room, staff_rooms
from server.storage import views
from server.storage.connection import Connection
from server.storage.database import Committed, Database


class Teller:
    """Sends events to rooms."""

    def __init__(self, engine: Engine, database: Database, clients: Clients) -> None:
        self._engine = engine
        self._database = database
        self._clients = clients

    async def tell(self, committed: Committed) -> None:
        """Sends the events of a commit to everybody who may see them, in order."""
        talk = [
            event
            for event in committed.events
            if event.conversation_id is not None and not event.imported
        ]
        if talk:
            await self._tell_events(talk)

    async def _tell_events(self, events: list[Event]) -> None:
        listening = self._clients.shoppers() & {event.customer_id for event in events}
        public = [e for e in events if e.visitor_seq is not None and e.customer_id in listening]

        def look(connection: Connection) -> tuple[list[Json], list[Json]]:
            staff = views.envelopes(connection, events, audience="agent", state=True)
            return staff, views.envelopes(connection, public, audience="visitor")

        staff, shopper = await self._database.read(look)
        by_seq = {envelope["seq"]: envelope for envelope in shopper}
        for event, envelope in zip(events, staff, strict=True):
            state = envelope.get("state")
            rooms: list[str] = [STAFF]
            if state is not None and event.conversation_id is not None:
                place = Place(state["customer"]["id"], state["team_id"], state["assignee_id"])
                before = self._clients.place(event.conversation_id) or place
                self._clients.remember(event.conversation_id, place)
                # Those who lose sight of it hear why.
                rooms = [
                    *staff_rooms(place.team_id, place.assignee_id),
                    *staff_rooms(before.team_id, before.assignee_id),
                ]
            await self._engine.emit(
                "event", envelope, room=list(dict.fromkeys(rooms)), namespace=AGENT
            )
            if event.seq in by_seq:
                room = customer_room(event.customer_id or "")
                await self._engine.emit("event", by_seq[event.seq], room=room, namespace=VISITOR)
