"""Shops that post to a desk as the real ones do, and what the desk made of it."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any  # Any: JSON of a shop

from sqlalchemy import text

from server.actions.shop import init_shop
from server.actions.sources import AddSource, add_source
from server.domain.actors import SYSTEM
from server.domain.hooks import body_signature, timed_signature
from server.shops.worker import ShopWorker
from server.storage.database import Database
from tests.http.desk import Answer, Desk, Visitor, served

FOLDER = Path(__file__).parent / "payloads"
SECRET = "a secret of the shop"


def sample(name: str) -> bytes:
    """The bytes of a payload as they are in its file."""
    return (FOLDER / name).read_bytes()


def value_of(name: str) -> dict[str, Any]:  # Any: JSON of a shop
    """A payload to be changed."""
    value: dict[str, Any] = json.loads(sample(name))
    return value


def raw(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


class Shop:
    """A desk with the sources ``shopify``, ``woo`` and ``own``, and somebody who posts."""

    def __init__(self, desk: Desk, visitor: Visitor) -> None:
        self.desk = desk
        self.database: Database = desk.database
        self.worker = ShopWorker(desk.database)
        self._visitor = visitor
        self._sent = 0

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        # Nothing comes at the very same instant, where no order is promised. Two, because of one
        # the rounding of seconds may leave nothing.
        self.desk.time.now += 0.002
        # As a file, because a large body given at once draws a warning.
        return await self._visitor.ask("POST", path, data=io.BytesIO(body), headers=dict(headers))

    async def shopify(
        self,
        topic: str,
        body: object,
        *,
        secret: str = SECRET,
        webhook_id: str | None = None,
        source: str = "shopify",
        **more: str,
    ) -> Answer:
        """A delivery of Shopify; each has a webhook id of its own unless it is given."""
        self._sent += 1
        data = body if isinstance(body, bytes) else raw(body)
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": body_signature(secret, data),
            "X-Shopify-Webhook-Id": webhook_id or f"w{self._sent}",
            "X-Shopify-Event-Id": "the-same",
        }
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return await self.post(f"/hooks/shopify/{source}", data, headers)

    async def woo(self, topic: str, body: object, *, secret: str = SECRET, **more: str) -> Answer:
        data = body if isinstance(body, bytes) else raw(body)
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Signature": body_signature(secret, data),
            "X-WC-Webhook-ID": "3",
            "X-WC-Webhook-Delivery-ID": "the-same-second",
        }
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return await self.post("/hooks/woocommerce/woo", data, headers)

    async def own(self, topic: str, *rows: object, secret: str = SECRET, **more: str) -> Answer:
        data = b"\n".join(raw(row) for row in rows)
        now_s = int(self.desk.time.now)
        headers = {"X-Topic": topic} if topic else {}
        headers |= {"X-Signature": timed_signature(secret, now_s, data)}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return await self.post("/hooks/generic/own", data, headers)

    async def work(self) -> None:
        """Takes over what is due."""
        while await self.worker.step():
            pass

    def rows(self, sql: str, **values: object) -> list[dict[str, Any]]:  # Any: columns
        """What the database has."""
        return self.database.read_now(
            lambda c: [dict(row) for row in c.execute(text(sql), values).mappings()]
        )

    def row(self, sql: str, **values: object) -> dict[str, Any]:  # Any: columns
        [found] = self.rows(sql, **values)
        return found

    def order(self, external_id: object) -> dict[str, Any]:  # Any: columns
        return self.row("SELECT * FROM shop_order WHERE external_id = :id", id=str(external_id))

    def lines(self, external_id: object) -> list[dict[str, Any]]:  # Any: columns
        return self.rows(
            "SELECT l.* FROM order_line l JOIN shop_order o ON o.id = l.order_id"
            " WHERE o.external_id = :id ORDER BY l.line_no",
            id=str(external_id),
        )

    def statuses(self) -> list[tuple[str, str | None]]:
        """State and reason of every delivery, in the order in which they came."""
        found = self.rows("SELECT status, reason FROM shop_delivery ORDER BY received_at_ms, id")
        return [(row["status"], row["reason"]) for row in found]


@asynccontextmanager
async def opened(open_database: Callable[..., Database], folder: Path) -> AsyncIterator[Shop]:
    """A desk that shops may post to; nothing is taken over until ``work``."""
    async with served(open_database, folder) as desk:
        await desk.write(
            init_shop, name="Linné", locale="en", timezone="Europe/Stockholm", currency="EUR"
        )
        for name, kind in (("shopify", "shopify"), ("woo", "woocommerce"), ("own", "generic")):
            asked = AddSource(name=name, kind=kind, secret=SECRET)
            await desk.database.write(lambda tx, asked=asked: add_source(tx, SYSTEM, asked))  # type: ignore[misc]  # bound default
        yield Shop(desk, desk.visitor())
