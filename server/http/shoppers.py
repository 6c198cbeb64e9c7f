"""Who looks at the portal: the shopper who is signed in in a browser."""

from __future__ import annotations

import re

from aiohttp import web

from server.domain.actors import Actor, customer
from server.http.client import is_https
from server.http.keys import DATABASE
from server.storage.portal import Reader, reader_of_session

_TOKEN = re.compile(r"[\w-]{20,100}", re.ASCII)


async def portal_reader(request: web.Request) -> Reader | None:
    """The shopper of the portal's sign-in, None for everybody else."""
    name = "__Host-shopper_portal" if is_https(request) else "shopper_portal"
    token = request.cookies.get(name, "")
    if not _TOKEN.fullmatch(token):
        return None
    database = request.app[DATABASE]
    at_ms = database.clock()
    return await database.read(lambda c: reader_of_session(c, token, at_ms=at_ms))


async def portal_shopper(request: web.Request) -> Actor | None:
    """Who acts in the portal, None for everybody else."""
    reader = await portal_reader(request)
    rows = reader.rows if reader else ()
    return customer(rows[0], also=frozenset(rows[1:])) if rows else None
