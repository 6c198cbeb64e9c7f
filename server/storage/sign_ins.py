"""Browsers in which people are signed in. The cookie is random; only its hash is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from server.domain.spans import DAY_MS, HOUR_MS
from server.storage.people import Person, load_person
from server.storage.secrets import token_hash
from server.storage.tables import SignIn, table
from server.storage.unit import Tx

SIGN_IN = table(SignIn)
IDLE_MS = 12 * HOUR_MS
"""A sign-in ends after this long without a request."""
ABSOLUTE_MS = 7 * DAY_MS
"""A sign-in ends this long after it began, whatever happens."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, with the hash of the cookie, the CSRF token and the last use seen."""

    person: Person
    token_hash: str
    csrf: str
    seen_at_ms: int


def signed_in_of_cookie(connection: Connection, cookie: str, at_ms: int) -> SignedIn | None:
    """The live sign-in of a cookie and its active person; None when there is none any more."""
    row = connection.execute(
        select(SIGN_IN).where(SIGN_IN.c.token_hash == token_hash(cookie), *_live(at_ms))
    ).first()
    if row is None:
        return None
    person = load_person(connection, row.agent_id)
    if person is None or not person.active:
        return None
    return SignedIn(person, row.token_hash, row.csrf, row.seen_at_ms)


def live_cookies(connection: Connection, cookies: Collection[str], *, at_ms: int) -> dict[str, str]:
    """The live ones among these cookies and whose they are; one query whatever their number."""
    by_hash = {token_hash(cookie): cookie for cookie in cookies}
    if not by_hash:
        return {}
    statement = select(SIGN_IN.c.token_hash, SIGN_IN.c.agent_id)
    statement = statement.where(SIGN_IN.c.token_hash.in_(by_hash), *_live(at_ms))
    return {by_hash[row.token_hash]: row.agent_id for row in connection.execute(statement)}


def person_of_cookie(connection: Connection, cookie: str, at_ms: int) -> Person | None:
    """The active person whom a session cookie stands for, or None."""
    found = signed_in_of_cookie(connection, cookie, at_ms)
    return None if found is None else found.person


def insert_sign_in(
    tx: Tx, cookie: str, *, agent_id: str, csrf: str, user_agent: str | None
) -> None:
    """Remembers a new sign-in and forgets those that have run out."""
    tx.later(
        delete(SIGN_IN).where(
            or_(
                SIGN_IN.c.seen_at_ms <= tx.at_ms - IDLE_MS,
                SIGN_IN.c.created_at_ms <= tx.at_ms - ABSOLUTE_MS,
            )
        )
    )
    tx.later(
        insert(SIGN_IN),
        {
            "token_hash": token_hash(cookie),
            "agent_id": agent_id,
            "csrf": csrf,
            "created_at_ms": tx.at_ms,
            "seen_at_ms": tx.at_ms,
            "user_agent": user_agent,
        },
    )


def touch_sign_in(tx: Tx, hashed: str) -> None:
    """Notes that a sign-in was used now."""
    tx.later(update(SIGN_IN).where(SIGN_IN.c.token_hash == hashed).values(seen_at_ms=tx.at_ms))


def delete_sign_in(tx: Tx, hashed: str) -> None:
    """Ends one sign-in."""
    tx.later(delete(SIGN_IN).where(SIGN_IN.c.token_hash == hashed))


def delete_sign_ins(tx: Tx, agent_id: str, *, but: str | None = None) -> None:
    """Ends all sign-ins of a person, except the one whose hash is ``but``."""
    statement = delete(SIGN_IN).where(SIGN_IN.c.agent_id == agent_id)
    if but is not None:
        statement = statement.where(SIGN_IN.c.token_hash != but)
    tx.later(statement)


def _live(at_ms: int) -> tuple[ColumnElement[bool], ...]:
    return (SIGN_IN.c.seen_at_ms > at_ms - IDLE_MS, SIGN_IN.c.created_at_ms > at_ms - ABSOLUTE_MS)
