"""Sums that reports read, kept reports, and reports by mail."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


class FigureHead(SQLModel, table=True):
    """One row: how far in the log the columns of figures go, and how they are made."""

    __tablename__ = "figure_head"
    id: int = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    shape: int


class FigureDay(SQLModel, table=True):
    """A day (of UTC, counted from 1970) of which the rows of figures are kept as columns."""

    __tablename__ = "figure_day"
    source: str = Field(primary_key=True)
    day: int = Field(primary_key=True)
    n: int
    last_seq: int = Field(sa_type=BigInteger)
    last_at_ms: int = Field(sa_type=BigInteger)


class FigureColumn(SQLModel, table=True):
    """One column of a day of a source of figures, as ``storage.columns`` packs it."""

    __tablename__ = "figure_column"
    source: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    day: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)


class StoredReport(SQLModel, table=True):
    """A report as it was saved: what it asked, up to where, by which definitions, and its rows."""

    __tablename__ = "stored_report"
    id: str = Field(primary_key=True)
    name: str
    query: str = Field(sa_type=Text)
    as_of_seq: int = Field(sa_type=BigInteger)
    as_of_ms: int = Field(sa_type=BigInteger)
    definitions: str = Field(sa_type=Text)
    calendar_version: int
    sha256: str
    body: str = Field(sa_type=Text)
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger, index=True)


class ReportSchedule(SQLModel, table=True):
    """A report that is mailed again and again; metrics and recipients are JSON lists."""

    __tablename__ = "report_schedule"
    __table_args__ = (Index("ix_report_schedule_due", "enabled", "due_at_ms"),)
    id: str = Field(primary_key=True)
    name: str
    metrics: str = Field(sa_type=Text)
    by: str | None = None
    every: str
    hour: int
    day: int
    locale: str
    recipients: str = Field(sa_type=Text)
    enabled: bool
    due_at_ms: int = Field(sa_type=BigInteger)
    agent_id: str | None = None
    report_id: str | None = None
    sent_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    problem: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
