"""Settings of outgoing webhooks: receivers, their secrets, and the log of deliveries."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import groupby

from aiohttp import web

from server.actions import webhooks as actions
from server.actions.payload import P, parse
from server.actions.webhooks import (
    MAX_NAME_CHARS,
    PERMISSION,
    ChangeWebhook,
    CreateWebhook,
    DeliveryRef,
    WebhookRef,
)
from server.dispatch import Action, Answer
from server.domain.actors import Actor
from server.domain.addresses import MAX_URL_CHARS
from server.domain.errors import AppError, NotFound
from server.domain.events import EVENT_KINDS
from server.domain.webhooks import STATUSES, TEST_KIND, Status
from server.http.bodies import Form, field, read_form
from server.http.keys import DATABASE, SETTINGS
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.storage import webhooks
from server.storage.connection import Connection
from server.storage.shop import load_shop
from server.storage.webhooks import Delivery, Webhook

ROOT = "/settings/webhooks"
PAGE = 30
# Who sends something from here wants to see what came of it; most receivers answer at once.
SHOW_RESULT_S = 2.0
LOOK_S = 0.1
LIMITS = {"name": MAX_NAME_CHARS, "url": MAX_URL_CHARS}


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the log is wanted; ``before`` is the place of the last delivery shown."""

    status: Status | None
    kind: str | None
    before: tuple[int, str] | None


def add_webhook_settings(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(ROOT, show_webhooks)
    router.add_post(ROOT, add_webhook)
    router.add_get(f"{ROOT}/{{id}}", show_webhook)
    router.add_post(f"{ROOT}/{{id}}", save_webhook)
    router.add_post(f"{ROOT}/{{id}}/switch", switch)
    router.add_get(f"{ROOT}/{{id}}/secret", ask_rotate)
    router.add_post(f"{ROOT}/{{id}}/secret", rotate)
    router.add_post(f"{ROOT}/{{id}}/secret/end", end_old_secret)
    router.add_get(f"{ROOT}/{{id}}/delete", ask_delete)
    router.add_post(f"{ROOT}/{{id}}/delete", delete)
    router.add_post(f"{ROOT}/{{id}}/test", send_test)
    router.add_get(f"{ROOT}/{{id}}/deliveries", show_deliveries)
    router.add_post(f"{ROOT}/{{id}}/deliveries/{{delivery}}/again", send_again)


async def show_webhooks(request: web.Request, error: AppError | None = None) -> web.Response:
    """All receivers, and the form for one more."""
    await require_person(request, PERMISSION)
    return await settings_page(
        request,
        "settings_webhooks.html",
        error,
        tab="webhooks",
        webhooks=await request.app[DATABASE].read(webhooks.load_webhooks),
        pending=await request.app[DATABASE].read(webhooks.pending),
        kinds=_kinds(),
        limits=LIMITS,
    )


async def add_webhook(request: web.Request) -> web.Response:
    """Adds a receiver and shows its secret this once."""
    person = await require_person(request, PERMISSION)
    form = await read_form(request)
    try:
        payload = parse(
            CreateWebhook,
            {
                "url": field(form, "url"),
                "name": field(form, "name"),
                "kinds": form.get("kind", []),
            },
        )
        inside = request.app[SETTINGS].webhook_allow_private
        answer = await request.app[DATABASE].write(
            lambda tx: actions.create_webhook(tx, person.actor, payload, inside=inside)
        )
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_webhooks(request, error)
    return await _one(request, answer["webhook"]["id"], secret=answer["secret"])


async def show_webhook(request: web.Request, error: AppError | None = None) -> web.Response:
    """One receiver: how it fares and what may be changed."""
    await require_person(request, PERMISSION)
    return await _one(request, request.match_info["id"], error)


async def save_webhook(request: web.Request) -> web.Response:
    """Changes name, address and kinds."""

    async def save(actor: Actor, form: Form) -> str:
        payload = parse(
            ChangeWebhook,
            {
                "webhook_id": request.match_info["id"],
                "url": field(form, "url"),
                "name": field(form, "name"),
                "kinds": form.get("kind", []),
            },
        )
        return await _change(request, actor, payload, "saved")

    return await submit(request, PERMISSION, save, show_webhook)


async def switch(request: web.Request) -> web.Response:
    """Switches a receiver on or off."""

    async def save(actor: Actor, form: Form) -> str:
        on = field(form, "on") == "1"
        payload = parse(ChangeWebhook, {"webhook_id": request.match_info["id"], "active": on})
        return await _change(request, actor, payload, "webhook_on" if on else "webhook_off")

    return await submit(request, PERMISSION, save, show_webhook)


async def ask_rotate(request: web.Request) -> web.Response:
    """Asks before a new secret is made."""
    return await _confirm(request, "webhook_secret")


async def rotate(request: web.Request) -> web.Response:
    """Makes a new secret and shows it this once."""
    actor = (await require_person(request, PERMISSION)).actor
    answer = await _do(request, actions.rotate_secret, actor, WebhookRef)
    return await _one(request, request.match_info["id"], secret=answer["secret"])


async def end_old_secret(request: web.Request) -> web.Response:
    """Ends the secret before the present one."""

    async def save(actor: Actor, _form: Form) -> str:
        await _do(request, actions.end_old_secret, actor, WebhookRef)
        return f"{_path(request)}?done=saved"

    return await submit(request, PERMISSION, save, show_webhook)


async def ask_delete(request: web.Request) -> web.Response:
    """Asks before a receiver and its log are removed."""
    return await _confirm(request, "webhook_delete")


async def delete(request: web.Request) -> web.Response:
    """Removes a receiver."""

    async def save(actor: Actor, _form: Form) -> str:
        await _do(request, actions.delete_webhook, actor, WebhookRef)
        return f"{ROOT}?done=webhook_deleted"

    return await submit(request, PERMISSION, save, show_webhook)


async def send_test(request: web.Request) -> web.Response:
    """Sends a test and shows what came of it."""

    async def save(actor: Actor, _form: Form) -> str:
        answer = await _do(request, actions.send_test, actor, WebhookRef)
        return await _with_result(request, answer["delivery_id"], 0)

    return await submit(request, PERMISSION, save, show_webhook)


async def send_again(request: web.Request) -> web.Response:
    """Sends a delivery once more and shows what came of it."""

    async def save(actor: Actor, _form: Form) -> str:
        delivery_id = request.match_info["delivery"]
        before = await request.app[DATABASE].read(lambda c: webhooks.load_delivery(c, delivery_id))
        await _do(request, actions.send_again, actor, DeliveryRef)
        return await _with_result(request, delivery_id, before.attempts if before else 0)

    return await submit(request, PERMISSION, save, show_webhook)


async def show_deliveries(request: web.Request) -> web.Response:
    """The log of a receiver's deliveries, the latest first."""
    await require_person(request, PERMISSION)
    webhook_id = request.match_info["id"]
    filters = _filters(request)

    def look(connection: Connection) -> tuple[Webhook | None, list[Delivery], dict[str, int], str]:
        shop = load_shop(connection)
        return (
            webhooks.load_webhook(connection, webhook_id),
            webhooks.deliveries(
                connection,
                webhook_id,
                status=filters.status,
                kind=filters.kind,
                before=filters.before,
                limit=PAGE + 1,
            ),
            webhooks.pending(connection),
            shop.timezone if shop else "UTC",
        )

    webhook, found, pending, timezone = await request.app[DATABASE].read(look)
    return await settings_page(
        request,
        "settings_deliveries.html",
        None,
        tab="webhooks",
        webhook=_known(webhook),
        deliveries=found[:PAGE],
        older=found[PAGE - 1] if len(found) > PAGE else None,
        filters=filters,
        statuses=STATUSES,
        kinds=[*EVENT_KINDS, TEST_KIND],
        pending=pending.get(webhook_id, 0),
        now_ms=request.app[DATABASE].clock(),
        timezone=timezone,
    )


def _filters(request: web.Request) -> Filters:
    """What the address asks for; what it asks wrongly it does not ask."""
    status = request.query.get("status")
    kind = request.query.get("kind")
    at_ms, _, delivery_id = request.query.get("before", "").partition(".")
    known = at_ms.isascii() and at_ms.isdigit() and len(at_ms) <= 15
    return Filters(
        status=status if status in STATUSES else None,
        kind=kind if kind in EVENT_KINDS or kind == TEST_KIND else None,
        before=(int(at_ms), delivery_id.replace("\0", "")) if known else None,
    )


async def _one(
    request: web.Request,
    webhook_id: str,
    error: AppError | None = None,
    *,
    secret: str | None = None,
) -> web.Response:
    """A receiver's page; ``secret`` is a new one, to be shown this once."""

    def look(connection: Connection) -> tuple[Webhook | None, dict[str, int], str]:
        shop = load_shop(connection)
        found = webhooks.load_webhook(connection, webhook_id)
        return found, webhooks.pending(connection), shop.timezone if shop else "UTC"

    webhook, pending, timezone = await request.app[DATABASE].read(look)
    return await settings_page(
        request,
        "settings_webhook.html",
        error,
        tab="webhooks",
        webhook=_known(webhook),
        pending=pending.get(webhook_id, 0),
        kinds=_kinds(),
        limits=LIMITS,
        secret=secret,
        now_ms=request.app[DATABASE].clock(),
        timezone=timezone,
    )


async def _confirm(request: web.Request, ask: str) -> web.Response:
    await require_person(request, PERMISSION)
    webhook_id = request.match_info["id"]
    found = await request.app[DATABASE].read(lambda c: webhooks.load_webhook(c, webhook_id))
    webhook = _known(found)
    return await settings_page(
        request,
        "settings_confirm.html",
        None,
        tab="webhooks",
        ask=ask,
        name=webhook.name,
        count=0,
        back=f"{ROOT}/{webhook.id}",
    )


async def _change(request: web.Request, actor: Actor, payload: ChangeWebhook, done: str) -> str:
    inside = request.app[SETTINGS].webhook_allow_private
    await request.app[DATABASE].write(
        lambda tx: actions.change_webhook(tx, actor, payload, inside=inside)
    )
    return f"{_path(request)}?done={done}"


async def _do(request: web.Request, action: Action[P], actor: Actor, kind: type[P]) -> Answer:
    """The answer of an action about the receiver, and perhaps the delivery, of the address."""
    named = {"webhook_id": request.match_info["id"]}
    if "delivery" in request.match_info:
        named["delivery_id"] = request.match_info["delivery"]
    payload = parse(kind, named)
    return await request.app[DATABASE].write(lambda tx: action(tx, actor, payload))


async def _with_result(request: web.Request, delivery_id: str, attempts: int) -> str:
    """The address of the log, once there has been one more attempt or it takes too long."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + SHOW_RESULT_S
    while loop.time() < end_s:
        found = await request.app[DATABASE].read(lambda c: webhooks.load_delivery(c, delivery_id))
        if found is None or found.attempts > attempts:
            break
        await asyncio.sleep(LOOK_S)
    return f"{_path(request)}/deliveries?done=webhook_sent"


def _path(request: web.Request) -> str:
    return f"{ROOT}/{request.match_info['id']}"


def _known(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise NotFound("There is no such receiver.")
    return webhook


def _kinds() -> list[tuple[str, list[str]]]:
    """The kinds of events under their nouns."""
    nouns = groupby(sorted(EVENT_KINDS), key=lambda kind: kind.partition(".")[0])
    return [(noun, list(kinds)) for noun, kinds in nouns]
