"""Taking a person out of every table, so that what is left says nothing of who they were.

The rows that figures are made of stay: the log, conversations, turns, ratings, orders. What goes is
every text, name, address and number, and whatever leads from them to a person. A test plants a
mark in every column and looks for it afterwards, so a new column has to find its place here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: column values

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, text, update

from server.storage import articles, deliveries, tombstones
from server.storage.customers import CUSTOMER
from server.storage.segment_marks import mark_segments
from server.storage.shop_sources import SHOP_SOURCE
from server.storage.tables import (
    ArticlePhrasing,
    Contact,
    CustomerOrigin,
    Profile,
    SegmentChange,
    table,
)
from server.storage.unit import Tx

Ids = dict[str, list[str]]
CONTACT = table(Contact)
ORIGIN = table(CustomerOrigin)
PHRASING = table(ArticlePhrasing)
PROFILE = table(Profile)
SEGMENT_CHANGE = table(SegmentChange)

_THEIRS = "(SELECT id FROM conversation WHERE customer_id IN :ids)"
# What goes whole, by the rows of the person: (table, which rows).
_PARTS = (
    "(source, external_id) IN"
    " (SELECT source, external_id FROM shop_order WHERE customer_id IN :ids)"
)
# Who wrote by mail is known by the address; before the name of that origin goes.
_BY_MAIL = (
    "(SELECT substr(name, 6) FROM customer_origin"
    " WHERE customer_id IN :ids AND substr(name, 1, 5) = 'mail:')"
)
# Who looked at their tickets is known by the address.
_BY_ADDRESS = "(SELECT key FROM contact WHERE customer_id IN :ids AND kind = 'email')"
# Their bytes are let go of by a job, see ``_let_go``.
_CAME = f"(SELECT id FROM mail_in WHERE conversation_id IN {_THEIRS} OR sender IN {_BY_MAIL})"  # noqa: S608  # our names
_FILES = (
    f"conversation_id IN {_THEIRS} OR (uploader_kind = 'customer' AND uploader_id IN :ids)"
    f" OR (uploader_kind = 'mail' AND uploader_id IN {_CAME})"
)
_DELETED: tuple[tuple[str, str], ...] = (
    ("mail_out_file", f"file_id IN (SELECT id FROM file WHERE {_FILES})"),  # noqa: S608  # likewise
    ("file", _FILES),
    # Before the contacts go, by which they are found.
    ("portal_code", f"address IN {_BY_ADDRESS}"),
    ("portal_session", f"customer_id IN :ids OR address IN {_BY_ADDRESS}"),
    ("mail_sheet", f"conversation_id IN {_THEIRS} OR id IN {_CAME}"),
    ("mail_in", f"conversation_id IN {_THEIRS} OR sender IN {_BY_MAIL}"),
    ("mail_out", f"conversation_id IN {_THEIRS} OR recipient IN {_BY_MAIL}"),
    ("mail_wish", f"conversation_id IN {_THEIRS}"),
    ("contact", "customer_id IN :ids"),
    ("customer_note", "customer_id IN :ids"),
    ("customer_tag", "customer_id IN :ids"),
    ("customer_preference", "customer_id IN :ids"),
    ("customer_block", "customer_id IN :ids"),
    ("customer_origin", "customer_id IN :ids"),
    ("customer_link", "customer_id IN :ids OR other_id IN :ids"),
    ("review_case", "customer_id IN :ids OR other_id IN :ids"),
    ("visitor_token", "customer_id IN :ids"),
    # That somebody wanted no segment keeps them out of its figures, as before.
    ("consent", "customer_id IN :ids AND purpose <> 'profiling'"),
    ("page_event", "customer_id IN :ids"),
    ("cart", "customer_id IN :ids"),
    ("profile", "person_id IN :ids"),
    ("rating_comment", f"conversation_id IN {_THEIRS}"),
    ("review_text", f"conversation_id IN {_THEIRS}"),
    ("ticket_note", f"ticket_id IN {_THEIRS}"),
    ("ticket_search", f"ticket_id IN {_THEIRS}"),
    ("draft", f"conversation_id IN {_THEIRS}"),
    ("shop_order_parts", _PARTS),
    (
        "import_change",
        "key IN :ids OR key IN (SELECT id FROM shop_order WHERE customer_id IN :ids)",
    ),
)
_NO_ADDRESS = (
    "email = NULL, email_key = NULL, phone = NULL, postcode = NULL,"
    " tracking_number = NULL, tracking_url = NULL"
)
# What stays without its words: (table, what is left, which rows).
_EMPTIED: tuple[tuple[str, str, str], ...] = (
    ("message", "body = '', blocks = NULL", f"conversation_id IN {_THEIRS}"),
    ("ticket_text", "subject = '', fields = '{}', contact = NULL", f"ticket_id IN {_THEIRS}"),
    ("ticket_task", "title = '', result = NULL", f"ticket_id IN {_THEIRS}"),
    ("suggestion", "query = ''", f"customer_id IN :ids OR conversation_id IN {_THEIRS}"),
    ("buying_mark", "items = '[]'", f"conversation_id IN {_THEIRS}"),
    ("consent", "ip_hash = NULL, by = NULL", "customer_id IN :ids AND purpose = 'profiling'"),
    ("link_log", "why = NULL", "customer_id IN :ids OR other_id IN :ids"),
    ("shop_order", f"customer_id = NULL, {_NO_ADDRESS}", "customer_id IN :ids"),
)
# The page on which a conversation began is derived from its first event: both lose it together.
_FIRST = f"kind = 'conversation.opened' AND conversation_id IN {_THEIRS}"
_WITHOUT_PAGE = {
    "sqlite": (
        "data = json_remove(data, '$.page_url', '$.page_title')",
        "state = json_set(state, '$.page_url', NULL, '$.page_title', NULL)",
    ),
    "postgresql": (
        "data = (data::jsonb - 'page_url' - 'page_title')::text",
        """state = (state::jsonb || '{"page_url": null, "page_title": null}')::text""",
    ),
}


@dataclass(frozen=True, slots=True)
class Names:
    """Under what an erased person was known: keys of ``tombstones``, ids by source, addresses."""

    keys: tuple[str, ...]
    ids_by_source: tuple[tuple[str, tuple[str, ...]], ...]
    email_keys: tuple[str, ...]


def names_of(connection: Connection, ids: Sequence[str]) -> Names:
    """Under what a person, all of whose rows are given, is known.

    Of addresses and numbers only those that were proved: anybody may claim another's, and would
    otherwise keep that other person out by having themselves erased.
    """
    among = {"ids": list(ids)}
    of: BindParameter[list[str]] = bindparam("ids", expanding=True)
    external = list(
        connection.execute(
            select(CUSTOMER.c.external_id).where(
                CUSTOMER.c.id.in_(of), CUSTOMER.c.external_id.is_not(None)
            ),
            among,
        ).scalars()
    )
    origins = list(
        connection.execute(select(ORIGIN.c.name).where(ORIGIN.c.customer_id.in_(of)), among)
        .scalars()
        .all()
    )
    proved = connection.execute(
        select(CONTACT.c.kind, CONTACT.c.key).where(
            CONTACT.c.customer_id.in_(of), CONTACT.c.level == "verified"
        ),
        among,
    ).all()
    keys = [tombstones.shop_key("shop", name) for name in external]
    keys += [f"customer:{name}" for name in origins]
    named = {"email": tombstones.email_key, "phone": tombstones.phone_key}
    keys += [named[row.kind](row.key) for row in proved if row.kind in named]
    by_source: dict[str, tuple[str, ...]] = {}
    for source in connection.execute(select(SHOP_SOURCE.c.name, SHOP_SOURCE.c.customer_ids)):
        own = f"{source.name}:"
        by_source[source.name] = (
            tuple(external)
            if source.customer_ids == "shop"
            else tuple(name.removeprefix(own) for name in origins if name.startswith(own))
        )
    return Names(
        keys=tuple(dict.fromkeys(keys)),
        ids_by_source=tuple(by_source.items()),
        email_keys=tuple(row.key for row in proved if row.kind == "email"),
    )


def erase_rows(tx: Tx, ids: Sequence[str], names: Names) -> dict[str, int]:
    """Takes a person out of every table but ``customer``; how many rows of each were concerned."""
    connection = tx.connection
    if connection.dialect.name == "sqlite":
        # What was deleted is written over, not only marked as free.
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    counts: dict[str, int] = {}
    everyone: Ids = {"ids": list(ids)}
    phrasings = connection.execute(
        select(PHRASING.c.id, PHRASING.c.article_id).where(PHRASING.c.customer_id.in_(ids))
    ).all()
    if phrasings:
        articles.drop_phrasings(tx, [row.id for row in phrasings])
        articles.tell_changed(tx, {row.article_id for row in phrasings})
        counts["article_phrasing"] = len(phrasings)
    for source, external_ids in names.ids_by_source:
        if external_ids:
            found = deliveries.forget_about(tx, source, external_ids)
            counts["shop_delivery"] = counts.get("shop_delivery", 0) + found
    counts["kept_answer"] = _kept_answers(tx, ids)
    _end_course(tx, everyone)
    _let_go(tx, _FILES, everyone)
    for name, which in _DELETED:
        counts[name] = _count(connection, name, which, everyone)
        tx.later(_with_ids(f"DELETE FROM {name} WHERE {which}"), everyone)  # noqa: S608  # our names
    data, state = _WITHOUT_PAGE[connection.dialect.name]
    _change(tx, "event", data, _FIRST, everyone)
    _change(tx, "conversation", f"preview = NULL, {state}", "customer_id IN :ids", everyone)
    counts["conversation"] = _count(connection, "conversation", "customer_id IN :ids", everyone)
    for name, left, which in _EMPTIED:
        counts[name] = _count(connection, name, which, everyone)
        _change(tx, name, left, which, everyone)
    if names.email_keys:
        guests = "customer_id IS NULL AND email_key IN :ids"
        _change(tx, "shop_order", _NO_ADDRESS, guests, {"ids": list(names.email_keys)})
    return {name: count for name, count in sorted(counts.items()) if count}


def _end_course(tx: Tx, everyone: Ids) -> None:
    """Keeps which segment the person was in until now, since past waits are grouped by it."""
    found = tx.connection.execute(
        select(PROFILE).where(PROFILE.c.person_id.in_(everyone["ids"]))
    ).mappings()
    for row in found:
        names = {
            "segment": ("segment", "prospects"),
            "activity": ("activity_stage", "prospect"),
            "relationship": ("relationship_stage", "none"),
        }
        change: dict[str, Any] = {  # Any: column values
            "id": tx.new_id(),
            "person_id": row["person_id"],
            # What was asked in this very millisecond was still asked before.
            "at_ms": tx.at_ms + 1,
            "cause": "erased",
        }
        for name, (column, after) in names.items():
            change |= {f"{name}_from": row[column], f"{name}_to": after}
        tx.later(insert(SEGMENT_CHANGE), change)
    mark_segments(tx, everyone["ids"])


_EMPTY: dict[str, Any] = {  # Any: column values
    "external_id": None,
    "name": None,
    "email": None,
    "phone": None,
    "locale": None,
    "identity": "anonymous",
    "told_at_ms": None,
}


def empty_customers(tx: Tx, ids: Sequence[str]) -> None:
    """Leaves of customers only their ids, which the log names, and when they were erased.

    That they were one person stays: by it past waits are counted to the segment of then.
    """
    values = _EMPTY | {"erased_at_ms": tx.at_ms}
    tx.later(update(CUSTOMER).where(CUSTOMER.c.id.in_(list(ids))).values(**values))


# Ended long ago and still with words; the index on status and last activity finds them.
_WORDY = (
    "SELECT id FROM conversation c WHERE c.status IN ('resolved', 'closed', 'spam')"
    " AND c.last_activity_at_ms < :before AND (c.preview IS NOT NULL OR EXISTS"
    " (SELECT 1 FROM message m WHERE m.conversation_id = c.id AND m.body <> ''))"
    " ORDER BY c.last_activity_at_ms LIMIT :limit"
)
_OF_THESE = "conversation_id IN :ids"


def forget_texts(tx: Tx, *, before_ms: int, limit: int) -> int:
    """Takes the words out of conversations that ended before an instant; how many there were.

    The figures stay, and whose conversation it was: only what was said goes.
    """
    values = {"before": before_ms, "limit": limit}
    ids = list(tx.connection.execute(text(_WORDY), values).scalars())
    if not ids:
        return 0
    these: Ids = {"ids": ids}
    data, state = _WITHOUT_PAGE[tx.connection.dialect.name]
    _change(tx, "event", data, f"kind = 'conversation.opened' AND {_OF_THESE}", these)
    _change(tx, "conversation", f"preview = NULL, {state}", "id IN :ids", these)
    _change(tx, "message", "body = '', blocks = NULL", _OF_THESE, these)
    _let_go(tx, _OF_THESE, these)
    tx.later(_with_ids(f"DELETE FROM file WHERE {_OF_THESE}"), these)  # noqa: S608  # our names
    _change(tx, "suggestion", "query = ''", _OF_THESE, these)
    ours = "ticket_id IN :ids"
    _change(tx, "ticket_text", "subject = '', fields = '{}', contact = NULL", ours, these)
    _change(tx, "ticket_task", "title = '', result = NULL", ours, these)
    for name in ("ticket_note", "ticket_search"):
        tx.later(_with_ids(f"DELETE FROM {name} WHERE {ours}"), these)  # noqa: S608  # our names
    for name in ("rating_comment", "review_text", "draft", "mail_sheet"):
        tx.later(_with_ids(f"DELETE FROM {name} WHERE {_OF_THESE}"), these)  # noqa: S608  # our names
    return len(ids)


def _let_go(tx: Tx, which: str, values: Ids) -> None:
    """Remembers the bytes of files whose rows are about to go, so that they go too."""
    statement = (
        "INSERT INTO file_gone (sha256, at_ms) SELECT DISTINCT sha256, CAST(:at_ms AS BIGINT)"  # noqa: S608  # our names
        f" FROM file WHERE sha256 IS NOT NULL AND ({which}) ON CONFLICT (sha256) DO NOTHING"
    )
    tx.later(_with_ids(statement), values | {"at_ms": tx.at_ms})


def erased_at_ms(connection: Connection, customer_id: str) -> int | None:
    """When a customer was erased, None when they were not."""
    statement = select(CUSTOMER.c.erased_at_ms).where(CUSTOMER.c.id == customer_id)
    return connection.execute(statement).scalar_one_or_none()


def _kept_answers(tx: Tx, ids: Sequence[str]) -> int:
    """Forgets what programs were answered about a person; it is found by the ids in it."""
    conversations = (
        select(text("id"))
        .select_from(text("conversation"))
        .where(text("customer_id IN :ids").bindparams(bindparam("ids", expanding=True)))
    )
    known = [*ids, *tx.connection.execute(conversations, {"ids": list(ids)}).scalars()]
    total = 0
    for key in known:
        values = {"like": f"%{key}%"}
        which = "answer LIKE :like OR request LIKE :like"
        found = tx.connection.execute(
            text(f"SELECT count(*) FROM kept_answer WHERE {which}"),  # noqa: S608  # our names
            values,
        ).scalar_one()
        if found:
            total += int(found)
            tx.later(text(f"DELETE FROM kept_answer WHERE {which}"), values)  # noqa: S608  # likewise
    return total


def _change(tx: Tx, name: str, left: str, which: str, values: Ids) -> None:
    tx.later(_with_ids(f"UPDATE {name} SET {left} WHERE {which}"), values)  # noqa: S608  # our names


def _count(connection: Connection, name: str, which: str, values: Ids) -> int:
    statement = _with_ids(f"SELECT count(*) FROM {name} WHERE {which}")  # noqa: S608  # our names
    return int(connection.execute(statement, values).scalar_one())


def _with_ids(statement: str) -> Any:  # Any: a text clause with a list in it
    return text(statement).bindparams(bindparam("ids", expanding=True))
