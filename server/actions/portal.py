"""What shoppers do in their portal: signing in by a mailed code, and following their tickets."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from server.actions import messages, ratings, ticket_moves
from server.actions.messages import PostMessage
from server.actions.ratings import GiveRating
from server.domain.actors import Actor, customer
from server.domain.errors import Conflict, NotFound, TooMany
from server.domain.ticket import OVER, Ticket
from server.domain.ticket_number import read_number
from server.storage import mails, portal, tickets
from server.storage.connection import Connection
from server.storage.failed_tries import load_tries, save_tries
from server.storage.rows import Message, load_conversation
from server.storage.shop import load_shop
from server.storage.tickets import Listed, Wanted
from server.storage.unit import Tx

HOUR_MS = 3_600_000
CODES_AN_HOUR = 3
# Several people may share an address of the network; nobody needs more.
CODES_OF_A_CLIENT = 20
MOST_LISTED = 100
# What stands in a reply that says only that it is not solved.
STILL = {"en": "It is still a problem.", "zh": "问题仍未解决。"}
_TEXTS = {
    "en": {
        "subject": "{shop}: your code",
        "words": (
            "Your code is {code}. It holds for 10 minutes, in the browser in which you asked for"
            " it.\n\nIf you did not ask for a code, leave this mail: without it nobody gets in."
        ),
    },
    "zh": {
        "subject": "{shop}：您的验证码",
        "words": (
            "您的验证码是 {code}，10 分钟内有效，仅可在您申请验证码的浏览器中使用。\n\n"
            "如果不是您本人申请，请忽略本邮件：没有验证码，任何人都无法登录。"
        ),
    },
}
Answer = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Thread:
    """A ticket as its shopper reads it: what is public, and their rating."""

    ticket: Ticket
    subject: str
    said: list[Message]
    rating: int | None
    may_rate: bool


def new_code() -> str:
    """Six digits that nobody can foresee."""
    return f"{secrets.randbelow(10**6):06}"


def ask_code(
    tx: Tx, *, browser: str, former: str | None, code: str, address: str, client: str
) -> None:
    """Keeps a code for a browser. The same is done for every address, whether or not it is known.

    Raises TooMany for an address or a client with too many in an hour.
    """
    _count(tx, f"portal client {client}", CODES_OF_A_CLIENT)
    _count(tx, f"portal address {address}", CODES_AN_HOUR)
    portal.keep_code(tx, browser=browser, former=former, code=code, address=address)


def mail_code(tx: Tx, *, own_address: str, address: str, code: str, locale: str) -> bool:
    """True when the code goes out: only to an address that has tickets."""
    rows = portal.rows_of_address(tx.connection, address)
    if not rows or address == own_address.lower():
        return False
    if not tickets.page(tx.connection, _actor(rows), Wanted(), order="newest", after=None, limit=1):
        return False
    shop = load_shop(tx.connection)
    texts = _TEXTS["zh" if locale.startswith("zh") else "en"]
    host = own_address.rpartition("@")[2]
    mails.queue(
        tx,
        kind="code",
        recipient=address,
        subject=texts["subject"].format(shop=shop.name if shop else ""),
        words=texts["words"].format(code=code),
        rfc_id=f"{tx.new_id()}.{secrets.token_hex(8)}@{host}",
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


def list_tickets(connection: Connection, address: str) -> list[Listed]:
    """The tickets that an address opens, the newest first; joined ones stand in the other."""
    rows = portal.rows_of_address(connection, address)
    if not rows:
        return []
    found = tickets.page(
        connection, _actor(rows), Wanted(), order="newest", after=None, limit=MOST_LISTED
    )
    return [one for one in found if _onward(connection, one.ticket, rows) is None]


def read_thread(connection: Connection, address: str, number: str) -> tuple[Thread, str | None]:
    """A ticket, and the number of the one it was joined to when that is open to the address too.

    Raises NotFound for what is not there, and alike for what is another's.
    """
    rows = portal.rows_of_address(connection, address)
    ticket = _find(connection, rows, number)
    onward = _onward(connection, ticket, rows)
    words = tickets.words_of(connection, [ticket.id]).get(ticket.id)
    talk = load_conversation(connection, ticket.id)
    session = talk.session if talk else None
    rating = session.rating if session else None
    rateable = session is not None and (
        session.replies > 0 or session.rating_asked_at_ms is not None
    )
    thread = Thread(
        ticket=ticket,
        subject=words.subject if words else "",
        said=_said(connection, ticket, rows),
        rating=rating,
        may_rate=rateable and ticket.state in ("resolved", "closed"),
    )
    return thread, onward.number if onward else None


def reply(tx: Tx, address: str, number: str, *, body: str, client_id: str) -> str:
    """The number of the ticket in which the words stand now: a follow-up when this one is over.

    The same ``client_id`` again changes nothing. Raises NotFound, InvalidInput, NotAllowed.
    """
    ticket, actor = _access(tx, address, number)
    if ticket.state == "spam":
        raise Conflict("This request is closed.", reason="portal_closed")
    answer = messages.post_message(
        tx, actor, PostMessage(client_id=client_id, body=body, conversation_id=ticket.id)
    )
    written = tx.ticket(str(answer["conversation_id"]))
    return written.number if written else ticket.number


def confirm(tx: Tx, address: str, number: str) -> None:
    """The shopper says that it is solved; nothing changes when it is so already."""
    ticket, actor = _access(tx, address, number)
    if ticket.state not in OVER:
        ticket_moves.set_state(tx, actor, ticket, "resolved", reason="confirmed")


def rate(tx: Tx, address: str, number: str, *, score: int, comment: str) -> None:
    """The shopper's word on how it went, once it is solved. Raises Conflict before."""
    ticket, actor = _access(tx, address, number)
    if ticket.state not in ("resolved", "closed"):
        raise Conflict("There is nothing to rate yet.", reason="portal_too_early")
    ratings.give_rating(
        tx, actor, GiveRating(conversation_id=ticket.id, score=score, comment=comment or None)
    )


def _access(tx: Tx, address: str, number: str) -> tuple[Ticket, Actor]:
    """The ticket, locked, and its shopper, who acts as who asked."""
    rows = portal.rows_of_address(tx.connection, address)
    found = _find(tx.connection, rows, number)
    actor = customer(found.customer_id, also=frozenset(rows) - {found.customer_id})
    return ticket_moves.access_ticket(tx, actor, found.id), actor


def _find(connection: Connection, rows: tuple[str, ...], number: str) -> Ticket:
    known = read_number(number)
    key = tickets.id_of_number(connection, known) if known else None
    ticket = tickets.load_ticket(connection, key) if key else None
    if ticket is None or ticket.customer_id not in rows:
        raise NotFound(ticket_moves.MISSING)
    return ticket


def _onward(connection: Connection, ticket: Ticket, rows: tuple[str, ...]) -> Ticket | None:
    """The ticket to which this one was joined, as far as the shopper may follow."""
    found = None
    seen = {ticket.id}
    while ticket.merged_into is not None and ticket.merged_into not in seen:
        seen.add(ticket.merged_into)
        further = tickets.load_ticket(connection, ticket.merged_into)
        if further is None or further.customer_id not in rows:
            break
        ticket = found = further
    return found


def _said(connection: Connection, ticket: Ticket, rows: tuple[str, ...]) -> list[Message]:
    """What is public in a ticket and in those joined to it that are open to the shopper too."""
    away = tickets.parts_from(connection, ticket.id)
    joined = tickets.merged_into(connection, ticket.id)
    threads = [ticket, *(one for one in joined if one.customer_id in rows)]
    sources = [(one.id, 0, 2**53) for one in threads]
    for part in tickets.parts_of(connection, ticket.id):
        thread = load_conversation(connection, part.thread_id)
        if thread is not None and thread.customer_id in rows:
            sources.append((part.thread_id, part.first_seq, part.last_seq))
    found = [
        message
        for thread_id, first, last in sources
        for message in tickets.messages_between(connection, thread_id, first, last)
        if message.visibility == "public" and not _is_away(message, away)
    ]
    return sorted(found, key=lambda message: (message.at_ms, message.seq))


def _is_away(message: Message, away: list[tickets.Part]) -> bool:
    return any(
        part.thread_id == message.conversation_id and part.first_seq <= message.seq <= part.last_seq
        for part in away
    )


def _actor(rows: tuple[str, ...]) -> Actor:
    return customer(rows[0], also=frozenset(rows[1:]))


def _count(tx: Tx, key: str, most: int) -> None:
    recent = [at_ms for at_ms in load_tries(tx, key).recent if at_ms > tx.at_ms - HOUR_MS]
    if len(recent) >= most:
        seconds = max(1, -(-(recent[0] + HOUR_MS - tx.at_ms) // 1000))
        raise TooMany("Too many codes in an hour.", retry_after_s=seconds)
    save_tries(tx, key, failures=len(recent) + 1, recent=[*recent, tx.at_ms])
