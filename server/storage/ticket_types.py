"""The types of ticket and names of states as this shop has them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson
from sqlalchemy import Connection, delete, insert, select

from server.domain.ticket_types import TYPES, TicketType, from_json, to_json
from server.storage.rows import dumps
from server.storage.ticket_rows import TICKET_STATUS, TICKET_TYPE
from server.storage.unit import Tx


@dataclass(frozen=True, slots=True)
class Status:
    """A name of the shop's own for a state; ``shown`` is what the shopper reads, if said."""

    id: str
    state: str
    words: tuple[str, str]
    shown: tuple[str, str] | None = None
    position: int = 0
    active: bool = True


def load_types(connection: Connection) -> dict[str, TicketType]:
    """All types by id in their order: the shipped ones, as the shop has changed them, and more."""
    found = {one.id: replace(one, position=at * 10) for at, one in enumerate(TYPES)}
    for row in connection.execute(select(TICKET_TYPE)).mappings():
        found[row["id"]] = from_json(
            orjson.loads(row["definition"]), active=bool(row["active"]), position=row["position"]
        )
    return {one.id: one for one in sorted(found.values(), key=lambda t: (t.position, t.id))}


def save_type(tx: Tx, kind: TicketType) -> None:
    """Keeps a type as it is now."""
    tx.later(delete(TICKET_TYPE).where(TICKET_TYPE.c.id == kind.id))
    tx.later(
        insert(TICKET_TYPE),
        {
            "id": kind.id,
            "position": kind.position,
            "active": kind.active,
            "definition": dumps(to_json(kind)),
            "updated_at_ms": tx.at_ms,
        },
    )


def drop_type(tx: Tx, type_id: str) -> None:
    """Forgets what the shop said of a type; a shipped one is as it came again."""
    tx.later(delete(TICKET_TYPE).where(TICKET_TYPE.c.id == type_id))


def load_statuses(connection: Connection) -> dict[str, Status]:
    """The shop's own names of states by id, in their order."""
    rows = connection.execute(
        select(TICKET_STATUS).order_by(TICKET_STATUS.c.position, TICKET_STATUS.c.id)
    ).mappings()
    return {
        row["id"]: Status(
            id=row["id"],
            state=row["state"],
            words=(row["name_en"], row["name_zh"]),
            shown=(row["shown_en"], row["shown_zh"])
            if row["shown_en"] and row["shown_zh"]
            else None,
            position=row["position"],
            active=bool(row["active"]),
        )
        for row in rows
    }


def save_status(tx: Tx, status: Status) -> None:
    """Keeps a name of a state as it is now."""
    tx.later(delete(TICKET_STATUS).where(TICKET_STATUS.c.id == status.id))
    tx.later(
        insert(TICKET_STATUS),
        {
            "id": status.id,
            "state": status.state,
            "position": status.position,
            "active": status.active,
            "name_en": status.words[0],
            "name_zh": status.words[1],
            "shown_en": status.shown[0] if status.shown else None,
            "shown_zh": status.shown[1] if status.shown else None,
        },
    )
