"""Everything that is kept about a person, as it is handed out to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: JSON values

import orjson
from sqlalchemy import Connection, bindparam, select

from server.storage.consents import consents_of
from server.storage.customers import CUSTOMER
from server.storage.orders import lines_of, orders_of
from server.storage.rows import CONVERSATION, MESSAGE
from server.storage.tables import (
    Cart,
    Contact,
    CustomerNote,
    CustomerOrigin,
    CustomerPreference,
    CustomerTag,
    Profile,
    RatingComment,
    SessionRow,
    table,
)
from server.storage.visits import visits_of

Json = dict[str, Any]  # Any: JSON values
_MOST = 1_000_000
_OF_ORDER = (
    "source",
    "external_id",
    "number",
    "email",
    "phone",
    "postcode",
    "created_at_ms",
    "paid_at_ms",
    "cancelled_at_ms",
    "shipped_at_ms",
    "delivered_at_ms",
    "refunded_at_ms",
    "currency",
    "total_minor",
    "refunded_minor",
    "status",
    "coupon",
    "carrier",
    "tracking_number",
    "tracking_url",
)
_OF_PROFILE = (
    "orders",
    "net_minor",
    "first_order_at_ms",
    "last_order_at_ms",
    "segment",
    "value_cell",
    "activity_stage",
    "relationship_stage",
)


def personal_data(connection: Connection, customer_ids: Sequence[str]) -> Json:
    """All that is kept about a person, all of whose rows are given, the one at the top first.

    What staff wrote to each other about a conversation is left out: it is theirs, too.
    """
    ids = list(customer_ids)
    return {
        "person": _rows(connection, CUSTOMER, ids, key="id", but=("merged_into", "merged_as")),
        "contacts": _rows(connection, table(Contact), ids, but=("customer_id", "key")),
        "known_elsewhere_as": _rows(connection, table(CustomerOrigin), ids, but=("customer_id",)),
        "preferences": _rows(connection, table(CustomerPreference), ids, but=("by_id",)),
        "tags": _rows(connection, table(CustomerTag), ids, but=("customer_id",)),
        "notes": _rows(connection, table(CustomerNote), ids, but=("by_id", "version")),
        "consents": [
            {
                "purpose": c.purpose,
                "state": c.state,
                "at_ms": c.at_ms,
                "text_version": c.text_version,
                "language": c.language,
                "source": c.source,
            }
            for c in consents_of(connection, ids)
        ],
        "conversations": _conversations(connection, ids),
        "orders": _orders(connection, ids),
        "carts": _carts(connection, ids),
        "visits": [
            {name: value for name, value in visit.items() if name not in ("id", "customer_id")}
            for visit in visits_of(connection, ids, _MOST)
        ],
        "profile": _profile(connection, ids),
    }


def _rows(
    connection: Connection,
    target: Any,  # Any: a table
    ids: list[str],
    *,
    key: str = "customer_id",
    but: Sequence[str],
) -> list[Json]:
    found = connection.execute(select(target).where(target.c[key].in_(ids))).mappings()
    return [{name: row[name] for name in row if name not in but} for row in found]


_TALKS = (
    select(CONVERSATION.c.id, CONVERSATION.c.channel, CONVERSATION.c.opened_at_ms)
    .where(CONVERSATION.c.customer_id.in_(bindparam("ids", expanding=True)))
    .order_by(CONVERSATION.c.opened_at_ms)
)
_SAID = (
    select(MESSAGE.c.sender_kind, MESSAGE.c.body, MESSAGE.c.blocks, MESSAGE.c.at_ms)
    .where(MESSAGE.c.conversation_id == bindparam("id"), MESSAGE.c.visibility == "public")
    .order_by(MESSAGE.c.seq)
)


def _conversations(connection: Connection, ids: list[str]) -> list[Json]:
    found = []
    for row in connection.execute(_TALKS, {"ids": ids}).mappings().all():
        said = connection.execute(_SAID, {"id": row["id"]}).mappings()
        found.append(
            {
                "channel": row["channel"],
                "opened_at_ms": row["opened_at_ms"],
                "messages": [
                    {
                        "from": "you" if m["sender_kind"] == "customer" else "shop",
                        "at_ms": m["at_ms"],
                        "text": m["body"],
                        "cards": orjson.loads(m["blocks"]) if m["blocks"] else [],
                    }
                    for m in said
                ],
                "ratings": _ratings(connection, row["id"]),
            }
        )
    return found


def _ratings(connection: Connection, conversation_id: str) -> list[Json]:
    session, comment = table(SessionRow), table(RatingComment)
    statement = (
        select(session.c.rating, session.c.rated_at_ms, comment.c.comment)
        .join_from(
            session,
            comment,
            (comment.c.conversation_id == session.c.conversation_id)
            & (comment.c.session_no == session.c.session_no),
            isouter=True,
        )
        .where(session.c.conversation_id == conversation_id, session.c.rating.is_not(None))
        .order_by(session.c.session_no)
    )
    return [
        {"score": row.rating, "at_ms": row.rated_at_ms, "comment": row.comment}
        for row in connection.execute(statement)
    ]


def _orders(connection: Connection, ids: list[str]) -> list[Json]:
    rows = orders_of(connection, ids, _MOST)
    lines = lines_of(connection, [row["id"] for row in rows])
    but = ("order_id", "line_no")
    return [
        {name: row[name] for name in _OF_ORDER}
        | {
            "lines": [
                {name: value for name, value in line.items() if name not in but}
                for line in lines.get(row["id"], [])
            ]
        }
        for row in rows
    ]


def _carts(connection: Connection, ids: list[str]) -> list[Json]:
    names = ("currency", "total_minor", "created_at_ms", "updated_at_ms", "ordered_at_ms")
    cart = table(Cart)
    rows = connection.execute(select(cart).where(cart.c.customer_id.in_(ids))).mappings()
    return [
        {name: row[name] for name in names} | {"lines": orjson.loads(row["lines"])} for row in rows
    ]


def _profile(connection: Connection, ids: list[str]) -> Json | None:
    profile = table(Profile)
    found = connection.execute(select(profile).where(profile.c.person_id.in_(ids))).mappings()
    row = found.first()
    return None if row is None else {name: row[name] for name in _OF_PROFILE}
