"""Settings: the shop's mail, what came and was set aside, what did not go out."""

from __future__ import annotations

import re
from typing import Literal

from aiohttp import web

from server.actions.desk import the_shop
from server.domain.errors import NotFound
from server.http.bodies import read_form
from server.http.keys import DATABASE, SETTINGS
from server.http.sessions import require_person
from server.http.settings import settings_page
from server.storage import mails

MANAGE = "ticket.manage"
ROOT = "/settings/mail"
PAGE = 50
STATES_IN = ("aside", "taken", "ignored", "new")
STATES_OUT = ("failed", "queued", "sent")
_PLACE = re.compile(r"(\d{1,16})\.([0-9a-f]{1,40})")


def add_mail_settings(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(ROOT, show_mail)
    router.add_get(f"{ROOT}/in/{{id}}", show_raw)
    router.add_post(f"{ROOT}/in/{{id}}", read_again)
    router.add_post(f"{ROOT}/out/{{id}}", send_again)


async def show_mail(request: web.Request) -> web.Response:
    """How the mailbox is, and the log of one direction."""
    await require_person(request, MANAGE)
    database, settings = request.app[DATABASE], request.app[SETTINGS]
    shop = await database.read(the_shop)
    way: Literal["in", "out"] = "out" if request.query.get("way") == "out" else "in"
    states = STATES_OUT if way == "out" else STATES_IN
    state = request.query.get("state", states[0])
    chosen = state if state in states else None
    place = _place(request.query.get("before"), way)
    rows: list[mails.Came] | list[mails.Going]
    if way == "out":
        rows = await database.read(
            lambda c: mails.went(c, state=chosen, before=place, limit=PAGE + 1)  # type: ignore[arg-type]  # as _place says
        )
    else:
        rows = await database.read(
            lambda c: mails.came(c, state=chosen, before=place, limit=PAGE + 1)  # type: ignore[arg-type]  # likewise
        )
    return await settings_page(
        request,
        "settings_mail.html",
        None,
        tab="mail",
        timezone=shop.timezone,
        address=settings.own_mail_address,
        receives=settings.imap_url is not None,
        sends=settings.smtp_url is not None,
        box=await database.read(mails.load_box),
        counts=await database.read(mails.counts),
        failed=await database.read(mails.failed),
        way=way,
        states=states,
        chosen=chosen,
        rows=rows[:PAGE],
        more=len(rows) > PAGE,
    )


async def show_raw(request: web.Request) -> web.Response:
    """A mail as it came, as plain text that no browser runs."""
    await require_person(request, MANAGE)
    found = await request.app[DATABASE].read(lambda c: mails.load_came(c, request.match_info["id"]))
    if found is None or found.raw is None:
        raise NotFound("This mail is not kept any more.")
    return web.Response(
        body=found.raw,
        content_type="text/plain",
        headers={
            "Content-Disposition": f'attachment; filename="{found.id}.eml.txt"',
            "X-Content-Type-Options": "nosniff",
        },
    )


async def read_again(request: web.Request) -> web.Response:
    """Lets a mail that was set aside be looked into once more."""
    await require_person(request, MANAGE)
    await read_form(request)
    mail_id = request.match_info["id"]
    await request.app[DATABASE].write(lambda tx: mails.again(tx, mail_id))
    raise web.HTTPSeeOther(f"{ROOT}?done=saved")


async def send_again(request: web.Request) -> web.Response:
    """Lets a mail that failed go once more."""
    await require_person(request, MANAGE)
    await read_form(request)
    mail_id = request.match_info["id"]
    await request.app[DATABASE].write(lambda tx: mails.send_again(tx, mail_id))
    raise web.HTTPSeeOther(f"{ROOT}?way=out&done=saved")


def _place(told: str | None, way: Literal["in", "out"]) -> tuple[int, str | int] | None:
    found = _PLACE.fullmatch(told or "")
    if found is None:
        return None
    if way == "out":
        return int(found[1]), found[2]
    return (int(found[1]), int(found[2])) if found[2].isdigit() else None
