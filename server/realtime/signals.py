"""Signals: what is never stored, to those who may know. Typing, viewing, presence, read marks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from server.actions import messages, presence
from server.actions.access import read_conversation
from server.actions.payload import Payload
from server.actions.sign_in import SignedOut
from server.domain.actors import Actor
from server.domain.events import AgentPresenceChanged, Event
from server.realtime.clients import Client, Clients, Json, Place
from server.realtime.engine import Engine
from server.realtime.rooms import AGENT, STAFF, VISITOR, VISITORS, customer_room, staff_rooms
from server.realtime.wire import SetTyping, SetViewing
from server.storage import conversations, people
from server.storage.connection import Connection
from server.storage.database import Committed, Database

TYPING_TTL_MS = 5000


class Signals:
    """Sends signals to rooms; ``on_signed_out`` is called when somebody's sign-in has ended."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        clients: Clients,
        on_signed_out: Callable[[], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._database = database
        self._clients = clients
        self._on_signed_out = on_signed_out

    async def signal(
        self,
        kind: str,
        data: Json,
        namespace: str,
        rooms: str | list[str],
        *,
        skip: str | None = None,
    ) -> None:
        """Sends a signal to rooms of a namespace, ``skip`` left out."""
        await self._engine.emit(
            "signal", {"kind": kind, "data": data}, room=rooms, namespace=namespace, skip_sid=skip
        )

    async def signal_from(self, client: Client, payload: Payload) -> None:
        """Passes on what a client signals. Raises NotFound for what it may not see."""
        if isinstance(payload, SetTyping):
            place = await self._place_for(client, payload.conversation_id)
            data = {
                "conversation_id": payload.conversation_id,
                "actor": _who(client.actor),
                "typing": payload.typing,
                "ttl_ms": TYPING_TTL_MS,
            }
            if client.namespace == AGENT:
                await self.signal("typing.changed", data, VISITOR, customer_room(place.customer_id))
            staff = staff_rooms(place.team_id, place.assignee_id)
            await self.signal("typing.changed", data, AGENT, staff, skip=client.sid)
        elif isinstance(payload, SetViewing):
            await self._place_for(client, payload.conversation_id)
            await self.viewing(client, payload.conversation_id, viewing=payload.viewing)

    async def viewing(self, client: Client, conversation_id: str, *, viewing: bool) -> None:
        """Notes and tells whether an agent has the conversation in front of them."""
        if viewing:
            client.viewing.add(conversation_id)
        else:
            client.viewing.discard(conversation_id)
        place = self._clients.place(conversation_id)
        if place is None:
            return
        data = {
            "conversation_id": conversation_id,
            "agents": self._clients.viewers(conversation_id),
        }
        staff = staff_rooms(place.team_id, place.assignee_id)
        await self.signal("viewing.changed", data, AGENT, staff)

    async def _place_for(self, client: Client, conversation_id: str) -> Place:
        """Where the conversation's signals go, once it is sure that the client may see it."""
        place = self._clients.place(conversation_id)
        if place is not None and place.seen_by(client.actor):
            return place
        found = await self._database.read(
            lambda c: read_conversation(c, client.actor, conversation_id)
        )
        place = Place(found.customer_id, found.team_id, found.assignee_id)
        self._clients.remember(conversation_id, place)
        return place

    async def tell(self, committed: Committed) -> None:
        """Sends the signals of a commit; to be called once its events have been told."""
        for notice in committed.notices:
            if isinstance(notice, messages.ReadNotice):
                await self._tell_read(notice)
            elif isinstance(notice, presence.PresenceNotice):
                await self._tell_presence(notice.agent_id)
            elif isinstance(notice, SignedOut):
                await self._on_signed_out()
        events = [event for event in committed.events if not event.imported]
        told = {n.agent_id for n in committed.notices if isinstance(n, presence.PresenceNotice)}
        for event in events:
            if isinstance(event.data, AgentPresenceChanged) and event.actor_id not in told:
                await self._tell_presence(event.actor_id or "")
        changed = {e.actor_id for e in events if e.kind.startswith("assignment.")}
        if changed or any(e.kind == "conversation.status_changed" for e in events):
            await self._tell_loads(events)

    async def _tell_read(self, notice: messages.ReadNotice) -> None:
        data = {
            "conversation_id": notice.conversation_id,
            "reader": {
                "kind": notice.reader_kind,
                "id": notice.reader_id,
                "name": notice.reader_name,
            },
            "message_id": notice.message_id,
            "at_ms": notice.at_ms,
        }
        place = self._clients.place(notice.conversation_id)
        if place is None:
            ids = [notice.conversation_id]
            found = await self._database.read(lambda c: conversations.by_ids(c, ids))
            c = found[notice.conversation_id].conversation
            place = Place(c.customer_id, c.team_id, c.assignee_id)
            self._clients.remember(notice.conversation_id, place)
        staff = staff_rooms(place.team_id, place.assignee_id)
        await self.signal("message.read", data, AGENT, staff)
        await self.signal("message.read", data, VISITOR, customer_room(notice.customer_id))

    async def _tell_presence(self, agent_id: str) -> None:
        def look(connection: Connection) -> tuple[people.Person | None, int]:
            staff = people.load_people(connection)
            person = next((p for p in staff if p.id == agent_id), None)
            return person, sum(1 for p in staff if p.status == "online")

        person, online = await self._database.read(look)
        if person is not None:
            await self.signal("presence.changed", {"agent": _presence(person)}, AGENT, STAFF)
        await self._engine.emit(
            "signal",
            {"kind": "presence.changed", "data": {"agents_online": online}},
            room=VISITORS,
            namespace=VISITOR,
        )

    async def _tell_loads(self, events: list[Event]) -> None:
        """Agents whose number of conversations changed, to the colleagues."""
        ids = {e.actor_id for e in events if e.actor_kind == "agent"}
        for event in events:
            ids |= {getattr(event.data, "to", None), getattr(event.data, "from_", None)}
            place = self._clients.place(event.conversation_id or "")
            ids.add(place.assignee_id if place else None)
        staff = await self._database.read(people.load_people)
        for person in staff:
            if person.id in ids:
                await self.signal("presence.changed", {"agent": _presence(person)}, AGENT, STAFF)


def _who(actor: Actor) -> Json:
    return {"kind": actor.kind, "id": actor.id, "name": actor.name}


def _presence(person: people.Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "status": person.status,
        "capacity": person.capacity,
        "load": person.load,
    }
