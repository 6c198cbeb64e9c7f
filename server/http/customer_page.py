"""The page of one customer: who they are, what staff keep about them, and all that happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Any, cast  # Any: values of a template

from aiohttp import web

from server.actions import customers as actions
from server.actions import identity
from server.actions.desk import the_shop
from server.actions.payload import Payload, parse
from server.dispatch import Action
from server.domain.actors import Actor
from server.domain.cursors import cursor_of, place_of
from server.domain.errors import AppError, NotFound
from server.domain.periods import instant_ms, zone
from server.domain.permissions import may
from server.domain.quiet import CHANNELS
from server.domain.text import whole_number
from server.http.bodies import Form, entered, field, read_form
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.views import done_of, problem_of, render
from server.storage import cards, history, notes, persons
from server.storage.connection import Connection
from server.storage.conversations import sees_customer
from server.storage.customers import load_customer

READ = "customer.read"
PAGE = 50
LIMIT_S = 20.0
DONE = frozenset({"noted", "tagged", "preferred", "blocked", "unblocked"})
Json = dict[str, Any]  # Any: values of a template
Save = Callable[[Actor, Form], Awaitable[str]]


def add_customer_page(app: web.Application) -> None:
    """Serves the page and its forms."""
    router = app.router
    router.add_get("/customers/{id}", show_customer)
    router.add_post("/customers/{id}/note", save_note)
    router.add_post("/customers/{id}/tags", save_tags)
    router.add_post("/customers/{id}/preferences", save_preferences)
    router.add_post("/customers/{id}/block", save_block)
    router.add_post("/customers/{id}/chat", begin_chat)
    router.add_post("/customers/{id}/reveal", reveal)


async def show_customer(
    request: web.Request, error: AppError | None = None, *, revealed: Json | None = None
) -> web.Response:
    """One person, whichever of their rows the address names."""
    actor = (await require_person(request, READ)).actor
    at_ms = request.app[DATABASE].clock()
    found = await request.app[DATABASE].read(
        lambda c: _view(c, actor, request, at_ms=at_ms), limit_s=LIMIT_S
    )
    if found["card"]["person_id"] != request.match_info["id"] and request.method == "GET":
        query = f"?{request.query_string}" if request.query_string else ""
        raise web.HTTPSeeOther(f"/customers/{found['card']['person_id']}{query}")
    form = await read_form(request) if error is not None else {}
    theirs = error.details.get("note") if error is not None else None
    return await render(
        request,
        "customer.html",
        status=error.status if error else 200,
        nav="customers",
        wide=True,
        problem=await problem_of(request, error),
        reason=error.details.get("reason") if error else None,
        details=error.details if error else {},
        entered=entered(form),
        theirs=cast(Json | None, theirs),
        changed=bool(error and error.details.get("reason") == "note_changed"),
        revealed=revealed or {},
        done=done_of(request, DONE),
        channels=CHANNELS,
        client_id=f"page-{token_hex(12)}",
        max_note=actions.MAX_NOTE_CHARS,
        max_tag=actions.MAX_TAG_CHARS,
        now_ms=at_ms,
        **found,
    )


def _view(connection: Connection, actor: Actor, request: web.Request, *, at_ms: int) -> Json:
    customer = load_customer(connection, request.match_info["id"])
    rows = persons.members(connection, persons.person_of(connection, request.match_info["id"]))
    if customer is None or not (actor.leads or sees_customer(connection, actor, rows)):
        raise NotFound("There is no such customer.")
    shop = the_shop(connection)
    card = cards.card(connection, customer, actor, at_ms)
    asked = request.query if request.method == "GET" else {}
    lanes = [lane for lane in history.LANES if lane in request.query.getall("lane", [])]
    name, bound = f"history of {rows[0]}", {"lanes": " ".join(lanes)}
    before = place_of(asked.get("cursor"), name, bound)
    until = asked.get("until", "").strip()[:10]
    if before is None and until:
        before = (instant_ms(until, zone(shop.timezone), end=True), "")
    page = history.page(
        connection, actor, rows, lanes=lanes or history.LANES, before=before, limit=PAGE
    )
    return {
        "shop": shop,
        "card": card,
        "history": page,
        "older": page.older and cursor_of(name, bound, page.older),
        "until": until,
        "begun": before is not None,
        "lanes": lanes,
        "all_lanes": history.LANES,
        "counts": history.counts(connection, actor, rows),
        "more_notes": notes.notes_of(connection, rows)[1:],
        "known_tags": notes.known_tags(connection),
        "open_chat": next(
            (c["id"] for c in card["conversations"] if c["status"] in ("open", "snoozed")), None
        ),
        "may_reveal": may(actor, "contact.reveal"),
    }


async def save_note(request: web.Request) -> web.Response:
    """Saves the note, or shows both texts when somebody else has saved meanwhile."""

    async def save(actor: Actor, form: Form) -> str:
        version = whole_number(field(form, "version"), digits=16) or 0
        values = {"body": field(form, "body"), "version": version}
        await _do(request, actor, actions.write_note, actions.WriteNote, values)
        return "noted"

    return await _submit(request, save)


async def save_tags(request: web.Request) -> web.Response:
    """Puts one tag on, or takes one off."""

    async def save(actor: Actor, form: Form) -> str:
        words = {name: [w] if (w := field(form, name)) else [] for name in ("add", "remove")}
        await _do(request, actor, actions.tag, actions.TagCustomer, words)
        return "tagged"

    return await _submit(request, save)


async def save_preferences(request: web.Request) -> web.Response:
    """Keeps the preferred channel and quiet hours."""

    async def save(actor: Actor, form: Form) -> str:
        start, end = field(form, "from")[:5], field(form, "to")[:5]
        zone_name = field(form, "timezone") or None
        hours = {"from": start, "to": end, "timezone": zone_name} if start or end else None
        values = {"channel": field(form, "channel") or None, "quiet_hours": hours}
        await _do(request, actor, actions.prefer, actions.Prefer, values)
        return "preferred"

    return await _submit(request, save)


async def save_block(request: web.Request) -> web.Response:
    """Refuses the customer's messages, or takes them again."""

    async def save(actor: Actor, form: Form) -> str:
        on = field(form, "blocked") == "1"
        values = {"blocked": on, "reason": field(form, "reason") or None}
        values["spam"] = field(form, "spam") == "1"
        await _do(request, actor, actions.set_block, actions.BlockCustomer, values)
        return "blocked" if on else "unblocked"

    return await _submit(request, save)


async def begin_chat(request: web.Request) -> web.Response:
    """Begins a chat with the customer and goes on in the console."""
    actor = (await require_person(request, READ)).actor
    form = await read_form(request)
    values = {
        "client_id": field(form, "client_id"),
        "body": field(form, "body"),
        "anyway": field(form, "anyway") == "1",
    }
    try:
        answer = await _do(
            request, actor, actions.start_conversation, actions.StartConversation, values
        )
    except AppError as error:
        return await _again(request, error)
    raise web.HTTPSeeOther(f"/console?conversation={answer['conversation_id']}")


async def reveal(request: web.Request) -> web.Response:
    """Shows one address or number whole, this once; who looked is logged."""
    actor = (await require_person(request, READ)).actor
    form = await read_form(request)
    values = {"kind": field(form, "kind"), "key_id": field(form, "key_id") or None}
    # Asked about the row that has it, as the card says.
    values["customer_id"] = field(form, "customer_id") or request.match_info["id"]
    try:
        payload = parse(identity.Reveal, values)
        answer = await request.app[DATABASE].write(lambda tx: identity.reveal(tx, actor, payload))
    except AppError as error:
        return await _again(request, error)
    named = values["key_id"] or answer["kind"]
    return await show_customer(request, revealed={named: answer["value"]})


async def _submit(request: web.Request, save: Save) -> web.Response:
    """Saves a form and shows the page again, or shows what was wrong."""
    actor = (await require_person(request, actions.PERMISSION)).actor
    form = await read_form(request)
    try:
        done = await save(actor, form)
    except AppError as error:
        return await _again(request, error)
    raise web.HTTPSeeOther(f"/customers/{request.match_info['id']}?done={done}")


async def _again(request: web.Request, error: AppError) -> web.Response:
    if error.status >= 500 or isinstance(error, NotFound):
        raise error
    return await show_customer(request, error)


async def _do(
    request: web.Request,
    actor: Actor,
    action: Action[Any],  # Any: of the payload given
    kind: type[Payload],
    values: Json,
) -> Json:
    payload = parse(kind, values | {"customer_id": request.match_info["id"]})
    return await request.app[DATABASE].write(lambda tx: action(tx, actor, payload))
