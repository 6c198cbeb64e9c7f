"""What people do with files: sending them, putting them into messages, reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from server.actions.access import may_read_message
from server.domain.actors import Actor, customer
from server.domain.errors import InvalidInput, NotAllowed, NotFound, TooLarge, TooMany
from server.domain.files import (
    MEGABYTE,
    MOST_IN_MESSAGE,
    NETWORK_SHARE,
    SHOPPER_A_DAY,
    SHOPPER_AN_HOUR,
    STAFF_A_DAY,
    STAFF_AN_HOUR,
    STRANGERS_SHARE,
    UNUSED_MS,
    VISITOR_SHARE,
    share_left,
)
from server.domain.spans import DAY_MS, HOUR_MS
from server.storage import customers, files
from server.storage.connection import Connection
from server.storage.files import File
from server.storage.messages import load_message
from server.storage.persons import shopper_rows
from server.storage.rows import load_conversation
from server.storage.unit import Tx

MISSING = "There is no such file."
AT_ONCE = 100
# A mail brings more than people put into one message.
MOST_OF_MAIL = 20
Json = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Limits:
    """How large one file may be, by who sends it, and what all shoppers may send in a day."""

    shopper_bytes: int = 10 * MEGABYTE
    staff_bytes: int = 25 * MEGABYTE
    shoppers_a_day: int = 1000 * MEGABYTE

    def most(self, actor: Actor) -> int:
        """How large a file of somebody may be."""
        return self.staff_bytes if actor.kind == "agent" else self.shopper_bytes


def check_quota(
    connection: Connection,
    actor: Actor,
    limits: Limits,
    *,
    at_ms: int,
    size: int = 0,
    network_hash: str | None = None,
) -> None:
    """Returns nothing. Raises TooMany for who has sent too much lately, with ``size`` more."""
    rows = [actor.id or "", *sorted(actor.also)]
    shopper = actor.kind == "customer"
    count, _ = files.sent_since(connection, actor.kind, rows, at_ms - HOUR_MS)
    if count >= (SHOPPER_AN_HOUR if shopper else STAFF_AN_HOUR):
        raise TooMany("Too many files in an hour.", retry_after_s=600, reason="files_hour")
    if shopper:
        left = _left_for(connection, rows, limits, network_hash, since_ms=at_ms - DAY_MS)
    else:
        _, sent = files.sent_since(connection, actor.kind, rows, at_ms - DAY_MS)
        left = STAFF_A_DAY - sent
    if left < max(1, size):
        raise TooMany("Too much was sent today.", retry_after_s=3600, reason="files_day")


def _left_for(
    connection: Connection,
    rows: Sequence[str],
    limits: Limits,
    network_hash: str | None,
    *,
    since_ms: int,
) -> int:
    """How many bytes a shopper may still send today."""
    pool = limits.shoppers_a_day
    sent = files.sent_by_shoppers(connection, rows, network_hash, since_ms)
    left = min(SHOPPER_A_DAY - sent.own, pool - sent.all)
    if files.is_identified(connection, rows):
        return min(left, share_left(pool, sent.all, sent.own, VISITOR_SHARE))
    part = int(STRANGERS_SHARE * pool)
    left = min(left, share_left(part, sent.strangers, sent.own, VISITOR_SHARE))
    if network_hash is None:
        return left
    return min(left, share_left(part, sent.strangers, sent.network, NETWORK_SHARE))


def check_mails(connection: Connection, limits: Limits, *, at_ms: int) -> None:
    """Returns nothing. Raises TooLarge when mails have brought as much today as shoppers may send.

    Who writes a mail can be made up, so there is no limit for one of them.
    """
    _, size = files.sent_since(connection, "mail", None, at_ms - DAY_MS)
    if size >= limits.shoppers_a_day:
        raise TooLarge("Mails have brought too much today.", reason="files_day")


def add(tx: Tx, actor: Actor, file: File, *, limits: Limits) -> File:
    """Keeps a file that was taken in. Raises TooMany, NotAllowed for who is blocked."""
    rows = (actor.id, *actor.also) if actor.kind == "customer" and actor.id else ()
    if any(tx.blocked(row) for row in rows):
        raise NotAllowed("The shop takes no messages from you here.", reason="blocked")
    if actor.kind in ("customer", "agent"):
        check_quota(
            tx.connection,
            actor,
            limits,
            at_ms=tx.at_ms,
            size=file.bytes,
            network_hash=file.network_hash,
        )
    files.add(tx, file)
    return file


def wanted_ids(given: Sequence[str] | None, blocks: Sequence[Json] | None) -> list[str]:
    """The files that a message names, in ``files`` or as its blocks; each once."""
    named = [block.get("id") for block in blocks or () if block.get("type") == "file"]
    ids = [*(given or ()), *named]
    if not all(isinstance(one, str) and 0 < len(one) <= 64 and one.isascii() for one in ids):
        raise InvalidInput("A file is named by its id.", field="files")
    distinct = list(dict.fromkeys(str(one) for one in ids))
    if len(distinct) > MOST_IN_MESSAGE:
        raise InvalidInput(
            f"At most {MOST_IN_MESSAGE} files in a message.",
            field="files",
            reason="files_many",
            limit=MOST_IN_MESSAGE,
        )
    return distinct


def take(tx: Tx, actor: Actor, ids: Sequence[str]) -> list[File]:
    """The actor's own files that no message has yet. Raises InvalidInput for any other."""
    found = files.take(tx, ids)
    taken = []
    for file_id in ids:
        file = found.get(file_id)
        mine = file is not None and (
            (file.uploader_kind, file.uploader_id) == (actor.kind, actor.id)
            or (actor.kind == "customer" and actor.is_shopper(file.uploader_id))
        )
        if file is None or not mine or file.message_id is not None:
            raise InvalidInput("The file is not there. Send it again.", reason="file_missing")
        if file.sha256 is None:
            raise InvalidInput("The file is not safe.", reason="file_infected")
        taken.append(file)
    return taken


def from_mail(tx: Tx, mail_id: str, ids: Sequence[str]) -> list[File]:
    """The files that came with a mail and that no message has yet."""
    found = files.take(tx, list(ids)[:MOST_OF_MAIL])
    return [
        found[key]
        for key in ids
        if key in found
        and (found[key].uploader_kind, found[key].uploader_id) == ("mail", mail_id)
        and found[key].message_id is None
    ]


def readable(connection: Connection, actor: Actor, file_id: str) -> File:
    """A file that the actor may read, whatever its state. Raises NotFound for every other.

    What stands in a message is for who may read that message; before that, for who sent it.
    """
    file = files.load(connection, file_id)
    if file is None:
        raise NotFound(MISSING)
    if file.message_id is None or file.conversation_id is None:
        own = file.uploader_kind == actor.kind and file.uploader_id == actor.id
        if actor.id is None or not (
            own or (actor.kind == file.uploader_kind and actor.is_shopper(file.uploader_id))
        ):
            raise NotFound(MISSING)
        return file
    conversation = load_conversation(connection, file.conversation_id)
    message = load_message(connection, file.message_id)
    if conversation is None or message is None:
        raise NotFound(MISSING)
    if not may_read_message(connection, actor, conversation, message):
        raise NotFound(MISSING)
    if actor.kind == "customer" and message.visibility != "public":
        raise NotFound(MISSING)
    return file


def shopper_of_token(connection: Connection, token: str, *, at_ms: int) -> Actor | None:
    """Whose visitor token it is, None when it is nobody's."""
    customer_id = customers.customer_of_token(connection, token, at_ms=at_ms)
    return None if customer_id is None else shopper(connection, customer_id)


def shopper(connection: Connection, customer_id: str) -> Actor:
    """A shopper with the rows that are theirs too."""
    rows = shopper_rows(connection, customer_id)
    return customer(customer_id, also=frozenset(rows) - {customer_id})


def forget_unused(tx: Tx) -> int:
    """Forgets what was sent and put into no message for a day; how many there were."""
    return files.forget_unused(tx, before_ms=tx.at_ms - UNUSED_MS, limit=AT_ONCE)


def forget_networks(tx: Tx) -> None:
    """Forgets where files came from that no longer count."""
    files.forget_networks(tx, before_ms=tx.at_ms - DAY_MS)


def personal_files(connection: Connection, customer_ids: Sequence[str]) -> list[tuple[str, str]]:
    """The files of a person for who hands out their data: distinct names, and SHA-256."""
    return [
        (f"files/{number:04}-{file.name}", file.sha256)
        for number, file in enumerate(files.of_person(connection, customer_ids), 1)
        if file.sha256
    ]
