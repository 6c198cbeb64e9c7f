"""The routes of the API, made from its table, and what describes them."""

from __future__ import annotations

from aiohttp import web

from server.domain.scopes import SCOPES
from server.http import keys
from server.http.api import described
from server.http.api.asyncapi import Commands, asyncapi
from server.http.api.calls import PACES, handler_of
from server.http.api.files import add_file_calls
from server.http.api.openapi import openapi
from server.http.api.pace import Paces
from server.http.api.rows import ROOT
from server.http.api.table import ROWS
from server.http.bodies import json_response
from server.http.client import own_origin
from server.http.views import render


def add_api(app: web.Application) -> None:
    """Serves every row of the table, and the descriptions, which need no token."""
    app[PACES] = Paces()
    for row in ROWS:
        for method in ("GET", "HEAD") if row.method == "GET" else (row.method,):
            app.router.add_route(method, ROOT + row.path, handler_of(row))
    add_file_calls(app)
    app.router.add_get(f"{ROOT}/openapi.json", show_openapi)
    app.router.add_get(f"{ROOT}/asyncapi.json", show_asyncapi)
    app.router.add_get(f"{ROOT}/docs", show_docs)


async def show_openapi(_request: web.Request) -> web.Response:
    """The calls, for machines."""
    return json_response(openapi())


async def show_asyncapi(request: web.Request) -> web.Response:
    """The sockets, for machines."""
    return json_response(asyncapi(_commands(request)))


async def show_docs(request: web.Request) -> web.Response:
    """Both, for people."""
    return await render(
        request,
        "api_docs.html",
        wide=True,
        base=own_origin(request),
        root=ROOT,
        nouns=described.nouns(),
        curl=described.curl,
        scopes=SCOPES,
        errors=described.error_rows(),
        shapes=described.shapes(),
        commands=described.commands(_commands(request)),
        events=described.events(),
        signals=described.signals(),
    )


def _commands(request: web.Request) -> Commands:
    """What the sockets take, when this process serves sockets."""
    return request.app.get(keys.SOCKET_COMMANDS, {})
