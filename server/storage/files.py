"""What is known of files: the rows beside their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any  # Any: JSON and column values

import orjson
from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, text, update

from server.domain.files import block_of
from server.storage.ids import new_id
from server.storage.locking import Lockable, locked_rows
from server.storage.rows import MESSAGE
from server.storage.tables import FileGone, FileRow, MailOutFile, Secret, table
from server.storage.unit import Tx

FILE = table(FileRow)
GONE = table(FileGone)
MAIL_OUT_FILE = table(MailOutFile)
SECRET = table(Secret)
Json = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file; ``sha256`` is None where its bytes were not kept."""

    id: str
    sha256: str | None
    bytes: int
    media_type: str
    name: str
    width: int | None = None
    height: int | None = None
    uploader_kind: str
    uploader_id: str | None
    conversation_id: str | None = None
    message_id: str | None = None
    content_id: str | None = None
    state: str
    created_at_ms: int
    used_at_ms: int | None = None
    network_hash: str | None = None

    @property
    def block(self) -> Json:
        """What stands of it in its message."""
        return block_of(
            file_id=self.id,
            name=self.name,
            media_type=self.media_type,
            size=self.bytes,
            width=self.width,
            height=self.height,
            state=self.state,
        )


_NAMES = [field.name for field in fields(File)]


def add(tx: Tx, file: File) -> None:
    """Keeps the row of a file."""
    tx.later(insert(FILE), {name: getattr(file, name) for name in _NAMES})


def fresh_id(at_ms: int) -> str:
    """An id for a file."""
    return new_id(at_ms)


def load(connection: Connection, file_id: str) -> File | None:
    """One file, or None."""
    return by_ids(connection, [file_id]).get(file_id)


def by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, File]:
    """The files with these ids, as far as there are any."""
    if not ids:
        return {}
    statement = select(FILE).where(FILE.c.id.in_(bindparam("ids", expanding=True)))
    return {row["id"]: File(**row) for row in _rows(connection, statement, {"ids": list(ids)})}


_IDS = select(FILE.c.id).where(FILE.c.id.in_(bindparam("ids", expanding=True))).order_by(FILE.c.id)
# Not as ``lockable`` makes it for one row: these are asked for by several ids.
_LOCKED = Lockable(_IDS.with_for_update(), _IDS.with_for_update(skip_locked=True))


def take(tx: Tx, ids: Sequence[str]) -> dict[str, File]:
    """The files with these ids, locked until the commit."""
    known = by_ids(tx.connection, ids)
    if known:
        locked_rows(tx.connection, _LOCKED, set(known))
    return by_ids(tx.connection, ids)


def use(tx: Tx, ids: Sequence[str], *, conversation_id: str, message_id: str) -> None:
    """Notes in which message files stand."""
    tx.later(
        update(FILE)
        .where(FILE.c.id.in_(list(ids)))
        .values(conversation_id=conversation_id, message_id=message_id, used_at_ms=tx.at_ms)
    )


def sent_since(
    connection: Connection, uploader_kind: str, uploader_ids: Sequence[str] | None, since_ms: int
) -> tuple[int, int]:
    """How many files, and bytes in all, somebody has sent since an instant; None for everybody.

    What was not kept is one of the files and has no bytes.
    """
    c = FILE.c
    kept = case((c.sha256.is_not(None), c.bytes), else_=0)
    statement = select(func.count(), func.coalesce(func.sum(kept), 0)).where(
        c.uploader_kind == uploader_kind, c.created_at_ms >= since_ms
    )
    if uploader_ids is not None:
        statement = statement.where(c.uploader_id.in_(list(uploader_ids)))
    row = connection.execute(statement).one()
    return int(row[0]), int(row[1])


@dataclass(frozen=True, slots=True)
class SentBytes:
    """Bytes that shoppers sent: all of them, who is not identified, one of them, one network.

    ``network`` counts only what came from shoppers who are not identified.
    """

    all: int
    strangers: int
    own: int
    network: int


_IDENTIFIED = (
    "EXISTS (SELECT 1 FROM customer u WHERE u.id = f.uploader_id AND (u.identity = 'verified'"
    " OR EXISTS (SELECT 1 FROM contact k WHERE k.customer_id = u.id AND k.level = 'verified')))"
)
_SENT = text(
    "SELECT coalesce(sum(s.bytes), 0) AS total,"
    " coalesce(sum(CASE WHEN s.known THEN 0 ELSE s.bytes END), 0) AS strangers,"
    " coalesce(sum(CASE WHEN s.uploader_id IN :ids THEN s.bytes ELSE 0 END), 0) AS own,"
    " coalesce(sum(CASE WHEN s.network_hash = :network AND NOT s.known THEN s.bytes ELSE 0 END),"
    " 0) AS network FROM"
    " (SELECT f.bytes, f.uploader_id, f.network_hash, KNOWN AS known FROM file f"
    " WHERE f.uploader_kind = 'customer' AND f.created_at_ms >= :since_ms"
    " AND f.sha256 IS NOT NULL) s".replace("KNOWN", _IDENTIFIED)
).bindparams(bindparam("ids", expanding=True))
_KNOWN = text(
    "SELECT 1 FROM customer u WHERE u.id IN :ids AND (u.identity = 'verified'"
    " OR EXISTS (SELECT 1 FROM contact k WHERE k.customer_id = u.id AND k.level = 'verified'))"
).bindparams(bindparam("ids", expanding=True))


def sent_by_shoppers(
    connection: Connection, shopper_ids: Sequence[str], network_hash: str | None, since_ms: int
) -> SentBytes:
    """What shoppers have sent since an instant, and of it one of them and one network."""
    values = {"ids": list(shopper_ids), "network": network_hash, "since_ms": since_ms}
    row = connection.execute(_SENT, values).one()
    return SentBytes(int(row.total), int(row.strangers), int(row.own), int(row.network))


def is_identified(connection: Connection, shopper_ids: Sequence[str]) -> bool:
    """True for a shopper whom the shop's server vouched for, or who has proved a contact."""
    return connection.execute(_KNOWN, {"ids": list(shopper_ids)}).first() is not None


def forget_networks(tx: Tx, *, before_ms: int) -> None:
    """Forgets from which networks files came before an instant."""
    c = FILE.c
    tx.later(
        update(FILE)
        .where(c.network_hash.is_not(None), c.created_at_ms < before_ms)
        .values(network_hash=None)
    )


def scanning(connection: Connection, *, before_ms: int, limit: int) -> list[File]:
    """Files that have been waiting for the scanner, the first of them first."""
    c = FILE.c
    statement = (
        select(FILE)
        .where(c.state == "scanning", c.created_at_ms < before_ms)
        .order_by(c.created_at_ms)
        .limit(limit)
    )
    return [File(**row) for row in _rows(connection, statement, {})]


def count_scanning(connection: Connection) -> int:
    """How many files wait for the scanner."""
    statement = select(func.count()).where(FILE.c.state == "scanning")
    return int(connection.execute(statement).scalar_one())


def judge(tx: Tx, sha256: str, state: str) -> list[File]:
    """Gives all files with these bytes a state, also where they stand in messages; those files."""
    c = FILE.c
    wanted = c.sha256 == sha256
    if state != "infected":
        wanted = wanted & (c.state == "scanning")
    found = [File(**row) for row in _rows(tx.connection, select(FILE).where(wanted), {})]
    if not found:
        return []
    values: Json = {"state": state}
    if state == "infected":
        values["sha256"] = None
        let_go(tx, [sha256])
    tx.later(update(FILE).where(c.id.in_([file.id for file in found])).values(**values))
    for message_id in dict.fromkeys(file.message_id for file in found if file.message_id):
        _restate(tx, message_id, {file.id for file in found}, state)
    return found


def _restate(tx: Tx, message_id: str, file_ids: set[str], state: str) -> None:
    kept = tx.execute(select(MESSAGE.c.blocks).where(MESSAGE.c.id == message_id)).scalar()
    if not kept:
        return
    blocks = [
        block | {"state": state} if block.get("id") in file_ids else block
        for block in orjson.loads(kept)
    ]
    tx.later(
        update(MESSAGE)
        .where(MESSAGE.c.id == message_id)
        .values(blocks=orjson.dumps(blocks).decode())
    )


def of_messages(connection: Connection, message_ids: Sequence[str]) -> list[File]:
    """The files of messages, in the order in which they were sent."""
    if not message_ids:
        return []
    statement = (
        select(FILE)
        .where(FILE.c.message_id.in_(bindparam("ids", expanding=True)))
        .order_by(FILE.c.created_at_ms, FILE.c.id)
    )
    return [File(**row) for row in _rows(connection, statement, {"ids": list(message_ids)})]


def of_person(connection: Connection, customer_ids: Sequence[str]) -> list[File]:
    """The files that a person may read: theirs, and the shop's in what was said to them."""
    statement = text(
        "SELECT f.id FROM file f JOIN message m ON m.id = f.message_id"
        " JOIN conversation c ON c.id = m.conversation_id"
        " WHERE c.customer_id IN :ids AND m.visibility = 'public'"
        " ORDER BY f.created_at_ms, f.id"
    ).bindparams(bindparam("ids", expanding=True))
    ids = list(connection.execute(statement, {"ids": list(customer_ids)}).scalars())
    known = by_ids(connection, ids)
    return [known[key] for key in ids]


# Files of mails


def enclose(tx: Tx, mail_id: str, file_ids: Sequence[str]) -> None:
    """Notes which files go with a mail."""
    for file_id in file_ids:
        tx.later(insert(MAIL_OUT_FILE), {"mail_id": mail_id, "file_id": file_id})


def enclosed(connection: Connection, mail_id: str) -> list[File]:
    """The files that go with a mail."""
    ids = select(MAIL_OUT_FILE.c.file_id).where(MAIL_OUT_FILE.c.mail_id == mail_id)
    statement = select(FILE).where(FILE.c.id.in_(ids)).order_by(FILE.c.created_at_ms, FILE.c.id)
    return [File(**row) for row in _rows(connection, statement, {})]


# Bytes that go


def let_go(tx: Tx, hashes: Sequence[str]) -> None:
    """Lets a job look whether anybody still refers to these bytes."""
    for sha256 in dict.fromkeys(hashes):
        tx.later(_LET_GO, {"sha256": sha256, "at_ms": tx.at_ms})


_LET_GO = text(
    "INSERT INTO file_gone (sha256, at_ms) VALUES (:sha256, :at_ms) ON CONFLICT (sha256) DO NOTHING"
)


def gone(connection: Connection, *, limit: int) -> list[str]:
    """Bytes that perhaps nobody refers to any more."""
    statement = select(GONE.c.sha256).order_by(GONE.c.at_ms).limit(limit)
    return list(connection.execute(statement).scalars())


def end_gone(tx: Tx, hashes: Sequence[str]) -> None:
    """Notes that these bytes were looked at."""
    tx.later(delete(GONE).where(GONE.c.sha256.in_(list(hashes))))


def referred(connection: Connection, hashes: Sequence[str]) -> set[str]:
    """Which of these bytes a file refers to."""
    if not hashes:
        return set()
    statement = select(FILE.c.sha256).where(FILE.c.sha256.in_(bindparam("ids", expanding=True)))
    return set(connection.execute(statement, {"ids": list(hashes)}).scalars())


def kept_after(connection: Connection, after: str, *, limit: int) -> list[tuple[str, str]]:
    """The next files whose bytes are kept, by id: (id, SHA-256)."""
    c = FILE.c
    statement = (
        select(c.id, c.sha256)
        .where(c.sha256.is_not(None), c.id > after)
        .order_by(c.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def forget_unused(tx: Tx, *, before_ms: int, limit: int) -> int:
    """Forgets files that nobody has put into a message; how many there were."""
    c = FILE.c
    statement = (
        select(c.id, c.sha256)
        .where(c.message_id.is_(None), c.created_at_ms < before_ms)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = tx.execute(statement).all()
    if found:
        let_go(tx, [row.sha256 for row in found if row.sha256])
        tx.later(delete(FILE).where(c.id.in_([row.id for row in found])))
    return len(found)


# Addresses that are signed

_SECRET = "files"  # noqa: S105  # the name of a secret
_ADD_SECRET = text(
    "INSERT INTO secret (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"
)


def secret(connection: Connection) -> bytes | None:
    """What addresses of files are signed with; None before the first."""
    found = connection.execute(select(SECRET.c.value).where(SECRET.c.name == _SECRET))
    value = found.scalar_one_or_none()
    return None if value is None else str(value).encode()


def make_secret(tx: Tx, value: str) -> None:
    """Keeps what addresses of files are signed with, unless there is something."""
    tx.later(_ADD_SECRET, {"name": _SECRET, "value": value})


def _rows(connection: Connection, statement: Any, values: Json) -> list[Json]:  # Any: a select
    return [dict(row) for row in connection.execute(statement, values).mappings()]
