"""API tokens: what a program shows to act as a person. Only the hash is kept."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from server.storage.people import Person, load_person
from server.storage.secrets import token_hash
from server.storage.tables import ApiToken, table
from server.storage.unit import Tx

API_TOKEN = table(ApiToken)
PREFIX = "sb_"


def person_of_token(connection: Connection, token: str, at_ms: int) -> Person | None:
    """The active person whom a token stands for; None when it is unknown or has run out."""
    if not token.startswith(PREFIX):
        return None
    row = connection.execute(
        select(API_TOKEN.c.agent_id, API_TOKEN.c.expires_at_ms).where(
            API_TOKEN.c.token_hash == token_hash(token)
        )
    ).first()
    if row is None or (row.expires_at_ms is not None and row.expires_at_ms <= at_ms):
        return None
    person = load_person(connection, row.agent_id)
    return person if person is not None and person.active else None


def insert_token(
    tx: Tx, token: str, *, agent_id: str, name: str, expires_at_ms: int | None
) -> None:
    """Remembers a new token."""
    tx.later(
        insert(API_TOKEN),
        {
            "token_hash": token_hash(token),
            "agent_id": agent_id,
            "name": name,
            "created_at_ms": tx.at_ms,
            "expires_at_ms": expires_at_ms,
        },
    )


def delete_tokens(tx: Tx, agent_id: str) -> None:
    """Takes back every token of a person."""
    tx.later(delete(API_TOKEN).where(API_TOKEN.c.agent_id == agent_id))
