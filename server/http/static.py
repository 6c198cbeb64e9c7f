"""The files of console and pages, below an address that changes with their contents."""

from __future__ import annotations

from functools import cache

from aiohttp import web

import agent_ui
from agent_ui.lean import lean
from server.http.assets import ASK_AGAIN, IMMUTABLE, Asset, answer, asset, find
from server.http.assets import CONTENT_TYPES as TYPES

_FILES = web.AppKey("static_files", dict[str, Asset])


def add_static(app: web.Application) -> None:
    """Reads all files into memory and serves them."""
    app[_FILES] = _files()
    app.router.add_get("/static/{version}/{path:.+}", serve_static)


@cache
def _files() -> dict[str, Asset]:
    """All files by name; read once, as their version is."""
    return {
        path.relative_to(agent_ui.STATIC_DIR).as_posix(): asset(path.name, lean(path))
        for path in agent_ui.static_files()
        if path.suffix in TYPES
    }


async def serve_static(request: web.Request) -> web.Response:
    """A file; a page of an earlier version gets today's, but must not keep it for ever."""
    current = request.match_info["version"] == agent_ui.static_version()
    found = find(request.app[_FILES], request.match_info["path"])
    return answer(request, found, cache=IMMUTABLE if current else ASK_AGAIN)
