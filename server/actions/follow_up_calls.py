"""Follow-up calls: so many days after a delivery, once for an order, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from agent_ui.render import sentence
from server.actions import messages, rule_words, ticket_moves, ticket_parts, tickets
from server.actions.automation import BOT, RULES
from server.actions.payload import Id, Payload
from server.actions.reach import out_of_quiet, why_silent
from server.actions.repairs import begin_ticket, number_in
from server.domain.actors import Actor
from server.domain.care import (
    CALL_WITHIN_MS,
    IN_FIELD,
    TICKET_TYPE,
    is_drawn,
)
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.events import TicketTaskChanged
from server.domain.periods import local_date, zone
from server.domain.permissions import require
from server.domain.segment import SEGMENTS
from server.domain.spans import DAY_MS
from server.domain.text import clean
from server.domain.ticket import Ticket
from server.domain.ticket_types import BY_ID
from server.storage import care, directory, orders, people
from server.storage import tickets as stored
from server.storage.care import Call, Plan
from server.storage.connection import Connection
from server.storage.consents import allowed
from server.storage.persons import members, person_of
from server.storage.profiles import load_profile
from server.storage.saved_segments import load_segment
from server.storage.shop import load_shop
from server.storage.unit import Tx

MANAGE = "ticket.manage"
# Looked at in one transaction.
AT_ONCE = 20
# A call that could not be made for so long, as no server ran, is not made any more.
OVERDUE_MS = 7 * DAY_MS
MAX_QUESTION = 300
MAX_PLANS = 20
MAX_AHEAD_MS = 90 * DAY_MS
Texts = Mapping[str, str]
Json = dict[str, Any]  # Any: JSON values


class CallOutcome(Payload):
    """What came of a follow-up call; ``until_ms`` is when to try again.

    A problem becomes a ticket of ``type``, linked to the order.
    """

    ticket_id: Id
    outcome: Literal["reached", "not_reached", "refused", "problem"]
    remarks: Annotated[str, Field(max_length=2000)] = ""
    until_ms: int | None = None
    type: Annotated[str, Field(max_length=40)] = "complaint"


def save_plan(tx: Tx, *, actor: Actor, plan_id: str | None, texts: Texts, enabled: bool) -> str:
    """Keeps a plan as a form has it; its id. Raises InvalidInput, NotFound."""
    require(actor, MANAGE)
    known = care.load_plan(tx.connection, plan_id) if plan_id else None
    if plan_id and known is None:
        raise NotFound("There is no such plan.")
    if known is None and len(care.load_plans(tx.connection)) >= MAX_PLANS:
        raise InvalidInput(f"At most {MAX_PLANS} plans.", field="days", reason="many_plans")
    segment = texts.get("segment", "") or None
    if segment and segment not in SEGMENTS:
        saved = load_segment(tx.connection, segment.removeprefix("saved:"))
        if not segment.startswith("saved:") or saved is None or not saved.shared:
            raise InvalidInput("There is no such segment.", field="segment")
    team_id = texts.get("team") or None
    if team_id and team_id not in {team.id for team in people.load_teams(tx.connection)}:
        raise InvalidInput("There is no such team.", field="team_id")
    questions = [
        clean(texts.get(name, ""), limit=MAX_QUESTION, name=name, empty=True)
        for name in ("question_en", "question_zh")
    ]
    if not any(questions):
        raise InvalidInput("Write what to ask.", field="question_en", reason="no_question")
    begins = known is None or (enabled and not known.enabled)
    plan = Plan(
        id=known.id if known else tx.new_id(),
        enabled=enabled,
        days=number_in(texts, "plan_days", 0, 365),
        segment=segment,
        share=number_in(texts, "share", 1, 100),
        team_id=team_id,
        question_en=questions[0],
        question_zh=questions[1],
        # What was delivered before is not called about all at once.
        since_ms=tx.at_ms if begins or known is None else known.since_ms,
        created_at_ms=known.created_at_ms if known else tx.at_ms,
        updated_at_ms=tx.at_ms,
        updated_by=actor.id,
    )
    care.save_plan(tx, plan, new=known is None)
    return plan.id


def remove_plan(tx: Tx, *, actor: Actor, plan_id: str) -> None:
    """Makes no more calls of a plan; those that were made stay. Raises NotFound."""
    require(actor, MANAGE)
    plan = care.load_plan(tx.connection, plan_id)
    if plan is None:
        raise NotFound("There is no such plan.")
    gone = replace(plan, enabled=False, removed_at_ms=tx.at_ms, updated_by=actor.id)
    care.save_plan(tx, gone, new=False)


def make_due(tx: Tx, *, plan_id: str, at_ms: int, after: tuple[int, str]) -> tuple[int, str] | None:
    """Makes the next calls of a plan; behind which order to go on, None at the end."""
    # Two processes at once would both make a call of an order, and one lose all of its portion.
    plan = care.load_plan(tx.connection, plan_id, lock=True)
    if plan is None or not plan.enabled:
        return None
    to_ms = at_ms - plan.days * DAY_MS
    from_ms = max(plan.since_ms - plan.days * DAY_MS, to_ms - OVERDUE_MS)
    found = care.due_orders(tx.connection, from_ms=from_ms, to_ms=to_ms, after=after, limit=AT_ONCE)
    tx.expect_events(AT_ONCE * 10)
    for order_id, customer_id, _ in found:
        drawn = is_drawn(plan.id, order_id, plan.share)
        if drawn and _meets(tx.connection, plan, customer_id, at_ms=at_ms):
            _make(tx, plan, order_id, customer_id)
    return (found[-1][2], found[-1][0]) if len(found) == AT_ONCE else None


def _meets(connection: Connection, plan: Plan, customer_id: str, *, at_ms: int) -> bool:
    """True for customers of the plan's segment; nobody is placed who refused to be."""
    if plan.segment is None:
        return True
    person = person_of(connection, customer_id)
    if not allowed(connection, members(connection, person), "profiling"):
        return False
    if not plan.segment.startswith("saved:"):
        return load_profile(connection, person).segment == plan.segment
    segment = load_segment(connection, plan.segment.removeprefix("saved:"))
    if segment is None:
        return False
    condition = directory.expanded(connection, segment.condition)
    return directory.matches(connection, condition, person, at_ms=at_ms)


def _make(tx: Tx, plan: Plan, order_id: str, customer_id: str) -> None:
    """A call for an order, or a row that says why there is none."""
    # Another process or plan may have made one since the look.
    if care.call_of_order(tx.connection, order_id) is not None:
        return
    call = Call(order_id, plan.id, customer_id, None, None, tx.at_ms, None)
    held = why_silent(tx.connection, customer_id, at_ms=tx.at_ms)
    if held == "quiet":
        # The call itself is put off, not the task of making it.
        held = None
    if held is None and care.refused_calls(tx.connection, customer_id):
        held = "refused"
    order = orders.order_by_id(tx.connection, order_id)
    shop = load_shop(tx.connection)
    if order is None or shop is None:
        return
    if held is not None:
        care.add_call(tx, replace(call, held=held))
        return
    locale = rule_words.shop_locale(tx.connection)
    question = plan.question_zh if locale == "zh" else plan.question_en
    question = question or plan.question_en or plan.question_zh
    due_at_ms = out_of_quiet(tx.connection, customer_id, tx.at_ms + CALL_WITHIN_MS)
    subject = sentence(locale, "care.call.subject_of", number=order["number"])
    ticket = begin_ticket(
        tx,
        customer_id=customer_id,
        subject=subject,
        day=local_date(due_at_ms, zone(shop.timezone)).isoformat(),
        team_id=plan.team_id,
        assignee_id=None,
        priority=BY_ID[TICKET_TYPE].priority,
    )
    ticket_moves.connect(tx, RULES, ticket, "order", order_id)
    stored.find_by(tx, ticket.id, str(order["number"]))
    _add_task(tx, ticket, question, due_at_ms)
    thread = ticket_moves.thread_of(tx, ticket)
    messages.put(tx, BOT, thread, client_id=None, body=question, visibility="private", origin="bot")
    care.add_call(tx, replace(call, ticket_id=ticket.id, due_at_ms=due_at_ms))


def record(tx: Tx, actor: Actor, payload: CallOutcome) -> Json:
    """Keeps what came of a call and does what follows. Raises Conflict, InvalidInput, NotFound."""
    require(actor, "ticket.write")
    ticket = ticket_moves.access_ticket(tx, actor, payload.ticket_id)
    if ticket.type != TICKET_TYPE:
        raise InvalidInput("This ticket is no follow-up call.", field="outcome")
    if ticket.over:
        raise Conflict("This ticket is over. Open it again first.", state=ticket.state)
    again = payload.outcome == "not_reached"
    if again and (
        payload.until_ms is None or not tx.at_ms < payload.until_ms <= tx.at_ms + MAX_AHEAD_MS
    ):
        raise InvalidInput("Say when to try again.", field="until_ms", reason="try_again_when")
    call = care.call_of_ticket(tx.connection, ticket.id)
    remarks = clean(payload.remarks, limit=2000, name="remarks", empty=True)
    fields: dict[str, str | int | None] = {"outcome": IN_FIELD[payload.outcome]}
    if remarks:
        fields["remarks"] = remarks
    tickets.change(tx, actor, tickets.ChangeTicket(ticket_id=ticket.id, fields=fields))
    problem_id = None
    if payload.outcome == "problem":
        problem_id = _problem(tx, actor, ticket, call, payload)
    title = _end_tasks(tx, actor, ticket, payload.outcome)
    if again and payload.until_ms is not None:
        until_ms = out_of_quiet(tx.connection, ticket.customer_id, payload.until_ms)
        _add_task(tx, ticket, title, until_ms + CALL_WITHIN_MS)
        current = ticket_moves.current(tx, ticket)
        ticket_moves.set_state(tx, actor, current, "on_hold", until_ms=until_ms)
    else:
        until_ms = None
        current = ticket_moves.current(tx, ticket)
        reason = "withdrawn" if payload.outcome == "refused" else "elsewhere"
        ticket_moves.set_state(
            tx, actor, current, "resolved", reason=reason, words=remarks[:500] or None
        )
    if call is not None:
        values: Json = {
            "outcome": payload.outcome,
            "outcome_at_ms": tx.at_ms,
            "tries": call.tries + 1,
            "problem_id": problem_id,
        }
        if until_ms is not None:
            values["due_at_ms"] = until_ms + CALL_WITHIN_MS
        care.change_call(tx, call.order_id, values)
    return {"ticket_id": ticket.id, "problem_id": problem_id}


def _problem(tx: Tx, actor: Actor, ticket: Ticket, call: Call | None, payload: CallOutcome) -> str:
    """The ticket that a call led to, linked to the call and its order."""
    remarks = payload.remarks.strip()
    known = stored.words_of(tx.connection, [ticket.id]).get(ticket.id)
    made = tickets.create(
        tx,
        actor,
        tickets.CreateTicket(
            type=payload.type,
            subject=(remarks.splitlines() or [known.subject if known else ticket.number])[0][:200],
            customer_id=ticket.customer_id,
            conversation_id=ticket.id,
            order_id=call.order_id if call else None,
            body=remarks,
            team_id=ticket.team_id,
        ),
    )
    return str(made["ticket_id"])


def _end_tasks(tx: Tx, actor: Actor, ticket: Ticket, outcome: str) -> str:
    """Ends what was to be done on a ticket; what it was called."""
    title = sentence(rule_words.shop_locale(tx.connection), "care.call.subject")
    for task in stored.tasks_of(tx.connection, ticket.id):
        if task.state == "open":
            title = task.title
            ticket_parts.change_task(
                tx,
                actor,
                ticket_parts.ChangeTask(
                    ticket_id=ticket.id,
                    task_id=task.id,
                    state="cancelled" if outcome == "not_reached" else "done",
                ),
            )
    return title


def _add_task(tx: Tx, ticket: Ticket, title: str, due_at_ms: int) -> None:
    """The call as a piece of work with its time; where nobody is named it is the ticket's own."""
    task = stored.Task(
        id=tx.new_id(),
        ticket_id=ticket.id,
        title=title[: ticket_parts.MAX_TITLE_CHARS],
        team_id=ticket.team_id,
        assignee_id=None if ticket.team_id else ticket.assignee_id,
        state="open",
        result=None,
        created_at_ms=tx.at_ms,
        due_at_ms=due_at_ms,
        ended_at_ms=None,
        by_id=None,
        ended_by_id=None,
    )
    data = TicketTaskChanged(task_id=task.id, state="open", team_id=task.team_id)
    tx.record(RULES, data, conversation=ticket_moves.thread_of(tx, ticket))
    stored.add_task(tx, task)
    stored.find_by(tx, ticket.id, task.title)
