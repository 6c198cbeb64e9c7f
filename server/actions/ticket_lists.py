"""What people and programs read of tickets. Nothing here writes."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions.desk import Look
from server.actions.lists import Page, page_of
from server.actions.payload import Id, Payload
from server.actions.ticket_moves import MISSING, who_of
from server.domain.cursors import place_of
from server.domain.errors import NotFound
from server.domain.permissions import require
from server.domain.ticket import Ticket, next_states
from server.domain.ticket_number import read_number
from server.domain.ticket_types import SHOWN, TicketType, to_json
from server.storage import people, ticket_lists, tickets
from server.storage.persons import members, person_of
from server.storage.ticket_lists import Listed, Wanted
from server.storage.ticket_types import Status, load_types

Json = dict[str, Any]  # Any: JSON values


class ListTickets(Page):
    """Tickets, the newest first, or with order due what is to be done first.

    By what is due only what waits for us is listed, unless a lane or state is named.
    ``query`` is looked for in numbers, subjects, fields, messages and names.
    """

    order: Literal["newest", "due"] = "newest"
    lane: Literal["us", "customer", "done"] | None = None
    state: Annotated[str, Field(max_length=20, pattern="^[a-z_]+$")] | None = None
    type: Annotated[str, Field(max_length=40, pattern="^[a-z0-9_]+$")] | None = None
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    team_id: Id | None = None
    assignee_id: Id | None = None
    customer_id: Id | None = None
    query: Annotated[str, Field(max_length=200)] | None = None


class FindTicket(Payload):
    """One ticket, by its id or its public number."""

    ticket_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


def list_tickets(look: Look, payload: ListTickets) -> Json:
    """A page of the tickets that the actor may see."""
    require(look.actor, "ticket.read")
    filters = payload.model_dump(exclude={"cursor", "limit"}, exclude_none=True)
    found = ticket_lists.page(
        look.connection,
        look.actor,
        wanted_of(look, payload),
        order=payload.order,
        after=place_of(payload.cursor, "tickets", filters),
        limit=payload.limit + 1,
    )

    def place(one: Listed) -> tuple[int, str]:
        ticket = one.ticket
        return ticket.sort_ms if payload.order == "due" else ticket.created_at_ms, ticket.id

    shown, cursor = page_of(found, payload, "tickets", filters, place=place)
    return {"items": [summary(one) for one in shown], "next_cursor": cursor}


def wanted_of(look: Look, payload: ListTickets) -> Wanted:
    """What the list is narrowed to; a customer's are those of the whole person."""
    rows = None
    if payload.customer_id is not None:
        rows = members(look.connection, person_of(look.connection, payload.customer_id))
    lane = payload.lane
    if payload.order == "due" and lane is None and payload.state is None:
        lane = "us"
    return Wanted(
        lane=lane,
        state=payload.state,
        type=payload.type,
        priority=payload.priority,
        team_id=payload.team_id,
        assignee_id=payload.assignee_id,
        customer_ids=rows,
        query=payload.query,
    )


def get_ticket(look: Look, payload: FindTicket) -> Json:
    """One ticket with all that belongs to it. Raises NotFound, also when it is hidden."""
    require(look.actor, "ticket.read")
    return detail(look, read_ticket(look, payload.ticket_id))


def open_ticket(look: Look, payload: FindTicket) -> Json:
    """One ticket with all that belongs to it. Raises NotFound, also when it is hidden."""
    return {"ticket": get_ticket(look, payload)}


def list_types(look: Look, _: Payload) -> Json:
    """The types of ticket that the shop uses, in their order."""
    require(look.actor, "ticket.read")
    found = [to_json(one) for one in load_types(look.connection).values() if one.active]
    return {"items": found}


def read_ticket(look: Look, name: str) -> Ticket:
    """The ticket by its id or number, for reading. Raises NotFound, also when it is hidden."""
    number = read_number(name)
    key = tickets.id_of_number(look.connection, number) if number else name
    ticket = tickets.load_ticket(look.connection, key) if key else None
    if ticket is None or not tickets.sees(look.connection, look.actor, ticket):
        raise NotFound(MISSING)
    return ticket


def summary(found: Listed) -> Json:
    """A ticket as lists show it."""
    t = found.ticket
    return {
        "id": t.id,
        "number": t.number,
        "type": t.type,
        "subject": found.subject,
        "state": t.state,
        "status": t.status,
        "reason": t.reason,
        "lane": t.lane,
        "priority": t.priority,
        "priority_source": t.priority_source,
        "source": t.source,
        "team_id": t.team_id,
        "assignee_id": t.assignee_id,
        "customer": {
            "id": t.customer_id,
            "name": found.customer_name,
            "verified": found.customer_verified,
        },
        "parent_id": t.parent_id,
        "merged_into": t.merged_into,
        "answered": t.may_rest,
        "waiting_since_ms": t.waiting_since_ms,
        "next_due_at_ms": t.next_due_at_ms,
        "next_due": t.next_due,
        "wake_at_ms": t.wake_at_ms,
        "created_at_ms": t.created_at_ms,
        "updated_at_ms": t.updated_at_ms,
        "replied_at_ms": t.replied_at_ms,
        "first_resolved_at_ms": t.first_resolved_at_ms,
        "resolved_at_ms": t.resolved_at_ms,
        "reopens": t.reopens,
    }


def detail(look: Look, ticket: Ticket) -> Json:
    """A ticket with all that belongs to it, as staff see it."""
    connection = look.connection
    words = tickets.words_of(connection, [ticket.id]).get(ticket.id)
    joined = tickets.merged_into(connection, ticket.id)
    names = people.names(connection)
    return summary(ticket_lists.by_ids(connection, [ticket.id])[ticket.id]) | {
        "seq": max(one.last_seq for one in (ticket, *joined)),
        "fields": words.fields if words else {},
        "contact": words.contact if words else None,
        "next_states": list(next_states(ticket, who_of(look.actor))),
        "links": [
            {"kind": link.kind, "target": link.target, "at_ms": link.at_ms}
            for link in tickets.links_of(connection, ticket.id)
        ],
        "tasks": [
            {
                "id": task.id,
                "title": task.title,
                "team_id": task.team_id,
                "assignee_id": task.assignee_id,
                "state": task.state,
                "result": task.result,
                "created_at_ms": task.created_at_ms,
                "due_at_ms": task.due_at_ms,
                "ended_at_ms": task.ended_at_ms,
            }
            for task in tickets.tasks_of(connection, ticket.id)
        ],
        "merged": [{"id": one.id, "number": one.number} for one in joined],
        "watchers": [
            {"id": key, "name": names.get(key)}
            for key in tickets.watchers_of(connection, ticket.id)
        ],
    }


def one_ticket(look: Look, answer: Json) -> Json:
    """The ticket that an action was about, in the action's transaction."""
    ticket = tickets.load_ticket(look.connection, answer["ticket_id"])
    if ticket is None:
        raise NotFound(MISSING)
    return detail(look, ticket)


def shown_state(
    ticket: Ticket, types: dict[str, TicketType], statuses: dict[str, Status], locale: str
) -> str:
    """The state in the words that the shopper reads: of the status, else the type's, else usual."""
    at = 1 if locale.startswith("zh") else 0
    status = statuses.get(ticket.status or "")
    if status is not None and status.shown is not None:
        return status.shown[at]
    kind = types.get(ticket.type)
    if kind is not None and ticket.state in kind.shown:
        return kind.shown[ticket.state][at]
    return SHOWN[ticket.state][at]
