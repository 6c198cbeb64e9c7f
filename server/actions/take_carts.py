"""Taking carts and unfinished checkouts of a shop system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: column values

from server.actions.contacts import email_key
from server.actions.taken import Taken
from server.domain.shop_data import Line, ShopCart
from server.storage import carts, tombstones
from server.storage.customers import CustomerChanged
from server.storage.persons import customers_of_source
from server.storage.rows import dumps
from server.storage.shop_sources import Source
from server.storage.unit import Tx

Row = dict[str, Any]  # Any: column values


def take_carts(tx: Tx, source: Source, rows: Sequence[ShopCart]) -> list[Taken]:
    """Writes carts; for each what came of it.

    A cart whose customer is not known here is kept without: it makes nobody known.
    """
    connection = tx.connection
    wanted = {cart.customer for cart in rows if cart.customer is not None}
    customers = customers_of_source(connection, source, wanted)
    known = carts.stored_carts(connection, source.name, {cart.token for cart in rows})
    keys = {cart.email: email_key(cart.email) for cart in rows}
    erased = tombstones.erased(
        connection, {tombstones.email_key(key) for key in keys.values() if key is not None}
    )
    changed: dict[str, Row] = {}
    answers: list[Taken] = []
    for cart in rows:
        before = known.get(cart.token)
        key = keys[cart.email]
        if key is not None and tombstones.email_key(key) in erased:
            key = None
        row = _row(tx, source, cart, before, email=key)
        row["customer_id"] = customers.get(cart.customer or "") or row["customer_id"]
        if before is not None and (cart.updated_at_ms < before["updated_at_ms"] or row == before):
            answers.append("unchanged")
            continue
        known[cart.token] = changed[cart.token] = row
        answers.append("accepted")
    carts.save_carts(tx, list(changed.values()))
    for customer_id in sorted({r["customer_id"] for r in changed.values() if r["customer_id"]}):
        tx.notice(CustomerChanged(customer_id))
    return answers


def cart_line(line: Line) -> dict[str, str | int | None]:
    """A line of a cart as it is kept: what a shopper sees of it."""
    return {
        "sku": line.sku,
        "title": line.title,
        "quantity": line.quantity,
        "price_minor": line.price_minor,
    }


def _row(tx: Tx, source: Source, cart: ShopCart, before: Row | None, *, email: str | None) -> Row:
    old = before or dict.fromkeys(carts.NAMES)
    return {
        "id": old["id"] or tx.new_id(),
        "source": source.name,
        "token": cart.token,
        "customer_id": old["customer_id"],
        "email_key": email or old["email_key"],
        "currency": cart.currency,
        "total_minor": cart.total_minor,
        "lines": dumps([cart_line(line) for line in cart.lines]),
        "checkout_url": cart.checkout_url or old["checkout_url"],
        "created_at_ms": cart.updated_at_ms if before is None else before["created_at_ms"],
        "updated_at_ms": cart.updated_at_ms,
        "ordered_at_ms": old["ordered_at_ms"] or (cart.updated_at_ms if cart.completed else None),
    }
