"""What is known of a shopper besides their words and may say which answer they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values
from urllib.parse import urlsplit

from server.domain.spans import DAY_MS
from server.storage import visits
from server.storage.card_orders import orders_view
from server.storage.cards import subject_of
from server.storage.connection import Connection
from server.storage.shop import load_shop

# What is done longer ago than this is not what they write about.
RECENT_MS = 30 * DAY_MS
MOST_ORDERS = 2


@dataclass(frozen=True, slots=True)
class SeenPage:
    """What a shopper looks at: its path, its title, and the product if it is of one."""

    path: str
    title: str
    sku: str | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True)
class Hints:
    """``orders`` are (state, number), what is late or open first; states as ``OF_ORDER`` names."""

    orders: tuple[tuple[str, str], ...] = ()
    page: SeenPage | None = None


def hints_of(connection: Connection, customer_id: str, *, at_ms: int) -> Hints:
    """What a customer's orders and the page before them say; nothing of what they refused."""
    subject, shop = subject_of(connection, customer_id), load_shop(connection)
    if subject is None or shop is None:
        return Hints()
    view = orders_view(connection, subject.ids, email_keys=(), timezone=shop.timezone, at_ms=at_ms)
    now = visits.now_of(connection, subject.ids, at_ms=at_ms)
    return Hints(
        orders=_orders(view["items"], at_ms=at_ms), page=None if now is None else _page(now)
    )


def _orders(items: Sequence[Mapping[str, Any]], *, at_ms: int) -> tuple[tuple[str, str], ...]:
    """The state of the few orders that they may be writing about."""
    recent = [
        item
        for item in items
        if item["late"]
        or at_ms - max(item["created_at_ms"], item["delivered_at_ms"] or 0) < RECENT_MS
    ]
    return tuple(
        ("late" if item["late"] else item["state"], str(item["number"] or ""))
        for item in recent[:MOST_ORDERS]
    )


def _page(now: Mapping[str, Any]) -> SeenPage:
    product = now["product"] or {}
    try:
        path = urlsplit(now["url"] or "").path
    except ValueError:
        path = ""
    return SeenPage(
        path=path,
        title=now["title"] or "",
        sku=product.get("sku"),
        product=product.get("title"),
    )
