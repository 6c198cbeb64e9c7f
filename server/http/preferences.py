"""The language that an address asks for becomes the person's own."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from server.actions.people import set_locale
from server.http.client import is_own_visit
from server.http.keys import DATABASE
from server.http.sessions import signed_in
from server.http.views import known_locale


@web.middleware
async def language_of_person(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Remembers ?lang= for who is signed in, unless another site's link asked for it."""
    asked = known_locale(request.query.get("lang")) if request.method == "GET" else None
    if asked and is_own_visit(request):
        found = await signed_in(request)
        if found is not None and found.person.locale != asked:
            actor = found.person.actor
            await request.app[DATABASE].write(lambda tx: set_locale(tx, actor, asked))
    return await handler(request)
