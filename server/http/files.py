"""Files over HTTP: shoppers and staff send them, and whoever may read a message reads its files.

A shop's page sends with the visitor's token in a header and shows pictures by addresses that are
signed for that visitor for some minutes, because an <img> sends no header. Our own pages use the
sign-in of their cookie. Every look asks anew whether this person may read the conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any  # Any: JSON values
from urllib.parse import unquote

from aiohttp import web

from server.actions import files as actions
from server.domain.actors import Actor
from server.domain.errors import (
    AppError,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
)
from server.domain.files import BY_TYPE, MOST_IN_MESSAGE, SERVED, disposition
from server.files.desk import FileDesk, Uploader
from server.http.bodies import json_response, read_form, read_named_files
from server.http.client import client_address, own_origin
from server.http.keys import DATABASE, FILES
from server.http.sessions import require_person, signed_in
from server.http.shoppers import portal_shopper
from server.http.signed import (
    ADDRESS_S,
    add_signing,
    is_staff,
    person_of,
    query,
    sign,
    staff,
    until_s,
    viewer_of,
)
from server.storage.files import File
from server.storage.people import Person
from server.storage.shop import load_shop

SHOPPER = "/visitor/files"
STAFF = "/console/files"
READ = "/files/{id}/{what}"
NAME = "X-File-Name"
# Between two portions of an upload, and for all of it: 10 MB at 20 kB/s.
STALL_S = 30.0
LIMIT_S = 600.0
MAX_TOKEN_CHARS = 200
WHAT = frozenset({"content", "thumb"})
_PORTION = 256 * 1024
Json = dict[str, Any]  # Any: JSON values


def add_files(app: web.Application) -> None:
    """Serves files, and takes them from shops' pages and from the console."""
    add_signing(app)
    router = app.router
    router.add_get(SHOPPER, show_limits)
    router.add_post(SHOPPER, take_from_shopper)
    router.add_options(SHOPPER, before_sending)
    router.add_get(f"{SHOPPER}/{{id}}", show_to_shopper)
    router.add_options(f"{SHOPPER}/{{id}}", before_sending)
    router.add_post(STAFF, take_from_staff)
    router.add_get(f"{STAFF}/{{id}}", show_to_staff)
    router.add_get(READ, serve)
    app.on_response_prepare.append(_let_pages_read)


async def before_sending(_request: web.Request) -> web.Response:
    """What a browser asks before a page of another origin may send a token."""
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": f"authorization, content-type, {NAME.lower()}",
            "Access-Control-Max-Age": "600",
        },
    )


async def show_limits(request: web.Request) -> web.Response:
    """What a shopper may send with a message, so that a form can say it before."""
    most = request.app[FILES].limits.shopper_bytes
    return json_response({"most_files": MOST_IN_MESSAGE, "most_bytes": most})


async def take_from_shopper(request: web.Request) -> web.Response:
    """Takes one file from a shopper, as the body of the request."""
    await _require_page(request)
    actor = await _shopper(request)
    file = await take_body(request, actor)
    return json_response(await _for_shopper(request, actor, file), status=201)


async def show_to_shopper(request: web.Request) -> web.Response:
    """What a file is and where it can be read for some minutes."""
    await _require_page(request)
    actor = await _shopper(request)
    file_id = request.match_info["id"][:64]
    file = await request.app[DATABASE].read(lambda c: actions.readable(c, actor, file_id))
    return json_response(await _for_shopper(request, actor, file))


async def take_from_staff(request: web.Request) -> web.Response:
    """Takes one file from the console, as the body of the request."""
    person = await require_person(request, "conversation.write")
    file = await take_body(request, person.actor)
    return json_response(file.block, status=201)


async def show_to_staff(request: web.Request) -> web.Response:
    """What a file is, and how it stands with the scanner."""
    person = await require_person(request, "conversation.read")
    file_id = request.match_info["id"][:64]
    file = await request.app[DATABASE].read(lambda c: actions.readable(c, person.actor, file_id))
    return json_response(file.block)


async def serve(request: web.Request) -> web.StreamResponse:
    """The bytes of a file, or its small picture, for who may read its message."""
    file_id, what = request.match_info["id"][:64], request.match_info["what"]
    if what not in WHAT:
        raise NotFound(actions.MISSING)
    actor = await _reader(request, file_id, what)
    if actor is None:
        raise NotFound(actions.MISSING)
    file = await request.app[DATABASE].read(lambda c: actions.readable(c, actor, file_id))
    return await send(request, file, small=what == "thumb", signed="k" in request.query)


async def send(
    request: web.Request, file: File, *, small: bool = False, signed: bool = False
) -> web.StreamResponse:
    """A file as an answer that no browser runs anything of. Raises NotFound, NotAllowed."""
    if file.state == "infected":
        raise NotAllowed("The file is not safe and was removed.", reason="file_infected")
    if file.sha256 is None or file.state not in SERVED:
        raise NotFound("The file is not there, or is being checked.", reason="file_scanning")
    store = request.app[FILES].store
    path = store.thumb(file.sha256) if small else store.path(file.sha256)
    there = await asyncio.to_thread(path.is_file)
    if not there:
        raise NotFound(actions.MISSING)
    picture = file.media_type in BY_TYPE and BY_TYPE[file.media_type].picture
    media_type = "image/webp" if small else file.media_type
    if media_type.startswith("text/"):
        # Of unknown set: whoever opens it finds out; a browser must not guess.
        media_type = "application/octet-stream"
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": disposition(file.name, inline=picture),
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Cache-Control": f"private, max-age={ADDRESS_S}",
    }
    if signed:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return web.FileResponse(path, headers=headers)


async def take_body(request: web.Request, actor: Actor) -> File:
    """The file that is the body of a request, kept. Raises as FileDesk.take."""
    name = unquote(request.headers.get(NAME, ""))[:1000]
    sender = await _sender(request, actor)
    return await request.app[FILES].take(
        _body(request), name=name, sender=sender, size=request.content_length
    )


async def _sender(request: web.Request, actor: Actor) -> Uploader:
    if actor.kind != "customer":
        return Uploader(actor)
    # Keyed, because there are few addresses: without the key the hash of one could be looked up.
    network = await sign(request, "file", "network", client_address(request))
    return Uploader(actor, network_hash=network[:32])


async def take_form(request: web.Request, actor: Actor | None = None) -> list[str]:
    """The ids of the files of a form, kept; without an actor the portal's shopper sends them.

    The form knows them from then on as ``kept``, so that a page that is shown again because of
    something else need not ask for them once more. Raises as FileDesk.take.
    """
    form = await read_form(request)
    chosen = [one for one in await read_named_files(request) if one[0] == "files" and one[2]]
    kept = form.setdefault("kept", []) if chosen else form.get("kept", [])
    if chosen:
        actor = actor or await portal_shopper(request)
        if actor is None:
            raise NotSignedIn("Sign in first.")
        if len(kept) + len(chosen) > MOST_IN_MESSAGE:
            raise InvalidInput("Too many files.", field="files", reason="files_many")
        for _, name, content in chosen:
            sender = await _sender(request, actor)
            kept.append((await take_bytes(request.app[FILES], sender, name, content)).id)
    return kept


def unexpected(error: AppError) -> bool:
    """True for what a form cannot say beside its fields; that the disk is full it can."""
    return error.status >= 500 and error.details.get("reason") != "disk_full"


async def take_bytes(desk: FileDesk, sender: Uploader, name: str, content: bytes) -> File:
    """A file whose bytes are there already, kept. Raises as FileDesk.take."""

    async def source() -> AsyncIterator[bytes]:
        yield content

    return await desk.take(source(), name=name, sender=sender, size=len(content))


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async with asyncio.timeout(LIMIT_S):
            while True:
                async with asyncio.timeout(STALL_S):
                    portion = await request.content.read(_PORTION)
                if not portion:
                    return
                yield portion
    except TimeoutError:
        raise InvalidInput("The file did not arrive in time.", reason="file_slow") from None


# -- who asks ------------------------------------------------------------------------------------


async def _shopper(request: web.Request) -> Actor:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARS:
        raise NotSignedIn("Send the visitor's token: Authorization: Bearer ...")
    database = request.app[DATABASE]
    at_ms = database.clock()
    actor = await database.read(lambda c: actions.shopper_of_token(c, token.strip(), at_ms=at_ms))
    if actor is None:
        raise NotSignedIn("This visitor is not known.")
    return actor


async def _reader(request: web.Request, file_id: str, what: str) -> Actor | None:
    """Who wants to read: by the signed address, the sign-in of staff, or that of the portal."""
    if "k" in request.query:
        viewer = await viewer_of(request, file_id, what)
        if viewer is None:
            return None
        if is_staff(viewer):
            person = await person_of(request, viewer)
            return person.actor if person is not None else None
        return await request.app[DATABASE].read(lambda c: actions.shopper(c, viewer))
    found = await signed_in(request)
    if found is not None:
        return found.person.actor
    return await portal_shopper(request)


async def _require_page(request: web.Request) -> None:
    """Returns nothing. Raises NotAllowed for a page that may not open the chat."""
    origin = request.headers.get("Origin")
    if origin is not None and not await _allowed(request, origin):
        raise NotAllowed("This page may not open the chat.", reason="origin")


async def _allowed(request: web.Request, origin: str) -> bool:
    shop = await request.app[DATABASE].read(load_shop)
    return shop is not None and (
        not shop.origins or origin in shop.origins or origin == own_origin(request)
    )


async def _let_pages_read(request: web.Request, response: web.StreamResponse) -> None:
    """Lets the pages of the shop read answers, refusals too; a signal of the application."""
    origin = request.headers.get("Origin")
    signed = request.path.startswith("/files/") and "k" in request.query
    if origin is None or not (request.path.startswith(SHOPPER) or signed):
        return
    response.headers["Vary"] = "Origin"
    # While the database is away the answer goes out without them: it says that already.
    with suppress(AppError):
        if await _allowed(request, origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


# -- signed addresses ----------------------------------------------------------------------------


async def _for_shopper(request: web.Request, actor: Actor, file: File) -> Json:
    """A file as the widget shows it, with addresses while it is served."""
    shown: Json = file.block
    if file.state not in SERVED:
        return shown
    viewer, until = actor.id or "", until_s(request)
    for what in ("content", "thumb") if file.width is not None else ("content",):
        told = await query(request, viewer, until, file.id, what)
        shown["url" if what == "content" else "thumb_url"] = f"/files/{file.id}/{what}?{told}"
    return shown | {"expires_at_ms": until * 1000}


async def addresses_for_staff(
    request: web.Request, person: Person, found: Sequence[File]
) -> dict[str, str]:
    """Addresses by id of pictures that a frame without an origin may show to a person."""
    until = until_s(request)
    return {
        file.id: f"/files/{file.id}/content?"
        + await query(request, staff(person), until, file.id, "content")
        for file in found
        if file.state in SERVED and file.width is not None
    }
