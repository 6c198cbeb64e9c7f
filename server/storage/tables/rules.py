"""Rules that act by themselves, and what they did."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel


class RuleRow(SQLModel, table=True):
    """A rule that acts by itself; what it says is in its latest version.

    It looks at what happens after ``since_ms``. ``stopped`` is why the program switched it off.
    """

    __tablename__ = "rule"
    id: str = Field(primary_key=True)
    version: int
    enabled: bool
    position: int
    since_ms: int = Field(sa_type=BigInteger)
    stopped: str | None = None
    removed_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    updated_by: str | None = None


class RuleVersion(SQLModel, table=True):
    """What a rule said from an instant on, and who made it so; ``change`` says what was done."""

    __tablename__ = "rule_version"
    rule_id: str = Field(primary_key=True, foreign_key="rule.id")
    version: int = Field(primary_key=True)
    plan: str = Field(sa_type=Text)
    change: str
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class RuleRun(SQLModel, table=True):
    """What a rule did, or was kept from doing, on one object for one cause; never twice.

    ``cause`` is the event or the instant; ``chain`` what led there, ``why`` and ``steps`` what
    matched and what became of each action. ``due_at_ms`` is set while it is put off.
    """

    __tablename__ = "rule_run"
    __table_args__ = (
        UniqueConstraint("rule_id", "cause", name="uq_rule_run_cause"),
        Index("ix_rule_run_rule", "rule_id", "at_ms", "id"),
        Index("ix_rule_run_object", "rule_id", "object_id", "at_ms"),
        Index("ix_rule_run_at", "at_ms"),
        Index(
            "ix_rule_run_due",
            "due_at_ms",
            sqlite_where=text("due_at_ms IS NOT NULL"),
            postgresql_where=text("due_at_ms IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    rule_id: str = Field(foreign_key="rule.id")
    version: int
    cause: str
    seq: int | None = Field(default=None, sa_type=BigInteger)
    subject: str
    object_id: str
    conversation_id: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    outcome: str
    held: str | None = None
    chain: str = Field(default="[]", sa_type=Text)
    why: str = Field(default="[]", sa_type=Text)
    steps: str = Field(default="[]", sa_type=Text)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class RuleEffect(SQLModel, table=True):
    """Which event of the log came of which run of a rule."""

    __tablename__ = "rule_effect"
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    run_id: str = Field(foreign_key="rule_run.id", index=True)
