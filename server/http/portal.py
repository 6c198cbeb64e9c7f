"""The shopper's portal: signing in by a mailed code, their tickets, one ticket. Without scripts."""

from __future__ import annotations

import re
import secrets
import unicodedata
from concurrent.futures import Future
from typing import Any  # Any: values of a template

import structlog
from aiohttp import web

from agent_ui.render import LANGUAGES
from server.actions import portal
from server.actions.contacts import email_key
from server.actions.ticket_lists import shown_state
from server.domain.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound
from server.domain.text import MAX_BODY_CHARS
from server.domain.ticket import Ticket
from server.http.bodies import field, read_form
from server.http.client import client_address, is_https
from server.http.keys import DATABASE, SETTINGS
from server.http.views import locale_of, problem_of, render
from server.storage import people
from server.storage.connection import Connection
from server.storage.portal import CODE_MS, SESSION_MS, address_of_session, end_session
from server.storage.shop import load_shop
from server.storage.ticket_types import load_statuses, load_types

log = structlog.stdlib.get_logger("shopbell.http")
HOME = "/portal"
ENTER = "/portal/code"
DONE = frozenset({"sent", "solved", "rated", "out"})
_TOKEN = re.compile(r"[\w-]{20,100}", re.ASCII)
_CLIENT_ID = re.compile(r"[0-9a-f]{24}")


def add_portal(app: web.Application) -> None:
    """Serves the pages and their forms."""
    router = app.router
    router.add_get(HOME, show_home)
    router.add_get(ENTER, show_code)
    router.add_post(ENTER, ask_code)
    router.add_post("/portal/sign-in", sign_in)
    router.add_post("/portal/sign-out", sign_out)
    router.add_get("/portal/{number}", show_ticket)
    router.add_post("/portal/{number}/{do}", submit)


# -- signing in ----------------------------------------------------------------------------------


async def show_home(request: web.Request, error: AppError | None = None) -> web.Response:
    """The list of who is signed in; for everybody else the form that asks for an address."""
    address = await _address(request)
    if address is None:
        entered = field(await read_form(request), "address") if error else ""
        return await _page(request, "portal_ask.html", error, entered=entered)

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        return {
            "found": portal.list_tickets(connection, address),
            "kinds": load_types(connection),
            "statuses": load_statuses(connection),
        }

    found = await request.app[DATABASE].read(look)
    return await _page(
        request, "portal_list.html", None, address=address, state_of=shown_state, **found
    )


async def ask_code(request: web.Request) -> web.Response:
    """Takes an address and leads to the form for the code, whoever it is.

    Whether anybody is known there is looked up afterwards, so that the time tells nothing either.
    """
    if not _mails(request):
        return await show_home(request)
    form = await read_form(request)
    address = email_key(field(form, "address"))
    if address is None:
        wrong = InvalidInput("This is no e-mail address.", field="address", reason="portal_address")
        return await show_home(request, wrong)
    browser, code = secrets.token_urlsafe(32), portal.new_code()
    former, client = _cookie(request, "ask"), client_address(request)
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
    response = web.Response(status=303, headers={"Location": ENTER})
    _set_cookie(request, response, "ask", browser, max_age=CODE_MS // 1000)
    return response


async def show_code(request: web.Request, error: AppError | None = None) -> web.Response:
    """The form for the code."""
    if _cookie(request, "ask") is None and error is None:
        raise web.HTTPSeeOther(HOME)
    return await _page(request, "portal_code.html", error)


async def sign_in(request: web.Request) -> web.Response:
    """Takes the code, from the browser that asked for it."""
    browser, token = _cookie(request, "ask"), secrets.token_urlsafe(32)
    former = _cookie(request, "portal")
    typed = unicodedata.normalize("NFKC", field(await read_form(request), "code")[:40])
    code = "".join(char for char in typed if char.isascii() and char.isdigit())
    good = browser is not None and await request.app[DATABASE].write(
        lambda tx: portal.sign_in(tx, browser=browser, code=code, token=token, former=former)
    )
    if not good:
        wrong = InvalidInput("The code is wrong.", field="code", reason="portal_code")
        return await show_code(request, wrong)
    response = web.Response(status=303, headers={"Location": HOME})
    _set_cookie(request, response, "portal", token, max_age=SESSION_MS // 1000)
    _set_cookie(request, response, "ask", "", max_age=0)
    return response


async def sign_out(request: web.Request) -> web.Response:
    """Forgets the browser."""
    token = _cookie(request, "portal")
    if token is not None:
        await request.app[DATABASE].write(lambda tx: end_session(tx, token))
    response = web.Response(status=303, headers={"Location": f"{HOME}?done=out"})
    _set_cookie(request, response, "portal", "", max_age=0)
    return response


# -- one ticket ----------------------------------------------------------------------------------


async def show_ticket(request: web.Request, error: AppError | None = None) -> web.Response:
    """One ticket of the shopper's own. Raises NotFound alike for another's and for none."""
    address = await _required(request)
    number = request.match_info["number"][:64]

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        thread, onward = portal.read_thread(connection, address, number)
        return {
            "thread": thread,
            "ticket": thread.ticket,
            "onward": onward,
            "names": people.names(connection),
            "kinds": load_types(connection),
            "statuses": load_statuses(connection),
        }

    found = await request.app[DATABASE].read(look)
    if found["onward"] is not None and error is None:
        raise web.HTTPSeeOther(f"{HOME}/{found['onward']}")
    form = await read_form(request) if error is not None else {}
    ticket: Ticket = found["ticket"]
    return await _page(
        request,
        "portal_ticket.html",
        error,
        address=address,
        state_of=shown_state,
        entered=field(form, "body"),
        client_id=field(form, "client_id") or secrets.token_hex(12),
        writable=ticket.state != "spam",
        **found,
    )


async def submit(request: web.Request) -> web.Response:
    """Does what a form of the ticket's page asks for and shows the page again."""
    address = await _required(request)
    number, what = request.match_info["number"][:64], request.match_info["do"]
    if what not in _FORMS:
        raise NotFound("There is no such page.")
    try:
        goes, done = await _FORMS[what](request, address, number)
    except (InvalidInput, Conflict, NotAllowed) as error:
        # The page itself is looked up again, so that another's is not found here either.
        return await show_ticket(request, error)
    raise web.HTTPSeeOther(f"{HOME}/{goes}?done={done}")


async def _write(request: web.Request, address: str, number: str) -> tuple[str, str]:
    form = await read_form(request)
    client_id = field(form, "client_id")
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise InvalidInput("client_id is missing.", field="client_id")
    body = field(form, "body").replace("\r\n", "\n")
    if request.match_info["do"] == "still" and not body.strip():
        body = portal.STILL[await locale_of(request)]
    goes = await request.app[DATABASE].write(
        lambda tx: portal.reply(tx, address, number, body=body, client_id=client_id)
    )
    return goes, "sent"


async def _solved(request: web.Request, address: str, number: str) -> tuple[str, str]:
    await request.app[DATABASE].write(lambda tx: portal.confirm(tx, address, number))
    return number, "solved"


async def _rate(request: web.Request, address: str, number: str) -> tuple[str, str]:
    form = await read_form(request)
    score, comment = field(form, "score"), field(form, "comment")[:2000]
    if score not in ("1", "2", "3", "4", "5"):
        raise InvalidInput("Choose 1 to 5.", field="score", reason="portal_score")
    await request.app[DATABASE].write(
        lambda tx: portal.rate(tx, address, number, score=int(score), comment=comment)
    )
    return number, "rated"


_FORMS = {"reply": _write, "still": _write, "solved": _solved, "rate": _rate}


# -- who asks ------------------------------------------------------------------------------------


async def _address(request: web.Request) -> str | None:
    token = _cookie(request, "portal")
    if token is None:
        return None
    at_ms = request.app[DATABASE].clock()
    return await request.app[DATABASE].read(lambda c: address_of_session(c, token, at_ms=at_ms))


async def _required(request: web.Request) -> str:
    address = await _address(request)
    if address is None:
        raise web.HTTPSeeOther(HOME)
    return address


def _mails(request: web.Request) -> bool:
    settings = request.app[SETTINGS]
    return settings.smtp_url is not None and settings.own_mail_address is not None


def _cookie_name(request: web.Request, name: str) -> str:
    return f"__Host-{name}" if is_https(request) else name


def _cookie(request: web.Request, name: str) -> str | None:
    value = request.cookies.get(_cookie_name(request, f"shopper_{name}"), "")
    return value if _TOKEN.fullmatch(value) else None


def _set_cookie(
    request: web.Request, response: web.StreamResponse, name: str, value: str, *, max_age: int
) -> None:
    response.set_cookie(
        _cookie_name(request, f"shopper_{name}"),
        value,
        max_age=max_age,
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="Lax",
    )


async def _page(
    request: web.Request,
    template: str,
    error: AppError | None,
    **context: Any,  # Any: values of a template
) -> web.Response:
    shop = await request.app[DATABASE].read(load_shop)
    if shop is None:
        raise NotFound("There is no shop yet.")
    done = request.query.get("done")
    values = {"address": None} | context
    return await render(
        request,
        template,
        status=error.status if error else 200,
        shop=shop,
        problem=await problem_of(request, error),
        done=done if done in DONE else None,
        mails=_mails(request),
        write_to=request.app[SETTINGS].own_mail_address,
        languages=LANGUAGES,
        # A page that answers a form has no address of its own to be shown again at.
        here=request.path if request.method == "GET" else HOME,
        most=MAX_BODY_CHARS,
        **values,
    )
