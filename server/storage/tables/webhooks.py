"""Other programs that are told what happens."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel


class WebhookRow(SQLModel, table=True):
    """A receiver of events. ``kinds`` empty means every kind; ``lease`` names who serves it now."""

    __tablename__ = "webhook"
    id: str = Field(primary_key=True)
    name: str
    url: str = Field(sa_type=Text)
    kinds: str = Field(default="[]", sa_type=Text)
    secret: str
    old_secret: str | None = None
    old_secret_until_ms: int | None = Field(default=None, sa_type=BigInteger)
    after_seq: int = Field(sa_type=BigInteger)
    created_at_ms: int = Field(sa_type=BigInteger)
    state: str = "active"
    state_at_ms: int = Field(sa_type=BigInteger)
    failures: int = 0
    failing_since_ms: int | None = Field(default=None, sa_type=BigInteger)
    hold_until_ms: int = Field(default=0, sa_type=BigInteger)
    lease: str | None = None
    leased_until_ms: int = Field(default=0, sa_type=BigInteger)
    served_at_ms: int = Field(default=0, sa_type=BigInteger)


class WebhookDelivery(SQLModel, table=True):
    """An event on its way to a receiver, or what came of it.

    It holds no text of the event: the body is made when it is sent, from what is there then.
    ``due_at_ms`` is set while it waits; ``failures`` counts those of the present schedule.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_list", "webhook_id", "created_at_ms", "id"),
        Index("ix_webhook_delivery_created", "created_at_ms"),
        Index(
            "ix_webhook_delivery_due",
            "webhook_id",
            "due_at_ms",
            sqlite_where=text("due_at_ms IS NOT NULL"),
            postgresql_where=text("due_at_ms IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    webhook_id: str = Field(foreign_key="webhook.id")
    seq: int | None = Field(default=None, sa_type=BigInteger)
    kind: str
    conversation_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    status: str = "pending"
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    attempts: int = 0
    failures: int = 0
    attempted_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    outcome: str | None = None
    code: int | None = None
    elapsed_ms: int | None = None
    answer: str | None = Field(default=None, sa_type=Text)
