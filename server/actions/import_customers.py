"""Taking customers of a file, without opening anybody's conversations to anybody else.

The shop's own id is what a signed identity shows, so rows with one are matched by it alone. What
another desk calls a person opens nothing; only such rows, which no shopper can reach, are joined by
e-mail or telephone, so that an agent sees one history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from server.domain.imported import CustomerRow, email_key, phone_key
from server.storage import customers, imports
from server.storage.connection import Connection
from server.storage.customers import Customer
from server.storage.unit import Tx

_FIELDS = ("name", "email", "phone", "locale")


@dataclass(slots=True)
class _Known:
    """The stored customers that some rows may mean, and what the rows have changed so far."""

    by_name: dict[str, str]
    by_external_id: dict[str, str]
    rows: dict[str, Customer]
    new: set[str] = field(default_factory=set)
    changes: dict[str, dict[str, str | int | None]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


def take_customers(tx: Tx, rows: Sequence[CustomerRow]) -> list[bool]:
    """Writes the rows; for each, whether it brought anything new."""
    known = _known(tx.connection, rows)
    answers = [_take(row, known, new_id=tx.new_id(), at_ms=tx.at_ms) for row in rows]
    for customer_id in sorted(known.new):
        customers.add_customer(tx, known.rows[customer_id])
    for customer_id, values in known.changes.items():
        customers.change_customer(tx, customer_id, **values)
    imports.add_origins(tx, known.names)
    return answers


def try_customers(connection: Connection, rows: Sequence[CustomerRow]) -> list[bool]:
    """What ``take_customers`` would answer, without writing."""
    known = _known(connection, rows)
    return [_take(row, known, new_id=f"new {number}", at_ms=0) for number, row in enumerate(rows)]


def _known(connection: Connection, rows: Sequence[CustomerRow]) -> _Known:
    names = {name for row in rows for name in _names(row)}
    by_name = imports.customers_by_origin(connection, names)
    found = imports.load_customers(
        connection,
        ids=set(by_name.values()),
        external_ids={row.external_id for row in rows if row.external_id},
    )
    by_external_id = {c.external_id: c.id for c in found if c.external_id is not None}
    return _Known(by_name, by_external_id, {c.id: c for c in found})


def _names(row: CustomerRow) -> Iterable[str]:
    """The row's name at the other desk, then the keys by which it may be joined to another row."""
    if row.origin is None:
        return []
    keys = [] if row.external_id else [email_key(row.email), phone_key(row.phone)]
    return [row.origin, *(key for key in keys if key is not None)]


def _take(row: CustomerRow, known: _Known, *, new_id: str, at_ms: int) -> bool:
    customer_id = _meant(row, known)
    new = customer_id is None
    if customer_id is None:
        customer_id = new_id
        _add(row, known, customer_id, at_ms=at_ms)
    named = False
    for name in _names(row):
        if name not in known.by_name:
            known.by_name[name] = known.names[name] = customer_id
            named = named or name == row.origin
    return new or (_change(row, known, customer_id) or named)


def _meant(row: CustomerRow, known: _Known) -> str | None:
    """The id of the stored customer whom a row means, None when it is somebody new."""
    if row.origin is not None and row.origin in known.by_name:
        return known.by_name[row.origin]
    if row.external_id is not None:
        return known.by_external_id.get(row.external_id)
    for name in _names(row):
        found = known.by_name.get(name)
        # A row with the shop's id can be reached by whoever the shop signs for.
        if found is not None and known.rows[found].external_id is None:
            return found
    return None


def _add(row: CustomerRow, known: _Known, customer_id: str, *, at_ms: int) -> None:
    created = at_ms if row.created_at_ms is None else row.created_at_ms
    contact = row.name or row.email or row.phone or row.external_id
    known.rows[customer_id] = Customer(
        id=customer_id,
        external_id=row.external_id,
        name=row.name,
        email=row.email,
        phone=row.phone,
        locale=row.locale,
        identity="claimed" if contact else "anonymous",
        created_at_ms=created,
        seen_at_ms=created if row.seen_at_ms is None else row.seen_at_ms,
    )
    known.new.add(customer_id)
    if row.external_id is not None:
        known.by_external_id[row.external_id] = customer_id


def _change(row: CustomerRow, known: _Known, customer_id: str) -> bool:
    """Whether the row says something new of a customer.

    The shop's own list corrects what was only claimed. What the shop has signed stays, and another
    desk's older data fills gaps only.
    """
    customer = known.rows[customer_id]
    corrects = row.origin is None and not customer.verified
    changes: dict[str, str | int | None] = {
        name: given
        for name in _FIELDS
        if (given := getattr(row, name)) is not None
        and given != (stored := getattr(customer, name))
        and (corrects or stored is None)
    }
    if not changes:
        return False
    if customer.identity == "anonymous":
        changes["identity"] = "claimed"
    known.rows[customer_id] = replace(customer, **changes)  # type: ignore[arg-type]  # by name
    if customer_id not in known.new:
        known.changes.setdefault(customer_id, {}).update(changes)
    return True
