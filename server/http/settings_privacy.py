"""Settings: what is noted and for how long, and the wishes of people about their data."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.actions import privacy as actions
from server.actions.desk import the_shop
from server.actions.payload import parse
from server.actions.privacy import OfPerson
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.permissions import may
from server.domain.retention import RETENTIONS, Kept
from server.domain.spans import DAY_MS
from server.domain.text import whole_number
from server.files.handing_out import hand_out, place_for
from server.http.bodies import Form, field
from server.http.keys import DATABASE, FILES
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.storage import people, privacy
from server.storage.connection import Connection
from server.storage.customers import Customer, customer_by_external_id, load_customer
from server.storage.erasure import erased_at_ms
from server.storage.persons import members, person_of
from server.storage.shop import load_shop

MANAGE = "privacy.manage"
ROOT = "/settings/privacy"
_PORTION = 256 * 1024


def add_privacy_settings(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(ROOT, show_privacy)
    router.add_post(ROOT, save_privacy)
    router.add_post(f"{ROOT}/people", find_person)
    router.add_get(f"{ROOT}/people/{{id}}", show_person)
    router.add_post(f"{ROOT}/people/{{id}}/ask", note_wish)
    router.add_post(f"{ROOT}/people/{{id}}/export", send_data)
    router.add_post(f"{ROOT}/people/{{id}}/erase", erase)


async def show_privacy(request: web.Request, error: AppError | None = None) -> web.Response:
    """What is kept for how long, and who asked for what until when."""
    person = await require_person(request, MANAGE)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    return await settings_page(
        request,
        "settings_privacy.html",
        error,
        tab="privacy",
        shop=shop,
        policy=privacy.policy_of(shop),
        retentions=RETENTIONS,
        privacy_url=shop.settings.get("privacy_url") or "",
        may_change=may(person.actor, "shop.manage"),
        requests=await database.read(privacy.requests),
        names=await database.read(people.names),
        now_ms=database.clock(),
        day_ms=DAY_MS,
    )


async def save_privacy(request: web.Request) -> web.Response:
    """Changes what is noted and for how long it is kept."""

    async def save(actor: Actor, form: Form) -> str:
        kept = {row.name: _number(form, row.name) for row in RETENTIONS}
        await request.app[DATABASE].write(
            lambda tx: actions.change_policy(
                tx,
                actor,
                page_events=field(form, "page_events") == "1",
                kept=kept,
                privacy_url=field(form, "privacy_url"),
            )
        )
        return f"{ROOT}?done=saved"

    return await submit(request, MANAGE, save, show_privacy)


async def find_person(request: web.Request) -> web.Response:
    """Goes to the person whom an id names: ours, or the shop's own."""

    async def save(_: Actor, form: Form) -> str:
        wanted = field(form, "customer").strip()[:200]

        def look(connection: Connection) -> Customer | None:
            known = load_customer(connection, wanted)
            return known or customer_by_external_id(connection, wanted)

        found = await request.app[DATABASE].read(look) if wanted else None
        if found is None:
            raise InvalidInput(
                "There is no customer with this id.", field="customer", reason="no_customer"
            )
        return f"{ROOT}/people/{found.id}"

    return await submit(request, MANAGE, save, show_privacy)


async def show_person(request: web.Request, error: AppError | None = None) -> web.Response:
    """What can be done for one person, and what would go."""
    await require_person(request, MANAGE)
    customer_id = request.match_info["id"]

    def look(connection: Connection) -> tuple[Customer | None, int, int | None, bool]:
        person = person_of(connection, customer_id)
        asked = privacy.open_request(connection, person, "erase")
        return (
            load_customer(connection, person),
            len(members(connection, person)),
            erased_at_ms(connection, person),
            asked is not None,
        )

    customer, records, gone_at_ms, asked = await request.app[DATABASE].read(look)
    if customer is None:
        raise NotFound("There is no such customer.")
    shop = await request.app[DATABASE].read(load_shop)
    return await settings_page(
        request,
        "settings_privacy_person.html",
        error,
        tab="privacy",
        customer=customer,
        records=records,
        erased_at_ms=gone_at_ms,
        asked=asked,
        timezone=shop.timezone if shop else "UTC",
    )


async def note_wish(request: web.Request) -> web.Response:
    """Notes that a person wants to be erased."""

    async def save(actor: Actor, _: Form) -> str:
        await request.app[DATABASE].write(
            lambda tx: actions.ask_erasure(tx, actor, _person(request))
        )
        return f"{ROOT}?done=wish_noted"

    return await submit(request, MANAGE, save, show_person)


async def send_data(request: web.Request) -> web.StreamResponse:
    """The person's data as a file; that it was handed out is written down."""
    person = await require_person(request, MANAGE)
    database, store = request.app[DATABASE], request.app[FILES].store
    payload = _person(request)
    with await asyncio.to_thread(place_for, store) as packed:
        await asyncio.to_thread(hand_out, database, store, payload.customer_id, to=packed)
        await database.write(lambda tx: actions.note_export(tx, person.actor, payload))
        response = web.StreamResponse(
            headers={"Content-Disposition": 'attachment; filename="personal-data.zip"'}
        )
        response.content_type = "application/zip"
        response.content_length = packed.tell()
        packed.seek(0)
        await response.prepare(request)
        while portion := await asyncio.to_thread(packed.read, _PORTION):
            await response.write(portion)
        await response.write_eof()
    return response


async def erase(request: web.Request) -> web.Response:
    """Erases a person, once it was said that they are sure."""

    async def save(actor: Actor, form: Form) -> str:
        if field(form, "sure") != "1":
            raise InvalidInput("Say that you are sure.", field="sure", reason="not_sure")
        await request.app[DATABASE].write(
            lambda tx: actions.erase_customer(tx, actor, _person(request))
        )
        return f"{ROOT}?done=erased"

    return await submit(request, MANAGE, save, show_person)


def _person(request: web.Request) -> OfPerson:
    return parse(OfPerson, {"customer_id": request.match_info["id"]})


def _number(form: Form, name: Kept) -> int:
    number = whole_number(field(form, name).strip(), digits=4)
    if number is None:
        raise InvalidInput("This is no number.", field=name, reason="retention_invalid")
    return number
