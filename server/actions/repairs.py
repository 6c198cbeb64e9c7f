"""Repair of a rift: a bad rating, a second complaint or a large refund becomes a senior's task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent_ui.render import sentence
from server.actions import messages, rule_words, ticket_moves, ticket_parts
from server.actions.automation import BOT, RULES
from server.actions.reach import why_silent
from server.domain.actors import Actor
from server.domain.care import KINDS, TICKET_TYPE, Kind, Repairs, kept_repairs
from server.domain.care import read_repairs as read_kept
from server.domain.errors import InvalidInput, NotFound
from server.domain.events import (
    Event,
    OrderRefunded,
    RatingGiven,
    RatingRevised,
    TicketChanged,
    TicketCreated,
)
from server.domain.periods import local_date, zone
from server.domain.permissions import require
from server.domain.spans import DAY_MS, HOUR_MS
from server.domain.text import whole_number
from server.domain.ticket import CHANNEL, Ticket
from server.storage import care, customers, log_readers, orders, people, tickets
from server.storage.care import READER, Repair
from server.storage.connection import Connection
from server.storage.persons import members, person_of
from server.storage.rules import next_events
from server.storage.shop import Shop, load_shop, update_shop
from server.storage.ticket_rows import load_ticket
from server.storage.ticket_types import load_types
from server.storage.tickets import TicketWords
from server.storage.unit import Tx

MANAGE = "ticket.manage"
PAGE = 200
EVENTS = ("rating.given", "rating.revised", "ticket.created", "ticket.changed", "order.refunded")
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a relation needs mending; ``link`` is what the ticket points to, ``n`` what is told."""

    key: str
    kind: Kind
    customer_id: str
    link: tuple[str, str]
    n: str


def repairs_of(shop: Shop | None) -> Repairs:
    """The settings as the shop has them."""
    return read_kept(shop.settings.get("repairs") if shop else None)


def save_repairs(tx: Tx, *, actor: Actor, repairs: Repairs) -> None:
    """Keeps the settings. Raises InvalidInput."""
    require(actor, MANAGE)
    shop = load_shop(tx.connection)
    if shop is None:
        raise NotFound("This shop is not set up yet.")
    teams = {team.id for team in people.load_teams(tx.connection)}
    if repairs.team_id is not None and repairs.team_id not in teams:
        raise InvalidInput("There is no such team.", field="team_id")
    update_shop(tx, replace(shop, settings=shop.settings | {"repairs": kept_repairs(repairs)}))


def read_form(texts: Texts, *, kinds: list[str], refund_minor: int) -> Repairs:
    """The settings as a form has them. Raises InvalidInput."""
    return Repairs(
        on=texts.get("on") == "1",
        kinds=tuple(one for one in KINDS if one in kinds),
        rating=number_in(texts, "rating", 1, 4),
        days=number_in(texts, "days", 1, 730),
        refund_minor=refund_minor,
        team_id=texts.get("team") or None,
        due_hours=number_in(texts, "due_hours", 1, 720),
    )


def number_in(texts: Texts, name: str, least: int, most: int) -> int:
    """A number that a form has. Raises InvalidInput for one that makes no sense."""
    number = whole_number(texts.get(name, "").strip())
    if number is None or not least <= number <= most:
        raise InvalidInput(f"A number from {least} to {most}.", field=name, reason="care_number")
    return number


def news(connection: Connection, *, up_to: int) -> tuple[list[Event], int] | None:
    """What happened since the last look that may be a cause, and up to where that is."""
    place = log_readers.place(connection, READER)
    if place is None or place >= up_to:
        return None
    found = next_events(connection, after=place, up_to=up_to, kinds=EVENTS, limit=PAGE)
    return found, found[-1].seq if len(found) == PAGE else up_to


def cause_of(connection: Connection, event: Event) -> Cause | None:
    """What an event is a cause of, as things are now; None when it is none."""
    shop = load_shop(connection)
    repairs = repairs_of(shop)
    if shop is None or not repairs.on:
        return None
    found = _cause(connection, event, repairs, shop)
    return found if found is not None and found.kind in repairs.kinds else None


def _cause(connection: Connection, event: Event, repairs: Repairs, shop: Shop) -> Cause | None:
    data = event.data
    if isinstance(data, RatingGiven | RatingRevised):
        if data.score > repairs.rating or event.conversation_id is None:
            return None
        customer_id = event.customer_id
        if customer_id is None:
            return None
        link = "ticket" if event.channel == CHANNEL else "conversation"
        key = f"rating:{event.conversation_id}:{data.session_no or 0}"
        return Cause(key, "rating", customer_id, (link, event.conversation_id), str(data.score))
    if isinstance(data, TicketCreated | TicketChanged) and data.type == "complaint":
        ticket = load_ticket(connection, event.conversation_id or "")
        if ticket is None or ticket.type != "complaint":
            return None
        rows = list(members(connection, person_of(connection, ticket.customer_id)))
        since_ms = ticket.created_at_ms - repairs.days * DAY_MS
        last = (ticket.created_at_ms, ticket.id)
        n = care.complaints_of(connection, rows, since_ms=since_ms, last=last)
        if n < 2:
            return None
        key = f"complaint:{ticket.id}"
        return Cause(key, "complaint", ticket.customer_id, ("ticket", ticket.id), str(n))
    if isinstance(data, OrderRefunded):
        order = orders.order_by_id(connection, data.order_id)
        if order is None or order["customer_id"] is None or order["currency"] != shop.currency:
            return None
        if order["refunded_minor"] < repairs.refund_minor:
            return None
        key = f"refund:{data.order_id}"
        return Cause(key, "refund", order["customer_id"], ("order", order["id"]), order["number"])
    return None


def mend(tx: Tx, *, cause: Cause) -> str | None:
    """The ticket that a cause led to: a new one, or the person's that is still open.

    Once for each cause. None when none is made, for which a row says why.
    """
    if care.repair_of(tx.connection, cause.key) is not None:
        return None
    shop = load_shop(tx.connection)
    repairs = repairs_of(shop)
    kind = load_types(tx.connection).get(TICKET_TYPE)
    held = why_silent(tx.connection, cause.customer_id, at_ms=tx.at_ms)
    if held in ("erased", "blocked"):
        return _keep(tx, cause, held=held)
    if kind is None or not kind.active or shop is None:
        return _keep(tx, cause, held="no_type")
    rows = list(members(tx.connection, person_of(tx.connection, cause.customer_id)))
    locale = rule_words.shop_locale(tx.connection)
    subject = sentence(locale, f"care.repairs.subject.{cause.kind}")
    words = sentence(locale, f"care.repairs.note.{cause.kind}", n=cause.n, days=repairs.days)
    known = care.open_repair(tx.connection, rows)
    ticket = tx.ticket(known) if known else None
    due_at_ms = tx.at_ms + repairs.due_hours * HOUR_MS
    if ticket is None:
        assignee_id = None if repairs.team_id else _senior(tx)
        if repairs.team_id is None and assignee_id is None:
            return _keep(tx, cause, held="nobody")
        ticket = begin_ticket(
            tx,
            customer_id=cause.customer_id,
            subject=subject,
            day=local_date(due_at_ms, zone(shop.timezone)).isoformat(),
            team_id=repairs.team_id,
            assignee_id=assignee_id,
            priority="high",
        )
        task = {
            "ticket_id": ticket.id,
            "title": subject,
            "due_at_ms": due_at_ms,
            "team_id": repairs.team_id,
            "assignee_id": assignee_id,
        }
        ticket_parts.add_task(tx, RULES, ticket_parts.AddTask.model_validate(task))
    thread = ticket_moves.thread_of(tx, ticket)
    messages.put(tx, BOT, thread, client_id=None, body=words, visibility="private", origin="bot")
    linked = {(one.kind, one.target) for one in tickets.links_of(tx.connection, ticket.id)}
    if cause.link not in linked:
        ticket_moves.connect(tx, RULES, ticket, *cause.link)
    return _keep(tx, cause, ticket_id=ticket.id, due_at_ms=due_at_ms)


def begin_ticket(
    tx: Tx,
    *,
    customer_id: str,
    subject: str,
    day: str,
    team_id: str | None,
    assignee_id: str | None,
    priority: str,
) -> Ticket:
    """A new follow-up call for a customer, made by the shop itself."""
    customer = customers.load_customer(tx.connection, customer_id)
    return ticket_moves.begin(
        tx,
        RULES,
        customer_id=customer_id,
        kind=TICKET_TYPE,
        words=TicketWords(subject, {"day": day}),
        searched=f"{subject} {customer.name if customer and customer.name else ''}",
        source="rule",
        priority=priority,
        priority_source="rule",
        team_id=team_id,
        assignee_id=assignee_id,
        locale=customer.locale if customer else None,
    )


def _senior(tx: Tx) -> str | None:
    """The supervisor with the fewest tickets to do; an admin where there is none."""
    found = people.load_people(tx.connection)
    for role in ("supervisor", "admin"):
        ids = [one.id for one in found if one.role == role]
        if ids:
            loads = care.loads(tx.connection, ids)
            return min(ids, key=lambda one: (loads[one], one))
    return None


def _keep(
    tx: Tx,
    cause: Cause,
    *,
    ticket_id: str | None = None,
    held: str | None = None,
    due_at_ms: int | None = None,
) -> str | None:
    made = Repair(cause.key, cause.kind, cause.customer_id, ticket_id, held, tx.at_ms, due_at_ms)
    care.add_repair(tx, made)
    return ticket_id
