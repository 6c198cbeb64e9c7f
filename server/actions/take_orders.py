"""Taking what a shop tells: orders, customers, products and carts, from webhooks and from files.

Whatever is told twice changes nothing the second time, and what is older than what is stored
changes nothing either, so deliveries may come in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from server.domain.shop_data import Order, ShopCart, ShopCustomer, ShopProduct
from server.storage.shop_sources import Source
from server.storage.unit import Tx

Taken = Literal["accepted", "unchanged"]


def take_orders(
    tx: Tx,
    source: Source,
    orders: Sequence[Order],
    *,
    imported: bool,
    batch: str | None = None,
) -> list[Taken]:
    """Writes orders with their lines, customers, profiles and events; for each what came of it.

    ``imported`` marks the events as brought in later, so that nothing acts on them as on news;
    ``batch`` is the import that can be undone.
    """
    raise NotImplementedError


def take_shop_customers(
    tx: Tx, source: Source, rows: Sequence[ShopCustomer], *, batch: str | None = None
) -> list[Taken]:
    """Writes customers as a source tells them; for each what came of it."""
    raise NotImplementedError


def take_products(
    tx: Tx, source: Source, rows: Sequence[ShopProduct], *, batch: str | None = None
) -> list[Taken]:
    """Writes products of the catalogue; for each what came of it."""
    raise NotImplementedError


def take_carts(tx: Tx, source: Source, rows: Sequence[ShopCart]) -> list[Taken]:
    """Writes carts; for each what came of it."""
    raise NotImplementedError
