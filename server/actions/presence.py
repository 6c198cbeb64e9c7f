"""Agents come and go; shoppers must never wait for somebody who is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions import routing
from server.actions.payload import Payload
from server.domain.actors import Actor
from server.domain.errors import NotFound
from server.domain.events import AgentPresenceChanged
from server.domain.spans import MINUTE_MS
from server.storage import claims, conversations, people
from server.storage.people import Person
from server.storage.unit import Tx

# How long an agent whose connection dropped keeps the conversations that wait for an answer.
GRACE_MS = 3 * MINUTE_MS
# How many are taken offline in one transaction.
AT_ONCE = 20


class SetPresence(Payload):
    """Whether new conversations may come, and how many at a time."""

    status: Literal["online", "busy", "away", "offline"]
    capacity: Annotated[int, Field(ge=1, le=50)] | None = None


class PresenceNotice(Payload):
    """Told after the commit: an agent's state has changed."""

    agent_id: str


def set_presence(tx: Tx, actor: Actor, payload: SetPresence) -> dict[str, Any]:  # Any: JSON values
    """Changes the agent's state; who comes online takes what waits, who leaves gives it back."""
    person = _locked(tx, actor)
    _change(tx, person, status=payload.status, capacity=payload.capacity, cause="self")
    return {"agent_id": person.id}


def arrive(tx: Tx, actor: Actor) -> dict[str, Any]:  # Any: JSON values
    """An agent opened the console: online, unless the agent had chosen another state."""
    person = _locked(tx, actor)
    if person.status == "offline" and person.status_cause != "self" and person.role == "agent":
        _change(tx, person, status="online", capacity=None, cause="console")
    else:
        people.note_seen(tx, [person.id])
    return {"agent_id": person.id}


def note_seen(tx: Tx, actor: Actor) -> dict[str, Any]:  # Any: JSON values
    """An agent's program connected; its state stays as it is."""
    seen(tx, [actor.id or ""])
    return {"agent_id": actor.id}


def seen(tx: Tx, agent_ids: Sequence[str]) -> None:
    """Notes that these agents are connected."""
    claims.note_seen_if_free(tx, sorted(agent_ids))


def end_grace(tx: Tx) -> int:
    """Takes agents offline whose connection has been gone for the grace time; how many, some each.

    Several processes may ask at once: each takes agents whom no other has.
    """
    gone = claims.take_unseen(tx.connection, before_ms=tx.at_ms - GRACE_MS, limit=AT_ONCE)
    for agent_id in gone:
        person = people.load_person(tx.connection, agent_id, lock=True)
        if person is not None:
            _change(tx, person, status="offline", capacity=None, cause="grace")
    return len(gone)


def place_waiting(tx: Tx) -> int:
    """Gives what waits to agents with room; how many. For what two processes did at one instant.

    On PostgreSQL a conversation may enter the queue while, elsewhere, an agent comes online who
    cannot see it yet. Agents whom another process is busy with are left to it.
    """
    if conversations.queue_length(tx.connection) == 0:
        return 0
    free = (people.load_person(tx.connection, key) for key in claims.take_online(tx.connection))
    return sum(routing.pull(tx, person) for person in free if person is not None)


def _locked(tx: Tx, actor: Actor) -> Person:
    person = people.load_person(tx.connection, actor.id or "", lock=True)
    if person is None or not person.active:
        raise NotFound("There is no such agent.")
    return person


def _change(tx: Tx, person: Person, *, status: str, capacity: int | None, cause: str) -> None:
    room = person.capacity if capacity is None else capacity
    people.set_status(tx, person.id, status=status, cause=cause, capacity=room)
    if status != person.status or room != person.capacity:
        tx.record(person.actor, AgentPresenceChanged(status=status, capacity=room, cause=cause))
    tx.notice(PresenceNotice(agent_id=person.id))
    if status == "online":
        routing.pull(tx, replace(person, status=status, capacity=room))
    elif status == "offline":
        routing.release(tx, person, reason="grace" if cause == "grace" else "offline")
