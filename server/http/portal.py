"""The shopper's portal: signing in, their tickets, one ticket. Readable without scripts."""

from __future__ import annotations

import re
import secrets
import unicodedata
from concurrent.futures import Future
from typing import Any  # Any: values of a template

import structlog
from aiohttp import web

from agent_ui.render import sentence
from server.actions import portal, requests
from server.actions.contacts import email_key
from server.domain.errors import AppError, InvalidInput, NotAllowed, NotFound
from server.domain.ticket import Ticket
from server.http.api.pace import Paces
from server.http.bodies import field, read_form
from server.http.client import client_address, is_own_visit
from server.http.files import take_form, unexpected
from server.http.keys import DATABASE, SETTINGS
from server.http.portal_ask import add_portal_forms
from server.http.portal_base import (
    FORMS_AT_ONCE,
    FORMS_PER_S,
    HOME,
    PACES,
    cookie,
    mails,
    page,
    required,
    sender,
    set_cookie,
)
from server.http.shoppers import portal_reader
from server.http.views import locale_of
from server.storage import people
from server.storage.connection import Connection
from server.storage.portal import CODE_MS, SESSION_MS, Reader, end_session
from server.storage.shop import load_shop

log = structlog.stdlib.get_logger("shopbell.http")
CODE = f"{HOME}/code"
ENTER = f"{HOME}/enter"
_CLIENT_ID = re.compile(r"[0-9a-f]{24}")
MAX_IDENTITY_CHARS = 4000


def add_portal(app: web.Application) -> None:
    """Serves the pages and their forms."""
    app[PACES] = Paces(burst=FORMS_AT_ONCE, per_s=FORMS_PER_S)
    router = app.router
    router.add_get(HOME, show_home)
    router.add_get(CODE, show_code)
    router.add_post(CODE, ask_code)
    router.add_post("/portal/sign-in", sign_in)
    router.add_get(ENTER, show_enter)
    router.add_post(ENTER, enter)
    router.add_post("/portal/sign-out", sign_out)
    add_portal_forms(app)
    router.add_get("/portal/{number}", show_ticket)
    router.add_post("/portal/{number}/{do}", submit)


# -- signing in ----------------------------------------------------------------------------------


async def show_home(request: web.Request, error: AppError | None = None) -> web.Response:
    """The list of who is signed in; for everybody else the form that asks for an address."""
    reader = await portal_reader(request)
    if reader is None:
        entered = field(await read_form(request), "address") if error else ""
        return await page(request, "portal_ask.html", error, entered=entered)
    before = request.query.get("before")
    before = before[:40] if before else None

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        found, further = requests.page(connection, reader.rows, before=before)
        listed = [one.ticket for one in found]
        return {
            "found": found,
            "further": further,
            "unread": requests.unread_of(connection, listed, reader.rows),
            "words": requests.words_of_shop(connection),
        }

    found = await request.app[DATABASE].read(look)
    return await page(
        request, "portal_list.html", None, reader=reader, paged=before is not None, **found
    )


async def ask_code(request: web.Request) -> web.Response:
    """Takes an address and leads to the form for the code, whoever it is.

    Whether anybody is known there is looked up afterwards, so that the time tells nothing either.
    """
    if not mails(request):
        return await show_home(request)
    form = await read_form(request)
    address = email_key(field(form, "address"))
    if address is None:
        wrong = InvalidInput("This is no e-mail address.", field="address", reason="portal_address")
        return await show_home(request, wrong)
    browser, code = secrets.token_urlsafe(32), portal.new_code()
    former, client = cookie(request, "ask"), client_address(request)
    database = request.app[DATABASE]
    try:
        await database.write(
            lambda tx: portal.ask_code(
                tx, browser=browser, former=former, code=code, address=address, client=client
            )
        )
    except AppError as error:
        if error.status != 429:
            raise
        return await show_home(request, error)
    own, locale = request.app[SETTINGS].own_mail_address or "", await locale_of(request)

    def noted(future: Future[bool]) -> None:
        if future.exception() is not None:
            log.warning("code_not_mailed", error=type(future.exception()).__name__)

    database.submit(
        lambda tx: portal.mail_code(tx, own_address=own, address=address, code=code, locale=locale)
    ).add_done_callback(noted)
    response = web.Response(status=303, headers={"Location": CODE})
    set_cookie(request, response, "ask", browser, max_age=CODE_MS // 1000)
    return response


async def show_code(request: web.Request, error: AppError | None = None) -> web.Response:
    """The form for the code."""
    if cookie(request, "ask") is None and error is None:
        raise web.HTTPSeeOther(HOME)
    return await page(request, "portal_code.html", error)


async def sign_in(request: web.Request) -> web.Response:
    """Takes the code, from the browser that asked for it."""
    browser, token = cookie(request, "ask"), secrets.token_urlsafe(32)
    former = cookie(request, "portal")
    typed = unicodedata.normalize("NFKC", field(await read_form(request), "code")[:40])
    code = "".join(char for char in typed if char.isascii() and char.isdigit())
    good = browser is not None and await request.app[DATABASE].write(
        lambda tx: portal.sign_in(tx, browser=browser, code=code, token=token, former=former)
    )
    if not good:
        wrong = InvalidInput("The code is wrong.", field="code", reason="portal_code")
        return await show_code(request, wrong)
    response = _signed_in(request, token)
    set_cookie(request, response, "ask", "", max_age=0)
    return response


async def show_enter(request: web.Request, error: AppError | None = None) -> web.Response:
    """Where a shop's link leads with its word for a customer behind the ``#``.

    What stands there is sent to no server and in no referrer; the page's script takes it out of the
    address and posts it. From a page that is not the shop's, the shopper is asked first.
    """
    shop = await request.app[DATABASE].read(load_shop)
    origins = " ".join(shop.origins) if shop else ""
    return await page(request, "portal_enter.html", error, origins=origins)


async def enter(request: web.Request) -> web.Response:
    """Takes the shop's signed word for who this is. It works once."""
    # One that is longer than any does not hold once it is cut.
    identity = field(await read_form(request), "identity")[:MAX_IDENTITY_CHARS]
    token, former = secrets.token_urlsafe(32), cookie(request, "portal")
    try:
        await request.app[DATABASE].write(
            lambda tx: portal.sign_in_vouched(tx, identity=identity, token=token, former=former)
        )
    except (InvalidInput, NotAllowed) as error:
        told = type(error)("The link does not hold.", reason="portal_link")
        return await show_enter(request, told)
    return _signed_in(request, token)


def _signed_in(request: web.Request, token: str) -> web.Response:
    response = web.Response(status=303, headers={"Location": HOME})
    set_cookie(request, response, "portal", token, max_age=SESSION_MS // 1000)
    return response


async def sign_out(request: web.Request) -> web.Response:
    """Forgets the browser."""
    token = cookie(request, "portal")
    if token is not None:
        await request.app[DATABASE].write(lambda tx: end_session(tx, token))
    response = web.Response(status=303, headers={"Location": f"{HOME}?done=out"})
    set_cookie(request, response, "portal", "", max_age=0)
    return response


# -- one ticket ----------------------------------------------------------------------------------


async def show_ticket(request: web.Request, error: AppError | None = None) -> web.Response:
    """One ticket of the shopper's own, which is read with that.

    Raises NotFound alike for another's and for none.
    """
    reader = await required(request)
    number = request.match_info["number"][:64]
    database = request.app[DATABASE]
    at_ms = database.clock()

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        thread, onward = requests.read_thread(connection, reader.rows, number, at_ms=at_ms)
        return {
            "thread": thread,
            "ticket": thread.ticket,
            "onward": onward,
            "names": people.names(connection),
            "words": requests.words_of_shop(connection),
        }

    found = await database.read(look)
    if found["onward"] is not None and error is None:
        raise web.HTTPSeeOther(f"{HOME}/{found['onward']}")
    form = await read_form(request) if error is not None else {}
    ticket: Ticket = found["ticket"]
    response = await page(
        request,
        "portal_ticket.html",
        error,
        reader=reader,
        entered=field(form, "body"),
        kept_files=form.get("kept", []),
        client_id=field(form, "client_id") or secrets.token_hex(12),
        writable=ticket.state != "spam",
        **found,
    )
    if found["thread"].unread and is_own_visit(request):
        await database.write(lambda tx: requests.mark_seen(tx, reader.rows, number))
    return response


async def submit(request: web.Request) -> web.Response:
    """Does what a form of the ticket's page asks for and shows the page again."""
    number, what = request.match_info["number"][:64], request.match_info["do"]
    if what not in _FORMS:
        raise NotFound("There is no such page.")
    try:
        reader = await sender(request)
        goes, done = await _FORMS[what](request, reader, number)
    except AppError as error:
        if error.status in (401, 404) or unexpected(error):
            raise
        # The page itself is looked up again, so that another's is not found here either.
        return await show_ticket(request, error)
    raise web.HTTPSeeOther(f"{HOME}/{goes}?done={done}")


async def _write(request: web.Request, reader: Reader, number: str) -> tuple[str, str]:
    form = await read_form(request)
    client_id = field(form, "client_id")
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise InvalidInput("client_id is missing.", field="client_id")
    body = field(form, "body").replace("\r\n", "\n")
    files = await take_form(request)
    if request.match_info["do"] == "still" and not body.strip() and not files:
        body = sentence(await locale_of(request), requests.STILL)
    goes = await request.app[DATABASE].write(
        lambda tx: requests.reply(
            tx, reader.rows, number, body=body, client_id=client_id, files=files
        )
    )
    return goes, "sent"


async def _solved(request: web.Request, reader: Reader, number: str) -> tuple[str, str]:
    await request.app[DATABASE].write(lambda tx: requests.confirm(tx, reader.rows, number))
    return number, "solved"


async def _rate(request: web.Request, reader: Reader, number: str) -> tuple[str, str]:
    form = await read_form(request)
    score, comment = field(form, "score"), field(form, "comment")[:2000]
    if score not in ("1", "2", "3", "4", "5"):
        raise InvalidInput("Choose 1 to 5.", field="score", reason="portal_score")
    await request.app[DATABASE].write(
        lambda tx: requests.rate(tx, reader.rows, number, score=int(score), comment=comment)
    )
    return number, "rated"


_FORMS = {"reply": _write, "still": _write, "solved": _solved, "rate": _rate}
