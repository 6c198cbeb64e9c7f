"""The lists of tickets, in three columns, and the form for a new one."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import Any  # Any: values of a template
from urllib.parse import urlencode

from aiohttp import web

from server.actions import tickets as actions
from server.actions.desk import Look, sees_customer, the_shop
from server.actions.open_loops import READ as LEADS
from server.actions.payload import parse
from server.dispatch import run
from server.domain.actors import Actor
from server.domain.cursors import cursor_of, place_of
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.permissions import may
from server.domain.ticket import LANES, PRIORITIES
from server.http.bodies import Form, entered, field, read_form
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.views import problem_of, render
from server.storage import customers, people, ticket_lists
from server.storage.connection import Connection
from server.storage.open_loops import count_open_loops
from server.storage.orders import orders_of
from server.storage.persons import members, person_of
from server.storage.ticket_lists import Wanted
from server.storage.ticket_types import load_statuses, load_types
from server.storage.views import TARGETS

READ = "ticket.read"
WRITE = "ticket.write"
# What a column shows at first, and a page of one column alone.
SHORT, PAGE = 25, 50
WHOSE = ("all", "mine", "nobody", "watched")
Json = dict[str, Any]  # Any: values of a template


def add_tickets(app: web.Application) -> None:
    """Serves the list and the form for a new ticket."""
    router = app.router
    router.add_get("/tickets", show_tickets)
    router.add_get("/tickets/new", show_new)
    router.add_post("/tickets/new", make)


async def show_tickets(request: web.Request) -> web.Response:
    """What is to be done, in three columns, or one of them page by page."""
    actor = (await require_person(request, READ)).actor
    query = {name: value[:200] for name, value in request.query.items()}
    at_ms = request.app[DATABASE].clock()
    found = await request.app[DATABASE].read(lambda c: _lists(c, actor, query, at_ms=at_ms))
    return await render(request, "tickets.html", nav="tickets", wide=True, now_ms=at_ms, **found)


def _lists(connection: Connection, actor: Actor, query: Json, *, at_ms: int) -> Json:
    kinds = load_types(connection)
    teams = people.load_teams(connection)
    whose = query.get("whose") if query.get("whose") in WHOSE else "all"
    chosen = {
        "q": (query.get("q") or "").strip(),
        "whose": whose,
        "team": query.get("team") if query.get("team") in {t.id for t in teams} else "",
        "type": query.get("type") if query.get("type") in kinds else "",
        "priority": query.get("priority") if query.get("priority") in PRIORITIES else "",
        "late": "1" if query.get("late") == "1" else "",
    }
    wanted = Wanted(
        team_id=chosen["team"] or None,
        type=chosen["type"] or None,
        priority=chosen["priority"] or None,
        assignee_id=actor.id if whose == "mine" else None,
        unassigned=whose == "nobody",
        watcher_id=actor.id if whose == "watched" else None,
        overdue_at_ms=at_ms if chosen["late"] else None,
    )
    if chosen["q"]:
        # Once for all columns.
        wanted = replace(wanted, ids=tuple(ticket_lists.search(connection, chosen["q"])))
    lane = query.get("lane") if query.get("lane") in LANES else None
    shown = LANES if lane is None else (lane,)
    counts = ticket_lists.counts(connection, actor, wanted, shown)
    loops = None
    if may(actor, LEADS):
        late = count_open_loops(connection, at_ms=at_ms, limit_ms=TARGETS["limit_ms"])
        loops = sum(late.values())
    asked = {name: value for name, value in chosen.items() if value and value != "all"}
    columns = []
    for one in shown:
        limit = SHORT if lane is None else PAGE
        bound = asked | {"lane": one}
        after = None
        if lane is not None:
            try:
                after = place_of(query.get("cursor"), "ticket page", bound)
            except InvalidInput:
                after = None
        rows = ticket_lists.page(
            connection,
            actor,
            replace(wanted, lane=one),
            order="due",
            after=after,
            limit=limit + 1,
        )
        last = rows[limit - 1].ticket if len(rows) > limit else None
        more = None
        if last is not None:
            more = {**bound}
            if lane is not None:
                more["cursor"] = cursor_of("ticket page", bound, (last.sort_ms, last.id))
        columns.append(
            {
                "lane": one,
                "count": counts[one],
                "many": counts[one] >= ticket_lists.MAX_COUNTED,
                "rows": rows[:limit],
                "more": f"/tickets?{urlencode(more)}" if more else None,
            }
        )
    return {
        "columns": columns,
        "loops": loops,
        "first": not asked and lane is None and not any(counts.values()),
        "lane": lane,
        "chosen": chosen,
        "filtered": bool(asked),
        "back": f"/tickets?{urlencode(asked)}" if asked else "/tickets",
        "kinds": kinds,
        "statuses": load_statuses(connection),
        "teams": teams,
        "team_names": {team.id: team for team in teams},
        "names": people.names(connection),
        "priorities": PRIORITIES,
        "whose": WHOSE,
        "shop": the_shop(connection),
    }


async def show_new(request: web.Request, error: AppError | None = None) -> web.Response:
    """The form for a new ticket of one customer, or the question whose it is to be."""
    actor = (await require_person(request, WRITE)).actor
    form = await read_form(request) if request.method == "POST" else {}
    customer_id = field(form, "customer") or request.query.get("customer", "")
    if not customer_id:
        return await render(request, "ticket_new.html", nav="tickets", customer=None)
    at_ms = request.app[DATABASE].clock()
    found = await request.app[DATABASE].read(
        lambda c: _new(Look(c, actor, at_ms), customer_id[:64])
    )
    typed = entered(form)
    kind = typed.get("type") or request.query.get("type", "")
    return await render(
        request,
        "ticket_new.html",
        status=error.status if error else 200,
        nav="tickets",
        problem=await problem_of(request, error),
        entered=typed,
        kind=found["kinds"].get(kind),
        client_id=typed.get("client_id") or token_hex(12),
        priorities=PRIORITIES,
        **found,
    )


def _new(look: Look, customer_id: str) -> Json:
    customer = customers.load_customer(look.connection, customer_id) if customer_id else None
    if customer is None or not sees_customer(look, customer.id):
        raise NotFound("There is no such customer.")
    rows = members(look.connection, person_of(look.connection, customer.id))
    return {
        "customer": customer,
        "kinds": {k: v for k, v in load_types(look.connection).items() if v.active},
        "teams": people.load_teams(look.connection),
        "orders": orders_of(look.connection, rows, 20),
        "shop": the_shop(look.connection),
    }


async def make(request: web.Request) -> web.Response:
    """Makes the ticket and goes there; a change of type shows the form again with its fields."""
    person = await require_person(request, WRITE)
    form = await read_form(request)
    if field(form, "do") == "type":
        return await show_new(request)
    try:
        payload = parse(actions.CreateTicket, _payload(form))
        answer = await run(request.app[DATABASE], actions.create, person.actor, payload)
    except NotFound:
        raise
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_new(request, error)
    known = {"done": "made"} | ({"alike": ",".join(answer["alike"])} if answer["alike"] else {})
    raise web.HTTPSeeOther(f"/tickets/{answer['number']}?{urlencode(known)}")


def _payload(form: Form) -> Json:
    found: Json = {
        "type": field(form, "type"),
        "subject": field(form, "subject"),
        "customer_id": field(form, "customer"),
        "body": field(form, "body"),
        "visibility": "public" if field(form, "visibility") == "public" else "private",
        "fields": fields_of(form),
    }
    for name, key in (
        ("client_id", "client_id"),
        ("order_id", "order"),
        ("priority", "priority"),
        ("team_id", "team"),
        ("assignee_id", "assignee"),
    ):
        if field(form, key):
            found[name] = field(form, key)
    return found


def fields_of(form: Form) -> dict[str, str | None]:
    """What was typed in the fields of the type, by their keys; an empty one is None."""
    start = "field."
    return {
        name.removeprefix(start): values[0].strip() or None
        for name, values in form.items()
        if name.startswith(start)
    }
