"""The tickets of a person on their card: what is open by name and time, and how many are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: JSON values and rows

import orjson
from sqlalchemy import Connection, RowMapping, and_, bindparam, select

from server.domain.actors import Actor
from server.domain.permissions import may
from server.domain.ticket_types import TYPES, from_json
from server.storage.ticket_rows import TICKET, TICKET_STATUS, TICKET_TASK, TICKET_TYPE

Json = dict[str, Any]  # Any: JSON values
SHOWN = 5
LOOKED_AT = 200
# Joined tickets go on as others; spam is nobody's request.
_NONE = ("merged", "spam")
_SHIPPED = {one.id: one.words for one in TYPES}
_T = TICKET.c
_LAST_LANES = {"us": 0, "customer": 1}
OWN_TICKETS = (
    select(
        _T.id,
        _T.number,
        _T.type,
        _T.state,
        _T.priority,
        _T.lane,
        _T.sort_ms,
        _T.next_due_at_ms,
        _T.team_id,
        _T.assignee_id,
        TICKET_TASK.c.team_id.label("task_team_id"),
        TICKET_TASK.c.assignee_id.label("task_assignee_id"),
        TICKET_TYPE.c.definition.label("definition"),
        TICKET_STATUS.c.name_en.label("name_en"),
        TICKET_STATUS.c.name_zh.label("name_zh"),
    )
    .select_from(TICKET)
    .outerjoin(TICKET_TASK, and_(TICKET_TASK.c.ticket_id == _T.id, TICKET_TASK.c.state == "open"))
    .outerjoin(TICKET_TYPE, TICKET_TYPE.c.id == _T.type)
    .outerjoin(TICKET_STATUS, TICKET_STATUS.c.id == _T.status)
    .where(_T.customer_id.in_(bindparam("ids", expanding=True)), _T.state.not_in(_NONE))
    # What is open before what is over, and of that the latest.
    .order_by((_T.lane == "done"), _T.created_at_ms.desc())
    .limit(LOOKED_AT)
)


def tickets_view(connection: Connection, customer_ids: Sequence[str], actor: Actor) -> Json | None:
    """The open tickets that the actor may see, what is due first before the rest, and counts.

    None for who may see no tickets at all.
    """
    if not (actor.kind == "system" or may(actor, "ticket.read")):
        return None
    found: dict[str, RowMapping] = {}
    rows = connection.execute(OWN_TICKETS, {"ids": list(customer_ids)}).mappings().all()
    for row in rows:
        if _sees(actor, row):
            found.setdefault(row["id"], row)
    going = [row for row in found.values() if row["lane"] != "done"]
    going.sort(key=lambda row: (_LAST_LANES[row["lane"]], row["sort_ms"], row["id"]))
    return {
        "open": [_view(row) for row in going[:SHOWN]],
        "open_count": len(going),
        "closed_count": len(found) - len(going),
        "complete": len(rows) < LOOKED_AT,
    }


def _sees(actor: Actor, row: RowMapping) -> bool:
    """The rule of ``tickets.sees``, with what the row says."""
    if actor.kind == "system" or actor.leads or row["team_id"] is None:
        return True
    return (
        actor.id in (row["assignee_id"], row["task_assignee_id"])
        or row["team_id"] in actor.team_ids
        or row["task_team_id"] in actor.team_ids
    )


def _view(row: RowMapping) -> Json:
    kind = from_json(orjson.loads(row["definition"])).words if row["definition"] else None
    words = kind or _SHIPPED.get(row["type"]) or (row["type"], row["type"])
    return {
        "id": row["id"],
        "number": row["number"],
        "type": {"en": words[0], "zh": words[1]},
        "state": row["state"],
        "status": {"en": row["name_en"], "zh": row["name_zh"]} if row["name_en"] else None,
        "priority": row["priority"],
        "due_at_ms": row["next_due_at_ms"],
    }
