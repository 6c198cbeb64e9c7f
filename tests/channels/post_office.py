"""A desk whose events are sent out, with a clock that tests move."""

from __future__ import annotations

import asyncio
from typing import Any  # Any: JSON values, options

from server.actions import webhooks as actions
from server.actions.payload import parse
from server.actions.webhooks import (
    ChangeWebhook,
    CreateWebhook,
    DeliveryRef,
    WebhookRef,
)
from server.channels.webhook_out import WebhookOut
from server.domain.actors import Actor, agent
from server.storage import webhooks
from server.storage.database import Database
from server.storage.webhooks import Delivery, Webhook
from tests.actions.scene import Scene
from tests.support.waiting import wait_until_async

ADMIN = agent("ida", name="Ida", role="admin")


class PostOffice:
    """The scene, and the loops that send; each is another process's when its database is."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.admin: Actor = ADMIN
        self._running: list[asyncio.Task[None]] = []

    def open(self, database: Database | None = None, **options: Any) -> WebhookOut:
        """Begins to send, from this scene's database unless another is given."""
        out = WebhookOut(
            database or self.scene.database,
            **({"inside": True, "attempt_s": 60.0, "poll_s": 0.02} | options),
        )
        self._running.append(asyncio.create_task(out.run()))
        return out

    async def close(self) -> None:
        """Ends all sending."""
        running, self._running = self._running, []
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def add(self, url: str, *kinds: str, inside: bool = True) -> str:
        """The id of a new receiver."""
        payload = parse(CreateWebhook, {"url": url, "kinds": list(kinds)})
        answer = self.scene.database.write_now(
            lambda tx: actions.create_webhook(tx, self.admin, payload, inside=inside)
        )
        return str(answer["webhook"]["id"])

    def change(self, webhook_id: str, **values: Any) -> None:
        payload = parse(ChangeWebhook, {"webhook_id": webhook_id, **values})
        self.scene.database.write_now(
            lambda tx: actions.change_webhook(tx, self.admin, payload, inside=True)
        )

    def ask(self, action: str, webhook_id: str, delivery_id: str | None = None) -> Any:
        """The answer of send_test, rotate_secret, send_again and their kind."""
        values = {"webhook_id": webhook_id, "delivery_id": delivery_id}
        kind = WebhookRef if delivery_id is None else DeliveryRef
        payload = parse(kind, values)
        return self.scene.do(getattr(actions, action), self.admin, payload)

    def webhook(self, webhook_id: str) -> Webhook:
        """The receiver as it is stored."""
        found = self.scene.database.read_now(lambda c: webhooks.load_webhook(c, webhook_id))
        assert found is not None
        return found

    def log(self, webhook_id: str, **filters: Any) -> list[Delivery]:
        """The log of deliveries, the latest first."""
        return self.scene.database.read_now(
            lambda c: webhooks.deliveries(c, webhook_id, limit=200, **filters)
        )

    async def settled(self, webhook_id: str, count: int) -> list[Delivery]:
        """The log of deliveries, once it has so many and the receiver gets none of them now."""

        def look() -> bool:
            found = self.log(webhook_id)
            now = self.scene.time.at_ms
            health = self.webhook(webhook_id).health
            due = [d for d in found if d.due_at_ms is not None and d.due_at_ms <= now]
            rests = health.hold_until_ms > now
            return health.state != "active" or (len(found) >= count and (rests or not due))

        await wait_until_async(look, what=f"{count} deliveries, none of them due")
        return self.log(webhook_id)
