"""The root and the console's shell."""

from __future__ import annotations

from aiohttp import web

from agent_ui import render as templates
from server.http.front_door import HOME
from server.http.sessions import current_person
from server.http.views import locale_of, render


def add_pages(app: web.Application) -> None:
    """Serves both."""
    app.router.add_get("/", root)
    app.router.add_get("/console", console)
    app.router.add_get("/console/{path:.*}", console)


async def root(_request: web.Request) -> web.Response:
    """The way to the console."""
    raise web.HTTPSeeOther(HOME)


async def console(request: web.Request) -> web.Response:
    """The page in which the console runs; what is inside comes over Socket.IO."""
    await current_person(request)
    sentences = templates.messages(await locale_of(request), "console")
    return await render(request, "console.html", messages=sentences)
