"""Taking products of the catalogue, from webhooks and from files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: column values

from server.actions.taken import Taken
from server.domain.shop_data import ShopProduct
from server.storage import products
from server.storage.import_batches import keep_before
from server.storage.shop_sources import Source
from server.storage.unit import Tx

_FIELDS = tuple(name for name in ShopProduct.__dataclass_fields__ if name != "deleted")


def take_products(
    tx: Tx, source: Source, rows: Sequence[ShopProduct], *, batch: str | None = None
) -> list[Taken]:
    """Writes products of the catalogue; for each what came of it.

    What a product does not say stays as it is known. ``batch`` is the import that can be undone.
    """
    known: dict[str, dict[str, Any] | None] = dict.fromkeys(row.sku for row in rows)  # Any: columns
    known.update(products.stored_products(tx.connection, source.name, known))
    before = dict(known)
    answers: list[Taken] = []
    for product in rows:
        made = _row(tx, source, product, known[product.sku], batch=batch)
        answers.append("unchanged" if made == known[product.sku] else "accepted")
        known[product.sku] = made
    changed = {sku: made for sku, made in known.items() if made != before[sku]}
    if batch is not None:
        keep_before(tx, batch, "products", {sku: before[sku] for sku in changed})
    products.save_products(tx, [made for made in changed.values() if made is not None])
    products.drop_products(tx, source.name, {sku for sku, made in changed.items() if made is None})
    return answers


def _row(
    tx: Tx,
    source: Source,
    product: ShopProduct,
    known: dict[str, Any] | None,  # Any: column values
    *,
    batch: str | None,
) -> dict[str, Any] | None:  # Any: column values
    """The product's row as it is to be, the one that is known when nothing changes."""
    if product.deleted:
        return None
    old = known or dict.fromkeys(products.NAMES)
    said = {name: value for name in _FIELDS if (value := getattr(product, name)) is not None}
    if known is not None and all(old[name] == value for name, value in said.items()):
        return known
    return old | said | {"source": source.name, "batch": batch, "updated_at_ms": tx.at_ms}
