"""What staff keep about a customer: a note, tags, how to be reached, a block.

Everything hangs on customer rows. A person is shown what hangs on any of its rows; a merge moves
nothing, so an undo gives every row back what it had.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any  # Any: columns of several tables

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Row,
    Text,
    bindparam,
    cast,
    delete,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy import insert as plain_insert

from server.storage.customers import CustomerChanged
from server.storage.tables import (
    CustomerBlock,
    CustomerNote,
    CustomerPreference,
    CustomerTag,
    table,
)
from server.storage.unit import Tx

NOTE = table(CustomerNote)
TAG = table(CustomerTag)
PREFERENCE = table(CustomerPreference)
BLOCK = table(CustomerBlock)
STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a customer row; ``by_id`` is who saved it last."""

    customer_id: str
    body: str
    version: int
    at_ms: int
    by_id: str | None


@dataclass(frozen=True, slots=True)
class Preference:
    """How a customer wants to be reached.

    Quiet hours are minutes of the day in ``timezone``, from one up to the other and over midnight
    when the second is smaller; None when none were said.
    """

    channel: str | None
    quiet_from: int | None
    quiet_to: int | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """Since when and why messages of a customer are refused."""

    reason: str | None
    at_ms: int
    by_id: str | None


_ids: BindParameter[Any] = bindparam("ids", expanding=True)
_no_number = cast(null(), BigInteger)
_no_text = cast(null(), Text)
# One look instead of four: this is read beside every chat that is opened.
KEPT = union_all(
    select(
        literal("note").label("kind"),
        NOTE.c.customer_id,
        NOTE.c.body.label("text"),
        NOTE.c.version.label("one"),
        _no_number.label("two"),
        _no_text.label("zone"),
        NOTE.c.at_ms,
        NOTE.c.by_id,
    ).where(NOTE.c.customer_id.in_(_ids)),
    select(
        literal("tag"),
        TAG.c.customer_id,
        TAG.c.tag,
        _no_number,
        _no_number,
        _no_text,
        TAG.c.at_ms,
        _no_text,
    ).where(TAG.c.customer_id.in_(_ids)),
    select(
        literal("wish"),
        PREFERENCE.c.customer_id,
        PREFERENCE.c.channel,
        cast(PREFERENCE.c.quiet_from, BigInteger),
        cast(PREFERENCE.c.quiet_to, BigInteger),
        PREFERENCE.c.timezone,
        PREFERENCE.c.at_ms,
        _no_text,
    ).where(PREFERENCE.c.customer_id.in_(_ids)),
    select(
        literal("block"),
        BLOCK.c.customer_id,
        BLOCK.c.reason,
        _no_number,
        _no_number,
        _no_text,
        BLOCK.c.at_ms,
        BLOCK.c.by_id,
    ).where(BLOCK.c.customer_id.in_(_ids)),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """All that staff keep about a person, as the functions below give it one by one."""

    note: Note | None
    tags: tuple[str, ...]
    preference: Preference | None
    block: Block | None


def kept_of(connection: Connection, customer_ids: Sequence[str]) -> Kept:
    """What staff keep about a person, in one look; the row named first comes first."""
    found: dict[str, list[Row[Any]]] = {}  # Any: columns of several tables
    for row in connection.execute(KEPT, {"ids": list(customer_ids)}):
        found.setdefault(row.kind, []).append(row)
    said = sorted(found.get("note", ()), key=lambda r: (r[1] != customer_ids[0], -r.at_ms))
    words = sorted(found.get("tag", ()), key=lambda r: (r.at_ms, r.text))
    wishes = sorted(found.get("wish", ()), key=lambda r: (-r.at_ms, r.customer_id))
    blocks = sorted(found.get("block", ()), key=lambda r: int(r.at_ms))
    return Kept(
        next((Note(r.customer_id, r.text, r.one, r.at_ms, r.by_id) for r in said), None),
        tuple(dict.fromkeys(r.text for r in words)),
        next((Preference(r.text, r.one, r.two, r.zone) for r in wishes), None),
        next((Block(r.text, r.at_ms, r.by_id) for r in blocks), None),
    )


def notes_of(connection: Connection, customer_ids: Sequence[str]) -> list[Note]:
    """The notes on rows of a person: that of the row named first comes first, then the newest."""
    c = NOTE.c
    rows = connection.execute(select(NOTE).where(c.customer_id.in_(customer_ids))).mappings()
    found = [Note(**row) for row in rows]
    return sorted(found, key=lambda n: (n.customer_id != customer_ids[0], -n.at_ms))


def save_note(
    tx: Tx, customer_id: str, body: str, *, after: Note | None, by_id: str | None
) -> None:
    """Writes the note on a row anew, or removes it; ``after`` is the one that it replaces."""
    tx.later(delete(NOTE).where(NOTE.c.customer_id == bindparam("b_id")), {"b_id": customer_id})
    if body:
        made = Note(
            customer_id, body, max(tx.at_ms, after.version + 1 if after else 1), tx.at_ms, by_id
        )
        values = {name: getattr(made, name) for name in Note.__dataclass_fields__}
        tx.later(plain_insert(NOTE), values)
    tx.notice(CustomerChanged(customer_id))


def tags_of(connection: Connection, customer_ids: Collection[str]) -> tuple[str, ...]:
    """The tags of a person, each once, those given first in front."""
    rows = connection.execute(
        select(TAG.c.tag)
        .where(TAG.c.customer_id.in_(list(customer_ids)))
        .order_by(TAG.c.at_ms, TAG.c.tag)
    )
    return tuple(dict.fromkeys(row[0] for row in rows))


def tags_by_customer(
    connection: Connection, customer_ids: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The tags of each of several customer rows."""
    rows = connection.execute(
        select(TAG.c.customer_id, TAG.c.tag)
        .where(TAG.c.customer_id.in_(list(customer_ids)))
        .order_by(TAG.c.at_ms, TAG.c.tag)
    )
    found: dict[str, tuple[str, ...]] = {}
    for customer_id, tag in rows:
        found[customer_id] = (*found.get(customer_id, ()), tag)
    return found


def known_tags(connection: Connection, *, limit: int = 200) -> list[str]:
    """The words in use, in their order."""
    rows = connection.execute(select(TAG.c.tag).distinct().order_by(TAG.c.tag).limit(limit))
    return [row[0] for row in rows]


def add_tags(tx: Tx, customer_id: str, tags: Iterable[str], *, source: str = STAFF) -> None:
    """Puts tags on a row that has none of them yet."""
    for tag in tags:
        tx.later(
            plain_insert(TAG),
            {"customer_id": customer_id, "tag": tag, "source": source, "at_ms": tx.at_ms},
        )
    tx.notice(CustomerChanged(customer_id))


def remove_tags(tx: Tx, customer_ids: Sequence[str], tags: Iterable[str]) -> None:
    """Takes tags off all rows of a person."""
    pairs = [(customer_id, tag) for customer_id in customer_ids for tag in tags]
    tx.later(delete(TAG).where(tuple_(TAG.c.customer_id, TAG.c.tag).in_(pairs)))
    tx.notice(CustomerChanged(customer_ids[0]))


def preference_of(connection: Connection, customer_ids: Sequence[str]) -> Preference | None:
    """How a person wants to be reached: said last on any of the rows."""
    c = PREFERENCE.c
    row = connection.execute(
        select(c.channel, c.quiet_from, c.quiet_to, c.timezone)
        .where(c.customer_id.in_(customer_ids))
        .order_by(c.at_ms.desc(), c.customer_id)
        .limit(1)
    ).first()
    return None if row is None else Preference(*row)


def save_preference(tx: Tx, customer_id: str, made: Preference, *, by_id: str | None) -> None:
    """Writes how a customer wants to be reached."""
    c = PREFERENCE.c
    values = {name: getattr(made, name) for name in Preference.__dataclass_fields__}
    tx.later(delete(PREFERENCE).where(c.customer_id == bindparam("b_id")), {"b_id": customer_id})
    tx.later(
        plain_insert(PREFERENCE),
        {"customer_id": customer_id, "at_ms": tx.at_ms, "by_id": by_id, **values},
    )
    tx.notice(CustomerChanged(customer_id))


def blocked_among(connection: Connection, customer_ids: Collection[str]) -> set[str]:
    """Those of these rows whose messages are refused."""
    rows = connection.execute(
        select(BLOCK.c.customer_id).where(BLOCK.c.customer_id.in_(list(customer_ids)))
    )
    return {row[0] for row in rows}


def block(tx: Tx, customer_ids: Sequence[str], *, reason: str | None, by_id: str | None) -> None:
    """Refuses messages of these rows, none of which is blocked yet."""
    for customer_id in customer_ids:
        tx.later(
            plain_insert(BLOCK),
            {"customer_id": customer_id, "reason": reason, "at_ms": tx.at_ms, "by_id": by_id},
        )
        tx.notice(CustomerChanged(customer_id))


def unblock(tx: Tx, customer_ids: Sequence[str]) -> None:
    """Takes messages of these rows again."""
    tx.later(delete(BLOCK).where(BLOCK.c.customer_id.in_(list(customer_ids))))
    for customer_id in customer_ids:
        tx.notice(CustomerChanged(customer_id))
