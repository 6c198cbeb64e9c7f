"""What people and programs read of what is open past its target; and mails that need nothing."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from server.actions.desk import Look
from server.actions.payload import NoPayload
from server.domain.actors import Actor
from server.domain.errors import Conflict, NotFound
from server.domain.permissions import require
from server.storage import mails, people
from server.storage.open_loops import Loop, count_open_loops, open_loops
from server.storage.unit import Tx
from server.storage.views import TARGETS

READ = "ticket.manage"
Json = dict[str, Any]  # Any: JSON values


def list_open_loops(look: Look, _: NoPayload) -> Json:
    """Everything that waits for the shop past its target, the latest first, and how much it is."""
    require(look.actor, READ)
    limit_ms = TARGETS["limit_ms"]
    counts = count_open_loops(look.connection, at_ms=look.at_ms, limit_ms=limit_ms)
    found = open_loops(look.connection, at_ms=look.at_ms, limit_ms=limit_ms)
    names = people.names(look.connection)
    return {
        "count": sum(counts.values()),
        "by_kind": counts,
        "items": [_view(one, names, look.at_ms) for one in found],
    }


def set_mail_right(tx: Tx, *, actor: Actor, mail_id: str) -> None:
    """A mail that was set aside needs nothing. Raises NotFound, and Conflict when it is not so."""
    require(actor, READ)
    mail = mails.load_came(tx.connection, mail_id)
    if mail is None:
        raise NotFound("There is no such mail.")
    if mail.state != "aside":
        raise Conflict("This mail is not set aside any more.", reason="mail_settled")
    mails.settle(tx, mail_id, state="ignored", reason="looked_at")


def _view(loop: Loop, names: dict[str, str], at_ms: int) -> Json:
    return {
        "kind": loop.kind,
        "id": loop.id,
        "due_at_ms": loop.due_at_ms,
        "late_ms": max(0, at_ms - loop.due_at_ms),
        "conversation_id": loop.conversation_id,
        "number": loop.number,
        "customer_id": loop.customer_id,
        "agent_id": loop.agent_id,
        "agent_name": names.get(loop.agent_id or ""),
        "team_id": loop.team_id,
        "owed": loop.owed,
    }
