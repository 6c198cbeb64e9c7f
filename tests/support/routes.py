"""The addresses of the program, without a database behind them."""

from __future__ import annotations

from typing import cast

from aiohttp import web

from server.http import keys
from server.http.routes import add_routes
from server.storage.database import Clock, Database


class _Clocked:
    """All that adding routes asks of a database."""

    clock = Clock()


def routed() -> web.Application:
    """An application with all routes; no request can be served by it."""
    app = web.Application()
    app[keys.DATABASE] = cast(Database, _Clocked())
    add_routes(app)
    return app
