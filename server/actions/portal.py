"""What shoppers do in their portal: signing in by a mailed code, or by the shop's word."""

from __future__ import annotations

import secrets

from agent_ui.render import language, sentence
from server.actions import visitors
from server.domain.errors import InvalidInput, TooMany
from server.domain.spans import HOUR_MS
from server.storage import mails, orders, portal, requests
from server.storage.failed_tries import load_tries, save_tries
from server.storage.shop import load_shop
from server.storage.unit import Tx

CODES_AN_HOUR = 3
# Several people may share an address of the network; nobody needs more.
CODES_OF_A_CLIENT = 20


def new_code() -> str:
    """Six digits that nobody can foresee."""
    return f"{secrets.randbelow(10**6):06}"


def ask_code(
    tx: Tx, *, browser: str, former: str | None, code: str, address: str, client: str
) -> None:
    """Keeps a code for a browser. The same is done for every address, whether or not it is known.

    Raises TooMany for an address or a client with too many in an hour.
    """
    count_code(tx, client=client, address=address)
    portal.keep_code(tx, browser=browser, former=former, code=code, address=address)


def count_code(tx: Tx, *, client: str, address: str) -> None:
    """Counts a code for who asks for it and for its address. Raises TooMany."""
    _count(tx, f"portal client {client}", CODES_OF_A_CLIENT)
    _count(tx, f"portal address {address}", CODES_AN_HOUR)


def mail_code(tx: Tx, *, own_address: str, address: str, code: str, locale: str) -> bool:
    """True when the code goes out: only to an address with tickets, or with guests' orders."""
    reader = portal.reader_of_address(tx.connection, address)
    if address == own_address.lower():
        return False
    asked = bool(reader.rows) and bool(requests.of_customers(tx.connection, reader.rows))
    if not asked and not orders.guest_orders(tx.connection, reader.addresses, 1):
        return False
    shop = load_shop(tx.connection)
    spoken = language(locale)
    mails.queue(
        tx,
        kind="code",
        recipient=address,
        subject=sentence(spoken, "written.code.subject", shop=shop.name if shop else ""),
        words=sentence(spoken, "written.code.words", code=code),
        rfc_id=mails.lone_rfc_id(tx, own_address),
    )
    return True


def sign_in(tx: Tx, *, browser: str, code: str, token: str, former: str | None) -> bool:
    """True when the code was this browser's, which is signed in with the token from now on."""
    address = portal.take_code(tx, browser=browser, code=code)
    if address is None:
        return False
    if former is not None:
        portal.end_session(tx, former)
    portal.start_session(tx, token, address=address)
    return True


def sign_in_vouched(tx: Tx, *, identity: str, token: str, former: str | None) -> None:
    """Signs a browser in as the customer that a signed identity of the shop names.

    Raises InvalidInput when it does not hold, NotAllowed when it was used before.
    """
    shop = load_shop(tx.connection)
    if shop is None:
        raise InvalidInput("There is no shop yet.", reason="identity")
    vouched = visitors.read_identity(identity, shop, at_ms=tx.at_ms)
    customer_id = visitors.account_of(tx, vouched)
    if former is not None:
        portal.end_session(tx, former)
    portal.start_session(tx, token, customer_id=customer_id)


def _count(tx: Tx, key: str, most: int) -> None:
    recent = [at_ms for at_ms in load_tries(tx, key).recent if at_ms > tx.at_ms - HOUR_MS]
    if len(recent) >= most:
        seconds = max(1, -(-(recent[0] + HOUR_MS - tx.at_ms) // 1000))
        raise TooMany("Too many codes in an hour.", retry_after_s=seconds)
    save_tries(tx, key, failures=len(recent) + 1, recent=[*recent, tx.at_ms])
