"""The shopper's portal: codes and sessions, and which tickets an address opens."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.storage.contacts import blocked, contacts_of, with_keys
from server.storage.customers import load_customer
from server.storage.locking import lockable, locked_row
from server.storage.persons import shopper_rows
from server.storage.secrets import token_hash
from server.storage.tables import PortalCode, PortalSession, table
from server.storage.unit import Tx

CODE = table(PortalCode)
SESSION = table(PortalSession)
CODE_MS = 10 * 60_000
"""A code holds this long."""
SESSION_MS = 24 * 3_600_000
"""A shopper is signed in this long."""
MOST_TRIES = 5
# What a shopper, or the shop or an agent for them, has said. What an order mentions opens nothing.
_GIVEN = frozenset({"widget", "agent", "signed"})
_CODE = lockable(select(CODE).where(CODE.c.browser_hash == bindparam("id")))


def rows_of_address(connection: Connection, address: str) -> tuple[str, ...]:
    """The customers whose tickets whoever reads an address's mail may see.

    Who has proved the address, with the browsers that signed in to them; and who gave it, when our
    answers go there and they have proved no other. A value that names nobody opens nothing.
    """
    key = ("email", address)
    shared = blocked(connection, [key]).get(key)
    if shared is not None and shared.state == "blocked":
        return ()
    found: dict[str, None] = {}
    for contact in with_keys(connection, [key]):
        if contact.proved:
            found |= dict.fromkeys(shopper_rows(connection, contact.customer_id))
        elif contact.level == "claimed" and contact.source in _GIVEN:
            row = load_customer(connection, contact.customer_id)
            written = (row.email or "").strip().lower() if row else ""
            others = contacts_of(connection, [contact.customer_id])
            proved = any(one.kind == "email" and one.proved for one in others)
            if written in (address, contact.value.strip().lower()) and not proved:
                found[contact.customer_id] = None
    return tuple(found)


def keep_code(tx: Tx, *, browser: str, former: str | None, code: str, address: str) -> None:
    """Keeps a code for a browser instead of its former one, and forgets what has run out."""
    tx.later(delete(CODE).where(CODE.c.created_at_ms <= tx.at_ms - CODE_MS))
    tx.later(delete(SESSION).where(SESSION.c.created_at_ms <= tx.at_ms - SESSION_MS))
    if former is not None:
        tx.later(delete(CODE).where(CODE.c.browser_hash == token_hash(former)))
    tx.later(
        insert(CODE),
        {
            "browser_hash": token_hash(browser),
            "code_hash": _code_hash(browser, code),
            "address": address,
            "tries": 0,
            "created_at_ms": tx.at_ms,
        },
    )


def take_code(tx: Tx, *, browser: str, code: str) -> str | None:
    """The address of a browser's code, which is used up by it; None for a wrong or old one.

    Every try counts, whatever comes of it.
    """
    row = locked_row(tx.connection, _CODE, token_hash(browser))
    if row is None:
        return None
    live = row["created_at_ms"] > tx.at_ms - CODE_MS and row["tries"] < MOST_TRIES
    right = secrets.compare_digest(row["code_hash"], _code_hash(browser, code))
    here = CODE.c.browser_hash == row["browser_hash"]
    if not live or right or row["tries"] + 1 >= MOST_TRIES:
        tx.later(delete(CODE).where(here))
    else:
        tx.later(update(CODE).where(here).values(tries=row["tries"] + 1))
    return str(row["address"]) if live and right else None


def start_session(tx: Tx, token: str, *, address: str) -> None:
    """Remembers a browser in which somebody has shown that an address is theirs."""
    values = {"token_hash": token_hash(token), "address": address, "created_at_ms": tx.at_ms}
    tx.later(insert(SESSION), values)


def end_session(tx: Tx, token: str) -> None:
    """Forgets a browser."""
    tx.later(delete(SESSION).where(SESSION.c.token_hash == token_hash(token)))


def address_of_session(connection: Connection, token: str, *, at_ms: int) -> str | None:
    """The address for which a browser is signed in, None when it is not or no longer."""
    c = SESSION.c
    statement = select(c.address).where(
        c.token_hash == token_hash(token), c.created_at_ms > at_ms - SESSION_MS
    )
    return connection.execute(statement).scalar_one_or_none()


def _code_hash(browser: str, code: str) -> str:
    return token_hash(f"{browser}:{code}")
