"""Carts that are being filled, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any  # Any: column values

from sqlalchemy import Connection

from server.storage.prepared import Driver, Statement, Values, upsert
from server.storage.tables import Cart, table
from server.storage.unit import Tx

CART = table(Cart)
NAMES = tuple(column.name for column in CART.columns)

_COLUMNS = ", ".join(f"c.{name}" for name in NAMES)
_STORED = Statement(
    sqlite=f"SELECT {_COLUMNS} FROM json_each(?) AS k CROSS JOIN cart AS c"  # noqa: S608  # our names
    " ON c.source = ? AND c.token = k.value",
    postgresql=f"SELECT {_COLUMNS} FROM unnest(%s::text[]) AS k(token) JOIN cart AS c"  # noqa: S608  # likewise
    " ON c.source = %s AND c.token = k.token",
)
# What the page says of a cart while it is open, the shop's own word of it may not be older.
_SAVE = upsert(
    CART,
    fixed=("source", "token", "created_at_ms"),
    kept_if_null=("customer_id", "email_key", "ordered_at_ms"),
    where="cart.updated_at_ms <= excluded.updated_at_ms",
)
# A shop tells of an order with the token that its page told of the cart.
_ORDERED = Statement(
    sqlite="UPDATE cart SET ordered_at_ms = ? WHERE token = ? AND ordered_at_ms IS NULL"
    " AND source IN (SELECT name FROM shop_source UNION ALL SELECT 'widget')",
    postgresql="UPDATE cart SET ordered_at_ms = r.at_ms"
    " FROM json_to_recordset(%s::json) AS r(at_ms bigint, token text)"
    " WHERE cart.token = r.token AND cart.ordered_at_ms IS NULL"
    " AND cart.source IN (SELECT name FROM shop_source UNION ALL SELECT 'widget')",
    columns=("at_ms", "token"),
)


def stored_carts(
    connection: Connection, source: str, tokens: Collection[str]
) -> dict[str, dict[str, Any]]:  # Any: column values
    """The carts of a source by their token, as rows."""
    if not tokens:
        return {}
    driver = Driver(connection)
    found = driver.rows(_STORED, driver.several(tokens), source)
    rows = (dict(zip(NAMES, row, strict=True)) for row in found)
    return {row["token"]: row for row in rows}


def save_carts(tx: Tx, carts: Sequence[Values]) -> None:
    """Writes carts at once, over older ones."""
    tx.write(_SAVE, carts)


def carts_ordered(tx: Tx, at_ms: Mapping[str, int]) -> None:
    """Notes when orders came of carts, by the carts' tokens."""
    tx.write(_ORDERED, [{"at_ms": at, "token": token} for token, at in at_ms.items()])
