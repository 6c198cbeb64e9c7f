"""Who is here now, as the processes tell one another."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class Process(SQLModel, table=True):
    """A serving process; one that has not been seen for a while is dead."""

    id: str = Field(primary_key=True)
    started_at_ms: int = Field(sa_type=BigInteger)
    seen_at_ms: int = Field(sa_type=BigInteger)


class ShopperPresence(SQLModel, table=True):
    """A shopper whose widget is connected to a process, or was until ``gone_at_ms``."""

    __tablename__ = "shopper_presence"
    __table_args__ = (Index("ix_shopper_presence_customer", "customer_id"),)
    process_id: str = Field(primary_key=True)
    customer_id: str = Field(primary_key=True)
    gone_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class Viewing(SQLModel, table=True):
    """An agent who has a conversation in front of them, through a process."""

    __table_args__ = (Index("ix_viewing_conversation", "conversation_id"),)
    process_id: str = Field(primary_key=True)
    conversation_id: str = Field(primary_key=True)
    agent_id: str = Field(primary_key=True)
