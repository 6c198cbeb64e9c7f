"""Repair, calls, defects of products, and notices to staff."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel


class CareRepair(SQLModel, table=True):
    """What strained the relation to a customer, and the ticket made of it; once for each cause.

    ``held`` says why none was made.
    """

    __tablename__ = "care_repair"
    __table_args__ = (Index("ix_care_repair_at", "at_ms"),)
    cause: str = Field(primary_key=True)
    kind: str
    customer_id: str
    ticket_id: str | None = None
    held: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class CarePlan(SQLModel, table=True):
    """Whom to call how many days after a delivery; ``share`` is a per cent of those orders."""

    __tablename__ = "care_plan"
    id: str = Field(primary_key=True)
    enabled: bool
    days: int
    segment: str | None = None
    share: int
    team_id: str | None = None
    question_en: str = Field(sa_type=Text)
    question_zh: str = Field(sa_type=Text)
    since_ms: int = Field(sa_type=BigInteger)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    updated_by: str | None = None
    removed_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class CareCall(SQLModel, table=True):
    """A follow-up call about an order, of which there is one at most, and what came of it.

    ``held`` says why none is made; ``problem_id`` is the ticket that the call led to.
    """

    __tablename__ = "care_call"
    __table_args__ = (
        Index("ix_care_call_plan", "plan_id", "made_at_ms"),
        Index("ix_care_call_ticket", "ticket_id"),
    )
    order_id: str = Field(primary_key=True)
    plan_id: str
    customer_id: str | None = None
    ticket_id: str | None = None
    held: str | None = None
    made_at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    outcome: str | None = None
    outcome_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    problem_id: str | None = None
    tries: int


class DefectAlarm(SQLModel, table=True):
    """More defects of a product in a week than chance explains; ``defect_batch`` may be empty."""

    __tablename__ = "defect_alarm"
    __table_args__ = (Index("ix_defect_alarm_at", "at_ms"),)
    sku: str = Field(primary_key=True)
    defect_batch: str = Field(primary_key=True)
    week: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    defects: int
    orders: int = Field(sa_type=BigInteger)
    expected_milli: int = Field(sa_type=BigInteger)


class FixNotice(SQLModel, table=True):
    """What those affected by a defect were told when it was fixed, and how many were."""

    __tablename__ = "fix_notice"
    __table_args__ = (Index("ix_fix_notice_sku", "sku", "at_ms"),)
    id: str = Field(primary_key=True)
    sku: str
    defect_batch: str | None = None
    words_en: str = Field(sa_type=Text)
    words_zh: str = Field(sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None
    told: int
    held: int


class FixTold(SQLModel, table=True):
    """A ticket in which the defect was told to be fixed, once; ``held`` says why it was not."""

    __tablename__ = "fix_told"
    ticket_id: str = Field(primary_key=True)
    notice_id: str = Field(foreign_key="fix_notice.id", index=True)
    held: str | None = None
    at_ms: int = Field(sa_type=BigInteger)


class DeskNotice(SQLModel, table=True):
    """Something that a person of the desk is to know of a ticket: one row for each event.

    ``kind`` is reply, handed, merged, warned or missed; ``target`` which target it was.
    """

    __tablename__ = "desk_notice"
    __table_args__ = (
        Index("ix_desk_notice_at", "at_ms"),
        Index("ix_desk_notice_ticket", "ticket_id"),
        Index(
            "ix_desk_notice_unread",
            "agent_id",
            "seq",
            sqlite_where=text("read_at_ms IS NULL"),
            postgresql_where=text("read_at_ms IS NULL"),
        ),
    )
    agent_id: str = Field(primary_key=True, foreign_key="agent.id")
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    ticket_id: str = Field(foreign_key="ticket.id")
    kind: str
    target: str | None = None
    by_id: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    read_at_ms: int | None = Field(default=None, sa_type=BigInteger)
