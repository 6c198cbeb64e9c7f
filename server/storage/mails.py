"""Mails that came, mails that go, and replies that wait to be mailed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal  # Any: column values

from sqlalchemy import Connection, RowMapping, case, delete, func, insert, or_, select, text, update

from server.storage.customers import CUSTOMER
from server.storage.files import FILE, File
from server.storage.rows import CONVERSATION, EVENT, MESSAGE, READ_MARK
from server.storage.tables import (
    CustomerOrigin,
    MailBox,
    MailIn,
    MailOut,
    MailSheet,
    MailWish,
    Secret,
    table,
)
from server.storage.unit import Tx

MAIL_BOX = table(MailBox)
MAIL_IN = table(MailIn)
MAIL_OUT = table(MailOut)
MAIL_SHEET = table(MailSheet)
MAIL_WISH = table(MailWish)
ORIGIN = table(CustomerOrigin)
SECRET = table(Secret)
BOX = "inbox"
# As a source of customers: one row for each address that wrote.
SOURCE = "mail"
# Why a mail has failed that was taken and then came back.
BOUNCED = "bounced"

InState = Literal["new", "taken", "ignored", "aside"]


@dataclass(frozen=True, slots=True)
class Box:
    """How far the mailbox was read."""

    uid_validity: int
    last_uid: int
    looked_at_ms: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Came:
    """A mail that came; ``raw`` is None when it was too large to keep or has been forgotten."""

    id: str
    uid: int
    at_ms: int
    size: int
    raw: bytes | None
    state: str
    reason: str | None
    tries: int
    sender: str | None
    subject: str | None
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class Going:
    """A mail that goes."""

    id: str
    kind: str
    conversation_id: str | None
    recipient: str
    subject: str
    words: str
    state: str
    reason: str | None
    tries: int
    created_at_ms: int
    due_at_ms: int
    sent_at_ms: int | None
    rfc_id: str
    answers_rfc_id: str | None
    enclosed: str | None


@dataclass(frozen=True, slots=True)
class SheetKept:
    """How a mail looks, and the conversation that it went into."""

    id: str
    conversation_id: str
    public: bool
    html: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the desk that may have to go by mail."""

    message_id: str
    body: str
    author: str | None
    at_ms: int


# The mailbox

_FIRST_BOX = text(
    "INSERT INTO mail_box (name, uid_validity, last_uid, lease_until_ms)"
    " VALUES (:name, 0, 0, 0) ON CONFLICT (name) DO NOTHING"
)
_ADD_IN = text(
    "INSERT INTO mail_in (id, uid_validity, uid, at_ms, size, raw, state, reason, tries)"
    " VALUES (:id, :uid_validity, :uid, :at_ms, :size, :raw, :state, :reason, 0)"
    " ON CONFLICT (uid_validity, uid) DO NOTHING"
)


def load_box(connection: Connection) -> Box:
    """How far the mailbox was read; nothing yet when it never was."""
    row = connection.execute(select(MAIL_BOX).where(MAIL_BOX.c.name == BOX)).mappings().first()
    if row is None:
        return Box(0, 0, None, None)
    return Box(row["uid_validity"], row["last_uid"], row["looked_at_ms"], row["error"])


def hold_box(tx: Tx, *, lease: str, lease_ms: int) -> bool:
    """Takes the mailbox for this process for a while; False when another has it."""
    c = MAIL_BOX.c
    tx.execute(_FIRST_BOX, {"name": BOX})
    held = tx.execute(select(MAIL_BOX).where(c.name == BOX).with_for_update()).mappings().one()
    if held["lease"] not in (None, lease) and held["lease_until_ms"] > tx.at_ms:
        return False
    tx.later(
        update(MAIL_BOX)
        .where(c.name == BOX)
        .values(lease=lease, lease_until_ms=tx.at_ms + lease_ms)
    )
    return True


def note_look(tx: Tx, *, error: str | None) -> None:
    """Notes that the mailbox was looked at, and what went wrong."""
    tx.later(
        update(MAIL_BOX).where(MAIL_BOX.c.name == BOX).values(looked_at_ms=tx.at_ms, error=error)
    )


def add_came(tx: Tx, *, uid_validity: int, mails: Sequence[tuple[int, int, bytes | None]]) -> None:
    """Keeps mails as they came, (uid, size, raw) each, and notes how far the mailbox was read.

    What was too large to fetch is set aside at once.
    """
    for uid, size, raw in mails:
        tx.later(
            _ADD_IN,
            {
                "id": tx.new_id(),
                "uid_validity": uid_validity,
                "uid": uid,
                "at_ms": tx.at_ms,
                "size": size,
                "raw": raw,
                "state": "aside" if raw is None else "new",
                "reason": "too_large" if raw is None else None,
            },
        )
    if mails:
        tx.later(
            update(MAIL_BOX)
            .where(MAIL_BOX.c.name == BOX)
            .values(uid_validity=uid_validity, last_uid=max(uid for uid, _, _ in mails))
        )


def unread(connection: Connection, *, limit: int) -> list[Came]:
    """Mails that have not been looked into, in the order in which they came."""
    c = MAIL_IN.c
    statement = select(MAIL_IN).where(c.state == "new").order_by(c.at_ms, c.uid).limit(limit)
    return [_came(row) for row in connection.execute(statement).mappings()]


def load_came(connection: Connection, mail_id: str) -> Came | None:
    """One mail that came, or None."""
    row = connection.execute(select(MAIL_IN).where(MAIL_IN.c.id == mail_id)).mappings().first()
    return None if row is None else _came(row)


def came(
    connection: Connection, *, state: str | None, before: tuple[int, int] | None, limit: int
) -> list[Came]:
    """Mails that came, the latest first; ``before`` is (at_ms, uid) of another."""
    c = MAIL_IN.c
    columns = [column for column in c if column.name != "raw"]
    statement = select(*columns).order_by(c.at_ms.desc(), c.uid.desc()).limit(limit)
    if state is not None:
        statement = statement.where(c.state == state)
    if before is not None:
        statement = statement.where(
            or_(c.at_ms < before[0], (c.at_ms == before[0]) & (c.uid < before[1]))
        )
    return [_came(row) for row in connection.execute(statement).mappings()]


def still_new(tx: Tx, mail_id: str) -> bool:
    """Takes a mail for this job; False when another has settled it."""
    c = MAIL_IN.c
    held = tx.execute(select(c.state).where(c.id == mail_id).with_for_update())
    return held.scalar_one_or_none() == "new"


def settle(
    tx: Tx,
    mail_id: str,
    *,
    state: InState,
    reason: str | None,
    sender: str | None = None,
    subject: str | None = None,
    rfc_id: str | None = None,
    conversation_id: str | None = None,
) -> None:
    """Notes what became of a mail."""
    values: dict[str, Any] = {"state": state, "reason": reason, "settled_at_ms": tx.at_ms}
    told = {
        "sender": sender,
        "subject": subject,
        "rfc_id": rfc_id,
        "conversation_id": conversation_id,
    }
    values |= {name: value for name, value in told.items() if value is not None}
    tx.later(update(MAIL_IN).where(MAIL_IN.c.id == mail_id).values(**values))


def tried(tx: Tx, mail_id: str) -> int:
    """Counts a try at a mail that came; how many there were."""
    c = MAIL_IN.c
    tries = int(tx.execute(select(c.tries).where(c.id == mail_id)).scalar_one()) + 1
    tx.later(update(MAIL_IN).where(c.id == mail_id).values(tries=tries))
    return tries


def again(tx: Tx, mail_id: str) -> None:
    """Lets a mail that was set aside be looked into once more."""
    tx.later(
        update(MAIL_IN)
        .where(MAIL_IN.c.id == mail_id, MAIL_IN.c.raw.is_not(None))
        .values(state="new", reason=None, tries=0, settled_at_ms=None)
    )


def known_rfc_id(connection: Connection, rfc_id: str, *, but: str) -> bool:
    """True when another mail with this Message-ID was settled before."""
    c = MAIL_IN.c
    statement = select(c.id).where(c.rfc_id == rfc_id, c.id != but, c.state != "new").limit(1)
    return connection.execute(statement).first() is not None


def taken_since(connection: Connection, conversation_id: str, since_ms: int) -> int:
    """How many mails went into a thread since an instant."""
    c = MAIL_IN.c
    statement = select(func.count()).where(
        c.conversation_id == conversation_id, c.state == "taken", c.settled_at_ms >= since_ms
    )
    return int(connection.execute(statement).scalar_one())


def keep_sheet(tx: Tx, mail_id: str, *, conversation_id: str, public: bool, html: str) -> None:
    """Keeps how a mail looks; ``public`` when it became words of the shopper."""
    values = {"id": mail_id, "conversation_id": conversation_id, "public": public, "html": html}
    tx.later(insert(MAIL_SHEET), values)


def load_sheet(connection: Connection, mail_id: str) -> SheetKept | None:
    """How a mail looks, None when it was plain words or has been forgotten."""
    row = connection.execute(select(MAIL_SHEET).where(MAIL_SHEET.c.id == mail_id)).mappings()
    found = row.first()
    return None if found is None else SheetKept(**found)


def pictures_of(connection: Connection, mail_id: str) -> list[File]:
    """The files of a mail that its HTML may name."""
    c = FILE.c
    statement = select(FILE).where(
        c.uploader_kind == "mail", c.uploader_id == mail_id, c.content_id.is_not(None)
    )
    names = [field.name for field in fields(File)]
    rows = connection.execute(statement.order_by(c.created_at_ms, c.id)).mappings()
    return [File(**{name: row[name] for name in names}) for row in rows]


def sheets_of(connection: Connection, customer_ids: Sequence[str]) -> Iterator[SheetKept]:
    """How the mails of a person look, one by one, as far as they became words of theirs."""
    c = MAIL_SHEET.c
    ids = select(CONVERSATION.c.id).where(CONVERSATION.c.customer_id.in_(list(customer_ids)))
    statement = select(c.id).where(c.conversation_id.in_(ids), c.public).order_by(c.id)
    for mail_id in list(connection.execute(statement).scalars()):
        sheet = load_sheet(connection, mail_id)
        if sheet is not None:
            yield sheet


def counts(connection: Connection) -> dict[str, int]:
    """How many mails that came are in each state."""
    c = MAIL_IN.c
    rows = connection.execute(select(c.state, func.count()).group_by(c.state))
    return {row[0]: row[1] for row in rows}


def failed(connection: Connection) -> int:
    """How many mails of ours could not be sent."""
    statement = select(func.count()).where(MAIL_OUT.c.state == "failed")
    return int(connection.execute(statement).scalar_one())


def forget_old(tx: Tx, *, before_ms: int, limit: int) -> int:
    """Takes words and addresses out of old mails of both directions; how many there were.

    What is left says that there was a mail, in which thread, and under which Message-ID.
    """
    found = 0
    for target, kept, emptied in (
        (MAIL_IN, MAIL_IN.c.settled_at_ms, {"raw": None, "subject": None, "sender": None}),
        (
            MAIL_OUT,
            MAIL_OUT.c.created_at_ms,
            {"words": "", "enclosed": None, "subject": "", "state": "forgotten"},
        ),
    ):
        over = MAIL_OUT.c.state.in_(("sent", "failed"))
        full = target.c.raw.is_not(None) if target is MAIL_IN else over
        ids = list(
            tx.execute(select(target.c.id).where(kept < before_ms, full).limit(limit)).scalars()
        )
        if ids:
            tx.later(update(target).where(target.c.id.in_(ids)).values(**emptied))
        found = max(found, len(ids))
    return found


# Mails that go


def lone_rfc_id(tx: Tx, own_address: str) -> str:
    """A Message-ID that nobody can guess, for a mail that belongs to no thread."""
    return f"{tx.new_id()}.{secrets.token_hex(8)}@{own_address.rpartition('@')[2]}"


def queue(
    tx: Tx,
    *,
    kind: str,
    recipient: str,
    subject: str,
    words: str,
    rfc_id: str,
    conversation_id: str | None = None,
    answers_rfc_id: str | None = None,
    enclosed: str | None = None,
) -> str:
    """The id of a mail that is to be sent now; ``enclosed`` is a table that goes with it."""
    mail_id = tx.new_id()
    tx.later(
        insert(MAIL_OUT),
        {
            "id": mail_id,
            "kind": kind,
            "conversation_id": conversation_id,
            "recipient": recipient,
            "subject": subject,
            "words": words,
            "enclosed": enclosed,
            "state": "queued",
            "tries": 0,
            "created_at_ms": tx.at_ms,
            "due_at_ms": tx.at_ms,
            "rfc_id": rfc_id,
            "answers_rfc_id": answers_rfc_id,
        },
    )
    return mail_id


def take_due(tx: Tx, *, lease: str, lease_ms: int, limit: int) -> list[Going]:
    """Mails that are due, held by this process: due again for others when the lease is over."""
    c = MAIL_OUT.c
    due = (
        select(MAIL_OUT)
        .where(c.state == "queued", c.due_at_ms <= tx.at_ms)
        .order_by(c.due_at_ms)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [_going(row) for row in tx.execute(due).mappings()]
    for one in found:
        tx.later(
            update(MAIL_OUT)
            .where(c.id == one.id)
            .values(lease=lease, tries=one.tries + 1, due_at_ms=tx.at_ms + lease_ms)
        )
    return found


def note_sent(tx: Tx, mail_id: str) -> None:
    """Notes that a mail was handed over; of one with a code the words are not kept.

    One that has come back meanwhile stays failed: the news of that may be quicker than this note.
    """
    c = MAIL_OUT.c
    words = case((c.kind == "code", ""), else_=c.words)
    is_back = c.reason == BOUNCED
    tx.later(
        update(MAIL_OUT)
        .where(c.id == mail_id)
        .values(
            state=case((is_back, "failed"), else_="sent"),
            reason=case((is_back, c.reason), else_=None),
            sent_at_ms=tx.at_ms,
            lease=None,
            words=words,
        )
    )


def note_failed(tx: Tx, mail_id: str, *, reason: str, due_at_ms: int | None) -> None:
    """Notes that a mail was not taken; ``due_at_ms`` is the next try, None for never."""
    values: dict[str, Any] = {"reason": reason, "lease": None}
    values |= {"state": "failed"} if due_at_ms is None else {"due_at_ms": due_at_ms}
    tx.later(update(MAIL_OUT).where(MAIL_OUT.c.id == mail_id).values(**values))


def send_again(tx: Tx, mail_id: str) -> None:
    """Lets a mail that failed begin anew."""
    tx.later(
        update(MAIL_OUT)
        .where(MAIL_OUT.c.id == mail_id, MAIL_OUT.c.state == "failed")
        .values(state="queued", tries=0, due_at_ms=tx.at_ms, reason=None)
    )


def by_rfc_ids(connection: Connection, rfc_ids: Sequence[str]) -> list[Going]:
    """Mails of ours with these Message-IDs."""
    statement = select(MAIL_OUT).where(MAIL_OUT.c.rfc_id.in_(list(rfc_ids)))
    return [_going(row) for row in connection.execute(statement).mappings()]


def recipients_of(connection: Connection, conversation_id: str) -> tuple[str, ...]:
    """To whom mails of a thread went."""
    c = MAIL_OUT.c
    statement = select(c.recipient).where(c.conversation_id == conversation_id).distinct()
    return tuple(sorted(connection.execute(statement).scalars()))


def sent_since(connection: Connection, recipient: str, kind: str, *, since_ms: int) -> int:
    """How many mails of a kind an address was given since an instant."""
    c = MAIL_OUT.c
    statement = select(func.count()).where(
        c.recipient == recipient, c.kind == kind, c.created_at_ms >= since_ms
    )
    return int(connection.execute(statement).scalar_one())


def last_of_thread(connection: Connection, conversation_id: str) -> str | None:
    """The Message-ID of the last mail that came into a thread, None when none did."""
    c = MAIL_IN.c
    statement = (
        select(c.rfc_id)
        .where(c.conversation_id == conversation_id, c.rfc_id.is_not(None))
        .order_by(c.at_ms.desc(), c.uid.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def went(
    connection: Connection, *, state: str | None, before: tuple[int, str] | None, limit: int
) -> list[Going]:
    """Mails of ours, the latest first; ``before`` is (created_at_ms, id) of another."""
    c = MAIL_OUT.c
    statement = select(MAIL_OUT).order_by(c.created_at_ms.desc(), c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(c.state == state)
    if before is not None:
        statement = statement.where(
            or_(c.created_at_ms < before[0], (c.created_at_ms == before[0]) & (c.id < before[1]))
        )
    return [_going(row) for row in connection.execute(statement).mappings()]


# Replies that may have to go by mail


def replies_between(
    connection: Connection, *, after: int, up_to: int, limit: int
) -> list[tuple[int, str, str]]:
    """Replies to shoppers in the log, a bot's too: (seq, conversation_id, message_id), in order."""
    statement = (
        select(EVENT.c.seq, MESSAGE.c.conversation_id, MESSAGE.c.id)
        .join_from(EVENT, MESSAGE, MESSAGE.c.seq == EVENT.c.seq)
        .where(
            EVENT.c.seq > after,
            EVENT.c.seq <= up_to,
            EVENT.c.kind == "message.posted",
            ~EVENT.c.imported,
            MESSAGE.c.sender_kind.in_(("agent", "bot")),
            MESSAGE.c.visibility == "public",
        )
        .order_by(EVENT.c.seq)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


_WISH = text(
    "INSERT INTO mail_wish (message_id, conversation_id, due_at_ms)"
    " VALUES (:message_id, :conversation_id, :due_at_ms) ON CONFLICT (message_id) DO NOTHING"
)


def wish(tx: Tx, *, message_id: str, conversation_id: str, due_at_ms: int) -> None:
    """Lets a reply be mailed at an instant unless it is seen before."""
    tx.later(
        _WISH,
        {"message_id": message_id, "conversation_id": conversation_id, "due_at_ms": due_at_ms},
    )


def due_wishes(tx: Tx, *, limit: int) -> list[str]:
    """Conversations with a reply that is due to be mailed, held until the commit."""
    c = MAIL_WISH.c
    statement = (
        select(c.conversation_id)
        .where(c.mail_id.is_(None), c.due_at_ms <= tx.at_ms)
        .order_by(c.due_at_ms)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(dict.fromkeys(tx.execute(statement).scalars()))


def unseen_replies(connection: Connection, conversation_id: str) -> list[Reply]:
    """Replies that wait to be mailed and that the shopper has not read, in their order."""
    c = MESSAGE.c
    read = func.coalesce(READ_MARK.c.message_seq, 0)
    statement = (
        select(c.id, c.body, c.sender_id, c.at_ms)
        .join_from(MAIL_WISH, MESSAGE, MESSAGE.c.id == MAIL_WISH.c.message_id)
        .join(CONVERSATION, CONVERSATION.c.id == c.conversation_id)
        .outerjoin(
            READ_MARK,
            (READ_MARK.c.conversation_id == c.conversation_id)
            & (READ_MARK.c.reader_kind == "customer")
            & (READ_MARK.c.reader_id == CONVERSATION.c.customer_id),
        )
        .where(
            MAIL_WISH.c.conversation_id == conversation_id,
            MAIL_WISH.c.mail_id.is_(None),
            c.seq > read,
        )
        .order_by(c.seq)
    )
    return [Reply(*row) for row in connection.execute(statement)]


def end_wishes(tx: Tx, conversation_id: str, *, mail_id: str | None) -> None:
    """Ends what waits in a conversation: in this mail, or not needed any more."""
    c = MAIL_WISH.c
    tx.later(
        update(MAIL_WISH)
        .where(c.conversation_id == conversation_id, c.mail_id.is_(None))
        .values(mail_id=mail_id or "seen")
    )


def address_of(connection: Connection, customer_id: str) -> str | None:
    """The address that a shopper gave or that was proved, None when there is none."""
    statement = select(CUSTOMER.c.email).where(CUSTOMER.c.id == customer_id)
    return connection.execute(statement).scalar_one_or_none()


# Whose mail it is

_SECRET = "mail"  # noqa: S105  # the name of a secret
_SENDER = "mail sender"


def mail_secret(connection: Connection) -> bytes | None:
    """What ties mails to threads; None before the first."""
    found = connection.execute(select(SECRET.c.value).where(SECRET.c.name == _SECRET))
    value = found.scalar_one_or_none()
    return None if value is None else str(value).encode()


_ADD_SECRET = text(
    "INSERT INTO secret (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"
)


def make_secret(tx: Tx, value: str) -> None:
    """Keeps what ties mails to threads, unless there is one."""
    tx.later(_ADD_SECRET, {"name": _SECRET, "value": value})


def note_sender(tx: Tx, address: str | None) -> None:
    """Notes from which address mail goes out, None when none does."""
    tx.later(delete(SECRET).where(SECRET.c.name == _SENDER))
    if address is not None:
        tx.later(_ADD_SECRET, {"name": _SENDER, "value": address})


def sender_address(connection: Connection) -> str | None:
    """From which address mail goes out, None when none does."""
    found = connection.execute(select(SECRET.c.value).where(SECRET.c.name == _SENDER))
    return found.scalar_one_or_none()


def writer(connection: Connection, email: str) -> str | None:
    """The customer whom mails from an address belong to, None when it never wrote."""
    statement = select(ORIGIN.c.customer_id).where(ORIGIN.c.name == f"{SOURCE}:{email}")
    return connection.execute(statement).scalar_one_or_none()


def name_writer(tx: Tx, customer_id: str, email: str) -> None:
    """Notes that mails from an address belong to a customer."""
    tx.later(insert(ORIGIN), {"name": f"{SOURCE}:{email}", "customer_id": customer_id})


def _came(row: RowMapping) -> Came:
    return Came(
        row["id"],
        row["uid"],
        row["at_ms"],
        row["size"],
        row.get("raw"),
        row["state"],
        row["reason"],
        row["tries"],
        row["sender"],
        row["subject"],
        row["conversation_id"],
    )


def _going(row: RowMapping) -> Going:
    return Going(**{name: row[name] for name in Going.__dataclass_fields__})
