"""What shops post: checked, stored as it came, answered at once; others make something of it.

Nothing of a body is read before its signature was right. Whoever guesses learns nothing: a source
that is not there looks the same whatever it is asked, and a wrong signature is a wrong signature.
"""

from __future__ import annotations

import time
from collections import Counter

import structlog
from aiohttp import web

from server.actions.deliveries import receive
from server.domain.errors import NotFound, NotSignedIn, Unavailable
from server.domain.hooks import RECEIVERS, is_name
from server.http.bodies import JSON_BYTES, json_response, read_body
from server.http.keys import DATABASE
from server.storage.database import Database
from server.storage.shop_sources import Source, load_source, note_refused

log = structlog.stdlib.get_logger("shopbell.hooks")
HOOK_BYTES = 2 * JSON_BYTES
"""An order of a thousand lines fits."""
# How often refusals are written down: who sends many must not keep the database busy.
NOTE_EVERY_S = 5.0


def add_hooks(app: web.Application) -> None:
    """Serves the addresses that shops post to. Needs DATABASE in the application."""
    app[_REFUSALS] = Refusals(app[DATABASE])
    app.router.add_post("/hooks/{kind:shopify|woocommerce|generic}/{source}", take)


class Refusals:
    """Wrong signatures by source, written down now and then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: Counter[str] = Counter()
        self._noted_at_s: dict[str, float] = {}

    async def add(self, source: str) -> None:
        """Counts one; the database hears of the first at once and of the rest in bundles."""
        self._counted[source] += 1
        now_s = time.monotonic()
        if now_s - self._noted_at_s.get(source, -NOTE_EVERY_S) < NOTE_EVERY_S:
            return
        self._noted_at_s[source] = now_s
        times = self._counted.pop(source)
        try:
            await self._database.write(lambda tx: note_refused(tx, source, times))
        except Unavailable:
            self._counted[source] += times


_REFUSALS = web.AppKey("hook_refusals", Refusals)


async def take(request: web.Request) -> web.Response:
    """Stores a delivery. Raises NotFound for a source that there is not, NotSignedIn."""
    kind, name = request.match_info["kind"], request.match_info["source"]
    database = request.app[DATABASE]
    body = await read_body(request, HOOK_BYTES)
    source = await _source(database, kind, name)
    headers = {key.lower(): value for key, value in request.headers.items()}
    at_ms = database.clock()
    try:
        incoming = RECEIVERS[kind](headers, body, source.secrets(at_ms), at_ms)
    except NotSignedIn as error:
        await request.app[_REFUSALS].add(source.name)
        log.warning("delivery refused", source=source.name, reason=error.details.get("reason"))
        raise
    if incoming is None:
        return json_response({"ok": True})
    answer = await database.write(lambda tx: receive(tx, source.name, incoming))
    return json_response(answer)


async def _source(database: Database, kind: str, name: str) -> Source:
    found = None
    if is_name(name):
        found = await database.read(lambda c: load_source(c, name))
    if found is None or not found.live or found.kind != kind:
        raise NotFound("There is no such source.")
    return found
