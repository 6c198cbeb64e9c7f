"""Shoppers and the tokens their browsers hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from server.domain.spans import DAY_MS
from server.storage import prepared
from server.storage.locking import lockable, locked_row
from server.storage.secrets import token_hash
from server.storage.tables import Customer as CustomerRow
from server.storage.tables import UsedIdentity, VisitorToken, table
from server.storage.unit import Tx

CUSTOMER = table(CustomerRow)
VISITOR_TOKEN = table(VisitorToken)
USED_IDENTITY = table(UsedIdentity)
_ADD = prepared.insert(CUSTOMER)
_NAME_ACCOUNT = prepared.Statement(
    sqlite="UPDATE customer SET external_id = ? WHERE id = ?",
    postgresql="UPDATE customer SET external_id = r.external_id"
    " FROM json_to_recordset(%s::json) AS r(external_id text, id text) WHERE customer.id = r.id",
    columns=("external_id", "id"),
)

# Sliding and absolute life of a visitor token.
TOKEN_IDLE_MS = 30 * DAY_MS
TOKEN_LIFE_MS = 180 * DAY_MS


@dataclass(frozen=True, slots=True)
class Customer:
    """A shopper; ``identity`` is anonymous, claimed (said so) or verified (signed by the shop)."""

    id: str
    external_id: str | None
    name: str | None
    email: str | None
    phone: str | None
    locale: str | None
    identity: str
    created_at_ms: int
    seen_at_ms: int

    @property
    def verified(self) -> bool:
        """True once the shop's own server has signed for this person."""
        return self.identity == "verified"


@dataclass(frozen=True, slots=True)
class CustomerChanged:
    """Told after the commit: what lists show of a customer may have changed."""

    customer_id: str


def customer_from_row(row: RowMapping) -> Customer:
    """The customer of a row."""
    return Customer(**{name: row[name] for name in Customer.__dataclass_fields__})


# Built once: building a statement costs more than SQLite takes to answer it.
_BY_ID = select(CUSTOMER).where(CUSTOMER.c.id == bindparam("id"))
_LOCK_BY_ID = lockable(_BY_ID)


def load_customer(
    connection: Connection, customer_id: str, *, lock: bool = False
) -> Customer | None:
    """One customer, or None; ``lock`` keeps other writers out until the commit."""
    if lock:
        row = locked_row(connection, _LOCK_BY_ID, customer_id)
    else:
        row = connection.execute(_BY_ID, {"id": customer_id}).mappings().first()
    return None if row is None else customer_from_row(row)


_BY_IDS = select(CUSTOMER).where(CUSTOMER.c.id.in_(bindparam("ids", expanding=True)))


def load_customers(connection: Connection, customer_ids: Sequence[str]) -> dict[str, Customer]:
    """The customers with these ids."""
    found = connection.execute(_BY_IDS, {"ids": list(customer_ids)}).mappings()
    return {row["id"]: customer_from_row(row) for row in found}


def customer_by_external_id(connection: Connection, external_id: str) -> Customer | None:
    """The customer whom the shop knows by this id, or None."""
    statement = select(CUSTOMER).where(CUSTOMER.c.external_id == external_id)
    row = connection.execute(statement).mappings().first()
    return None if row is None else customer_from_row(row)


_OF_TOKEN = select(VISITOR_TOKEN.c.customer_id).where(
    VISITOR_TOKEN.c.token_hash == bindparam("hash"),
    VISITOR_TOKEN.c.seen_at_ms > bindparam("seen"),
    VISITOR_TOKEN.c.created_at_ms > bindparam("made"),
)


def customer_of_token(connection: Connection, token: str, *, at_ms: int) -> str | None:
    """The id of the customer whose browser holds the token, None when it is unknown or too old."""
    values = {
        "hash": token_hash(token),
        "seen": at_ms - TOKEN_IDLE_MS,
        "made": at_ms - TOKEN_LIFE_MS,
    }
    found = connection.execute(_OF_TOKEN, values).scalar_one_or_none()
    return None if found is None else str(found)


def add_customer(tx: Tx, customer: Customer) -> None:
    """Writes a new customer at once, before anything that refers to it."""
    values = {name: getattr(customer, name) for name in Customer.__dataclass_fields__}
    tx.write(_ADD, [dict.fromkeys(CUSTOMER.columns.keys()) | values])


def name_account(tx: Tx, customer_id: str, external_id: str) -> None:
    """Gives a customer, at once, the id by which the shop knows them."""
    tx.write(_NAME_ACCOUNT, [{"external_id": external_id, "id": customer_id}])


def change_customer(tx: Tx, customer_id: str, **values: str | int | None) -> None:
    """Writes new values of some columns of a customer."""
    tx.notice(CustomerChanged(customer_id))
    statement = update(CUSTOMER).where(CUSTOMER.c.id == bindparam("b_id"))
    tx.later(
        statement.values({key: bindparam(key) for key in values}), values | {"b_id": customer_id}
    )


def add_visitor_token(tx: Tx, token: str, *, customer_id: str) -> None:
    """Remembers, as a hash, the token a browser will show."""
    tx.later(
        insert(VISITOR_TOKEN),
        {
            "token_hash": token_hash(token),
            "customer_id": customer_id,
            "created_at_ms": tx.at_ms,
            "seen_at_ms": tx.at_ms,
        },
    )


_TOUCH = (
    update(VISITOR_TOKEN)
    .where(VISITOR_TOKEN.c.token_hash == bindparam("b_hash"))
    .values(seen_at_ms=bindparam("at"))
)
_SEEN = (
    update(CUSTOMER).where(CUSTOMER.c.id == bindparam("b_id")).values(seen_at_ms=bindparam("at"))
)


def touch_visitor_token(tx: Tx, token: str, *, customer_id: str) -> None:
    """Lets the token live on from now, its customer having been seen."""
    tx.later(_TOUCH, {"b_hash": token_hash(token), "at": tx.at_ms})
    tx.later(_SEEN, {"b_id": customer_id, "at": tx.at_ms})


def drop_visitor_token(tx: Tx, token: str) -> None:
    """Ends a token at once."""
    statement = VISITOR_TOKEN.delete().where(VISITOR_TOKEN.c.token_hash == bindparam("b_hash"))
    tx.later(statement, {"b_hash": token_hash(token)})


def identity_used_by(connection: Connection, jti: str) -> str | None:
    """Who has shown the signed identity with this id before, None when nobody has."""
    found = connection.execute(
        select(USED_IDENTITY.c.customer_id).where(USED_IDENTITY.c.jti == jti)
    ).scalar_one_or_none()
    return None if found is None else str(found)


def use_identity(tx: Tx, jti: str, *, customer_id: str, expires_at_ms: int) -> None:
    """Remembers that a signed identity was shown, and forgets those that have expired."""
    tx.later(
        USED_IDENTITY.delete().where(USED_IDENTITY.c.expires_at_ms < bindparam("now")),
        {"now": tx.at_ms},
    )
    tx.later(
        insert(USED_IDENTITY),
        {"jti": jti, "customer_id": customer_id, "expires_at_ms": expires_at_ms},
    )
