"""Repairs of relations, plans of follow-up calls and the calls that were made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any  # Any: column values

from sqlalchemy import Connection, bindparam, exists, func, insert, select, tuple_, update

from server.storage.locking import lockable, locked_row
from server.storage.orders import SHOP_ORDER
from server.storage.persons import members, person_of
from server.storage.tables import CareCall, CarePlan, CareRepair, table
from server.storage.ticket_rows import TICKET
from server.storage.unit import Tx

REPAIR, PLAN, CALL = table(CareRepair), table(CarePlan), table(CareCall)
R, P, L, T, D = REPAIR.c, PLAN.c, CALL.c, TICKET.c, SHOP_ORDER.c
READER = "care.repairs"
_KEPT = select(PLAN).where(P.id == bindparam("id"), P.removed_at_ms.is_(None))
_LOCKED = lockable(_KEPT)


@dataclass(frozen=True, slots=True)
class Repair:
    """A cause for which a relation needed mending, and the ticket of it; ``held``: why none."""

    cause: str
    kind: str
    customer_id: str
    ticket_id: str | None
    held: str | None
    at_ms: int
    due_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to call so many days after a delivery.

    ``segment`` is one that comes with the program, or ``saved:ID``; ``share`` a per cent of the
    orders. Deliveries that were due for a call before ``since_ms`` are passed over.
    """

    id: str
    enabled: bool
    days: int
    segment: str | None
    share: int
    team_id: str | None
    question_en: str
    question_zh: str
    since_ms: int
    created_at_ms: int
    updated_at_ms: int
    updated_by: str | None
    removed_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A follow-up call about an order, and what came of it."""

    order_id: str
    plan_id: str
    customer_id: str | None
    ticket_id: str | None
    held: str | None
    made_at_ms: int
    due_at_ms: int | None
    outcome: str | None = None
    outcome_at_ms: int | None = None
    problem_id: str | None = None
    tries: int = 0


# repairs


def repair_of(connection: Connection, cause: str) -> Repair | None:
    """What was made of a cause, or None."""
    row = connection.execute(select(REPAIR).where(R.cause == cause)).mappings().first()
    return None if row is None else Repair(**row)


def add_repair(tx: Tx, repair: Repair) -> None:
    """Keeps what was made of a cause."""
    tx.later(insert(REPAIR), {name: getattr(repair, name) for name in Repair.__dataclass_fields__})


def open_repair(connection: Connection, customer_ids: list[str]) -> str | None:
    """The id of a person's repair that is not over, or None."""
    statement = (
        select(T.id)
        .join_from(REPAIR, TICKET, T.id == R.ticket_id)
        .where(T.customer_id.in_(customer_ids), T.lane != "done")
        .order_by(T.created_at_ms)
        .limit(1)
    )
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else str(found)


def latest_repairs(connection: Connection, *, limit: int) -> list[tuple[Repair, str | None]]:
    """The latest causes with the numbers of their tickets."""
    rows = connection.execute(
        select(REPAIR, T.number)
        .join_from(REPAIR, TICKET, T.id == R.ticket_id, isouter=True)
        .order_by(R.at_ms.desc(), R.cause)
        .limit(limit)
    ).mappings()
    return [
        (Repair(**{name: row[name] for name in Repair.__dataclass_fields__}), row["number"])
        for row in rows
    ]


def complaints_of(
    connection: Connection, customer_ids: list[str], *, since_ms: int, last: tuple[int, str]
) -> int:
    """How many complaints a person has made since an instant, up to ``last`` (made at, id)."""
    statement = select(func.count()).where(
        T.customer_id.in_(customer_ids),
        T.type == "complaint",
        T.created_at_ms >= since_ms,
        tuple_(T.created_at_ms, T.id) <= last,
        T.state.not_in(("merged", "spam")),
    )
    return int(connection.execute(statement).scalar_one())


def loads(connection: Connection, agent_ids: list[str]) -> dict[str, int]:
    """How many tickets that wait for us each of these people has."""
    rows = connection.execute(
        select(T.assignee_id, func.count())
        .where(T.assignee_id.in_(agent_ids), T.lane == "us")
        .group_by(T.assignee_id)
    )
    return dict.fromkeys(agent_ids, 0) | {row[0]: int(row[1]) for row in rows}


# plans and calls


def load_plans(connection: Connection, *, enabled: bool = False) -> list[Plan]:
    """The plans that are kept, in the order in which they were made."""
    statement = select(PLAN).where(P.removed_at_ms.is_(None)).order_by(P.created_at_ms, P.id)
    if enabled:
        statement = statement.where(P.enabled)
    return [_plan(row) for row in connection.execute(statement).mappings()]


def load_plan(connection: Connection, plan_id: str, *, lock: bool = False) -> Plan | None:
    """One plan that is kept, or None; with ``lock`` for this transaction alone. Raises Held."""
    if lock:
        row = locked_row(connection, _LOCKED, plan_id)
    else:
        row = connection.execute(_KEPT, {"id": plan_id}).mappings().first()
    return None if row is None else _plan(row)


def _plan(row: Any) -> Plan:  # Any: a row
    return Plan(**dict(row) | {"enabled": bool(row["enabled"])})


def save_plan(tx: Tx, plan: Plan, *, new: bool) -> None:
    """Keeps a plan as it is now."""
    values = {name: getattr(plan, name) for name in Plan.__dataclass_fields__}
    tx.later(
        insert(PLAN).values(values) if new else update(PLAN).where(P.id == plan.id).values(values)
    )


def due_orders(
    connection: Connection,
    *,
    from_ms: int,
    to_ms: int,
    after: tuple[int, str],
    limit: int,
) -> list[tuple[str, str, int]]:
    """Orders delivered between two instants about which nobody is called yet, behind a place.

    Each as (order, customer, delivered at), in the order of their delivery.
    """
    statement = (
        select(D.id, D.customer_id, D.delivered_at_ms)
        .where(
            D.delivered_at_ms >= max(from_ms, after[0]),
            D.delivered_at_ms < to_ms,
            (D.delivered_at_ms > after[0]) | (D.id > after[1]),
            D.customer_id.is_not(None),
            D.cancelled_at_ms.is_(None),
            D.test.is_(False),
            ~exists().where(L.order_id == D.id),
        )
        .order_by(D.delivered_at_ms, D.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def call_of_order(connection: Connection, order_id: str) -> Call | None:
    """The call about an order, or None."""
    row = connection.execute(select(CALL).where(L.order_id == order_id)).mappings().first()
    return None if row is None else Call(**row)


def call_of_ticket(connection: Connection, ticket_id: str) -> Call | None:
    """The call that a ticket is, or None."""
    row = connection.execute(select(CALL).where(L.ticket_id == ticket_id)).mappings().first()
    return None if row is None else Call(**row)


def add_call(tx: Tx, call: Call) -> None:
    """Keeps a call that is to be made, or why none is."""
    tx.later(insert(CALL), {name: getattr(call, name) for name in Call.__dataclass_fields__})


def change_call(tx: Tx, order_id: str, values: dict[str, Any]) -> None:  # Any: column values
    """Keeps what came of a call."""
    tx.later(update(CALL).where(L.order_id == order_id).values(**values))


def refused_calls(connection: Connection, customer_id: str) -> bool:
    """True for somebody who has said that they want no calls."""
    rows = members(connection, person_of(connection, customer_id))
    statement = select(L.order_id).where(L.customer_id.in_(rows), L.outcome == "refused").limit(1)
    return connection.execute(statement).first() is not None


def outcomes(connection: Connection, *, since_ms: int, at_ms: int) -> dict[str, dict[str, int]]:
    """By plan how many calls there were since an instant, and what came of them.

    ``made``, ``held``, each outcome, ``open``, ``late`` (open past their day) and ``in_time``.
    """
    found: dict[str, dict[str, int]] = {}
    rows = connection.execute(
        select(L.plan_id, L.held, L.outcome, L.due_at_ms, L.outcome_at_ms, T.lane)
        .join_from(CALL, TICKET, T.id == L.ticket_id, isouter=True)
        .where(L.made_at_ms >= since_ms)
    )
    for row in rows:
        own = found.setdefault(row.plan_id, {})

        def count(name: str, own: dict[str, int] = own) -> None:
            own[name] = own.get(name, 0) + 1

        if row.held is not None:
            count("held")
            continue
        count("made")
        if row.outcome is not None:
            count(row.outcome)
        ended = row.outcome in ("reached", "refused", "problem")
        if ended and (row.outcome_at_ms or 0) <= (row.due_at_ms or 0):
            count("in_time")
        elif not ended and row.lane != "done":
            count("open")
            if (row.due_at_ms or 0) < at_ms:
                count("late")
    return found
