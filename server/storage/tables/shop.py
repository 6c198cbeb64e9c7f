"""The shop itself, its keys, and how far the readers of the log have come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class Shop(SQLModel, table=True):
    """The one shop of this database and its settings."""

    id: int = Field(primary_key=True)
    name: str
    locale: str
    timezone: str
    currency: str
    site_key: str = Field(unique=True)
    origins: str = Field(default="[]", sa_type=Text)
    identity_secret: str | None = None
    settings: str = Field(default="{}", sa_type=Text)
    created_at_ms: int = Field(sa_type=BigInteger)
    old_identity_secret: str | None = None


class Secret(SQLModel, table=True):
    """Keys that this program made for itself, shared by all its processes."""

    name: str = Field(primary_key=True)
    value: str


class LogReader(SQLModel, table=True):
    """Up to which number of the log a durable reader has read it."""

    __tablename__ = "log_reader"
    name: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
