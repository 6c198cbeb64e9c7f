"""Taking an import of a file back: what was new goes, what was changed is as it was.

What others have changed since stays as they left it, and so does a customer of whom anything else
speaks by now. The log keeps what it has: an order that goes is called off there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: column values

from server.actions.take_shop_customers import FIELDS
from server.domain.actors import SYSTEM
from server.domain.errors import Conflict, NotFound
from server.domain.events import OrderCancelled
from server.storage import orders, products, shop_customers
from server.storage.customers import CustomerChanged, change_customer
from server.storage.import_batches import (
    Batch,
    changes_of,
    drop_changes,
    load_batch,
    mark_undone,
    row_before,
)
from server.storage.persons import persons_of
from server.storage.profiles import recompute
from server.storage.unit import Tx

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Undone:
    """What a step of an undo did: how many rows were put back, and whether there is more to do."""

    put_back: int
    more: bool


def undo_some(tx: Tx, batch_id: str) -> Undone:
    """Takes some rows of an import back; the last step marks it as undone.

    Raises NotFound for no import, Conflict for one that was undone before.
    """
    batch = load_batch(tx.connection, batch_id)
    if batch is None:
        raise NotFound(f"There is no import {batch_id}.")
    if batch.undone_at_ms is not None:
        raise Conflict(f"The import {batch_id} was undone before.")
    for step in (_undo_orders, _undo_products, _undo_customers):
        done = step(tx, batch)
        if done:
            return Undone(done, more=True)
    mark_undone(tx, batch.id)
    return Undone(0, more=False)


def _undo_orders(tx: Tx, batch: Batch) -> int:
    connection = tx.connection
    now = orders.orders_of_batch(connection, batch.id, limit=AT_ONCE)
    if not now:
        return 0
    before = {row["id"]: row_before(connection, batch.id, "orders", row["id"]) for row in now}
    old = {key: kept for key, kept in before.items() if kept is not None}
    customers = {row["customer_id"] for row in now}
    customers |= {kept["row"]["customer_id"] for kept in old.values()}
    customers.discard(None)
    persons = set(persons_of(connection, customers).values())
    shop_customers.lock_persons(connection, persons)
    orders.put_back(
        tx,
        [row["id"] for row in now],
        [kept["row"] for kept in old.values()],
        [line for kept in old.values() for line in kept["lines"]],
    )
    recompute(tx, sorted(persons), imported=True)
    for row in now:
        if row["id"] not in old and not row["test"] and row["cancelled_at_ms"] is None:
            tx.record(
                SYSTEM,
                OrderCancelled(order_id=row["id"]),
                customer_id=row["customer_id"],
                imported=True,
            )
    for customer_id in sorted(customers):
        tx.notice(CustomerChanged(customer_id))
    return len(now)


def _undo_products(tx: Tx, batch: Batch) -> int:
    before = changes_of(tx.connection, batch.id, "products", limit=AT_ONCE)
    now = products.stored_products(tx.connection, batch.source, before)
    ours = {sku for sku, row in now.items() if row["batch"] == batch.id}
    gone = {sku for sku in ours if before[sku] is None}
    products.drop_products(tx, batch.source, gone)
    # One that the import took out of the catalogue is put back too.
    old = [
        row for sku, row in before.items() if row is not None and (sku in ours or sku not in now)
    ]
    products.save_products(tx, old)
    drop_changes(tx, batch.id, "products", before)
    return len(before)


def _undo_customers(tx: Tx, batch: Batch) -> int:
    connection = tx.connection
    before = changes_of(connection, batch.id, "customers", limit=AT_ONCE)
    new = {customer_id for customer_id, row in before.items() if row is None}
    shop_customers.drop_customers(tx, new - shop_customers.needed(connection, new))
    changed = {customer_id: row for customer_id, row in before.items() if row is not None}
    now = shop_customers.stored_customers(connection, list(changed))
    for customer_id, row in now.items():
        values = _as_before(changed[customer_id], row)
        if values:
            change_customer(tx, customer_id, **values)
    drop_changes(tx, batch.id, "customers", before)
    return len(before)


def _as_before(
    changed: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, str | int | None]:  # Any: column values
    """The old values of what still is as the import wrote it."""
    names = (*FIELDS, "told_at_ms")
    return {
        name: old
        for name, (old, written) in changed.items()
        if name in names and now[name] == written
    }
