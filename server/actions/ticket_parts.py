"""What belongs to a ticket beside its thread: links, and pieces of work for other desks."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions.access import access_conversation
from server.actions.payload import Id, Payload
from server.actions.ticket_merge import named
from server.actions.ticket_moves import access_ticket, connect, thread_of
from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.events import TicketTaskChanged, TicketUnlinked
from server.domain.permissions import require
from server.domain.text import clean
from server.domain.ticket import Ticket
from server.storage import orders, people, tickets
from server.storage.persons import members, person_of
from server.storage.tickets import Task
from server.storage.unit import Tx

MAX_LINKS = 50
MAX_TASKS = 50
MAX_TITLE_CHARS = 200
MAX_RESULT_CHARS = 2000
Answer = dict[str, Any]  # Any: JSON values
LinkKind = Literal["conversation", "order", "line", "product", "ticket"]
Target = Annotated[str, Field(min_length=1, max_length=200)]


class LinkTicket(Payload):
    """What a ticket is to point to; ``linked`` false takes it away.

    ``target`` is an id; of a line the order's id, a colon and the number of the line, of a product
    its SKU, of a ticket also its number.
    """

    ticket_id: Id
    kind: LinkKind
    target: Target
    linked: bool = True


class AddTask(Payload):
    """A piece of work for a team or a person, perhaps due at an instant."""

    ticket_id: Id
    title: Annotated[str, Field(max_length=MAX_TITLE_CHARS)]
    team_id: Id | None = None
    assignee_id: Id | None = None
    due_at_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None


class ChangeTask(Payload):
    """How a piece of work ended, or that it goes on."""

    ticket_id: Id
    task_id: Id
    state: Literal["open", "done", "cancelled"]
    result: Annotated[str, Field(max_length=MAX_RESULT_CHARS)] = ""


def link(tx: Tx, actor: Actor, payload: LinkTicket) -> Answer:
    """Lets a ticket point to something the actor may see. Raises InvalidInput, NotFound."""
    require(actor, "ticket.write")
    ticket = access_ticket(tx, actor, payload.ticket_id)
    known = {(one.kind, one.target) for one in tickets.links_of(tx.connection, ticket.id)}
    target = clean(payload.target, limit=200, name="target")
    if payload.kind == "ticket":
        target = named(tx, target)
    if not payload.linked:
        if (payload.kind, target) in known:
            data = TicketUnlinked(link=payload.kind, target=target)
            tx.record(actor, data, conversation=thread_of(tx, ticket))
            tickets.drop_link(tx, ticket.id, payload.kind, target)
        return {"ticket_id": ticket.id}
    if (payload.kind, target) in known:
        return {"ticket_id": ticket.id}
    if len(known) >= MAX_LINKS:
        raise InvalidInput(f"At most {MAX_LINKS} links.", field="target", limit=MAX_LINKS)
    _check(tx, actor, ticket, payload.kind, target)
    connect(tx, actor, ticket, payload.kind, target)
    if payload.kind == "order":
        order = orders.order_by_id(tx.connection, target)
        tickets.find_by(tx, ticket.id, str(order["number"]) if order else "")
    elif payload.kind == "product":
        tickets.find_by(tx, ticket.id, target)
    return {"ticket_id": ticket.id}


def add_task(tx: Tx, actor: Actor, payload: AddTask) -> Answer:
    """Gives another desk a piece of the work. Raises Conflict, InvalidInput, NotFound."""
    require(actor, "ticket.write")
    ticket = access_ticket(tx, actor, payload.ticket_id)
    if ticket.over:
        raise Conflict("This ticket is over. Open it again first.", state=ticket.state)
    if payload.team_id is None and payload.assignee_id is None:
        raise InvalidInput("Name a team or a person.", field="team_id", reason="task_desk")
    teams = {team.id for team in people.load_teams(tx.connection)}
    if payload.team_id is not None and payload.team_id not in teams:
        raise InvalidInput("There is no such team.", field="team_id")
    if payload.assignee_id is not None:
        person = people.load_person(tx.connection, payload.assignee_id)
        if person is None or not person.active:
            raise InvalidInput("There is no such agent.", field="assignee_id")
    if payload.due_at_ms is not None and payload.due_at_ms <= tx.at_ms:
        # It would be late from the beginning, and nobody could have been in time.
        raise InvalidInput(
            "A sub-task is due at a time to come.", field="due_at_ms", reason="task_due"
        )
    if len(tickets.tasks_of(tx.connection, ticket.id)) >= MAX_TASKS:
        raise InvalidInput(f"At most {MAX_TASKS} sub-tasks.", field="title", limit=MAX_TASKS)
    task = Task(
        id=tx.new_id(),
        ticket_id=ticket.id,
        title=clean(payload.title, limit=MAX_TITLE_CHARS, name="title"),
        team_id=payload.team_id,
        assignee_id=payload.assignee_id,
        state="open",
        result=None,
        created_at_ms=tx.at_ms,
        due_at_ms=payload.due_at_ms,
        ended_at_ms=None,
        by_id=actor.id,
        ended_by_id=None,
    )
    data = TicketTaskChanged(task_id=task.id, state="open", team_id=task.team_id)
    tx.record(actor, data, conversation=thread_of(tx, ticket))
    tickets.add_task(tx, task)
    tickets.find_by(tx, ticket.id, task.title)
    return {"ticket_id": ticket.id, "task_id": task.id}


def change_task(tx: Tx, actor: Actor, payload: ChangeTask) -> Answer:
    """Keeps how a piece of work ended. Raises NotFound."""
    require(actor, "ticket.write")
    ticket = access_ticket(tx, actor, payload.ticket_id)
    task = tickets.load_task(tx.connection, payload.task_id)
    if task is None or task.ticket_id != ticket.id:
        raise NotFound("There is no such sub-task.")
    result = clean(payload.result, limit=MAX_RESULT_CHARS, name="result", empty=True) or None
    if (task.state, task.result) != (payload.state, result):
        data = TicketTaskChanged(task_id=task.id, state=payload.state, team_id=task.team_id)
        tx.record(actor, data, conversation=thread_of(tx, ticket))
        tickets.end_task(tx, task.id, state=payload.state, result=result, by_id=actor.id)
        tickets.find_by(tx, ticket.id, result or "")
    return {"ticket_id": ticket.id}


def _check(tx: Tx, actor: Actor, ticket: Ticket, kind: str, target: str) -> None:
    """Returns nothing. Raises NotFound for what is not there, hidden, or another person's."""
    rows = members(tx.connection, person_of(tx.connection, ticket.customer_id))
    match kind:
        case "conversation":
            if access_conversation(tx, actor, target).customer_id not in rows:
                raise NotFound("The customer has no such conversation.")
        case "ticket":
            if access_ticket(tx, actor, target).id == ticket.id:
                raise InvalidInput("A ticket cannot point to itself.", field="target")
        case "product":
            if not tickets.product_exists(tx.connection, target):
                raise NotFound("There is no product with this SKU.")
        case _:
            order_id, _, line = target.partition(":")
            order = orders.order_by_id(tx.connection, order_id)
            if order is None or order["customer_id"] not in rows:
                raise NotFound("The customer has no such order.")
            lines = orders.lines_of(tx.connection, [order_id]).get(order_id, [])
            if kind == "line" and line not in {str(one["line_no"]) for one in lines}:
                raise NotFound("The order has no such line.")
