"""Quality reviews: scorecards, samples, and what reviewers gave."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


class ScorecardVersion(SQLModel, table=True):
    """A version of what quality reviews judge by; ``criteria`` is JSON."""

    __tablename__ = "scorecard_version"
    version: int = Field(primary_key=True)
    pass_mark: int
    criteria: str = Field(sa_type=Text)
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class ReviewSample(SQLModel, table=True):
    """A draw of chats for review. ``plan``, ``scope`` and ``population`` are JSON.

    By them and the seed the same chats can be drawn again.
    """

    __tablename__ = "review_sample"
    id: str = Field(primary_key=True)
    name: str
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    seed: str
    method: int
    plan: str = Field(sa_type=Text)
    scope: str = Field(sa_type=Text)
    population: str = Field(sa_type=Text)
    card: int
    blind: bool = False
    closed_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class ReviewItem(SQLModel, table=True):
    """A chat that was drawn; ``place`` is its place in the sample, from 1."""

    __tablename__ = "review_item"
    __table_args__ = (
        UniqueConstraint("sample_id", "place"),
        Index("ix_review_item_conversation", "conversation_id"),
        Index("ix_review_item_agent", "agent_id"),
    )
    id: str = Field(primary_key=True)
    sample_id: str
    place: int
    conversation_id: str
    session_no: int
    agent_id: str
    team_id: str | None = None
    channel: str
    started_at_ms: int = Field(sa_type=BigInteger)
    stratum: str
    twice: bool = False


class Review(SQLModel, table=True):
    """What one reviewer says of one chat; ``marks`` is JSON, points by criterion.

    ``given_at_ms`` is None while it is a draft. Words stand in ``review_text``.
    """

    __table_args__ = (UniqueConstraint("item_id", "reviewer_id"),)
    id: str = Field(primary_key=True)
    item_id: str
    reviewer_id: str
    marks: str = Field(sa_type=Text)
    second: bool = False
    revision: int = 0
    score: int | None = None
    passed: bool | None = None
    critical: bool | None = None
    saved_at_ms: int = Field(sa_type=BigInteger)
    given_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    answer: str | None = None
    answered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    settled_by: str | None = None
    settled_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class ReviewText(SQLModel, table=True):
    """The words of a review, which go with those of the chat; ``notes`` is JSON by criterion."""

    __tablename__ = "review_text"
    __table_args__ = (Index("ix_review_text_conversation", "conversation_id"),)
    review_id: str = Field(primary_key=True)
    conversation_id: str
    notes: str = Field(default="{}", sa_type=Text)
    comment: str = Field(default="", sa_type=Text)
    answer: str = Field(default="", sa_type=Text)
    settled: str = Field(default="", sa_type=Text)
