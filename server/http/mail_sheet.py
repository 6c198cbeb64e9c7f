"""A mail as it was sent, for people of the desk: a page that stands in a frame and can do nothing.

Its policy gives it no origin, no scripts and no forms. It shows the mail's own pictures by
addresses that are signed for who looks, because a frame without an origin sends no cookie. Pictures
that are elsewhere it shows only when they were asked for, since loading one tells its owner that
the mail was read; the server fetches them, so its owner learns nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets

from aiohttp import web

from agent_ui.mail_html import has_colours, remote_pictures, shown
from server.actions.access import may_read_mail
from server.domain.errors import NotFound
from server.http.files import addresses_for_staff
from server.http.keys import DATABASE, FETCH_PICTURE
from server.http.sessions import require_person
from server.http.signed import ADDRESS_S, person_of, query, staff, until_s, viewer_of
from server.http.views import render
from server.storage import mails
from server.storage.connection import Connection
from server.storage.files import File
from server.storage.mails import SheetKept
from server.storage.people import Person
from server.storage.rows import load_conversation

READ = "conversation.read"
# Newsletters have a few dozen; each is a request of ours and a process.
MOST_PICTURES = 100
_KIND = "picture"
_MISSING = "There is no such picture."
# Links open beside the frame, in a page that is as free as any other.
_SANDBOX = "sandbox allow-popups allow-popups-to-escape-sandbox"


def add_mail_sheet(app: web.Application) -> None:
    """Serves the page, and the pictures on it that are elsewhere."""
    app.router.add_get("/mails/{id}", show_sheet)
    # Asking for the head of a picture would fetch all of it.
    app.router.add_get("/mails/{id}/pictures/{picture}", show_picture, allow_head=False)


async def show_sheet(request: web.Request) -> web.Response:
    """A mail as it was sent; ``pictures=all`` with those that are elsewhere."""
    person = await require_person(request, READ)
    mail_id = request.match_info["id"][:64]

    def find(connection: Connection) -> tuple[SheetKept, list[File]]:
        return _readable(connection, person, mail_id), mails.pictures_of(connection, mail_id)

    sheet, found = await request.app[DATABASE].read(find)
    addresses = await addresses_for_staff(request, person, found)
    own = {
        file.content_id: addresses[file.id]
        for file in found
        if file.content_id is not None and file.id in addresses
    }
    remote = {}
    if request.query.get("pictures") == "all":
        remote = await _remote_addresses(request, person, sheet)
    html = await asyncio.to_thread(lambda: shown(sheet.html, own, remote=remote))
    nonce = secrets.token_urlsafe(16)
    response = await render(
        request,
        "mail_sheet.html",
        html=html,
        paper=has_colours(sheet.html),
        nonce=nonce,
        bell=0,
    )
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src 'self'; style-src 'nonce-{nonce}';"
        " style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none';"
        f" frame-ancestors 'self'; {_SANDBOX}"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def show_picture(request: web.Request) -> web.Response:
    """A picture of a mail that is elsewhere, fetched just now and drawn anew.

    The request names it among those of the mail and never by an address of its own, so nobody can
    make the server ask for anything that no mail names.
    """
    mail_id, named = request.match_info["id"][:64], request.match_info["picture"][:64]
    viewer = await viewer_of(request, _KIND, mail_id, named)
    person = await person_of(request, viewer) if viewer is not None else None
    if person is None:
        raise NotFound(_MISSING)
    who = person
    sheet = await request.app[DATABASE].read(lambda c: _readable(c, who, mail_id))
    address = (await asyncio.to_thread(_remote, sheet)).get(named)
    fetch = request.app.get(FETCH_PICTURE)
    picture = await fetch(address) if address is not None and fetch is not None else None
    if picture is None:
        raise NotFound(_MISSING)
    return web.Response(
        body=picture.content,
        headers={
            "Content-Type": picture.media_type,
            "Content-Disposition": "inline",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
            "Cache-Control": f"private, max-age={ADDRESS_S}",
            # The frame has no origin.
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


def _readable(connection: Connection, person: Person, mail_id: str) -> SheetKept:
    """How a mail looks, for who may read its conversation. Raises NotFound."""
    sheet = mails.load_sheet(connection, mail_id)
    thread = load_conversation(connection, sheet.conversation_id) if sheet else None
    if (
        sheet is None
        or thread is None
        or not may_read_mail(connection, person.actor, thread, mail_id)
    ):
        raise NotFound("This mail is not kept as it was sent.")
    return sheet


async def _remote_addresses(
    request: web.Request, person: Person, sheet: SheetKept
) -> dict[str, str]:
    """Where a person finds the pictures that are elsewhere, by where these are.

    The same for ten minutes, so that a browser that has them does not ask again.
    """
    until = (until_s(request) // ADDRESS_S + 1) * ADDRESS_S
    found = await asyncio.to_thread(_remote, sheet)
    return {
        address: f"/mails/{sheet.id}/pictures/{name}?"
        + await query(request, staff(person), until, _KIND, sheet.id, name)
        for name, address in found.items()
    }


def _remote(sheet: SheetKept) -> dict[str, str]:
    """The addresses of a mail's pictures that are elsewhere, by their names here."""
    found = remote_pictures(sheet.html, most=MOST_PICTURES)
    return {hashlib.sha256(one.encode()).hexdigest()[:32]: one for one in found}
