"""Receivers of outgoing webhooks: who they are, what they get, and what came of it."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from typing import Annotated, Any  # Any: JSON values

from pydantic import Field

from server.actions.desk import Look
from server.actions.lists import Page, page_of
from server.actions.payload import Id, Payload
from server.domain.actors import Actor
from server.domain.addresses import MAX_URL_CHARS, checked_url
from server.domain.cursors import place_of
from server.domain.errors import Conflict, NotFound
from server.domain.permissions import require
from server.domain.spans import DAY_MS
from server.domain.text import clean
from server.domain.webhooks import (
    OLD_SECRET_MS,
    SECRET_PREFIX,
    TEST_KIND,
    Attempt,
    Health,
    Status,
    checked_kinds,
    delivery_id,
    health_after,
    matches,
    wait_ms,
)
from server.storage import log_readers, webhooks
from server.storage.event_log import last_seq
from server.storage.unit import Tx
from server.storage.webhooks import Delivery, Wanted, Webhook

PERMISSION = "webhook.manage"
MAX_WEBHOOKS = 50
MAX_NAME_CHARS = 100
# Of the log in one transaction: enough to keep up, few enough to share a commit with messages.
PAGE = 500
KEEP_MS = 30 * DAY_MS
FORGET_AT_ONCE = 2000

Answer = dict[str, Any]  # Any: JSON values
Name = Annotated[str, Field(max_length=MAX_NAME_CHARS)]
Url = Annotated[str, Field(max_length=MAX_URL_CHARS)]
Kinds = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=200)]


class CreateWebhook(Payload):
    """A new receiver; without ``kinds`` it gets every event that staff may see."""

    url: Url
    name: Name = ""
    kinds: Kinds = Field(default_factory=list)


class ChangeWebhook(Payload):
    """What is to be another; what is absent stays as it is."""

    webhook_id: Id
    url: Url | None = None
    name: Name | None = None
    kinds: Kinds | None = None
    active: bool | None = None


class WebhookRef(Payload):
    """For commands about one receiver."""

    webhook_id: Id


class DeliveryRef(Payload):
    """For commands about one delivery to a receiver."""

    webhook_id: Id
    delivery_id: Id


class ListDeliveries(Page):
    """Deliveries to a receiver, the latest first, perhaps those of one status or kind."""

    webhook_id: Id
    status: Status | None = None
    kind: Annotated[str, Field(min_length=1, max_length=64)] | None = None


# what people and programs ask


def list_webhooks(look: Look, _payload: Payload) -> Answer:
    """All receivers, without their secrets."""
    require(look.actor, PERMISSION)
    found = webhooks.load_webhooks(look.connection)
    return {"items": [webhook_view(webhook) for webhook in found], "next_cursor": None}


def get_webhook(look: Look, payload: WebhookRef) -> Answer:
    """One receiver, without its secret. Raises NotFound."""
    require(look.actor, PERMISSION)
    return webhook_view(_known(webhooks.load_webhook(look.connection, payload.webhook_id)))


def list_deliveries(look: Look, payload: ListDeliveries) -> Answer:
    """Deliveries to a receiver, the latest first. Raises NotFound."""
    require(look.actor, PERMISSION)
    _known(webhooks.load_webhook(look.connection, payload.webhook_id))
    name = f"deliveries to {payload.webhook_id}"
    filters = {"status": payload.status, "kind": payload.kind}
    found = webhooks.deliveries(
        look.connection,
        payload.webhook_id,
        status=payload.status,
        kind=payload.kind,
        before=place_of(payload.cursor, name, filters),
        limit=payload.limit + 1,
    )
    shown, cursor = page_of(
        found, payload, name, filters, place=lambda row: (row.created_at_ms, row.id)
    )
    return {"items": [delivery_view(delivery) for delivery in shown], "next_cursor": cursor}


# what people and programs do


def create_webhook(tx: Tx, actor: Actor, payload: CreateWebhook, *, inside: bool = False) -> Answer:
    """Adds a receiver; the answer shows its secret, this once.

    It gets what happens from now on. ``inside`` lets it be of a private network.
    """
    require(actor, PERMISSION)
    if len(webhooks.load_webhooks(tx.connection)) >= MAX_WEBHOOKS:
        raise Conflict(f"At most {MAX_WEBHOOKS} receivers.", reason="too_many_webhooks")
    url = checked_url(payload.url.strip(), inside=inside)
    webhook = Webhook(
        id=tx.new_id(),
        name=_name(payload.name) or url.split("/")[2],
        url=url,
        kinds=checked_kinds(payload.kinds),
        secret=new_secret(),
        after_seq=last_seq(tx.connection),
        created_at_ms=tx.at_ms,
        health=Health(state_at_ms=tx.at_ms),
    )
    webhooks.insert_webhook(tx, webhook)
    return {"webhook": webhook_view(webhook), "secret": webhook.secret}


def change_webhook(tx: Tx, actor: Actor, payload: ChangeWebhook, *, inside: bool = False) -> Answer:
    """Changes a receiver; switching it on lets it get what happens from now on, and what waits."""
    webhook = _locked(tx, actor, payload.webhook_id)
    if payload.url is not None:
        webhook = replace(webhook, url=checked_url(payload.url.strip(), inside=inside))
    if payload.name is not None:
        webhook = replace(webhook, name=_name(payload.name) or webhook.url.split("/")[2])
    if payload.kinds is not None:
        webhook = replace(webhook, kinds=checked_kinds(payload.kinds))
    if payload.active is not None and payload.active != (webhook.health.state == "active"):
        state = "active" if payload.active else "off"
        webhook = replace(webhook, health=Health(state=state, state_at_ms=tx.at_ms))  # type: ignore[arg-type]  # one of two literals
        if payload.active:
            webhook = replace(webhook, after_seq=last_seq(tx.connection))
    webhooks.update_webhook(tx, webhook)
    return {"webhook": webhook_view(webhook)}


def delete_webhook(tx: Tx, actor: Actor, payload: WebhookRef) -> Answer:
    """Removes a receiver with the log of its deliveries."""
    webhook = _locked(tx, actor, payload.webhook_id)
    webhooks.delete_webhook(tx, webhook.id)
    return {}


def rotate_secret(tx: Tx, actor: Actor, payload: WebhookRef) -> Answer:
    """A new secret, shown this once; for a day what is sent is signed with the old one too."""
    webhook = _locked(tx, actor, payload.webhook_id)
    changed = replace(
        webhook,
        secret=new_secret(),
        old_secret=webhook.secret,
        old_secret_until_ms=tx.at_ms + OLD_SECRET_MS,
    )
    webhooks.update_webhook(tx, changed)
    return {"webhook": webhook_view(changed), "secret": changed.secret}


def end_old_secret(tx: Tx, actor: Actor, payload: WebhookRef) -> Answer:
    """From now on only the present secret signs."""
    webhook = _locked(tx, actor, payload.webhook_id)
    changed = replace(webhook, old_secret=None, old_secret_until_ms=None)
    webhooks.update_webhook(tx, changed)
    return {"webhook": webhook_view(changed)}


def send_test(tx: Tx, actor: Actor, payload: WebhookRef) -> Answer:
    """Sends a receiver a test, at once. Raises Conflict when it is switched off."""
    webhook = _on(_locked(tx, actor, payload.webhook_id))
    name = delivery_id(webhook.id, f"t{secrets.token_hex(8)}")
    webhooks.queue_deliveries(tx, [Wanted(id=name, webhook_id=webhook.id, kind=TEST_KIND)])
    _end_rest(tx, webhook)
    return {"delivery_id": name}


def send_again(tx: Tx, actor: Actor, payload: DeliveryRef) -> Answer:
    """Sends once more what was delivered, has failed or waits, under the same id, at once."""
    webhook = _on(_locked(tx, actor, payload.webhook_id))
    delivery = webhooks.load_delivery(tx.connection, payload.delivery_id)
    if delivery is None or delivery.webhook_id != webhook.id:
        raise NotFound("There is no such delivery.")
    webhooks.due_again(tx, delivery.id)
    _end_rest(tx, webhook)
    return {"delivery_id": delivery.id}


# what the edge does that sends


def queue_events(tx: Tx, *, up_to: int) -> int | None:
    """How many events of the log are dealt with, up to a settled number; None when others do it.

    A delivery is queued for every receiver that gets the event, in the transaction that notes that
    the event was read: a crash loses nothing and queues nothing twice.
    """
    read = log_readers.take_place(tx, webhooks.READER)
    if read is None:
        return None
    receivers = webhooks.active_webhooks(tx.connection)
    if not receivers:
        return 0
    # Nobody wants what lies before the youngest receiver's beginning.
    after = max(read, min(webhook.after_seq for webhook in receivers))
    found = webhooks.news(tx.connection, after=after, up_to=up_to, limit=PAGE)
    webhooks.queue_deliveries(
        tx,
        [
            Wanted(
                id=delivery_id(webhook.id, event.event_id),
                webhook_id=webhook.id,
                kind=event.kind,
                seq=event.seq,
                conversation_id=event.conversation_id,
            )
            for event in found
            for webhook in receivers
            if event.seq > webhook.after_seq and matches(webhook.kinds, event.kind)
        ],
    )
    end = found[-1].seq if len(found) == PAGE else up_to
    if end > read:
        log_readers.move_place(tx, webhooks.READER, end)
    return len(found)


def record_attempt(  # noqa: PLR0917  # a job's own arguments
    tx: Tx, webhook_id: str, lease: str, delivery: Delivery, attempt: Attempt, chance: float
) -> bool:
    """Writes down what came of an attempt; True when the receiver gets more in this turn.

    An attempt that another process has meanwhile repeated, because this one was away for longer
    than its turn, leaves no trace.
    """
    webhook = webhooks.served(tx, webhook_id, lease)
    if webhook is None:
        return False
    failures = delivery.failures + 1
    due_at_ms = None
    if attempt.outcome != "delivered":
        wait = wait_ms(failures, chance=chance, retry_after_ms=attempt.retry_after_ms)
        due_at_ms = None if wait is None else tx.at_ms + wait
    after = replace(webhook, health=health_after(webhook.health, attempt, tx.at_ms))
    webhooks.record_attempt(tx, after, delivery, attempt, due_at_ms=due_at_ms)
    return after.health.state == "active" and after.health.hold_until_ms <= tx.at_ms


def forget_old(tx: Tx) -> int:
    """How many deliveries of more than 30 days ago are removed from the log, a few at a time."""
    return webhooks.forget_deliveries(tx, before_ms=tx.at_ms - KEEP_MS, limit=FORGET_AT_ONCE)


# what is shown


def webhook_view(webhook: Webhook) -> Answer:
    """A receiver as programs see it; ``kinds`` empty means every kind."""
    return {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "kinds": list(webhook.kinds),
        "state": webhook.health.state,
        "state_at_ms": webhook.health.state_at_ms,
        "failing_since_ms": webhook.health.failing_since_ms,
        "old_secret_until_ms": webhook.old_secret_until_ms,
        "created_at_ms": webhook.created_at_ms,
    }


def delivery_view(delivery: Delivery) -> Answer:
    """A delivery as programs see it; ``next_at_ms`` is set while it waits."""
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "seq": delivery.seq,
        "kind": delivery.kind,
        "conversation_id": delivery.conversation_id,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "outcome": delivery.outcome,
        "code": delivery.code,
        "elapsed_ms": delivery.elapsed_ms,
        "answer": delivery.answer,
        "created_at_ms": delivery.created_at_ms,
        "attempted_at_ms": delivery.attempted_at_ms,
        "next_at_ms": delivery.due_at_ms,
    }


def new_secret() -> str:
    """A fresh secret to sign with, in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _locked(tx: Tx, actor: Actor, webhook_id: str) -> Webhook:
    require(actor, PERMISSION)
    return _known(webhooks.load_webhook(tx.connection, webhook_id, lock=True))


def _known(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise NotFound("There is no such receiver.")
    return webhook


def _on(webhook: Webhook) -> Webhook:
    if webhook.health.state != "active":
        raise Conflict("The receiver is switched off.", reason="webhook_off")
    return webhook


def _end_rest(tx: Tx, webhook: Webhook) -> None:
    """A person who sends something wants to see what comes of it now."""
    webhooks.update_health(tx, webhook.id, replace(webhook.health, hold_until_ms=0))


def _name(name: str) -> str:
    return " ".join(clean(name, limit=MAX_NAME_CHARS, name="name", empty=True).split())
