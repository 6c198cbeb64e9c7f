"""The routes of the API, made from its table."""

from __future__ import annotations

from aiohttp import web

from server.http.api.calls import PACES, handler_of
from server.http.api.pace import Paces
from server.http.api.rows import ROOT
from server.http.api.table import ROWS


def add_api(app: web.Application) -> None:
    """Serves every row of the table."""
    app[PACES] = Paces()
    for row in ROWS:
        app.router.add_route(row.method, ROOT + row.path, handler_of(row), name=f"api.{row.name}")
