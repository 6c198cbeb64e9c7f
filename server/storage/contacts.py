"""Contacts of customers: what was said, what was proved, and values that name nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, and_, bindparam, delete, func, select, tuple_

from server.domain.masking import TYPED
from server.storage.customers import CUSTOMER, Customer
from server.storage.prepared import upsert
from server.storage.tables import (
    BlockedValue,
    Contact,
    CustomerOrigin,
    ReviewCase,
    ShopSource,
    table,
)
from server.storage.unit import Tx

CONTACT = table(Contact)
BLOCKED = table(BlockedValue)
ORIGIN = table(CustomerOrigin)
SOURCE = table(ShopSource)
CASE = table(ReviewCase)
Key = tuple[str, str]
# Of one source: a family or a company may share a value, but then it names nobody.
MOST_PERSONS = 3
_AT_ONCE = 400
_SAVE = upsert(CONTACT, fixed=("created_at_ms",))
_SAVE_BLOCKED = upsert(BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    """A contact of a customer row; ``source`` is widget, agent, signed, order or a shop source."""

    customer_id: str
    kind: str
    key: str
    value: str
    level: str
    source: str
    created_at_ms: int
    verified_at_ms: int | None = None

    @property
    def proved(self) -> bool:
        """True when somebody has proved that it is theirs."""
        return self.level == "verified"


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that names nobody: why, since when, and how many persons of one source had it."""

    kind: str
    key: str
    reason: str
    state: str
    persons: int
    at_ms: int
    agent_id: str | None = None


CONTACTS_OF = (
    select(CONTACT)
    .where(CONTACT.c.customer_id.in_(bindparam("ids", expanding=True)))
    .order_by(CONTACT.c.customer_id, CONTACT.c.kind, CONTACT.c.created_at_ms, CONTACT.c.key)
)


def contacts_of(connection: Connection, customer_ids: Iterable[str]) -> list[KnownContact]:
    """All contacts of these rows; of one row by kind, the oldest first."""
    rows = connection.execute(CONTACTS_OF, {"ids": list(customer_ids)}).mappings()
    return [KnownContact(**row) for row in rows]


def with_keys(connection: Connection, keys: Collection[Key]) -> list[KnownContact]:
    """Every row's contacts with one of these keys (kind, key)."""
    wanted = sorted(keys)
    found: list[KnownContact] = []
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            select(CONTACT)
            .where(tuple_(CONTACT.c.kind, CONTACT.c.key).in_(wanted[start : start + _AT_ONCE]))
            .order_by(CONTACT.c.customer_id)
        ).mappings()
        found += [KnownContact(**row) for row in rows]
    return found


def save_contacts(tx: Tx, contacts: Sequence[KnownContact]) -> None:
    """Writes contacts at once, over those with the same value."""
    tx.write(_SAVE, [asdict(contact) for contact in contacts])


def forget_typed(tx: Tx, customer_id: str, kind: str, source: str) -> None:
    """Forgets what was typed before of this kind: a new word takes the place of the old one."""
    c = CONTACT.c
    tx.connection.execute(
        delete(CONTACT).where(
            c.customer_id == customer_id,
            c.kind == kind,
            c.source == source,
            c.level != "verified",
        )
    )


def standing(
    connection: Connection, customers: Collection[Customer]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Level and source of the e-mail address and number in customers' own rows.

    By customer and kind; what nothing is known of is left out and counts as typed.
    """
    rows = {customer.id: customer for customer in customers}
    found: dict[tuple[str, str], tuple[str, str]] = {}
    if not rows:
        return found
    for contact in contacts_of(connection, rows):
        customer = rows[contact.customer_id]
        written = customer.email if contact.kind == "email" else customer.phone
        if written not in (contact.value, contact.key) and (
            written is None or written.lower() != contact.key
        ):
            continue
        place = (contact.customer_id, contact.kind)
        if place not in found or contact.proved:
            found[place] = (contact.level, contact.source)
    return found


def by_key_id(connection: Connection, customer_ids: Sequence[str]) -> dict[str, KnownContact]:
    """The contacts of these rows under names that say nothing of them, for a program to ask by."""
    found: dict[str, KnownContact] = {}
    numbers: dict[tuple[str, str], int] = {}
    for contact in contacts_of(connection, customer_ids):
        place = (contact.customer_id, contact.kind)
        numbers[place] = numbers.get(place, 0) + 1
        found[f"{contact.customer_id}.{contact.kind}.{numbers[place]}"] = contact
    return found


def told_alike(connection: Connection, *, limit: int) -> list[tuple[tuple[str, str], Key]]:
    """Pairs of rows of different shop sources that have one contact and are not one person.

    Pairs of which there is a case are left out, and values on the list.
    """
    if connection.execute(select(func.count()).select_from(SOURCE)).scalar_one() < 2:
        return []
    a, b = CONTACT.alias("a"), CONTACT.alias("b")
    # Read from the index alone: nearly every value is one person's.
    twice = (
        select(CONTACT.c.kind, CONTACT.c.key)
        .group_by(CONTACT.c.kind, CONTACT.c.key)
        .having(func.count() > 1)
        .subquery()
    )
    one, other = CUSTOMER.alias("one"), CUSTOMER.alias("other")
    sources = select(SOURCE.c.name)
    statement = (
        select(a.c.customer_id, b.c.customer_id, a.c.kind, a.c.key)
        .join_from(twice, a, and_(a.c.kind == twice.c.kind, a.c.key == twice.c.key))
        .join(
            b,
            and_(
                a.c.kind == b.c.kind,
                a.c.key == b.c.key,
                a.c.customer_id < b.c.customer_id,
                a.c.source != b.c.source,
            ),
        )
        .join(one, one.c.id == a.c.customer_id)
        .join(other, other.c.id == b.c.customer_id)
        .outerjoin(BLOCKED, and_(BLOCKED.c.kind == a.c.kind, BLOCKED.c.key == a.c.key))
        .outerjoin(
            CASE,
            and_(CASE.c.customer_id == a.c.customer_id, CASE.c.other_id == b.c.customer_id),
        )
        .where(
            a.c.source.in_(sources),
            b.c.source.in_(sources),
            BLOCKED.c.key.is_(None),
            CASE.c.id.is_(None),
            func.coalesce(one.c.person_id, one.c.id)
            != func.coalesce(other.c.person_id, other.c.id),
        )
        .limit(limit)
    )
    return [((row[0], row[1]), (row[2], row[3])) for row in connection.execute(statement)]


# -- values that many share -------------------------------------------------------------------


def blocked(connection: Connection, keys: Collection[Key]) -> dict[Key, Shared]:
    """What is decided about those of the keys that are, or once were, on the list."""
    wanted = sorted(keys)
    found: dict[Key, Shared] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            select(BLOCKED).where(
                tuple_(BLOCKED.c.kind, BLOCKED.c.key).in_(wanted[start : start + _AT_ONCE])
            )
        ).mappings()
        found.update({(row["kind"], row["key"]): Shared(**row) for row in rows})
    return found


def blocked_list(connection: Connection, *, limit: int = 200) -> list[Shared]:
    """The values on the list, the newest first."""
    statement = select(BLOCKED).where(BLOCKED.c.state == "blocked")
    statement = statement.order_by(BLOCKED.c.at_ms.desc(), BLOCKED.c.key).limit(limit)
    return [Shared(**row) for row in connection.execute(statement).mappings()]


def save_shared(tx: Tx, shared: Sequence[Shared]) -> None:
    """Writes what was decided about values."""
    tx.write(_SAVE_BLOCKED, [asdict(one) for one in shared])


def most_persons(connection: Connection, keys: Collection[Key]) -> dict[Key, int]:
    """How many customers of one source have each value, for the source that has most.

    What was only typed does not count, so that nobody can put somebody else's address on the list.
    """
    holders = [c for c in with_keys(connection, keys) if c.source not in TYPED]
    ids = sorted({holder.customer_id for holder in holders})
    accounts = accounts_of(connection, ids)
    found: dict[Key, dict[str, set[str]]] = {}
    for holder in holders:
        by_source = found.setdefault((holder.kind, holder.key), {})
        for source, external_id in accounts.get(holder.customer_id, ()):
            by_source.setdefault(source, set()).add(external_id)
    return {
        key: max((len(ids) for ids in by_source.values()), default=0)
        for key, by_source in found.items()
    }


def shared_keys(connection: Connection, *, limit: int = 1000) -> list[Key]:
    """Values that more rows have than may, and that are not on the list; reads an index only."""
    c = CONTACT.c
    statement = (
        select(c.kind, c.key)
        .outerjoin(BLOCKED, and_(BLOCKED.c.kind == c.kind, BLOCKED.c.key == c.key))
        .where(BLOCKED.c.key.is_(None))
        .group_by(c.kind, c.key)
        .having(func.count() > MOST_PERSONS)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def accounts_of(
    connection: Connection, customer_ids: Sequence[str]
) -> Mapping[str, frozenset[Key]]:
    """The ids at sources (source, id) of each of these rows; "shop" is the shop's own numbering.

    What another desk calls a person is no account: nobody vouches for it.
    """
    found: dict[str, set[Key]] = {}
    sources = set(connection.execute(select(SOURCE.c.name)).scalars())
    for start in range(0, len(customer_ids), _AT_ONCE):
        part = list(customer_ids[start : start + _AT_ONCE])
        for row in connection.execute(
            select(CUSTOMER.c.id, CUSTOMER.c.external_id).where(
                CUSTOMER.c.id.in_(part), CUSTOMER.c.external_id.is_not(None)
            )
        ):
            found.setdefault(row[0], set()).add(("shop", row[1]))
        for row in connection.execute(
            select(ORIGIN.c.customer_id, ORIGIN.c.name).where(ORIGIN.c.customer_id.in_(part))
        ):
            source, colon, external_id = row[1].partition(":")
            if colon and source in sources:
                found.setdefault(row[0], set()).add((source, external_id))
    return {customer_id: frozenset(accounts) for customer_id, accounts in found.items()}
