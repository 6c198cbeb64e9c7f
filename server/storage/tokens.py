"""API tokens: what a program shows to act as a person. Only the hash is kept."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, or_, select, update

from server.domain.scopes import Scopes, require_scope
from server.storage.people import Person, load_person
from server.storage.secrets import token_hash
from server.storage.tables import Agent, ApiToken, table
from server.storage.unit import Tx

API_TOKEN = table(ApiToken)
AGENT = table(Agent)
PREFIX = "sb_"
# A token's id is the beginning of its hash: it names the token and opens nothing.
ID_CHARS = 16
_ID = re.compile(f"[0-9a-f]{{{ID_CHARS}}}")
_BY_HASH = select(API_TOKEN).where(API_TOKEN.c.token_hash == bindparam("hash"))
_TOUCH = (
    update(API_TOKEN)
    .where(API_TOKEN.c.token_hash == bindparam("b_hash"))
    .values(seen_at_ms=bindparam("at_ms"))
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a request comes from: the token's person, and what this token may be used for."""

    token_hash: str
    name: str
    person: Person
    scopes: Scopes
    expires_at_ms: int | None
    used_at_ms: int | None


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as admins see it; ``scopes`` None is all that the person may do."""

    id: str
    name: str
    agent_id: str
    agent_name: str
    role: str
    scopes: tuple[str, ...] | None
    created_at_ms: int
    expires_at_ms: int | None
    last_used_at_ms: int | None


def bearer_of_token(connection: Connection, token: str, at_ms: int) -> Bearer | None:
    """The active person whom a token stands for; None when it is unknown or has run out."""
    if not token.startswith(PREFIX):
        return None
    row = connection.execute(_BY_HASH, {"hash": token_hash(token)}).mappings().first()
    if row is None or (row["expires_at_ms"] is not None and row["expires_at_ms"] <= at_ms):
        return None
    person = load_person(connection, row["agent_id"])
    if person is None or not person.active:
        return None
    scopes = _scopes(row["scopes"])
    return Bearer(
        token_hash=row["token_hash"],
        name=row["name"],
        person=person,
        scopes=None if scopes is None else frozenset(scopes),
        expires_at_ms=row["expires_at_ms"],
        used_at_ms=row["seen_at_ms"],
    )


def person_of_token(
    connection: Connection, token: str, at_ms: int, *, scope: str = "socket"
) -> Person | None:
    """The active person whom a token stands for; None when it is unknown or has run out.

    Raises NotAllowed when the token is not meant for ``scope``.
    """
    bearer = bearer_of_token(connection, token, at_ms)
    if bearer is None:
        return None
    require_scope(bearer.scopes, scope)
    return bearer.person


def live_tokens(connection: Connection, held: Collection[str], *, at_ms: int) -> dict[str, str]:
    """The live ones among these tokens and whose they are; one query whatever their number."""
    by_hash = {token_hash(token): token for token in held}
    if not by_hash:
        return {}
    ends = API_TOKEN.c.expires_at_ms
    statement = select(API_TOKEN.c.token_hash, API_TOKEN.c.agent_id)
    statement = statement.where(
        API_TOKEN.c.token_hash.in_(by_hash), or_(ends.is_(None), ends > at_ms)
    )
    return {by_hash[row.token_hash]: row.agent_id for row in connection.execute(statement)}


def insert_token(
    tx: Tx,
    token: str,
    *,
    agent_id: str,
    name: str,
    expires_at_ms: int | None,
    scopes: tuple[str, ...] | None = None,
) -> str:
    """Remembers a new token; its id."""
    hashed = token_hash(token)
    tx.later(
        insert(API_TOKEN),
        {
            "token_hash": hashed,
            "agent_id": agent_id,
            "name": name,
            "created_at_ms": tx.at_ms,
            "expires_at_ms": expires_at_ms,
            "scopes": None if scopes is None else " ".join(scopes),
        },
    )
    return hashed[:ID_CHARS]


def touch_token(tx: Tx, hashed: str) -> None:
    """Notes that a token was used now."""
    tx.later(_TOUCH, {"b_hash": hashed, "at_ms": tx.at_ms})


_LIST = select(API_TOKEN, AGENT.c.name.label("agent_name"), AGENT.c.role.label("role")).join_from(
    API_TOKEN, AGENT, AGENT.c.id == API_TOKEN.c.agent_id
)


def load_tokens(connection: Connection) -> list[TokenRecord]:
    """All tokens, the newest first, those that have run out too."""
    ordered = _LIST.order_by(API_TOKEN.c.created_at_ms.desc(), API_TOKEN.c.token_hash)
    return [_record(row) for row in connection.execute(ordered).mappings()]


def load_token(connection: Connection, token_id: str) -> TokenRecord | None:
    """One token, or None."""
    if not _ID.fullmatch(token_id):
        return None
    c = API_TOKEN.c.token_hash
    # "g" comes after every hexadecimal digit.
    found = _LIST.where(c >= token_id, c < token_id + "g").limit(1)
    row = connection.execute(found).mappings().first()
    return None if row is None else _record(row)


def count_tokens(connection: Connection, agent_id: str) -> int:
    """How many tokens act as a person."""
    statement = select(func.count()).where(API_TOKEN.c.agent_id == agent_id)
    return int(connection.execute(statement).scalar_one())


def delete_token(tx: Tx, token_id: str) -> None:
    """Takes back one token."""
    c = API_TOKEN.c.token_hash
    tx.later(delete(API_TOKEN).where(c >= token_id, c < token_id + "g"))


def delete_tokens(tx: Tx, agent_id: str) -> None:
    """Takes back every token of a person."""
    tx.later(delete(API_TOKEN).where(API_TOKEN.c.agent_id == agent_id))


def _scopes(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(text.split())


def _record(row: RowMapping) -> TokenRecord:
    return TokenRecord(
        id=row["token_hash"][:ID_CHARS],
        name=row["name"],
        agent_id=row["agent_id"],
        agent_name=row["agent_name"],
        role=row["role"],
        scopes=_scopes(row["scopes"]),
        created_at_ms=row["created_at_ms"],
        expires_at_ms=row["expires_at_ms"],
        last_used_at_ms=row["seen_at_ms"],
    )
