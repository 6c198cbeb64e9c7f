"""Files for programs: bytes in, bytes out; everything else about them stands in the messages."""

from __future__ import annotations

from aiohttp import web

from server.actions import files as actions
from server.http.api.calls import caller
from server.http.api.rows import ROOT
from server.http.bodies import json_response
from server.http.files import send, take_body
from server.http.keys import DATABASE


def add_file_calls(app: web.Application) -> None:
    """Serves the calls, which take and give bytes and are no rows of the table."""
    app.router.add_post(f"{ROOT}/files", take)
    app.router.add_get(f"{ROOT}/files/{{id}}", show)
    app.router.add_get(f"{ROOT}/files/{{id}}/content", read)


async def take(request: web.Request) -> web.Response:
    """Keeps the file that is the body, for a message that names it afterwards."""
    bearer = await caller(request, scope="conversations:write", permission="conversation.write")
    file = await take_body(request, bearer.person.actor)
    return json_response(file.block, status=201)


async def show(request: web.Request) -> web.Response:
    """What a file is, and how it stands with the scanner."""
    bearer = await caller(request, scope="conversations:read", permission="conversation.read")
    file_id = request.match_info["id"][:64]
    actor = bearer.person.actor
    file = await request.app[DATABASE].read(lambda c: actions.readable(c, actor, file_id))
    return json_response(file.block)


async def read(request: web.Request) -> web.StreamResponse:
    """The bytes of a file."""
    bearer = await caller(request, scope="conversations:read", permission="conversation.read")
    file_id = request.match_info["id"][:64]
    actor = bearer.person.actor
    file = await request.app[DATABASE].read(lambda c: actions.readable(c, actor, file_id))
    return await send(request, file)
