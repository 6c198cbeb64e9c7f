"""Signals: what is never stored, to those who may know. Typing, viewing, presence, read marks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from server.actions import messages, presence
from server.actions.access import read_conversation
from server.actions.payload import Payload
from server.actions.sign_in import SignedOut
from server.bus import Bus
from server.domain.actors import Actor
from server.domain.errors import Unavailable
from server.domain.events import (
    AgentPresenceChanged,
    ConversationOpened,
    CustomerErased,
    CustomerLeft,
    Event,
)
from server.news.news import News
from server.realtime.clients import Client, Clients, Json, Place
from server.realtime.engine import Engine
from server.realtime.roll import Roll
from server.realtime.rooms import AGENT, STAFF, VISITOR, VISITORS, customer_room, staff_rooms
from server.realtime.watches import Watches
from server.realtime.wire import SetTyping, SetViewing
from server.storage import conversations, customers, people
from server.storage.connection import Connection
from server.storage.database import Committed, Database

TYPING_TTL_MS = 5000
# More that waits to be told than this, and signals of other processes are left out.
MAX_WAITING = 1000
MAX_NAMES = 5000
MAX_ID_CHARS = 64


class Signals:
    """Sends signals to rooms, and by ``news`` to the other processes, which send them to theirs."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        *,
        clients: Clients,
        watches: Watches,
        roll: Roll,
        news: News,
        bus: Bus,
    ) -> None:
        self._engine = engine
        self._database = database
        self._clients = clients
        self._watches = watches
        self._roll = roll
        self._news = news
        self._bus = bus
        self._names: dict[tuple[str, str], str | None] = {}
        self._viewing = asyncio.Lock()
        self._hearers: dict[str, Callable[[Json], Awaitable[None]]] = {
            "typing": self._hear_typing,
            "read": self._hear_read,
            "viewing": self._hear_viewing,
            "presence": self._hear_presence,
            "people": self._hear_people,
            "gone": self._hear_gone,
        }
        news.on_signal = self.hear

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
            who = client.actor
            await self._typing(
                payload.conversation_id, place, who, typing=payload.typing, skip=client.sid
            )
            self._news.signal(
                "typing",
                conversation_id=payload.conversation_id,
                actor_kind=who.kind,
                actor_id=who.id,
                typing=payload.typing,
            )
        elif isinstance(payload, SetViewing):
            await self._place_for(client, payload.conversation_id)
            await self.viewing(client, payload.conversation_id, viewing=payload.viewing)

    async def viewing(self, client: Client, conversation_id: str, *, viewing: bool) -> None:
        """Notes and tells whether an agent has the conversation in front of them."""
        if viewing:
            client.viewing.add(conversation_id)
        else:
            client.viewing.discard(conversation_id)
        await self._tell_viewing(conversation_id)
        # The roll is kept again by itself, so an outage of the database only makes it late.
        with suppress(Unavailable):
            await self._roll.keep()

    async def viewers(self, conversation_id: str) -> list[Json]:
        """Who has the conversation in front of them, in all processes: id and name."""
        return await self._roll.viewers(conversation_id)

    async def take_over(self) -> None:
        """Tells that agents look no more whose process has died, and minds its shoppers."""
        for conversation_id in sorted(await self._roll.take_over()):
            await self._tell_viewing(conversation_id)

    def also_hear(self, kind: str, hearer: Callable[[Json], Awaitable[None]]) -> None:
        """Lets another part hear a kind of signal of other processes, in its turn."""
        self._hearers[kind] = hearer

    async def forget_names(self) -> None:
        """Looks names up anew from now on."""
        self._names.clear()

    # -- of this process ----------------------------------------------------------------------

    async def _typing(
        self, conversation_id: str, place: Place, who: Actor, *, typing: bool, skip: str | None
    ) -> None:
        data = {
            "conversation_id": conversation_id,
            "actor": _who(who),
            "typing": typing,
            "ttl_ms": TYPING_TTL_MS,
        }
        if who.kind == "agent":
            await self.signal("typing.changed", data, VISITOR, customer_room(place.customer_id))
        staff = staff_rooms(place.team_id, place.assignee_id)
        await self.signal("typing.changed", data, AGENT, staff, skip=skip)

    async def _tell_viewing(self, conversation_id: str) -> None:
        place = self._clients.place(conversation_id)
        if place is None:
            return
        # One after the other, so that who is told last is told the newest.
        async with self._viewing:
            agents = await self._roll.viewers(conversation_id)
            data = {"conversation_id": conversation_id, "agents": agents}
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
                self._news.signal(
                    "read",
                    conversation_id=notice.conversation_id,
                    reader_kind=notice.reader_kind,
                    reader_id=notice.reader_id,
                    message_id=notice.message_id,
                    at_ms=notice.at_ms,
                )
            elif isinstance(notice, presence.PresenceNotice):
                await self._tell_presence(notice.agent_id)
                self._news.signal("presence", agent_id=notice.agent_id)
            elif isinstance(notice, SignedOut):
                await self._watches.check_people()
                self._news.signal("people")
        events = [event for event in committed.events if not event.imported]
        shoppers = self._clients.shoppers()
        told = {n.agent_id for n in committed.notices if isinstance(n, presence.PresenceNotice)}
        for event in events:
            if isinstance(event.data, AgentPresenceChanged) and event.actor_id not in told:
                await self._tell_presence(event.actor_id or "")
        changed = {e.actor_id for e in events if e.kind.startswith("assignment.")}
        if changed or any(e.kind == "conversation.status_changed" for e in events):
            await self._tell_loads(events)
        for event in events:
            if event.customer_id in shoppers:
                await self._mind(event)
            else:
                self._note_absence(event)

    def _note_absence(self, event: Event) -> None:
        """Who is not there when a chat is begun with them will not be seen to leave."""
        if isinstance(event.data, ConversationOpened) and event.data.initiator == "agent":
            self._clients.gone_at_s.setdefault(event.customer_id or "", time.monotonic())

    async def _mind(self, event: Event) -> None:
        """Does what an event asks for about a shopper who is connected here."""
        customer_id = event.customer_id or ""
        if isinstance(event.data, CustomerLeft):
            # Another process was sure that they had gone, while they came here.
            await self._watches.returned(customer_id)
        elif isinstance(event.data, CustomerErased):
            # Whoever comes back is somebody new.
            for sid in self._clients.sids_of(customer_id):
                await self._engine.disconnect(sid, namespace=VISITOR)

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
        place = await self.place_of(notice.conversation_id)
        if place is None:
            return
        staff = staff_rooms(place.team_id, place.assignee_id)
        await self.signal("message.read", data, AGENT, staff)
        await self.signal("message.read", data, VISITOR, customer_room(place.customer_id))

    async def place_of(self, conversation_id: str) -> Place | None:
        """Where the conversation's signals go; None when there is none."""
        place = self._clients.place(conversation_id)
        if place is None:
            found = await self._database.read(lambda c: conversations.by_ids(c, [conversation_id]))
            if conversation_id not in found:
                return None
            c = found[conversation_id].conversation
            place = Place(c.customer_id, c.team_id, c.assignee_id)
            self._clients.remember(conversation_id, place)
        return place

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

    # -- of other processes -------------------------------------------------------------------

    def hear(self, signal: Json) -> None:
        """Passes on a signal of another process, behind what was committed before it."""
        hearer = self._hearers.get(str(signal.get("kind")))
        if hearer is not None and self._bus.waiting < MAX_WAITING:
            self._bus.in_turn(lambda: hearer(signal))

    async def _hear_typing(self, signal: Json) -> None:
        place = await self.place_of(_id(signal, "conversation_id"))
        if place is not None and self._anybody(place):
            who = await self._actor(_id(signal, "actor_kind"), _id(signal, "actor_id"))
            typing = signal.get("typing") is True
            conversation_id = _id(signal, "conversation_id")
            await self._typing(conversation_id, place, who, typing=typing, skip=None)

    async def _hear_read(self, signal: Json) -> None:
        place = await self.place_of(_id(signal, "conversation_id"))
        if place is None or not self._anybody(place):
            return
        who = await self._actor(_id(signal, "reader_kind"), _id(signal, "reader_id"))
        at_ms = signal.get("at_ms")
        await self._tell_read(
            messages.ReadNotice(
                conversation_id=_id(signal, "conversation_id"),
                customer_id=place.customer_id,
                reader_kind=who.kind,
                reader_id=who.id or "",
                reader_name=who.name,
                message_id=_id(signal, "message_id"),
                at_ms=at_ms if isinstance(at_ms, int) else self._database.clock(),
            )
        )

    async def _hear_viewing(self, signal: Json) -> None:
        conversation_id = _id(signal, "conversation_id")
        if self._clients.agents() and await self.place_of(conversation_id) is not None:
            await self._tell_viewing(conversation_id)

    async def _hear_presence(self, signal: Json) -> None:
        await self._tell_presence(_id(signal, "agent_id"))

    async def _hear_people(self, _signal: Json) -> None:
        await self._watches.check_people()

    async def _hear_gone(self, _signal: Json) -> None:
        await self.take_over()

    def _anybody(self, place: Place) -> bool:
        """True when somebody here might hear a signal of the conversation."""
        return place.customer_id in self._clients.shoppers() or bool(self._clients.agents())

    async def _actor(self, kind: str, actor_id: str) -> Actor:
        """A shopper or a person of the shop, with their name."""

        def look(connection: Connection) -> str | None:
            if kind == "agent":
                return people.names(connection).get(actor_id)
            customer = customers.load_customer(connection, actor_id)
            return customer.name if customer is not None else None

        is_agent = kind == "agent"
        key = (kind, actor_id)
        if key not in self._names:
            if len(self._names) >= MAX_NAMES:
                self._names.clear()
            self._names[key] = await self._database.read(look)
        return Actor("agent" if is_agent else "customer", actor_id, self._names[key])


def _id(signal: Json, name: str) -> str:
    """An id in a signal of another process; empty, which is no id, when it is none."""
    value = signal.get(name)
    return value if isinstance(value, str) and len(value) <= MAX_ID_CHARS else ""


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
