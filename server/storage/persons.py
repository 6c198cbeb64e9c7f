"""Which customer rows are one person, and which of them a shopper sees.

A person is the row at the top and all rows whose ``person_id`` names it. Staff see a person; a
shopper sees their own row and what their own browser wrote before it signed in to it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from sqlalchemy import Connection, bindparam, func, select

from server.storage.among import among
from server.storage.customers import CUSTOMER
from server.storage.rows import CONVERSATION
from server.storage.tables import CustomerOrigin, table

ORIGIN = table(CustomerOrigin)


class SourceIds(Protocol):
    """What is asked of a source here: its name, and whose customer ids it uses (shop or own)."""

    @property
    def name(self) -> str:
        """The source's name."""

    @property
    def customer_ids(self) -> str:
        """Whether its customer ids are the shop's ("shop") or its own ("own")."""


_PERSON = select(func.coalesce(CUSTOMER.c.person_id, CUSTOMER.c.id)).where(
    CUSTOMER.c.id == bindparam("id")
)
_BELOW = (
    select(CUSTOMER.c.id).where(CUSTOMER.c.person_id == bindparam("id")).order_by(CUSTOMER.c.id)
)
_SESSIONS = (
    select(CUSTOMER.c.id)
    .where(CUSTOMER.c.merged_into == bindparam("id"), CUSTOMER.c.merged_as == "session")
    .order_by(CUSTOMER.c.id)
)


def person_of(connection: Connection, customer_id: str) -> str:
    """The row at the top of the customer's person; the customer's own id when it is on its own."""
    found = connection.execute(_PERSON, {"id": customer_id}).scalar_one_or_none()
    return customer_id if found is None else str(found)


_PERSONS = select(CUSTOMER.c.id, func.coalesce(CUSTOMER.c.person_id, CUSTOMER.c.id)).where(
    among(CUSTOMER.c.id, "ids")
)


def persons_of(connection: Connection, customer_ids: Collection[str]) -> dict[str, str]:
    """The person of each of these customers; those that are not there are left out."""
    if not customer_ids:
        return {}
    return {row[0]: row[1] for row in connection.execute(_PERSONS, {"ids": customer_ids})}


def members(connection: Connection, person_id: str) -> tuple[str, ...]:
    """The ids of all rows of a person, the one at the top first."""
    below = connection.execute(_BELOW, {"id": person_id}).scalars()
    return (person_id, *below)


_ROWS_OF = (
    select(CUSTOMER.c.person_id, CUSTOMER.c.id)
    .where(among(CUSTOMER.c.person_id, "ids"))
    .order_by(CUSTOMER.c.id)
)


def persons_and_rows(
    connection: Connection, customer_ids: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The ids of all rows of each customer's person, the top first."""
    tops = persons_of(connection, customer_ids)
    rows: dict[str, list[str]] = {top: [top] for top in tops.values()}
    for top, row in connection.execute(_ROWS_OF, {"ids": list(rows)}):
        rows[top].append(row)
    return {customer_id: tuple(rows[top]) for customer_id, top in tops.items()}


def shopper_rows(connection: Connection, customer_id: str) -> tuple[str, ...]:
    """The rows whose conversations a shopper sees: their own first, then their own browsers'.

    A merge by staff or by proof adds nothing here, so that it never shows anybody more.
    """
    return (customer_id, *connection.execute(_SESSIONS, {"id": customer_id}).scalars())


_SIGNED_IN_TO = select(CUSTOMER.c.merged_into).where(
    CUSTOMER.c.id == bindparam("id"), CUSTOMER.c.merged_as == "session"
)


def rows_seen_with(connection: Connection, customer_id: str) -> tuple[str, ...]:
    """The rows whose conversations are seen by who sees this row's: their own first.

    As ``shopper_rows``, but also for a browser that signed in: it is its account that sees them.
    """
    account = connection.execute(_SIGNED_IN_TO, {"id": customer_id}).scalar_one_or_none()
    return shopper_rows(connection, customer_id if account is None else str(account))


_SESSIONS_OF = (
    select(CUSTOMER.c.id, CUSTOMER.c.merged_into)
    .where(
        CUSTOMER.c.merged_into.in_(bindparam("ids", expanding=True)),
        CUSTOMER.c.merged_as == "session",
    )
    .order_by(CUSTOMER.c.id)
)


def sessions_of(connection: Connection, customer_ids: Collection[str]) -> dict[str, list[str]]:
    """The rows of browsers that signed in to each of these accounts; those without are left out."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(_SESSIONS_OF, {"ids": list(customer_ids)}):
        found.setdefault(row[1], []).append(row[0])
    return found


def origin_name(source: SourceIds, external_id: str) -> str:
    """What a customer of a source with ids of its own is called in ``customer_origin``."""
    return f"{source.name}:{external_id}"


_BY_SHOP_ID = select(CUSTOMER.c.external_id, CUSTOMER.c.id).where(
    among(CUSTOMER.c.external_id, "ids")
)
_BY_ORIGIN = select(ORIGIN.c.name, ORIGIN.c.customer_id).where(among(ORIGIN.c.name, "names"))


def customers_of_source(
    connection: Connection, source: SourceIds, ids: Collection[str]
) -> dict[str, str]:
    """The customer row of each of a source's customer ids; unknown ones are left out."""
    if not ids:
        return {}
    if source.customer_ids == "shop":
        return {row[0]: row[1] for row in connection.execute(_BY_SHOP_ID, {"ids": ids})}
    names = {origin_name(source, external_id): external_id for external_id in ids}
    rows = connection.execute(_BY_ORIGIN, {"names": list(names)})
    return {names[row[0]]: row[1] for row in rows}


_OF_CONVERSATIONS = select(CONVERSATION.c.id, CONVERSATION.c.customer_id).where(
    among(CONVERSATION.c.id, "ids")
)
_PORTION = 20_000


def customers_of_conversations(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The customers of conversations by their ids, persons or not."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), _PORTION):
        rows = connection.execute(_OF_CONVERSATIONS, {"ids": ids[start : start + _PORTION]})
        found.update((row[0], row[1]) for row in rows)
    return found
