"""Those who work here, their teams, how they and programs sign in."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, true
from sqlmodel import Field, SQLModel


class Agent(SQLModel, table=True):
    """A person who can sign in, or an inactive person known from an imported log."""

    id: str = Field(primary_key=True)
    email: str | None = Field(default=None, unique=True)
    imported_as: str | None = Field(default=None, unique=True)
    name: str
    role: str = "agent"
    password_hash: str | None = None
    active: bool = True
    locale: str | None = None
    languages: str = Field(default="[]", sa_type=Text)
    status: str = "offline"
    status_cause: str | None = None
    capacity: int = 8
    status_at_ms: int = Field(default=0, sa_type=BigInteger)
    seen_at_ms: int = Field(default=0, sa_type=BigInteger)
    last_assigned_at_ms: int = Field(default=0, sa_type=BigInteger)
    created_at_ms: int = Field(sa_type=BigInteger)
    alarm_mail: bool = Field(default=True, sa_column_kwargs={"server_default": true()})


class Team(SQLModel, table=True):
    """A group of agents with a queue of its own."""

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    name_zh: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class TeamMember(SQLModel, table=True):
    """Who belongs to which team."""

    __tablename__ = "team_member"
    team_id: str = Field(primary_key=True, foreign_key="team.id")
    agent_id: str = Field(primary_key=True, foreign_key="agent.id", index=True)


class SignIn(SQLModel, table=True):
    """A browser in which a person is signed in; the cookie's hash, never the cookie."""

    __tablename__ = "sign_in"
    token_hash: str = Field(primary_key=True)
    agent_id: str = Field(foreign_key="agent.id", index=True)
    csrf: str
    created_at_ms: int = Field(sa_type=BigInteger)
    seen_at_ms: int = Field(sa_type=BigInteger)
    user_agent: str | None = None


class ApiToken(SQLModel, table=True):
    """A token a program acts with as a person; only its hash is kept."""

    __tablename__ = "api_token"
    token_hash: str = Field(primary_key=True)
    agent_id: str = Field(foreign_key="agent.id", index=True)
    name: str
    created_at_ms: int = Field(sa_type=BigInteger)
    expires_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    seen_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    scopes: str | None = Field(default=None, sa_type=Text)


class KeptAnswer(SQLModel, table=True):
    """What a program was answered under an idempotency key, so that a repeat changes nothing."""

    __tablename__ = "kept_answer"
    owner: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request: str
    status: int
    answer: str = Field(sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger, index=True)


class FailedTry(SQLModel, table=True):
    """How often a sign-in failed, by a hash of the account or of the address."""

    __tablename__ = "failed_try"
    __table_args__ = (Index("ix_failed_try_last", "last_at_ms"),)
    key_hash: str = Field(primary_key=True)
    failures: int
    last_at_ms: int = Field(sa_type=BigInteger)
    recent: str = Field(default="[]", sa_type=Text)
