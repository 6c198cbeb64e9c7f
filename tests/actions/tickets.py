"""Tickets of a scene in few words."""

from __future__ import annotations

import itertools
from typing import Any  # Any: JSON values

from server.actions import ticket_lists, tickets
from server.actions.desk import Look
from server.domain.actors import Actor
from server.domain.ticket import Ticket
from server.reports.verify import verify
from server.storage import tickets as stored
from tests.actions.scene import Scene

Json = dict[str, Any]  # Any: JSON values
_NUMBERS = itertools.count(1)


def submit(scene: Scene, shopper: Actor, body: str = "My lamp broke", **more: Any) -> Ticket:
    answer = scene.do(tickets.submit, shopper, tickets.SubmitRequest(body=body, **more))
    return by_number(scene, answer["ticket_number"])


def by_number(scene: Scene, number: str) -> Ticket:
    def look(connection: Any) -> Ticket | None:  # Any: a connection
        key = stored.id_of_number(connection, number)
        return stored.load_ticket(connection, key) if key else None

    found = scene.database.read_now(look)
    assert found is not None
    return found


def now(scene: Scene, ticket: Ticket) -> Ticket:
    return by_number(scene, ticket.number)


def create(scene: Scene, actor: Actor, **values: Any) -> Json:
    defaults = {"type": "question", "subject": "A lamp"}
    return scene.do(tickets.create, actor, tickets.CreateTicket(**(defaults | values)))


def reply(
    scene: Scene, actor: Actor, ticket: Ticket, body: str = "Here you are", **more: Any
) -> Json:
    payload = tickets.ReplyTicket(
        ticket_id=ticket.id,
        client_id=f"r{next(_NUMBERS)}",
        body=body,
        **more,
    )
    return scene.do(tickets.reply, actor, payload)


def change(scene: Scene, actor: Actor, ticket: Ticket, **values: Any) -> Ticket:
    scene.do(tickets.change, actor, tickets.ChangeTicket(ticket_id=ticket.id, **values))
    return now(scene, ticket)


def listed(scene: Scene, actor: Actor, **values: Any) -> list[Json]:
    payload = ticket_lists.ListTickets(**values)
    found = scene.database.read_now(
        lambda c: ticket_lists.list_tickets(Look(c, actor, scene.time.at_ms), payload)
    )
    return list(found["items"])


def opened(scene: Scene, actor: Actor, name: str) -> Json:
    payload = ticket_lists.FindTicket(ticket_id=name)
    return scene.database.read_now(
        lambda c: ticket_lists.get_ticket(Look(c, actor, scene.time.at_ms), payload)
    )


def differences(scene: Scene) -> list[str]:
    return scene.database.read_now(lambda c: [str(one) for one in verify(c)])
