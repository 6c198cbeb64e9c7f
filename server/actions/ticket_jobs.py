"""What comes due with tickets by itself: those put aside, and the steps of automatic closing."""

from __future__ import annotations

from typing import Any  # Any: JSON values
from zoneinfo import ZoneInfo

from agent_ui.render import language, sentence
from server.actions import messages, ticket_moves
from server.actions.desk import Look
from server.actions.payload import Id, Payload
from server.actions.ticket_moves import access_ticket, set_state, thread_of
from server.domain.actors import SYSTEM, Actor
from server.domain.events import TicketClosing
from server.domain.permissions import require
from server.domain.spans import DAY_MS
from server.domain.ticket import Ticket
from server.domain.ticket_closing import STEPS, Closing, Step, next_step, plan, read_closing
from server.storage import tickets
from server.storage.hours import HoursBook, load_book
from server.storage.shop import Shop, load_shop
from server.storage.unit import Tx

AT_ONCE = 20
# How many tickets a dry run looks at; beyond, it says that there are more.
MAX_PREVIEW = 5000
Json = dict[str, Any]  # Any: JSON values


class HoldClosing(Payload):
    """Whether the automatic closing of a ticket is stopped."""

    ticket_id: Id
    held: bool = True


def wake_due(tx: Tx) -> int:
    """Brings back tickets put aside whose time has come; how many, ``AT_ONCE`` if more may be."""
    due = tickets.due_wakes(tx.connection, at_ms=tx.at_ms, limit=AT_ONCE)
    for ticket_id in due:
        ticket = tx.ticket(ticket_id)
        if ticket is not None and ticket.state == "on_hold" and ticket.wake_at_ms is not None:
            set_state(tx, SYSTEM, ticket, "open")
    return len(due)


def close_due(tx: Tx, *, after: str = "") -> tuple[int, str | None]:
    """Takes the steps that are due among the next tickets: how many, and where to go on."""
    shop = load_shop(tx.connection)
    rules = closing_of(shop)
    if shop is None or not rules.on:
        return 0, None
    book, tz = load_book(tx.connection), ZoneInfo(shop.timezone)
    ids = tickets.closing_soon(
        tx.connection, before_ms=tx.at_ms - DAY_MS, after=after, limit=AT_ONCE
    )
    taken = 0
    for ticket_id in ids:
        ticket = tx.ticket(ticket_id)
        if ticket is None:
            continue
        step = next_step(ticket, rules, book.of_team(ticket.team_id), tz, at_ms=tx.at_ms)
        if step is not None:
            _take(tx, ticket, step, shop)
            taken += 1
    return taken, ids[-1] if len(ids) == AT_ONCE else None


def hold(tx: Tx, actor: Actor, payload: HoldClosing) -> Json:
    """Stops the automatic closing of one ticket, or lets it go on. Raises NotFound."""
    require(actor, "ticket.write")
    ticket = access_ticket(tx, actor, payload.ticket_id)
    if ticket.held != payload.held:
        step = "held" if payload.held else "let_go"
        tx.record(actor, TicketClosing(step=step), conversation=thread_of(tx, ticket))
    return {"ticket_id": ticket.id}


def preview(look: Look, rules: Closing) -> Json:
    """How many tickets each step would meet if the rules held now; nothing is done."""
    shop = load_shop(look.connection)
    if shop is None:
        return dict.fromkeys(STEPS, 0)
    book, tz = load_book(look.connection), ZoneInfo(shop.timezone)
    counts: Json = dict.fromkeys(STEPS, 0)
    found = tickets.closing_candidates(look.connection, limit=MAX_PREVIEW)
    for ticket in found:
        step = next_step(ticket, rules, book.of_team(ticket.team_id), tz, at_ms=look.at_ms)
        if step is not None:
            counts[step] += 1
    return counts | {"more": len(found) == MAX_PREVIEW}


def planned(ticket: Ticket, shop: Shop, book: HoursBook) -> list[Json]:
    """The steps that come for a ticket by themselves, in order; none where none are taken."""
    rules = closing_of(shop)
    if not rules.on:
        return []
    steps = plan(ticket, rules, book.of_team(ticket.team_id), ZoneInfo(shop.timezone))
    return [{"step": one.step, "at_ms": one.at_ms} for one in steps]


def closing_of(shop: Shop | None) -> Closing:
    """The rules of automatic closing as the shop has them."""
    chosen = shop.settings.get("tickets") if shop else None
    return read_closing(chosen.get("closing") if isinstance(chosen, dict) else None)


def _take(tx: Tx, ticket: Ticket, step: Step, shop: Shop) -> None:
    thread = thread_of(tx, ticket)
    if step == "close":
        set_state(tx, SYSTEM, ticket, "closed", reason=None if ticket.may_rest else "no_reply")
        return
    key = "written.remind" if step == "remind" else "written.resolve"
    body = sentence(language(thread.locale or shop.locale), key)
    messages.put(tx, SYSTEM, thread, client_id=None, body=body, origin="auto")
    if step == "remind":
        tx.record(SYSTEM, TicketClosing(step="reminded"), conversation=thread_of(tx, ticket))
        return
    ticket = ticket_moves.current(tx, ticket)
    set_state(tx, SYSTEM, ticket, "resolved", reason=None if ticket.may_rest else "no_reply")
