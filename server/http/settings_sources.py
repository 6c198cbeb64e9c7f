"""Settings of where shop data comes from: sources, how fresh they are, what failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # Any: values of a template

import orjson
import structlog
from aiohttp import web

from server.actions import deliveries as delivery_actions
from server.actions import sources as actions
from server.actions.deliveries import SourceDeliveryRef, SourceRef
from server.actions.payload import parse
from server.actions.sources import (
    KINDS,
    MAX_SECRET_CHARS,
    MAX_STALE_HOURS,
    PERMISSION,
    AddSource,
    ChangeSource,
    NamedSource,
    RotateSecret,
    hook_path,
)
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.hooks import STATUSES, is_name
from server.domain.permissions import may
from server.http.bodies import Form, field, read_form
from server.http.client import own_origin
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.storage import deliveries, shop_sources
from server.storage.connection import Connection
from server.storage.deliveries import Counts, Delivery
from server.storage.shop import load_shop
from server.storage.shop_sources import Freshness, Source

log = structlog.stdlib.get_logger("shopbell.hooks")
ROOT = "/settings/sources"
READ = delivery_actions.READ
PAGE = 30
MAX_SHOWN_CHARS = 20_000
LIMITS = {"name": 60, "secret": MAX_SECRET_CHARS, "hours": MAX_STALE_HOURS}


@dataclass(frozen=True, slots=True)
class Shown:
    """A source and how it fares."""

    source: Source
    fresh: Freshness | None
    counts: Counts


def add_source_settings(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(ROOT, show_sources)
    router.add_post(ROOT, add_source)
    router.add_get(f"{ROOT}/{{name}}", show_source)
    router.add_post(f"{ROOT}/{{name}}", save_source)
    router.add_get(f"{ROOT}/{{name}}/secret", ask_rotate)
    router.add_post(f"{ROOT}/{{name}}/secret", rotate)
    router.add_post(f"{ROOT}/{{name}}/secret/end", end_old_secret)
    router.add_get(f"{ROOT}/{{name}}/delete", ask_remove)
    router.add_post(f"{ROOT}/{{name}}/delete", remove)
    router.add_get(f"{ROOT}/{{name}}/deliveries", show_deliveries)
    router.add_post(f"{ROOT}/{{name}}/deliveries", replay_dead)
    router.add_get(f"{ROOT}/{{name}}/deliveries/{{delivery}}", show_delivery)
    router.add_post(f"{ROOT}/{{name}}/deliveries/{{delivery}}", replay_one)


async def show_sources(request: web.Request, error: AppError | None = None) -> web.Response:
    """All sources and how they fare, and for admins the form for one more."""
    person = await require_person(request, READ)
    found, timezone = await request.app[DATABASE].read(_look(request))
    return await settings_page(
        request,
        "settings_sources.html",
        error,
        tab="sources",
        sources=found,
        kinds=KINDS,
        limits=LIMITS,
        may_manage=may(person.actor, PERMISSION),
        now_ms=request.app[DATABASE].clock(),
        timezone=timezone,
    )


async def add_source(request: web.Request) -> web.Response:
    """Adds a source and shows its secret this once."""
    person = await require_person(request, PERMISSION)
    form = await read_form(request)
    try:
        asked = parse(
            AddSource,
            {
                "name": field(form, "name").strip(),
                "kind": field(form, "kind"),
                "secret": field(form, "secret") or None,
                "customer_ids": field(form, "customer_ids") or None,
            },
        )
        source, secret = await request.app[DATABASE].write(
            lambda tx: actions.add_source(tx, person.actor, asked)
        )
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_sources(request, error)
    return await _one(request, source.name, secret=secret)


async def show_source(request: web.Request, error: AppError | None = None) -> web.Response:
    """One source: how it fares and what may be changed."""
    await require_person(request, READ)
    return await _one(request, _name(request), error)


async def save_source(request: web.Request) -> web.Response:
    """Changes when a source counts as silent."""

    async def save(actor: Actor, form: Form) -> str:
        try:
            hours = int(field(form, "hours"))
        except ValueError:
            raise InvalidInput("Hours are a number.", field="hours") from None
        asked = parse(ChangeSource, {"name": _name(request), "stale_after_hours": hours})
        await request.app[DATABASE].write(lambda tx: actions.change(tx, actor, asked))
        return f"{_path(request)}?done=saved"

    return await submit(request, PERMISSION, save, show_source)


async def ask_rotate(request: web.Request) -> web.Response:
    """Asks before a new secret is made."""
    return await _confirm(request, "source_secret")


async def rotate(request: web.Request) -> web.Response:
    """Makes a new secret, or takes the one given, and shows it this once."""
    person = await require_person(request, PERMISSION)
    asked = parse(RotateSecret, {"name": _name(request)})
    secret = await request.app[DATABASE].write(
        lambda tx: actions.rotate_secret(tx, person.actor, asked)
    )
    return await _one(request, _name(request), secret=secret)


async def end_old_secret(request: web.Request) -> web.Response:
    """Ends the secret before the present one."""

    async def save(actor: Actor, _form: Form) -> str:
        asked = parse(NamedSource, {"name": _name(request)})
        await request.app[DATABASE].write(lambda tx: actions.end_old_secret(tx, actor, asked))
        return f"{_path(request)}?done=saved"

    return await submit(request, PERMISSION, save, show_source)


async def ask_remove(request: web.Request) -> web.Response:
    """Asks before a source is taken away."""
    return await _confirm(request, "source_remove")


async def remove(request: web.Request) -> web.Response:
    """Takes a source away."""

    async def save(actor: Actor, _form: Form) -> str:
        asked = parse(NamedSource, {"name": _name(request)})
        await request.app[DATABASE].write(lambda tx: actions.remove_source(tx, actor, asked))
        return f"{ROOT}?done=source_removed"

    return await submit(request, PERMISSION, save, show_source)


async def show_deliveries(request: web.Request, error: AppError | None = None) -> web.Response:
    """What a source delivered, the latest first; by itself what could not be taken over."""
    await require_person(request, READ)
    name = _name(request)
    status = request.query.get("status")
    status = status if status in STATUSES else None
    at_ms, _, delivery_id = request.query.get("before", "").partition(".")
    known = at_ms.isascii() and at_ms.isdigit() and len(at_ms) <= 15
    before = (int(at_ms), delivery_id.replace("\0", "")) if known else None

    def look(connection: Connection) -> tuple[list[Shown], str, list[Delivery]]:
        found, timezone = _look(request)(connection)
        listed = deliveries.deliveries(
            connection, name, status=status, before=before, limit=PAGE + 1
        )
        return found, timezone, listed

    found, timezone, listed = await request.app[DATABASE].read(look)
    return await settings_page(
        request,
        "settings_source_deliveries.html",
        error,
        tab="sources",
        shown=_named(found, name),
        deliveries=listed[:PAGE],
        older=listed[PAGE - 1] if len(listed) > PAGE else None,
        chosen=status,
        filtered=status is not None or before is not None,
        statuses=STATUSES,
        now_ms=request.app[DATABASE].clock(),
        timezone=timezone,
    )


async def show_delivery(request: web.Request, error: AppError | None = None) -> web.Response:
    """One delivery; what stands in it is for admins, as it is about people."""
    person = await require_person(request, READ)
    name = _name(request)

    def look(connection: Connection) -> tuple[list[Shown], str, Delivery | None]:
        found, timezone = _look(request)(connection)
        return (
            found,
            timezone,
            deliveries.load_delivery(connection, request.match_info["delivery"].replace("\0", "")),
        )

    found, timezone, delivery = await request.app[DATABASE].read(look)
    if delivery is None or delivery.source != name:
        raise NotFound("There is no such delivery.")
    readable = may(person.actor, PERMISSION)
    if readable:
        # It is about people: who looked is remembered, as with anything unmasked.
        log.info("delivery shown", source=name, delivery=delivery.id, agent=person.id)
    return await settings_page(
        request,
        "settings_source_delivery.html",
        error,
        tab="sources",
        shown=_named(found, name),
        delivery=delivery,
        body=_readable(delivery.body) if readable else None,
        timezone=timezone,
    )


async def replay_one(request: web.Request) -> web.Response:
    """Lets a delivery be taken over anew."""

    async def save(actor: Actor, _form: Form) -> str:
        asked = parse(
            SourceDeliveryRef,
            {
                "source": _name(request),
                "delivery_id": request.match_info["delivery"],
            },
        )
        await request.app[DATABASE].write(lambda tx: delivery_actions.replay_one(tx, actor, asked))
        return f"{_path(request)}/deliveries/{asked.delivery_id}?done=replayed"

    return await submit(request, READ, save, show_delivery)


async def replay_dead(request: web.Request) -> web.Response:
    """Lets everything that could not be taken over be tried anew."""

    async def save(actor: Actor, _form: Form) -> str:
        asked = parse(SourceRef, {"source": _name(request)})
        await request.app[DATABASE].write(lambda tx: delivery_actions.replay_dead(tx, actor, asked))
        return f"{_path(request)}/deliveries?done=replayed"

    return await submit(request, READ, save, show_deliveries)


async def _one(
    request: web.Request,
    name: str,
    error: AppError | None = None,
    *,
    secret: str | None = None,
) -> web.Response:
    """A source's page; ``secret`` is a new one, to be shown this once."""
    person = await require_person(request, READ)
    found, timezone = await request.app[DATABASE].read(_look(request))
    shown = _named(found, name)
    return await settings_page(
        request,
        "settings_source.html",
        error,
        tab="sources",
        shown=shown,
        address=own_origin(request) + hook_path(shown.source),
        limits=LIMITS,
        secret=secret,
        may_manage=may(person.actor, PERMISSION),
        now_ms=request.app[DATABASE].clock(),
        timezone=timezone,
    )


async def _confirm(request: web.Request, ask: str) -> web.Response:
    await require_person(request, PERMISSION)
    name = _name(request)
    found, _ = await request.app[DATABASE].read(_look(request))
    return await settings_page(
        request,
        "settings_confirm.html",
        None,
        tab="sources",
        ask=ask,
        name=_named(found, name).source.name,
        count=0,
        back=f"{ROOT}/{name}",
    )


def _look(request: web.Request) -> Any:  # Any: a query
    """The query of all sources with how they fare, and the shop's zone."""
    at_ms = request.app[DATABASE].clock()

    def look(connection: Connection) -> tuple[list[Shown], str]:
        shop = load_shop(connection)
        fresh = {one.source: one for one in shop_sources.freshness(connection, at_ms)}
        numbers = deliveries.counts(connection)
        found = [
            Shown(source, fresh.get(source.name), numbers.get(source.name, Counts()))
            for source in shop_sources.load_sources(connection)
        ]
        return found, shop.timezone if shop else "UTC"

    return look


def _named(found: list[Shown], name: str) -> Shown:
    for one in found:
        if one.source.name == name:
            return one
    raise NotFound("There is no such source.")


def _name(request: web.Request) -> str:
    """The source that the address names; a database cannot even be asked for other names."""
    name = request.match_info["name"]
    if not is_name(name):
        raise NotFound("There is no such source.")
    return name


def _path(request: web.Request) -> str:
    return f"{ROOT}/{_name(request)}"


def _readable(body: bytes) -> str:
    """A body as people read it: indented where it is one JSON value, cut when it is long."""
    text = body.decode("utf-8", "replace")
    if len(body) <= MAX_SHOWN_CHARS:
        try:
            # Numbers beyond 2**64 would lose digits, so what would change stays as it came.
            indented = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
        except orjson.JSONDecodeError:
            indented = text
        digits = "".join(filter(str.isdigit, text))
        if "".join(filter(str.isdigit, indented)) == digits:
            text = indented
    return text[:MAX_SHOWN_CHARS]
