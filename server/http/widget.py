"""What a shop embeds: the loader, and the widget's files below an address of their version."""

from __future__ import annotations

from functools import cache

from aiohttp import web

import widget
from server.http.assets import (
    ASK_AGAIN,
    CONTENT_TYPES,
    IMMUTABLE,
    SHORT,
    Asset,
    answer,
    asset,
    find,
)

_FILES = web.AppKey("widget_files", dict[str, Asset])
_LOADER = web.AppKey("widget_loader", Asset)
_NOT_SERVED = frozenset({"loader.js", "jsconfig.json"})
# Any page may embed the widget; which pages may talk to the shop is decided by its origins.
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Timing-Allow-Origin": "*",
}


def add_widget(app: web.Application) -> None:
    """Reads the widget's files into memory and serves them to every origin."""
    app[_FILES] = _files()
    app[_LOADER] = asset("loader.js", widget.loader_source().encode())
    app.router.add_get("/widget/loader.js", serve_loader)
    app.router.add_get("/widget/{version}/{path:.+}", serve_widget)


@cache
def _files() -> dict[str, Asset]:
    """All files by name; read once, as their version is."""
    names = (
        path.relative_to(widget.FOLDER).as_posix()
        for path in sorted(widget.FOLDER.rglob("*"))
        if path.suffix in CONTENT_TYPES
    )
    return {
        name: asset(name, content)
        for name in names
        if name not in _NOT_SERVED
        and not name.startswith("demo/")
        and (content := widget.asset(name)) is not None
    }


async def serve_loader(request: web.Request) -> web.Response:
    """The script that a shop embeds; asked for again after five minutes, so updates reach shops."""
    return answer(request, request.app[_LOADER], cache=SHORT, headers=_HEADERS)


async def serve_widget(request: web.Request) -> web.Response:
    """A file; a page opened before an update gets today's, but must not keep it for ever."""
    current = request.match_info["version"] == widget.version()
    found = find(request.app[_FILES], request.match_info["path"])
    return answer(request, found, cache=IMMUTABLE if current else ASK_AGAIN, headers=_HEADERS)
