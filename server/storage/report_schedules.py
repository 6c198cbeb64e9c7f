"""Reports that are mailed again and again."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from server.domain.report_schedule import Schedule
from server.storage.locking import lockable, locked_row
from server.storage.tables import ReportSchedule, table
from server.storage.unit import Tx

REPORT_SCHEDULE = table(ReportSchedule)
C = REPORT_SCHEDULE.c
_ONE = lockable(select(REPORT_SCHEDULE).where(C.id == bindparam("id")))


def load_schedules(connection: Connection) -> list[Schedule]:
    """All of them, by name."""
    rows = connection.execute(select(REPORT_SCHEDULE).order_by(C.name, C.id)).mappings()
    return [_schedule(row) for row in rows]


def load_schedule(connection: Connection, schedule_id: str) -> Schedule | None:
    """One of them, None when there is none."""
    statement = select(REPORT_SCHEDULE).where(C.id == schedule_id)
    row = connection.execute(statement).mappings().first()
    return None if row is None else _schedule(row)


def due_schedules(connection: Connection, *, at_ms: int) -> list[Schedule]:
    """Those whose time has come."""
    statement = select(REPORT_SCHEDULE).where(C.enabled, C.due_at_ms <= at_ms).order_by(C.due_at_ms)
    return [_schedule(row) for row in connection.execute(statement).mappings()]


def lock_schedule(tx: Tx, schedule_id: str) -> Schedule | None:
    """As ``load_schedule``, kept from others until the commit."""
    row = locked_row(tx.connection, _ONE, schedule_id)
    return None if row is None else _schedule(row)


def add_schedule(tx: Tx, schedule: Schedule) -> None:
    """Adds one."""
    values = {"id": schedule.id, "created_at_ms": tx.at_ms, **_values(tx, schedule)}
    tx.later(insert(REPORT_SCHEDULE), values)


def update_schedule(tx: Tx, schedule: Schedule) -> None:
    """Writes one down as it is now."""
    tx.later(update(REPORT_SCHEDULE).where(C.id == schedule.id).values(**_values(tx, schedule)))


def remove_schedule(tx: Tx, schedule_id: str) -> None:
    """Takes one out; the reports that it made stay."""
    tx.later(delete(REPORT_SCHEDULE).where(C.id == schedule_id))


def _values(tx: Tx, schedule: Schedule) -> dict[str, object]:
    return {
        "name": schedule.name,
        "metrics": orjson.dumps(schedule.metrics).decode(),
        "by": schedule.by,
        "every": schedule.every,
        "hour": schedule.hour,
        "day": schedule.day,
        "locale": schedule.locale,
        "recipients": orjson.dumps(schedule.recipients).decode(),
        "enabled": schedule.enabled,
        "due_at_ms": schedule.due_at_ms,
        "agent_id": schedule.agent_id,
        "report_id": schedule.report_id,
        "sent_at_ms": schedule.sent_at_ms,
        "problem": schedule.problem,
        "updated_at_ms": tx.at_ms,
    }


def _schedule(row: RowMapping) -> Schedule:
    return Schedule(
        id=row["id"],
        name=row["name"],
        metrics=tuple(orjson.loads(row["metrics"])),
        by=row["by"],
        every=row["every"],
        hour=row["hour"],
        day=row["day"],
        locale=row["locale"],
        recipients=tuple(orjson.loads(row["recipients"])),
        enabled=bool(row["enabled"]),
        due_at_ms=row["due_at_ms"],
        agent_id=row["agent_id"],
        report_id=row["report_id"],
        sent_at_ms=row["sent_at_ms"],
        problem=row["problem"],
    )
