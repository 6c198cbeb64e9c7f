"""Products of the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any  # Any: column values

from sqlalchemy import Connection, select

from server.storage.prepared import Driver, Statement, Values, delete, upsert
from server.storage.tables import Product, table
from server.storage.unit import Tx

PRODUCT = table(Product)
NAMES = tuple(column.name for column in PRODUCT.columns)

_COLUMNS = ", ".join(f"p.{name}" for name in NAMES)
_STORED = Statement(
    sqlite=f"SELECT {_COLUMNS} FROM json_each(?) AS k CROSS JOIN product AS p"  # noqa: S608  # our names
    " ON p.source = ? AND p.sku = k.value",
    postgresql=f"SELECT {_COLUMNS} FROM unnest(%s::text[]) AS k(sku) JOIN product AS p"  # noqa: S608  # likewise
    " ON p.source = %s AND p.sku = k.sku",
)
_SAVE = upsert(PRODUCT)
_DROP = delete(PRODUCT)


def stored_products(
    connection: Connection, source: str, skus: Collection[str]
) -> dict[str, dict[str, Any]]:  # Any: column values
    """The products of a source by their sku, as rows."""
    if not skus:
        return {}
    driver = Driver(connection)
    found = driver.rows(_STORED, driver.several(skus), source)
    rows = (dict(zip(NAMES, row, strict=True)) for row in found)
    return {row["sku"]: row for row in rows}


def skus_of(connection: Connection, source: str, product_ids: Collection[str]) -> set[str]:
    """The articles of some products of a source."""
    statement = select(PRODUCT.c.sku).where(
        PRODUCT.c.source == source, PRODUCT.c.product_id.in_(list(product_ids))
    )
    return set(connection.execute(statement).scalars())


def titles_of(connection: Connection, skus: Collection[str]) -> dict[str, str]:
    """What products are called, by their sku; of several sources the first by name says so."""
    if not skus:
        return {}
    c = PRODUCT.c
    statement = select(c.sku, c.title).where(c.sku.in_(sorted(skus))).order_by(c.source.desc())
    return {row.sku: row.title for row in connection.execute(statement)}


def save_products(tx: Tx, products: Sequence[Values]) -> None:
    """Writes products at once, over those with the same source and sku."""
    tx.write(_SAVE, products)


def drop_products(tx: Tx, source: str, skus: Collection[str]) -> None:
    """Takes products out of the catalogue at once."""
    tx.write(_DROP, [{"source": source, "sku": sku} for sku in sorted(skus)])
