"""Rows of figures that are one event each: orders paid and given back, agents coming and going.

They follow from nothing but their event, so what is kept of them only grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: rows of the log, JSON

import numpy as np
import orjson
from sqlalchemy import Connection, Select, select

from server.domain.events import AgentPresenceChanged, OrderCancelled, OrderPaid, OrderRefunded
from server.storage.columns import Column, Texts
from server.storage.facts import number_of
from server.storage.rows import EVENT

# Who is busy sits at the desk and answers; who is away does not.
THERE = frozenset({"online", "busy"})
DEFAULT_CAPACITY = 8
_LOGGED = (EVENT.c.seq, EVENT.c.at_ms, EVENT.c.customer_id, EVENT.c.actor_id, EVENT.c.data)


@dataclass(frozen=True, slots=True)
class LogKind:
    """A source of such rows: of which events, its own columns, and how many days go together.

    ``at_ms`` says to which day a row belongs. Besides, each row has the ``seq`` and the
    ``told_at_ms`` of its event.
    """

    kinds: tuple[str, ...]
    own: Callable[[Sequence[tuple[Any, dict[str, Any]]]], dict[str, Column]]  # Any: as above
    names: tuple[str, ...]
    days: int = 1


def _paid(rows: Sequence[tuple[Any, dict[str, Any]]]) -> dict[str, Column]:  # Any: as above
    return {
        "at_ms": _whole(data.get("paid_at_ms") or row.at_ms for row, data in rows),
        "number": _whole(number_of(data["order_id"]) for _, data in rows),
        "customer": _whole(
            None if row.customer_id is None else number_of(row.customer_id) for row, _ in rows
        ),
        "amount_minor": _whole(data.get("amount_minor") for _, data in rows),
        "currency": Texts.of(data.get("currency") or None for _, data in rows),
        # In order, so that the same products are the same text.
        "skus": Texts.of("\n".join(sorted(set(data.get("skus") or ()))) for _, data in rows),
    }


def _returned(rows: Sequence[tuple[Any, dict[str, Any]]]) -> dict[str, Column]:  # Any: as above
    # A cancelled order has no amount: all of it goes back.
    return {
        "at_ms": _whole(row.at_ms for row, _ in rows),
        "number": _whole(number_of(data["order_id"]) for _, data in rows),
        "amount_minor": _whole(data.get("amount_minor") for _, data in rows),
    }


def _presence(rows: Sequence[tuple[Any, dict[str, Any]]]) -> dict[str, Column]:  # Any: as above
    there = [data.get("status") in THERE for _, data in rows]
    return {
        "at_ms": _whole(row.at_ms for row, _ in rows),
        "agent_id": Texts.of(row.actor_id for row, _ in rows),
        "there": np.array(there, bool),
        "capacity": _whole(data.get("capacity", DEFAULT_CAPACITY) for _, data in rows),
    }


LOG_KINDS: Mapping[str, LogKind] = {
    "paid": LogKind(
        (OrderPaid.kind,),
        _paid,
        ("at_ms", "number", "customer", "amount_minor", "currency", "skus"),
    ),
    "returned": LogKind(
        (OrderRefunded.kind, OrderCancelled.kind), _returned, ("at_ms", "number", "amount_minor")
    ),
    # Whether somebody is there hangs on all that came before: few blocks are read sooner.
    "presence": LogKind(
        (AgentPresenceChanged.kind,), _presence, ("at_ms", "agent_id", "there", "capacity"), 32
    ),
}
ALL_LOG_KINDS = frozenset(kind for source in LOG_KINDS.values() for kind in source.kinds)


def _whole(values: Iterable[int | None]) -> Column:
    return np.array([-1 if value is None else int(value) for value in values], np.int64)


def log_columns(source: str, rows: Iterable[Any]) -> dict[str, Column]:  # Any: rows of the log
    """The columns of events of a source."""
    read = [(row, orjson.loads(row.data)) for row in rows]
    columns = LOG_KINDS[source].own(read)
    columns["seq"] = np.array([row.seq for row, _ in read], np.int64)
    columns["told_at_ms"] = np.array([row.at_ms for row, _ in read], np.int64)
    return columns


def log_rows(source: str, *, after_seq: int, up_to_seq: int | None) -> Select[Any]:  # Any: as above
    """The events of a source in a stretch of the log."""
    c, kinds = EVENT.c, LOG_KINDS[source].kinds
    # By kind when it is about all of the log; else by number, which the planner cannot know.
    kind = c.kind if after_seq == 0 else c.kind.concat("")
    statement = select(*_LOGGED).where(kind.in_(kinds)).order_by(c.seq)
    if after_seq:
        statement = statement.where(c.seq > after_seq)
    if up_to_seq is not None:
        statement = statement.where(c.seq <= up_to_seq)
    return statement


def load_log_columns(
    connection: Connection, source: str, *, after_seq: int, up_to_seq: int | None
) -> dict[str, Column]:
    """The columns of a source in a stretch of the log."""
    statement = log_rows(source, after_seq=after_seq, up_to_seq=up_to_seq)
    return log_columns(source, connection.execute(statement).all())
