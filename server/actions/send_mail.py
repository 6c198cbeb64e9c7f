"""Which words go by mail: replies that a shopper has not seen, and the number of a new ticket.

Everything is queued in the transaction that decides it and sent afterwards, at least once, always
under the same Message-ID.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.actions.contacts import email_key
from server.domain.files import SERVED
from server.domain.mail import MARK, thread_token
from server.domain.ticket import CHANNEL as TICKETS
from server.storage import customers, files, log_readers, mails, tickets
from server.storage.files import File
from server.storage.mails import Reply
from server.storage.shop import load_shop
from server.storage.unit import Tx

READER = "mail"
PAGE = 200
AT_ONCE = 20
MINUTE_MS = 60_000
# Who has the chat open reads it within this; what they have read is not mailed.
CHAT_WAIT_MS = 5 * MINUTE_MS
# Whoever wrote by mail or left a request waits for a mail; a moment gathers what belongs together.
TICKET_WAIT_MS = MINUTE_MS // 2
# One acknowledgement for an address in a day: a form must not become somebody's flood of mail.
ACKNOWLEDGED_MS = 24 * 60 * MINUTE_MS
# Of files in one mail; as base64 it stays below the 25 MB that most servers take.
MOST_ENCLOSED = 18_000_000

_TEXTS = {
    "en": {
        "subject": "Re: {subject} [{number}]",
        "chat": "{shop}: an answer to your message",
        "above": "Please write above this line",
        "foot": "Answer this mail to go on. {link}",
        "link": "Or look here: {url}",
        "large": "Too large for this mail: {names}.",
        "ack": "We have your request [{number}]",
        "ack_words": (
            "Thank you. Your request has the number {number}. A person will answer it.\n\n"
            "Answer this mail to add something. {link}"
        ),
    },
    "zh": {
        "subject": "Re: {subject} [{number}]",
        "chat": "{shop}：关于您留言的回复",
        "above": "请在此行以上回复",
        "foot": "直接回复本邮件即可继续沟通。{link}",
        "link": "也可以在这里查看：{url}",
        "large": "文件过大，未随本邮件发送：{names}。",
        "ack": "我们已收到您的请求 [{number}]",
        "ack_words": (
            "感谢您的留言。您的请求编号为 {number}，会有人工客服回复您。\n\n"
            "如需补充，直接回复本邮件即可。{link}"
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose mail goes: the address, what ties threads, where shoppers look, None for nowhere."""

    address: str
    secret: bytes
    portal: str | None = None


def acknowledge(
    tx: Tx, sender: Sender, *, recipient: str, conversation_id: str, number: str
) -> None:
    """Tells an address the number of its ticket, once a day; nobody's typed words are in it."""
    since_ms = tx.at_ms - ACKNOWLEDGED_MS
    if mails.sent_since(tx.connection, recipient, "ack", since_ms=since_ms):
        return
    texts = _texts(tx, conversation_id)
    _queue(
        tx,
        sender,
        kind="ack",
        recipient=recipient,
        subject=texts["ack"].format(number=number),
        words=texts["ack_words"].format(number=number, link=_link(texts, sender)).strip(),
        conversation_id=conversation_id,
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
    texts = _texts(tx, conversation_id)
    shop = load_shop(tx.connection)
    ticket = tx.ticket(conversation_id) if thread.channel == TICKETS else None
    if ticket is None:
        subject = texts["chat"].format(shop=shop.name if shop else "")
    else:
        told = tickets.words_of(tx.connection, [ticket.id]).get(ticket.id)
        subject = texts["subject"].format(
            subject=told.subject if told else "", number=ticket.number
        )
    words = "\n\n".join(reply.body for reply in replies if reply.body)
    enclosed, left = _enclosed(tx, replies)
    if left:
        names = ", ".join(file.name for file in left)
        words = f"{words}\n\n{texts['large'].format(names=names)}".strip()
    foot = texts["foot"].format(link=_link(texts, sender)).strip()
    mail_id = _queue(
        tx,
        sender,
        kind="reply",
        recipient=recipient,
        subject=subject,
        words=f"{MARK} {texts['above']} {MARK}\n\n{words}\n\n-- \n{foot}",
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
        answers_rfc_id=mails.last_of_thread(tx.connection, conversation_id),
    )


def _texts(tx: Tx, conversation_id: str) -> dict[str, str]:
    """The texts in the language of the thread's shopper, else of the shop."""
    thread = tx.conversation(conversation_id)
    owner = customers.load_customer(tx.connection, thread.customer_id) if thread else None
    shop = load_shop(tx.connection)
    spoken = (thread and thread.locale) or (owner and owner.locale) or (shop and shop.locale)
    return _TEXTS["zh" if (spoken or "en").startswith("zh") else "en"]


def _link(texts: dict[str, str], sender: Sender) -> str:
    return texts["link"].format(url=sender.portal) if sender.portal else ""
