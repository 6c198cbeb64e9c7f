"""Customers that sources of shop data bring, written many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any  # Any: column values

from sqlalchemy import Connection, bindparam, select
from sqlmodel import SQLModel

from server.storage.among import among
from server.storage.customers import CUSTOMER
from server.storage.imports import CUSTOMER_ORIGIN
from server.storage.locking import Lockable, locked_rows
from server.storage.persons import origin_name
from server.storage.prepared import insert, upsert
from server.storage.segment_marks import mark_segments
from server.storage.shop_sources import Source
from server.storage.tables import Contact, CustomerTag, table
from server.storage.unit import Tx

CONTACT = table(Contact)
CUSTOMER_TAG = table(CustomerTag)

_ADD = insert(CUSTOMER)
_ADD_ORIGIN = insert(CUSTOMER_ORIGIN)
_ADD_CONTACT = insert(CONTACT, conflict="ON CONFLICT DO NOTHING")
_SAVE_CONTACT = upsert(CONTACT, fixed=("created_at_ms",))
_SHOWN = ("id", "name", "email", "phone", "locale", "identity", "told_at_ms")
_IDS = select(CUSTOMER.c.id).where(among(CUSTOMER.c.id, "ids"))
_IDS = _IDS.order_by(CUSTOMER.c.id)
# Who only refers to a customer, as a new conversation does, need not wait.
_LOCK = Lockable(
    _IDS.with_for_update(key_share=True), _IDS.with_for_update(key_share=True, skip_locked=True)
)


def lock_persons(connection: Connection, person_ids: AbstractSet[str]) -> None:
    """Keeps other processes from changing what is added up for these persons. Raises Held."""
    if person_ids and connection.dialect.name != "sqlite":
        locked_rows(connection, _LOCK, person_ids)


def add_customers(
    tx: Tx, source: Source, customers: Mapping[str, Mapping[str, str | int | None]]
) -> None:
    """Writes new customers at once, by the source's id; each has its ``id`` and ``created_at_ms``.

    What else is given is written too.
    """
    shop = source.customer_ids == "shop"
    rows = [
        _EMPTY
        | {"seen_at_ms": row["created_at_ms"]}
        | dict(row)
        | ({"external_id": key} if shop else {})
        for key, row in customers.items()
    ]
    tx.write(_ADD, rows)
    if not shop:
        tx.write(
            _ADD_ORIGIN,
            [
                {"name": origin_name(source, key), "customer_id": row["id"]}
                for key, row in customers.items()
            ],
        )


def add_contacts(tx: Tx, contacts: Sequence[Mapping[str, str | int | None]]) -> None:
    """Writes contacts of customers at once; those that are known already stay as they are."""
    tx.write(_ADD_CONTACT, contacts)


def stored_customers(
    connection: Connection, customer_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:  # Any: column values
    """What is shown of customers, and when their source last changed them, by their ids."""
    statement = select(*(CUSTOMER.c[name] for name in _SHOWN)).where(
        CUSTOMER.c.id.in_(list(customer_ids))
    )
    return {row["id"]: dict(row) for row in connection.execute(statement).mappings()}


def tags_of(connection: Connection, customer_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Who put which tags on customers, by their ids: staff, or a source."""
    c = CUSTOMER_TAG.c
    statement = select(c.customer_id, c.tag, c.source).where(c.customer_id.in_(list(customer_ids)))
    found: dict[str, dict[str, str]] = {}
    for row in connection.execute(statement.order_by(c.customer_id, c.tag)):
        found.setdefault(row.customer_id, {})[row.tag] = row.source
    return found


def set_tags(tx: Tx, customer_id: str, tags: Mapping[str, str], *, source: str) -> None:
    """Writes which tags a source has put on a customer; others' tags stay."""
    c = CUSTOMER_TAG.c
    tx.later(
        CUSTOMER_TAG.delete().where(
            c.customer_id == bindparam("b_id"), c.source == bindparam("b_source")
        ),
        {"b_id": customer_id, "b_source": source},
    )
    rows: list[Mapping[str, Any]] = [  # Any: column values
        {"customer_id": customer_id, "tag": tag, "source": by, "at_ms": tx.at_ms}
        for tag, by in tags.items()
        if by == source
    ]
    if rows:
        tx.later(CUSTOMER_TAG.insert(), rows)


def contacts_of(
    connection: Connection, customer_ids: Sequence[str]
) -> dict[tuple[str, str, str], dict[str, Any]]:  # Any: column values
    """The contacts of customers as rows, by customer, kind and key."""
    statement = select(CONTACT).where(CONTACT.c.customer_id.in_(list(customer_ids)))
    return {
        (row["customer_id"], row["kind"], row["key"]): dict(row)
        for row in connection.execute(statement).mappings()
    }


def save_contacts(tx: Tx, contacts: Sequence[Mapping[str, str | int | None]]) -> None:
    """Writes contacts of customers at once, over those with the same value."""
    tx.write(_SAVE_CONTACT, contacts)


def needed(connection: Connection, customer_ids: AbstractSet[str]) -> set[str]:
    """Those customers of whom anything else speaks: orders, conversations, notes, joined rows."""
    found: set[str] = set()
    for target in SQLModel.metadata.sorted_tables:
        for column in target.columns:
            # The log is not asked: it tells of orders, and they are gone.
            if column.name not in _NAMES_CUSTOMER or target.name in _OWN | _SILENT:
                continue
            statement = select(column).where(column.in_(sorted(customer_ids)))
            if target.name == "consent":
                # What the same files said of mail goes with them.
                statement = statement.where(target.c.source != "shop")
            found |= set(connection.execute(statement).scalars())
    return found


def drop_customers(tx: Tx, customer_ids: AbstractSet[str]) -> None:
    """Takes customers away of whom nothing else speaks."""
    ids = sorted(customer_ids)
    mark_segments(tx, ids)
    for target in reversed(SQLModel.metadata.sorted_tables):
        if target.name in _OWN or target.name == "consent":
            column = target.c["person_id" if "person_id" in target.c else "customer_id"]
            tx.later(target.delete().where(column.in_(ids)))
    tx.later(CUSTOMER.delete().where(CUSTOMER.c.id.in_(ids)))


# Columns that hold a customer's id, and the tables that belong to a customer and go with it.
_NAMES_CUSTOMER = frozenset({"customer_id", "other_id", "person_id", "merged_into"})
_OWN = frozenset({"contact", "customer_origin", "customer_tag", "profile", "segment_change"})
# The log, and notes of whom something is to be read again.
_SILENT = frozenset({"event", "segment_mark"})
_EMPTY: dict[str, str | int | None] = {
    column.name: "claimed" if column.name == "identity" else None for column in CUSTOMER.columns
}
