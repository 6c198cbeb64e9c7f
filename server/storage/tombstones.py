"""What must not come back: keyed hashes of the names under which erased people were known."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, inspect, select, text

from server.storage.customers import CUSTOMER
from server.storage.secrets import new_token
from server.storage.tables import Secret, Tombstone, table
from server.storage.unit import Tx

TOMBSTONE = table(Tombstone)
SECRET = table(Secret)
_SECRET_NAME = "tombstones"  # noqa: S105  # a name, not the secret
# Fewer than SQLite's least limit of parameters.
_AT_ONCE = 500


def shop_key(source: str, external_id: str) -> str:
    """The key of a source's customer; ``source`` is "shop" for ids that identities name."""
    return f"customer:{source}:{external_id}"


def email_key(key: str) -> str:
    """The key of an e-mail address, which is given in its comparable form."""
    return f"email:{key}"


def phone_key(key: str) -> str:
    """The key of a telephone number, which is given in its comparable form."""
    return f"phone:{key}"


def erased(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of the keys (``shop_key`` and the like) that belonged to somebody erased."""
    return set(erased_since(connection, keys))


def any_erased(connection: Connection) -> bool:
    """Whether anybody was ever erased here."""
    return connection.execute(select(TOMBSTONE.c.key_hash).limit(1)).first() is not None


_FIND = select(TOMBSTONE.c.key_hash, TOMBSTONE.c.erased_at_ms).where(
    TOMBSTONE.c.key_hash.in_(bindparam("hashes", expanding=True))
)


def erased_since(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """Those of the keys that belonged to somebody erased, with the instant of the erasure.

    What a person does afterwards is new: an order made later than that is not from an old file.
    """
    secret = _secret(connection)
    if secret is None or not keys:
        return {}
    by_hash = {_hashed(secret, key): key for key in keys}
    hashes = list(by_hash)
    found: dict[str, int] = {}
    for start in range(0, len(hashes), _AT_ONCE):
        rows = connection.execute(_FIND, {"hashes": hashes[start : start + _AT_ONCE]})
        found.update({by_hash[row.key_hash]: row.erased_at_ms for row in rows})
    return found


_ADD = text(
    "INSERT INTO tombstone (key_hash, erased_at_ms, request_id)"
    " VALUES (:key_hash, :erased_at_ms, :request_id)"
    " ON CONFLICT (key_hash) DO UPDATE SET erased_at_ms = excluded.erased_at_ms,"
    " request_id = excluded.request_id"
)


def bury(tx: Tx, keys: Iterable[str], *, request_id: str) -> int:
    """Remembers that what these keys name was erased; how many there are."""
    secret = _own_secret(tx)
    rows: list[Mapping[str, object]] = [
        {"key_hash": digest, "erased_at_ms": tx.at_ms, "request_id": request_id}
        for digest in sorted({_hashed(secret, key) for key in keys})
    ]
    if rows:
        tx.later(_ADD, rows)
    return len(rows)


@dataclass(frozen=True, slots=True)
class Graves:
    """Who was erased from a database, and what must not come back there: for another copy of it.

    ``stones`` are hash, instant and number of the request; only with ``secret`` they mean anything.
    """

    customer_ids: tuple[str, ...] = ()
    stones: tuple[tuple[str, int, str], ...] = ()
    secret: str | None = None


def graves_of(connection: Connection) -> Graves:
    """All graves of a database, also of one with older tables."""
    there = inspect(connection)
    if not there.has_table(TOMBSTONE.name):
        return Graves()
    erased = (
        select(CUSTOMER.c.id).where(CUSTOMER.c.erased_at_ms.is_not(None)).order_by(CUSTOMER.c.id)
    )
    stones = select(TOMBSTONE.c.key_hash, TOMBSTONE.c.erased_at_ms, TOMBSTONE.c.request_id)
    return Graves(
        tuple(sorted(connection.execute(erased).scalars())),
        tuple((row[0], row[1], row[2]) for row in connection.execute(stones)),
        _secret(connection),
    )


def bury_again(tx: Tx, graves: Graves) -> bool:
    """Writes stones over those that are there; False when this database hashes otherwise."""
    secret = _secret(tx.connection)
    if graves.secret is None or (secret is not None and secret != graves.secret):
        return False
    if secret is None:
        tx.later(insert(SECRET), {"name": _SECRET_NAME, "value": graves.secret})
    rows: list[Mapping[str, object]] = [
        {"key_hash": digest, "erased_at_ms": at_ms, "request_id": request_id}
        for digest, at_ms, request_id in graves.stones
    ]
    if rows:
        tx.later(_ADD, rows)
    return True


def keyed(tx: Tx, text: str) -> str:
    """A hash of something that is to be compared later and never read, such as an address."""
    return _hashed(_own_secret(tx), text)


def _own_secret(tx: Tx) -> str:
    """The key of the hashes, made when it is first needed."""
    secret = _secret(tx.connection)
    if secret is None:
        secret = new_token("")
        tx.later(insert(SECRET), {"name": _SECRET_NAME, "value": secret})
    return secret


def _secret(connection: Connection) -> str | None:
    """The key of the hashes, None while nobody was ever erased.

    An address is quickly guessed, so a plain hash of one would give it away.
    """
    statement = select(SECRET.c.value).where(SECRET.c.name == _SECRET_NAME)
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else str(found)


def _hashed(secret: str, key: str) -> str:
    return hmac.new(secret.encode(), key.encode(), hashlib.sha256).hexdigest()
