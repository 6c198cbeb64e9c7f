"""Refunds and parcels that sources tell apart from the orders they belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import orjson
from sqlalchemy import Connection, delete, select

from server.domain.shop_data import Line, Order
from server.domain.shop_told import Fulfilment, Parts, Refund
from server.storage.customers import CUSTOMER
from server.storage.orders import stored_lines, stored_orders
from server.storage.persons import ORIGIN, origin_name
from server.storage.prepared import upsert
from server.storage.rows import dumps
from server.storage.shop_sources import Source
from server.storage.tables import ShopOrderParts, table
from server.storage.unit import Tx

ORDER_PARTS = table(ShopOrderParts)
_SAVE = upsert(ORDER_PARTS)
_LINE = tuple(Line.__dataclass_fields__)
# What a stored order says under the same names; its customer is known by our own id there.
_SAME = tuple(
    name for name in Order.__dataclass_fields__ if name not in ("customer", "cart_token", "lines")
)


def load_parts(connection: Connection, source: str, order_ids: Collection[str]) -> dict[str, Parts]:
    """What is known of orders piece by piece, by the source's order id."""
    statement = select(ORDER_PARTS.c.external_id, ORDER_PARTS.c.parts).where(
        ORDER_PARTS.c.source == source, ORDER_PARTS.c.external_id.in_(list(order_ids))
    )
    return {row[0]: _parts(row[1]) for row in connection.execute(statement)}


def save_parts(tx: Tx, source: str, parts: Iterable[Parts]) -> None:
    """Writes down what is known of orders piece by piece."""
    tx.write(
        _SAVE,
        [
            {
                "source": source,
                "external_id": one.order_id,
                "parts": dumps(one),
                "updated_at_ms": tx.at_ms,
            }
            for one in parts
        ],
    )


def told_orders(
    connection: Connection, source: Source, order_ids: Collection[str]
) -> dict[str, Order]:
    """Orders of a source as they are stored, in the form in which it told them."""
    rows = stored_orders(connection, source.name, order_ids)
    lines = stored_lines(connection, [row["id"] for row in rows.values()])
    owners = {row["customer_id"] for row in rows.values()} - {None}
    names = source_ids(connection, source, owners)
    return {
        key: Order(
            **{name: row[name] for name in _SAME},
            customer=names.get(row["customer_id"]),
            lines=tuple(
                Line(**{name: line[name] for name in _LINE}) for line in lines.get(row["id"], ())
            ),
        )
        for key, row in rows.items()
    }


def source_ids(
    connection: Connection, source: Source, customer_ids: Collection[str]
) -> dict[str, str]:
    """What a source calls these customers; those that are not its own are left out."""
    ids = list(customer_ids)
    if source.customer_ids == "shop":
        rows = connection.execute(
            select(CUSTOMER.c.id, CUSTOMER.c.external_id).where(
                CUSTOMER.c.id.in_(ids), CUSTOMER.c.external_id.is_not(None)
            )
        )
        return {row[0]: row[1] for row in rows}
    prefix = origin_name(source, "")
    rows = connection.execute(
        select(ORIGIN.c.customer_id, ORIGIN.c.name)
        .where(ORIGIN.c.customer_id.in_(ids))
        .order_by(ORIGIN.c.name.desc())
    )
    return {row[0]: row[1][len(prefix) :] for row in rows if row[1].startswith(prefix)}


def forget_parts(tx: Tx, source: str) -> None:
    """Drops all that a source told piece by piece."""
    tx.later(delete(ORDER_PARTS).where(ORDER_PARTS.c.source == source))


def _parts(text: str) -> Parts:
    values = orjson.loads(text)
    values["lines"] = tuple(values["lines"])
    values["refunds"] = tuple(Refund(**one) for one in values["refunds"])
    values["fulfilments"] = tuple(Fulfilment(**one) for one in values["fulfilments"])
    return Parts(**values)
