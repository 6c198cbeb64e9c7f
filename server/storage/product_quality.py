"""Alarms of defects, and who was told that one is fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from server.domain.defects import Spike
from server.storage.tables import DefectAlarm, FixNotice, FixTold, table
from server.storage.unit import Tx

ALARM, NOTICE, TOLD = table(DefectAlarm), table(FixNotice), table(FixTold)
# Which day was looked at last, kept as a place of a reader.
WATCHER = "care.defects"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A spike as it was told; ``expected`` is in thousandths."""

    sku: str
    batch: str
    at_ms: int
    defects: int
    orders: int
    expected_milli: int

    @property
    def expected(self) -> float:
        """How many defects chance would have brought."""
        return self.expected_milli / 1000


@dataclass(frozen=True, slots=True)
class Announcement:
    """What those affected were told, and how many were; ``held`` are those who were not."""

    id: str
    sku: str
    batch: str | None
    words_en: str
    words_zh: str
    at_ms: int
    by_id: str | None
    told: int
    held: int


def alarms_since(connection: Connection, since_ms: int, *, sku: str | None = None) -> list[Alarm]:
    """Alarms from an instant on, the newest first."""
    c = ALARM.c
    statement = select(c.sku, c.defect_batch, c.at_ms, c.defects, c.orders, c.expected_milli)
    statement = statement.where(c.at_ms >= since_ms).order_by(c.at_ms.desc(), c.sku).limit(200)
    if sku is not None:
        statement = statement.where(c.sku == sku)
    return [Alarm(*row) for row in connection.execute(statement)]


def add_alarm(tx: Tx, spike: Spike, *, week: str) -> None:
    """Keeps that a spike was told."""
    tx.later(
        insert(ALARM),
        {
            "sku": spike.sku,
            "defect_batch": spike.batch,
            "week": week,
            "at_ms": tx.at_ms,
            "defects": spike.defects,
            "orders": spike.orders,
            "expected_milli": round(spike.expected * 1000),
        },
    )


def announcements_of(connection: Connection, sku: str) -> list[Announcement]:
    """What was told about a product, the newest first."""
    c = NOTICE.c
    statement = select(NOTICE).where(c.sku == sku).order_by(c.at_ms.desc()).limit(50)
    return [Announcement(*row) for row in connection.execute(statement)]


def told_tickets(connection: Connection, ticket_ids: Sequence[str]) -> set[str]:
    """Those of these tickets in which it was told already."""
    c = TOLD.c
    found: set[str] = set()
    for at in range(0, len(ticket_ids), 500):
        some = list(ticket_ids[at : at + 500])
        rows = connection.execute(
            select(c.ticket_id).where(c.ticket_id.in_(some), c.held.is_(None))
        )
        found |= set(rows.scalars())
    return found


def add_announcement(tx: Tx, announcement: Announcement) -> None:
    """Keeps what was told."""
    tx.later(
        insert(NOTICE),
        {
            "id": announcement.id,
            "sku": announcement.sku,
            "defect_batch": announcement.batch,
            "words_en": announcement.words_en,
            "words_zh": announcement.words_zh,
            "at_ms": announcement.at_ms,
            "by_id": announcement.by_id,
            "told": announcement.told,
            "held": announcement.held,
        },
    )


def add_told(tx: Tx, ticket_id: str, notice_id: str) -> None:
    """Keeps that it was told in a ticket."""
    values = {"ticket_id": ticket_id, "notice_id": notice_id, "held": None, "at_ms": tx.at_ms}
    tx.later(insert(TOLD), values)
