"""Which words go by mail: replies that a shopper has not seen, and the number of a new ticket.

Everything is queued in the transaction that decides it and sent afterwards, at least once, always
under the same Message-ID.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent_ui.render import Locale, language, sentence
from server.actions.contacts import email_key
from server.domain.files import SERVED
from server.domain.mail import FOOT, MARK, thread_token
from server.domain.spans import MINUTE_MS
from server.domain.ticket import CHANNEL as TICKETS
from server.storage import customers, files, log_readers, mails, tickets
from server.storage.files import File
from server.storage.mails import Reply
from server.storage.shop import load_shop
from server.storage.unit import Tx

READER = "mail"
PAGE = 200
AT_ONCE = 20
# Who has the chat open reads it within this; what they have read is not mailed.
CHAT_WAIT_MS = 5 * MINUTE_MS
# Whoever wrote by mail or left a request waits for a mail; a moment gathers what belongs together.
TICKET_WAIT_MS = MINUTE_MS // 2
# One acknowledgement for an address in a day: a form must not become somebody's flood of mail.
ACKNOWLEDGED_MS = 24 * 60 * MINUTE_MS
# Of files in one mail; as base64 it stays below the 25 MB that most servers take.
MOST_ENCLOSED = 18_000_000


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose mail goes: the address, what ties threads, where shoppers look, None for nowhere."""

    address: str
    secret: bytes
    portal: str | None = None


def acknowledge(
    tx: Tx,
    sender: Sender,
    *,
    recipient: str,
    conversation_id: str,
    number: str,
    spoken: Locale | None = None,
    answers: str | None = None,
) -> None:
    """Tells an address the number of its ticket, once a day; nobody's typed words are in it.

    ``spoken`` is the language of what came, for where none is known, and ``answers`` its
    Message-ID: it is noted with this transaction only.
    """
    since_ms = tx.at_ms - ACKNOWLEDGED_MS
    if mails.sent_since(tx.connection, recipient, "ack", since_ms=since_ms):
        return
    locale = _language(tx, conversation_id, spoken)
    words = sentence(locale, "written.ack.words", number=number)
    _queue(
        tx,
        sender,
        kind="ack",
        recipient=recipient,
        subject=sentence(locale, "written.ack.subject", number=number),
        words=f"{words}\n{_link(locale, sender)}".strip(),
        conversation_id=conversation_id,
        answers=answers,
    )


def read_on(tx: Tx, *, up_to: int) -> int:
    """How many replies of the log were noted to be mailed later; PAGE when there may be more."""
    place = log_readers.take_place(tx, READER)
    if place is None or up_to <= place:
        return 0
    found = mails.replies_between(tx.connection, after=place, up_to=up_to, limit=PAGE)
    for _, conversation_id, message_id in found:
        thread = tx.conversation(conversation_id)
        if thread is None or mails.address_of(tx.connection, thread.customer_id) is None:
            continue
        wait_ms = TICKET_WAIT_MS if thread.channel == TICKETS else CHAT_WAIT_MS
        mails.wish(
            tx,
            message_id=message_id,
            conversation_id=conversation_id,
            due_at_ms=tx.at_ms + wait_ms,
        )
    log_readers.move_place(tx, READER, found[-1][0] if len(found) == PAGE else up_to)
    return len(found)


def mail_unseen(tx: Tx, sender: Sender) -> int:
    """How many threads had replies that were due; what the shopper has read is not mailed."""
    due = mails.due_wishes(tx, limit=AT_ONCE)
    for conversation_id in due:
        replies = mails.unseen_replies(tx.connection, conversation_id)
        mail_id = _mail_replies(tx, sender, conversation_id, replies) if replies else None
        mails.end_wishes(tx, conversation_id, mail_id=mail_id)
    return len(due)


def _mail_replies(tx: Tx, sender: Sender, conversation_id: str, replies: list[Reply]) -> str | None:
    thread = tx.conversation(conversation_id)
    if thread is None:
        return None
    recipient = email_key(mails.address_of(tx.connection, thread.customer_id))
    if recipient is None or any(tx.blocked(row) for row in (thread.customer_id,)):
        return None
    locale = _language(tx, conversation_id)
    shop = load_shop(tx.connection)
    ticket = tx.ticket(conversation_id) if thread.channel == TICKETS else None
    if ticket is None:
        subject = sentence(locale, "written.reply.chat", shop=shop.name if shop else "")
    else:
        told = tickets.words_of(tx.connection, [ticket.id]).get(ticket.id)
        subject = sentence(
            locale,
            "written.reply.subject",
            subject=told.subject if told else "",
            number=ticket.number,
        )
    words = "\n\n".join(reply.body for reply in replies if reply.body)
    enclosed, left = _enclosed(tx, replies)
    if left:
        names = ", ".join(file.name for file in left)
        large = sentence(locale, "written.reply.large", names=names)
        words = f"{words}\n\n{large}".strip()
    above, foot = sentence(locale, "written.reply.above"), sentence(locale, "written.reply.foot")
    foot = f"{foot}\n{_link(locale, sender)}".strip()
    mail_id = _queue(
        tx,
        sender,
        kind="reply",
        recipient=recipient,
        subject=subject,
        words=f"{MARK} {above} {MARK}\n\n{words}{FOOT}{foot}",
        conversation_id=conversation_id,
    )
    files.enclose(tx, mail_id, [file.id for file in enclosed])
    return mail_id


def _enclosed(tx: Tx, replies: list[Reply]) -> tuple[list[File], list[File]]:
    """The files that go with a mail, and those that are too large for it."""
    goes: list[File] = []
    left: list[File] = []
    for file in files.of_messages(tx.connection, [reply.message_id for reply in replies]):
        if file.state not in SERVED and file.state != "scanning":
            continue
        fits = sum(one.bytes for one in goes) + file.bytes <= MOST_ENCLOSED
        (goes if fits else left).append(file)
    return goes, left


def _queue(
    tx: Tx,
    sender: Sender,
    *,
    kind: str,
    recipient: str,
    subject: str,
    words: str,
    conversation_id: str,
    answers: str | None = None,
) -> str:
    token = thread_token(sender.secret, conversation_id, recipient)
    host = sender.address.rpartition("@")[2]
    return mails.queue(
        tx,
        kind=kind,
        recipient=recipient,
        subject=subject,
        words=words,
        rfc_id=f"{token}.{tx.new_id()}@{host}",
        conversation_id=conversation_id,
        answers_rfc_id=answers or mails.last_of_thread(tx.connection, conversation_id),
    )


def _language(tx: Tx, conversation_id: str, spoken: Locale | None = None) -> Locale:
    """The language of the thread's shopper, else the one ``spoken`` now, else of the shop."""
    thread = tx.conversation(conversation_id)
    owner = customers.load_customer(tx.connection, thread.customer_id) if thread else None
    shop = load_shop(tx.connection)
    known = (thread and thread.locale) or (owner and owner.locale) or spoken
    return language(known or (shop.locale if shop else None))


def _link(locale: Locale, sender: Sender) -> str:
    return sentence(locale, "written.reply.link", url=sender.portal) if sender.portal else ""
