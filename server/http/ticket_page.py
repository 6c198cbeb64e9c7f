"""The page of one ticket: its thread with all that happened, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from secrets import token_hex
from typing import Any  # Any: values of a template
from urllib.parse import urlencode

from aiohttp import web

from server.actions import notices as notice_actions
from server.actions import ticket_jobs, ticket_lists, ticket_merge, ticket_parts, tickets
from server.actions.desk import Look, the_shop
from server.actions.payload import Payload, parse
from server.dispatch import run
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.events import Event, MessagePosted, TicketStateChanged
from server.domain.periods import instant_ms, zone
from server.domain.text import whole_number
from server.domain.ticket import OVER, PRIORITIES, REASONS, Ticket, needs_reason
from server.domain.ticket_number import read_number
from server.http.bodies import Form, entered, field, read_form
from server.http.client import is_own_visit
from server.http.files import take_form, unexpected
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.ticket_words import Told, in_words
from server.http.tickets import fields_of
from server.http.views import done_of, locale_of, problem_of, render
from server.storage import customers, orders, people
from server.storage import tickets as stored
from server.storage.connection import Connection
from server.storage.event_log import conversation_events
from server.storage.hours import load_book
from server.storage.notices import has_unread_of
from server.storage.persons import members, person_of
from server.storage.rows import Message, load_conversation
from server.storage.shop import Shop
from server.storage.ticket_lists import by_ids as listed
from server.storage.ticket_types import load_statuses, load_types

READ = "ticket.read"
WRITE = "ticket.write"
DONE = frozenset({"made", "sent", "noted", "saved", "joined", "separated", "split"})
MOST_EVENTS = 1000
Json = dict[str, Any]  # Any: values of a template
Parts = tuple[list[stored.Part], list[stored.Part]]
Read = Callable[[Form, str, Shop], Payload]


def add_ticket_page(app: web.Application) -> None:
    """Serves the page and its forms."""
    app.router.add_get("/tickets/{number}", show_ticket)
    app.router.add_post("/tickets/{number}/{do}", submit)


async def show_ticket(request: web.Request, error: AppError | None = None) -> web.Response:
    """One ticket; one that was joined to another leads there if that may be seen.

    Not when it is asked for itself: then it says where it went.
    """
    person = await require_person(request, READ)
    locale = await locale_of(request)
    number = request.match_info["number"][:64]
    at_ms = request.app[DATABASE].clock()
    form = await read_form(request) if error is not None else {}
    found = await request.app[DATABASE].read(
        lambda c: _view(Look(c, person.actor, at_ms), number, locale)
    )
    if found["told_of"] and is_own_visit(request):
        seen = partial(notice_actions.mark_seen, actor=person.actor, ticket_id=found["ticket"].id)
        await request.app[DATABASE].write(seen)
    onward = found["onward"]
    if onward is not None and request.method == "GET" and "own" not in request.query:
        raise web.HTTPSeeOther(f"/tickets/{onward.number}?from={found['ticket'].number}")
    came = request.query.get("from", "")
    alike = [n for n in request.query.get("alike", "").split(",") if read_number(n) == n]
    since = error.details.get("since") if error else None
    return await render(
        request,
        "ticket.html",
        status=error.status if error else 200,
        nav="tickets",
        wide=True,
        now_ms=at_ms,
        problem=await problem_of(request, error),
        entered=entered(form),
        typed=_typed(request, form),
        since=since or [],
        done=done_of(request, DONE),
        came_from=came if read_number(came) == came and came else None,
        warned=alike[:5],
        client_id=(field(form, "client_id") if since or error else "") or token_hex(12),
        kept_files=form.get("kept", []),
        priorities=PRIORITIES,
        reasons=REASONS,
        **found,
    )


async def submit(request: web.Request) -> web.Response:
    """Does what a form of the page asks for and shows the page again."""
    person = await require_person(request, WRITE)
    what = request.match_info["do"]
    if what not in _FORMS:
        raise NotFound("There is no such page.")
    read, action, done = _FORMS[what]
    form = await read_form(request)
    database = request.app[DATABASE]
    number = request.match_info["number"][:64]

    def find(connection: Connection) -> tuple[str, Shop]:
        look = Look(connection, person.actor, 0)
        return ticket_lists.read_ticket(look, number).id, the_shop(connection)

    ticket_id, shop = await database.read(find)
    try:
        if what == "reply":
            await take_form(request, person.actor)
        payload = read(form, ticket_id, shop)
        answer = await run(database, action, person.actor, payload)
    except NotFound as error:
        return await show_ticket(request, InvalidInput(error.message, reason="ticket_missing"))
    except AppError as error:
        if unexpected(error):
            raise
        return await show_ticket(request, error)
    said = "noted" if what == "reply" and field(form, "visibility") == "private" else done
    goes = await database.read(lambda c: _number(c, answer["ticket_id"]))
    own = {"own": "1"} if what == "unmerge" else {}
    address = f"/tickets/{goes}?{urlencode({'done': said, **own})}"
    raise web.HTTPSeeOther(f"{address}#end" if what == "reply" else address)


def _typed(request: web.Request, form: Form) -> Json:
    """What was typed, by the form that sent it: no form shows what belongs to another."""
    sent = request.path.rpartition("/")[2] if form else ""
    if sent == "change":
        sent = "details" if "typed" in form else "state"
    return {sent: entered(form)}


# -- what the page shows -------------------------------------------------------------------------


def _view(look: Look, number: str, locale: Any) -> Json:  # Any: a literal of the page's language
    connection = look.connection
    ticket = ticket_lists.read_ticket(look, number)
    detail = ticket_lists.detail(look, ticket)
    shop = the_shop(connection)
    kinds, statuses = load_types(connection), load_statuses(connection)
    teams = people.load_teams(connection)
    joined = stored.merged_into(connection, ticket.id)
    customer = customers.load_customer(connection, ticket.customer_id)
    called = detail["customer"]["name"]
    merged_into = stored.load_ticket(connection, ticket.merged_into) if ticket.merged_into else None
    zh = locale == "zh"
    parts = stored.parts_beside(connection, [ticket.id, *(one.id for one in joined)])
    events = conversation_events(connection, ticket.id)[-MOST_EVENTS:]
    told = Told(
        locale=locale,
        timezone=shop.timezone,
        names=people.names(connection),
        teams={t.id: (t.name_zh or t.name) if zh else t.name for t in teams},
        numbers=_numbers(connection, ticket, events, joined, parts),
        kinds=kinds,
        statuses=statuses,
        tasks={task["id"]: task["title"] for task in detail["tasks"]},
        whom={task["id"]: task["assignee_id"] for task in detail["tasks"] if task["assignee_id"]},
        customer=called or "",
    )
    kind = kinds.get(ticket.type)
    rows = members(connection, person_of(connection, ticket.customer_id))
    return {
        "ticket": ticket,
        "detail": detail,
        "customer": customer,
        "called": called,
        "kind": kind,
        "kinds": {k: v for k, v in kinds.items() if v.active or k == ticket.type},
        "statuses": [one for one in statuses.values() if one.active],
        "told": told,
        "teams": teams,
        "people": people.load_people(connection),
        "entries": _entries(connection, ticket, joined, told, parts=parts, events=events),
        "merged_into": merged_into,
        "onward": merged_into if _may_follow(look, merged_into) else None,
        "told_of": has_unread_of(connection, look.actor.id or "", ticket.id),
        "joined": joined,
        "followers": [
            one.number
            for one in stored.followed_by(connection, ticket.id)
            if stored.sees(connection, look.actor, one)
        ],
        "alike": _alike(look, ticket, rows),
        "links": _links(look, detail["links"]),
        "orders": orders.orders_of(connection, rows, 20),
        "watching": look.actor.id in {one["id"] for one in detail["watchers"]},
        "planned": ticket_jobs.planned(ticket, shop, load_book(connection)),
        "needs_reason": needs_reason(ticket, "resolved"),
        "over": ticket.state in OVER,
        "writable": ticket.state not in ("closed", "merged", "spam"),
        "shown": ticket_lists.shown_state(ticket, kinds, statuses, locale),
        "shop": shop,
    }


def _may_follow(look: Look, merged_into: Ticket | None) -> bool:
    """True when who looks sees the ticket to which this one was joined."""
    return merged_into is not None and stored.sees(look.connection, look.actor, merged_into)


def _entries(
    connection: Connection,
    ticket: Ticket,
    joined: list[Ticket],
    told: Told,
    *,
    parts: Parts,
    events: list[Event],
) -> list[Json]:
    """Messages and what was done, by time; what stands in another thread says in which."""
    here, away = parts
    entries: list[Json] = []
    sources: list[tuple[str, int, int, str | None]] = [(ticket.id, 0, 2**53, None)]
    sources += [(one.id, 0, 2**53, one.number) for one in joined]
    for part in here:
        number = told.number(part.thread_id)
        sources.append((part.thread_id, part.first_seq, part.last_seq, number))
    for thread_id, first, last, badge in sources:
        for message in stored.messages_between(connection, thread_id, first, last):
            gone = next(
                (
                    part.ticket_id
                    for part in away
                    if thread_id == part.thread_id
                    and part.first_seq <= message.seq <= part.last_seq
                ),
                None,
            )
            entries.append(_said(message, told, badge, told.number(gone) if gone else None))
    notes = stored.notes_of(connection, ticket.id)
    for event in events:
        if isinstance(event.data, MessagePosted):
            continue
        text = in_words(event, notes.get(event.seq), told)
        if text is not None:
            who = _who(event.actor_kind, event.actor_id, told)
            over = isinstance(event.data, TicketStateChanged) and event.data.to in OVER
            entries.append(
                {
                    "kind": "did",
                    "at_ms": event.at_ms,
                    "seq": event.seq,
                    "who": who,
                    "text": text,
                    "over": over,
                }
            )
    return sorted(entries, key=lambda entry: (entry["at_ms"], entry["seq"]))


def _said(message: Message, told: Told, badge: str | None, gone: str | None) -> Json:
    return {
        "kind": "said",
        "id": message.id,
        "at_ms": message.at_ms,
        "seq": message.seq,
        "by": message.sender_kind,
        "agent_id": message.sender_id if message.sender_kind == "agent" else None,
        "who": _who(message.sender_kind, message.sender_id, told),
        "body": message.body,
        "blocks": message.blocks or [],
        "private": message.visibility == "private",
        "origin": message.origin,
        "badge": badge,
        "gone": gone,
    }


def _who(kind: str, actor_id: str | None, told: Told) -> str:
    if kind == "customer":
        return told.customer or told.say("shopper")
    if kind == "agent":
        return told.person(actor_id)
    return told.say("by_itself")


def _numbers(
    connection: Connection,
    ticket: Ticket,
    events: list[Event],
    joined: list[Ticket],
    parts: Parts,
) -> dict[str, str]:
    """The numbers of the tickets that the history names."""
    wanted = {one.id for one in joined} | {ticket.parent_id or "", ticket.merged_into or ""}
    for event in events:
        data = event.data
        wanted |= {str(getattr(data, name, "") or "") for name in ("into", "ticket_id", "target")}
    here, away = parts
    wanted |= {part.thread_id for part in here} | {part.ticket_id for part in away}
    return stored.numbers_of(connection, sorted(wanted - {""}))


def _alike(look: Look, ticket: Ticket, rows: tuple[str, ...]) -> list[Json]:
    """The person's other open tickets that may be seen: what it might be joined to."""
    ids = stored.alike(look.connection, rows, order_id=None, but=ticket.id)
    found = listed(look.connection, ids)
    shown = [found[key] for key in ids if key in found]
    return [
        {"number": one.ticket.number, "subject": one.subject}
        for one in shown
        if stored.sees(look.connection, look.actor, one.ticket)
    ]


def _links(look: Look, links: list[Json]) -> list[Json]:
    """What is linked with an address and a name, as far as the actor may see it."""
    found = []
    for link in links:
        kind, target = link["kind"], link["target"]
        name, address = target, None
        if kind == "ticket":
            other = stored.load_ticket(look.connection, target)
            if other is None or not stored.sees(look.connection, look.actor, other):
                continue
            name, address = other.number, f"/tickets/{other.number}?own=1"
        elif kind == "conversation":
            talk = load_conversation(look.connection, target)
            if talk is None:
                continue
            name, address = "", f"/console?conversation={target}"
        elif kind in ("order", "line"):
            order_id, _, line = target.partition(":")
            order = orders.order_by_id(look.connection, order_id)
            if order is None:
                continue
            lines = orders.lines_of(look.connection, [order_id]).get(order_id, [])
            titles = [one["title"] for one in lines if not line or str(one["line_no"]) == line]
            name = f"{order['number']} · {', '.join(titles[:3])}" if titles else order["number"]
        found.append({"kind": kind, "target": target, "name": name, "address": address})
    return found


def _number(connection: Connection, ticket_id: str) -> str:
    ticket = stored.load_ticket(connection, ticket_id)
    if ticket is None:
        raise NotFound("There is no such ticket.")
    return ticket.number


# -- what its forms send -------------------------------------------------------------------------


def _reply(form: Form, ticket_id: str, shop: Shop) -> Payload:
    values: Json = {
        "ticket_id": ticket_id,
        "client_id": field(form, "client_id"),
        "body": field(form, "body"),
        "files": form.get("kept") or None,
        "visibility": "private" if field(form, "visibility") == "private" else "public",
    }
    if (seen := whole_number(field(form, "seen_seq"), digits=16)) is not None:
        values["seen_seq"] = seen
    return parse(tickets.ReplyTicket, values | _state(form, shop, field(form, "then")))


def _change(form: Form, ticket_id: str, shop: Shop) -> Payload:
    values: Json = {"ticket_id": ticket_id}
    for name in ("subject", "type", "priority"):
        if field(form, name):
            values[name] = field(form, name)
    if "team" in form:
        values["team_id"] = field(form, "team")
    if "assignee" in form:
        values["assignee_id"] = field(form, "assignee")
    fields = fields_of(form)
    if fields and field(form, "type") == field(form, "typed"):
        values["fields"] = fields
    return parse(tickets.ChangeTicket, values | _state(form, shop, field(form, "state")))


def _state(form: Form, shop: Shop, chosen: str) -> Json:
    """The state that a form names, ``STATE`` or ``STATE:STATUS``, with why and until when."""
    if not chosen:
        return {}
    state, _, status = chosen.partition(":")
    found: Json = {"state": state}
    if status:
        found["status"] = status
    if field(form, "reason"):
        found["reason"] = field(form, "reason")
    if field(form, "reason_text"):
        found["reason_text"] = field(form, "reason_text")
    until = field(form, "until")
    if until:
        try:
            found["until_ms"] = instant_ms(until, zone(shop.timezone))
        except InvalidInput:
            raise InvalidInput("This is no time.", field="until_ms", reason="no_time") from None
    return found


def _link(form: Form, ticket_id: str, _: Shop) -> Payload:
    values = {
        "ticket_id": ticket_id,
        "kind": field(form, "kind"),
        "target": field(form, "target"),
        "linked": field(form, "linked") != "0",
    }
    return parse(ticket_parts.LinkTicket, values)


def _add_task(form: Form, ticket_id: str, shop: Shop) -> Payload:
    values: Json = {"ticket_id": ticket_id, "title": field(form, "title")}
    kind, _, key = field(form, "desk").partition(":")
    if key:
        values["team_id" if kind == "team" else "assignee_id"] = key
    if field(form, "due"):
        try:
            values["due_at_ms"] = instant_ms(field(form, "due"), zone(shop.timezone))
        except InvalidInput:
            raise InvalidInput("This is no time.", field="due_at_ms", reason="no_time") from None
    return parse(ticket_parts.AddTask, values)


def _task(form: Form, ticket_id: str, _: Shop) -> Payload:
    values = {
        "ticket_id": ticket_id,
        "task_id": field(form, "task"),
        "state": field(form, "state"),
        "result": field(form, "result"),
    }
    return parse(ticket_parts.ChangeTask, values)


def _merge(form: Form, ticket_id: str, _: Shop) -> Payload:
    into = field(form, "into") or field(form, "other")
    return parse(ticket_merge.MergeTicket, {"ticket_id": ticket_id, "into": into.strip()})


def _unmerge(form: Form, ticket_id: str, _: Shop) -> Payload:
    return parse(ticket_merge.UnmergeTicket, {"ticket_id": field(form, "ticket") or ticket_id})


def _split(form: Form, ticket_id: str, _: Shop) -> Payload:
    values = {
        "ticket_id": ticket_id,
        "message_id": field(form, "message"),
        "subject": field(form, "subject"),
    }
    return parse(ticket_merge.SplitTicket, values)


def _watch(form: Form, ticket_id: str, _: Shop) -> Payload:
    watching = field(form, "watching") == "1"
    return parse(tickets.WatchTicket, {"ticket_id": ticket_id, "watching": watching})


def _hold(form: Form, ticket_id: str, _: Shop) -> Payload:
    held = field(form, "held") == "1"
    return parse(ticket_jobs.HoldClosing, {"ticket_id": ticket_id, "held": held})


# What each form of the page is read with, what it does, and what is said then.
_FORMS: dict[str, tuple[Read, Any, str]] = {  # Any: an action on that payload
    "reply": (_reply, tickets.reply, "sent"),
    "change": (_change, tickets.change, "saved"),
    "link": (_link, ticket_parts.link, "saved"),
    "task": (_add_task, ticket_parts.add_task, "saved"),
    "task-end": (_task, ticket_parts.change_task, "saved"),
    "merge": (_merge, ticket_merge.merge, "joined"),
    "unmerge": (_unmerge, ticket_merge.unmerge, "separated"),
    "split": (_split, ticket_merge.split, "split"),
    "watch": (_watch, tickets.watch, "saved"),
    "closing": (_hold, ticket_jobs.hold, "saved"),
}
