"""Reports as they were saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, RowMapping, delete, insert, or_, select

from server.storage.people import AGENT
from server.storage.tables import StoredReport, table
from server.storage.unit import Tx

STORED_REPORT = table(StoredReport)
C = STORED_REPORT.c


@dataclass(frozen=True, slots=True)
class Stored:
    """A saved report. ``query`` is what was asked, ``definitions`` the version of each metric."""

    id: str
    name: str
    query: Mapping[str, str | int | None]
    metrics: tuple[str, ...]
    as_of_seq: int
    as_of_ms: int
    definitions: Mapping[str, int]
    calendar_version: int
    sha256: str
    body: str
    created_at_ms: int
    by: str | None = None


def add_report(tx: Tx, stored: Stored, *, agent_id: str | None) -> None:
    """Keeps a report."""
    tx.later(
        insert(STORED_REPORT),
        {
            "id": stored.id,
            "name": stored.name,
            "query": orjson.dumps({"metrics": stored.metrics, **stored.query}).decode(),
            "as_of_seq": stored.as_of_seq,
            "as_of_ms": stored.as_of_ms,
            "definitions": orjson.dumps(stored.definitions).decode(),
            "calendar_version": stored.calendar_version,
            "sha256": stored.sha256,
            "body": stored.body,
            "agent_id": agent_id,
            "created_at_ms": stored.created_at_ms,
        },
    )


def load_report(connection: Connection, key: str) -> Stored | None:
    """The report with this id, or the latest with this name; None when there is none."""
    statement = _SELECT.where(or_(C.id == key, C.name == key)).limit(1)
    row = connection.execute(statement).mappings().first()
    return None if row is None else _stored(row)


def load_reports(connection: Connection, *, limit: int) -> list[Stored]:
    """The latest reports, newest first."""
    return [_stored(row) for row in connection.execute(_SELECT.limit(limit)).mappings()]


def remove_report(tx: Tx, report_id: str) -> None:
    """Lets go of a report."""
    tx.later(delete(STORED_REPORT).where(C.id == report_id))


_SELECT = (
    select(STORED_REPORT, AGENT.c.name.label("by"))
    .join_from(STORED_REPORT, AGENT, AGENT.c.id == C.agent_id, isouter=True)
    .order_by(C.created_at_ms.desc(), C.id.desc())
)


def _stored(row: RowMapping) -> Stored:
    query = orjson.loads(row["query"])
    return Stored(
        id=row["id"],
        name=row["name"],
        metrics=tuple(query.pop("metrics")),
        query=query,
        as_of_seq=row["as_of_seq"],
        as_of_ms=row["as_of_ms"],
        definitions=orjson.loads(row["definitions"]),
        calendar_version=row["calendar_version"],
        sha256=row["sha256"],
        body=row["body"],
        created_at_ms=row["created_at_ms"],
        by=row["by"],
    )
