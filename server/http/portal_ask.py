"""The portal's forms for new requests: anything, or something of an order asked back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any  # Any: values of a template

from aiohttp import web

from server.actions import returns
from server.actions.requests import words_of_shop
from server.actions.returns import Asked, OwnOrder, outcome_words
from server.actions.tickets import MAX_SUBJECT_CHARS, SubmitRequest
from server.domain.errors import AppError, InvalidInput
from server.domain.returns import OUTCOMES, WANTED, Picked
from server.domain.text import MAX_BODY_CHARS
from server.http.bodies import field, read_form
from server.http.files import take_form, unexpected
from server.http.keys import DATABASE
from server.http.portal_base import HOME, page, required, sender
from server.http.views import locale_of
from server.storage.connection import Connection

NEW = f"{HOME}/new"
BACK = f"{HOME}/return"
_CLIENT_ID = re.compile(r"[0-9a-f]{24}")
MAX_LINES = 100


def add_portal_forms(app: web.Application) -> None:
    """Serves the forms; before the pages of single requests, whose addresses take any name."""
    app.router.add_get(NEW, show_new)
    app.router.add_post(NEW, make)
    app.router.add_get(BACK, show_orders)
    app.router.add_get(BACK + "/{order}", show_return)
    app.router.add_post(BACK + "/{order}", ask_back)


async def show_new(request: web.Request, error: AppError | None = None) -> web.Response:
    """The form for a request about anything."""
    reader = await required(request)

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        orders = returns.own_orders(connection, reader)
        kinds = [one for one in words_of_shop(connection).kinds() if one.id not in WANTED]
        return {"orders": orders, "types": kinds}

    found = await request.app[DATABASE].read(look)
    form = await read_form(request) if error is not None else {}
    return await page(
        request,
        "portal_new.html",
        error,
        reader=reader,
        entered={name: field(form, name) for name in ("type", "subject", "order", "body")},
        kept_files=form.get("kept", []),
        alike=_alike(error),
        client_id=field(form, "client_id") or secrets.token_hex(12),
        most_subject=MAX_SUBJECT_CHARS,
        **found,
    )


async def make(request: web.Request) -> web.Response:
    """Makes the request, or shows the form again with what is wrong."""
    form = await read_form(request)
    try:
        reader = await sender(request)
        payload = SubmitRequest(
            body=_words(form),
            files=await take_form(request) or None,
            subject=field(form, "subject")[:MAX_SUBJECT_CHARS],
            type=field(form, "type")[:40] or None,
            order_id=field(form, "order")[:64],
            client_id=_client_id(field(form, "client_id")),
        )
        ticket = await request.app[DATABASE].write(
            lambda tx: returns.submit(tx, reader, payload, anyway=field(form, "anyway") == "1")
        )
    except AppError as error:
        if error.status in (401, 404) or unexpected(error):
            raise
        return await show_new(request, error)
    raise web.HTTPSeeOther(f"{HOME}/{ticket.number}?done=made")


async def show_orders(request: web.Request) -> web.Response:
    """The orders of which something can be asked back."""
    reader = await required(request)
    found = await request.app[DATABASE].read(lambda c: returns.own_orders(c, reader))
    return await page(
        request,
        "portal_orders.html",
        None,
        reader=reader,
        orders=found,
        pictures=_pictures(found),
    )


async def show_return(request: web.Request, error: AppError | None = None) -> web.Response:
    """The lines of an order. Raises NotFound alike for another's and for none."""
    reader = await required(request)
    number = request.match_info["order"][:64]
    order = await request.app[DATABASE].read(lambda c: returns.own_order(c, reader, number))
    form = await read_form(request) if error is not None else {}
    return await page(
        request,
        "portal_return.html",
        error,
        reader=reader,
        order=order,
        entered=form,
        kept_files=form.get("kept", []),
        pictures=_pictures([order]),
        alike=_alike(error),
        outcomes=[(name, outcome_words(name)) for name in OUTCOMES],
        client_id=field(form, "client_id") or secrets.token_hex(12),
    )


async def ask_back(request: web.Request) -> web.Response:
    """Makes the request for people to look at; nothing is paid by it."""
    form = await read_form(request)
    number = request.match_info["order"][:64]
    try:
        reader = await sender(request)
        asked = Asked(
            number=number,
            wanted=field(form, "wanted"),
            outcome=field(form, "outcome") or "advice",
            picked=tuple(_picked(form)),
            words=field(form, "words").replace("\r\n", "\n")[:4000],
            client_id=_client_id(field(form, "client_id")),
            locale=await locale_of(request),
            anyway=field(form, "anyway") == "1",
            files=tuple(await take_form(request)),
        )
        ticket = await request.app[DATABASE].write(lambda tx: returns.ask(tx, reader, asked))
    except AppError as error:
        if error.status in (401, 404) or unexpected(error):
            raise
        return await show_return(request, error)
    raise web.HTTPSeeOther(f"{HOME}/{ticket.number}?done=made")


def _picked(form: Any) -> list[Picked]:  # Any: the fields of a form
    """The lines whose box is ticked."""
    found = []
    for line in range(MAX_LINES):
        if field(form, f"line{line}") != "1":
            continue
        quantity = field(form, f"quantity{line}")
        if not re.fullmatch(r"[0-9]{1,6}", quantity):
            raise InvalidInput("How many?", field="lines", reason="portal_quantity")
        found.append(Picked(line, int(quantity), field(form, f"reason{line}")[:40]))
    return found


def _pictures(found: Sequence[OwnOrder]) -> list[str]:
    """Addresses of the pictures of what was ordered."""
    return [line.image_url for order in found for line in order.lines if line.image_url]


def _words(form: Any) -> str:  # Any: the fields of a form
    body = field(form, "body").replace("\r\n", "\n")
    if not body.strip():
        raise InvalidInput("Say what it is about.", field="body", reason="portal_no_words")
    return body[:MAX_BODY_CHARS]


def _client_id(text: str) -> str:
    if _CLIENT_ID.fullmatch(text) is None:
        raise InvalidInput("client_id is missing.", field="client_id")
    return text


def _alike(error: AppError | None) -> list[str]:
    """The numbers of open requests that the shopper is told of before they make another."""
    numbers = error.details.get("numbers") if error else None
    return [str(number) for number in numbers] if isinstance(numbers, list) else []
