"""The shopper's portal: codes and sessions, and which tickets an address opens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.domain.spans import DAY_MS, MINUTE_MS
from server.storage.contacts import blocked, contacts_of, with_keys
from server.storage.customers import load_customer
from server.storage.locking import lockable, locked_row
from server.storage.persons import shopper_rows
from server.storage.secrets import token_hash
from server.storage.tables import PortalCode, PortalSession, table
from server.storage.unit import Tx

CODE = table(PortalCode)
SESSION = table(PortalSession)
CODE_MS = 10 * MINUTE_MS
"""A code holds this long."""
SESSION_MS = DAY_MS
"""A shopper is signed in this long."""
MOST_TRIES = 5
# What a shopper, or the shop or an agent for them, has said. What an order mentions opens nothing.
_GIVEN = frozenset({"widget", "agent", "signed"})
_CODE = lockable(select(CODE).where(CODE.c.browser_hash == bindparam("id")))


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is signed in: the customers whose requests are theirs, and those whose orders are.

    ``name`` is what the page calls them; ``addresses`` are those that they have shown to be theirs,
    and with them what was ordered there without an account.
    """

    name: str
    rows: tuple[str, ...]
    proved: tuple[str, ...]
    addresses: tuple[str, ...] = ()


def reader_of_address(connection: Connection, address: str) -> Reader:
    """Who reads an address's mail.

    Theirs are the requests of who has proved the address, with the browsers that signed in to them;
    and of who gave it, when our answers go there and they have proved no other. Orders are theirs
    only with a proof. A value that names nobody opens nothing.
    """
    key = ("email", address)
    shared = blocked(connection, [key]).get(key)
    if shared is not None and shared.state == "blocked":
        return Reader(address, (), ())
    proofs: dict[str, None] = {}
    found: dict[str, None] = {}
    for contact in with_keys(connection, [key]):
        if contact.proved:
            proofs |= dict.fromkeys(shopper_rows(connection, contact.customer_id))
        elif contact.level == "claimed" and contact.source in _GIVEN:
            row = load_customer(connection, contact.customer_id)
            written = (row.email or "").strip().lower() if row else ""
            others = contacts_of(connection, [contact.customer_id])
            proved = any(one.kind == "email" and one.proved for one in others)
            if written in (address, contact.value.strip().lower()) and not proved:
                found[contact.customer_id] = None
    return Reader(address, tuple(proofs | found), tuple(proofs), (address,))


def reader_of_visitor(connection: Connection, customer_id: str) -> Reader:
    """Who uses the widget: an account's orders are theirs only where the shop has vouched for them.

    What was ordered without an account is, where they have proved its address.
    """
    customer = load_customer(connection, customer_id)
    if customer is None:
        return Reader("", (), ())
    rows = shopper_rows(connection, customer.id)
    proved = rows if customer.verified else ()
    return Reader(customer.name or "", rows, proved, _addresses(connection, rows))


def keep_code(tx: Tx, *, browser: str, former: str | None, code: str, address: str) -> None:
    """Keeps a code for a browser instead of its former one."""
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


def start_session(tx: Tx, token: str, *, address: str = "", customer_id: str | None = None) -> None:
    """Remembers a browser in which somebody has shown that an address is theirs.

    With ``customer_id`` the shop has vouched for them instead.
    """
    values = {
        "token_hash": token_hash(token),
        "address": address,
        "customer_id": customer_id,
        "created_at_ms": tx.at_ms,
    }
    tx.later(insert(SESSION), values)


def end_session(tx: Tx, token: str) -> None:
    """Forgets a browser."""
    tx.later(delete(SESSION).where(SESSION.c.token_hash == token_hash(token)))


def reader_of_session(connection: Connection, token: str, *, at_ms: int) -> Reader | None:
    """Who is signed in in a browser, None when nobody is or no longer."""
    c = SESSION.c
    statement = select(c.address, c.customer_id).where(
        c.token_hash == token_hash(token), c.created_at_ms > at_ms - SESSION_MS
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    if row.customer_id is None:
        return reader_of_address(connection, row.address)
    customer = load_customer(connection, row.customer_id)
    if customer is None:
        return None
    rows = shopper_rows(connection, customer.id)
    name = customer.name or customer.email or ""
    return Reader(name, rows, rows, _addresses(connection, rows))


def forget_old(tx: Tx) -> None:
    """Forgets codes and browsers whose time is over."""
    tx.later(delete(CODE).where(CODE.c.created_at_ms <= tx.at_ms - CODE_MS))
    tx.later(delete(SESSION).where(SESSION.c.created_at_ms <= tx.at_ms - SESSION_MS))


def _addresses(connection: Connection, rows: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses that these customers have proved, but for those that name nobody.

    Who has only named an order and its postcode has not shown that they read its mail.
    """
    found = {
        ("email", one.key)
        for one in contacts_of(connection, rows)
        if one.kind == "email" and one.proved and one.source != "order"
    }
    shared = blocked(connection, found)
    return tuple(
        sorted(
            key
            for kind, key in found
            if (s := shared.get((kind, key))) is None or s.state != "blocked"
        )
    )


def _code_hash(browser: str, code: str) -> str:
    return token_hash(f"{browser}:{code}")
