"""Opening hours, targets, and the clocks that run against them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class CalendarVersion(SQLModel, table=True):
    """Business hours, one row a change: of a team, or without ``team_id`` of everybody else.

    A row holds from ``effective_from_ms`` until the next one of the same team does. Without
    ``hours`` no hours are set: the shop's are always open, a team keeps the shop's.
    """

    __tablename__ = "calendar_version"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    team_id: str | None = None
    hours: str | None = Field(default=None, sa_type=Text)
    effective_from_ms: int = Field(sa_type=BigInteger)
    seq: int = Field(sa_type=BigInteger)
    agent_id: str | None = None
    restored: int | None = None


class TargetVersion(SQLModel, table=True):
    """The list of policies, one row a change; the one with the highest number holds."""

    __tablename__ = "target_version"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    policies: str = Field(sa_type=Text)
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class TargetWatch(SQLModel, table=True):
    """When the clocks of a chat or ticket have to be looked at again, and what is due next."""

    __tablename__ = "target_watch"
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    look_at_ms: int | None = Field(default=None, sa_type=BigInteger, index=True)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    target: str | None = None
    missed: bool = False
