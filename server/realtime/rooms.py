"""Who hears what: rooms of sockets, and the rooms of an event."""

from __future__ import annotations

import asyncio
from typing import Any  # Any: python-socketio is not typed

from socketio import AsyncManager
from socketio.packet import EVENT

from server.domain.actors import Actor
from server.realtime.line import Parcel

VISITOR = "/visitor"
AGENT = "/agent"
SUPERVISORS = "supervisors"
STAFF = "staff"
VISITORS = "visitors"
NO_TEAM = "team:"
AT_ONCE = 250


def customer_room(customer_id: str) -> str:
    """The room of all sockets of a shopper."""
    return f"customer:{customer_id}"


def agent_room(agent_id: str) -> str:
    """The room of all sockets of an agent."""
    return f"agent:{agent_id}"


def team_room(team_id: str | None) -> str:
    """The room of a team's members; without a team, of all agents."""
    return f"team:{team_id}" if team_id else NO_TEAM


def rooms_of(actor: Actor) -> list[str]:
    """The rooms that a person of the shop is in."""
    rooms = [STAFF, agent_room(actor.id or ""), NO_TEAM]
    rooms += [team_room(team_id) for team_id in sorted(actor.team_ids)]
    return [*rooms, SUPERVISORS] if actor.leads else rooms


def staff_rooms(team_id: str | None, assignee_id: str | None) -> list[str]:
    """The rooms of those who may see a conversation of this team and owner."""
    rooms = [SUPERVISORS, team_room(team_id)]
    return [*rooms, agent_room(assignee_id)] if assignee_id else rooms


class IndexedManager(AsyncManager):  # type: ignore[misc]  # untyped base
    """python-socketio's manager with an index of each socket's rooms.

    The stock manager scans all rooms when a socket leaves: 2 ms each at 8,000 connections, 16 s of
    blocked server when a network drops them all. With the index it is the socket's own few rooms.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rooms: dict[str, dict[str | None, Any]]  # Any: python-socketio's two-way dict
        self._rooms_by_sid: dict[tuple[str, str], set[str | None]] = {}

    async def emit(  # noqa: PLR0917  # the base's signature
        self,
        event: str,
        data: Any,  # Any: JSON
        namespace: str,
        room: str | list[str] | None = None,
        skip_sid: str | None = None,
        callback: Any = None,  # Any: never given
        to: str | list[str] | None = None,
        **_: Any,  # Any: for managers of several servers
    ) -> None:
        """Puts an event in the outbox of everybody in the rooms, encoded once; waits for nobody.

        The stock manager makes a task for each of them. Who does not read is cut by the engine.
        Where thousands hear it, others have their turn in between.
        """
        assert callback is None  # acknowledgements of clients are not used
        here = self.rooms.get(namespace, {})
        wanted = to or room
        names = wanted if isinstance(wanted, list) else [wanted]
        members: dict[str, str] = {}
        for name in names:
            if name in here:
                # As items: taken one by one out of a two-way dict they cost tenfold.
                members.update(here[name].items())
        if skip_sid is not None:
            members.pop(skip_sid, None)
        if not members:
            return
        packet = self.server.packet_class(EVENT, namespace=namespace, data=[event, data])
        parcel = Parcel(packet.encode())
        sockets = self.server.eio.sockets
        for index, eio_sid in enumerate(members.values(), 1):
            if index % AT_ONCE == 0:
                await asyncio.sleep(0)
            socket = sockets.get(eio_sid)
            if socket is not None and not socket.closed:
                socket.queue.put_nowait(parcel)

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        """Puts a socket in a room and notes it."""
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        self._rooms_by_sid.setdefault((namespace, sid), set()).add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        """Takes a socket out of a room and forgets it."""
        super().basic_leave_room(sid, namespace, room)
        self._rooms_by_sid.get((namespace, sid), set()).discard(room)

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:  # Any: passed on
        """Takes a socket out of its rooms only, then lets the stock manager tidy the rest."""
        mine = self._rooms_by_sid.pop((namespace, sid), set())
        # The room of all sockets goes last: the stock code looks sids up there.
        for room in sorted(mine, key=lambda name: (name is None, name or "")):
            super().basic_leave_room(sid, namespace, room)
        everything = self.rooms
        self.rooms = {namespace: {}}
        try:
            super().basic_disconnect(sid, namespace, **kwargs)
        finally:
            self.rooms = everything

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms a socket is in."""
        return [r for r in self._rooms_by_sid.get((namespace, sid), ()) if r is not None]
