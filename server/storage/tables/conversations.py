"""The log of events, and the conversations that are folded from it.

``conversation``, ``chat_session`` and ``turn`` are derived: they equal the fold of ``event``, which
``shopbell verify`` proves. Texts and personal data live outside the log.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# Which events the history of a customer is read from; the words of the index and of its query.
OF_CUSTOMER = (
    "conversation_id IS NULL AND customer_id IS NOT NULL AND substr(kind, 1, 6) <> 'order.'"
)


# The chats that are open or snoozed: few, however many tickets and past chats there are. A query
# has to say it in these words, or the index is not used.
ON_DESK = "status IN ('open', 'snoozed') AND channel <> 'ticket'"


class EventRow(SQLModel, table=True):
    """The append-only log: everything that happened, in the order of ``seq``."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_staff", "conversation_id", "staff_seq", unique=True),
        Index("ix_event_visitor", "conversation_id", "visitor_seq"),
        Index("ix_event_kind_at", "kind", "at_ms"),
        # The history of a customer aside from conversations and orders, which have own rows.
        Index(
            "ix_event_customer",
            "customer_id",
            "seq",
            sqlite_where=text(OF_CUSTOMER),
            postgresql_where=text(OF_CUSTOMER),
        ),
        # What some customers paid: 30,000 of them among 2.8 M orders.
        Index(
            "ix_event_paid",
            "customer_id",
            "at_ms",
            sqlite_where=text("kind = 'order.paid'"),
            postgresql_where=text("kind = 'order.paid'"),
        ),
    )
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    event_id: str = Field(unique=True)
    at_ms: int = Field(sa_type=BigInteger)
    src_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    kind: str
    conversation_id: str | None = None
    session_no: int | None = None
    customer_id: str | None = None
    actor_kind: str
    actor_id: str | None = None
    channel: str | None = None
    team_id: str | None = None
    staff_seq: int | None = None
    visitor_seq: int | None = None
    data: str = Field(default="{}", sa_type=Text)
    imported: bool = False
    v: int = 1


class ConversationRow(SQLModel, table=True):
    """A conversation: ``state`` is the whole reducer state, the columns are what queries need."""

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_status", "status", "last_activity_at_ms"),
        Index("ix_conversation_assignee", "assignee_id", "status"),
        Index(
            "ix_conversation_desk",
            "assignee_id",
            "status",
            sqlite_where=text(ON_DESK),
            postgresql_where=text(ON_DESK),
        ),
        # SQLite, which does not know how few they are, would walk through all that is open.
        Index(
            "ix_conversation_chats",
            "status",
            sqlite_where=text(ON_DESK),
            postgresql_where=text(ON_DESK),
        ),
        Index("ix_conversation_customer", "customer_id", "last_activity_at_ms"),
        Index("ix_conversation_opened", "opened_at_ms", "id"),
        Index(
            "ix_conversation_queued",
            "queued_at_ms",
            sqlite_where=text("queued_at_ms IS NOT NULL"),
            postgresql_where=text("queued_at_ms IS NOT NULL"),
        ),
        # Where a shopper waits: few, and by what rules about long waits find them.
        Index(
            "ix_conversation_waiting",
            "waiting_since_ms",
            sqlite_where=text("waiting_since_ms IS NOT NULL"),
            postgresql_where=text("waiting_since_ms IS NOT NULL"),
        ),
        # The order in which the queue is served: 0.6 ms instead of 12 to take one of 10,000.
        Index(
            "ix_conversation_queue",
            text("coalesce(waiting_since_ms, queued_at_ms)"),
            "queued_at_ms",
            postgresql_where=text("queued_at_ms IS NOT NULL AND status = 'open'"),
        ).ddl_if(dialect="postgresql"),
    )
    id: str = Field(primary_key=True)
    external_id: str | None = Field(default=None, unique=True)
    customer_id: str = Field(foreign_key="customer.id")
    channel: str
    status: str
    team_id: str | None = None
    assignee_id: str | None = None
    queued_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    waiting_since_ms: int | None = Field(default=None, sa_type=BigInteger)
    snoozed_until_ms: int | None = Field(default=None, sa_type=BigInteger)
    opened_at_ms: int = Field(sa_type=BigInteger)
    resolved_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    last_activity_at_ms: int = Field(sa_type=BigInteger)
    staff_seq: int
    visitor_seq: int
    last_seq: int = Field(sa_type=BigInteger)
    preview: str | None = None
    state: str = Field(sa_type=Text)


class MessageRow(SQLModel, table=True):
    """What was written. ``client_id`` is unique per sender, so a resend finds the first answer."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("sender_kind", "sender_id", "client_id", name="uq_message_client"),
        Index("ix_message_conversation", "conversation_id", "seq"),
    )
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversation.id")
    seq: int = Field(sa_type=BigInteger, unique=True)
    staff_seq: int
    visitor_seq: int | None = None
    sender_kind: str
    sender_id: str | None = None
    client_id: str | None = None
    visibility: str
    origin: str
    body: str = Field(sa_type=Text)
    blocks: str | None = Field(default=None, sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger)


class SessionRow(SQLModel, table=True):
    """One visit's talk inside a conversation."""

    __tablename__ = "chat_session"
    __table_args__ = (Index("ix_chat_session_started", "started_at_ms"),)
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    session_no: int = Field(primary_key=True)
    cause: str
    started_at_ms: int = Field(sa_type=BigInteger)
    ended_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    resolved_by: str | None = None
    rating_asked_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    rating: int | None = None
    rated_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    replies: int = 0
    first_turn_no: int | None = None


class RatingComment(SQLModel, table=True):
    """What a shopper wrote beside a rating; kept apart from the log because it is personal."""

    __tablename__ = "rating_comment"
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    session_no: int = Field(primary_key=True)
    comment: str = Field(sa_type=Text)


class TurnRow(SQLModel, table=True):
    """One wait of a shopper; ``shares`` says how it divides among bot, queue and agents."""

    __tablename__ = "turn"
    __table_args__ = (
        Index("ix_turn_ask", "ask_at_ms"),
        Index("ix_turn_answered_by", "answered_by", "ask_at_ms"),
    )
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    turn_no: int = Field(primary_key=True)
    session_no: int
    is_first_in_session: bool
    ask_seq: int = Field(sa_type=BigInteger)
    ask_at_ms: int = Field(sa_type=BigInteger)
    ask_message_id: str
    outcome: str
    end_seq: int | None = Field(default=None, sa_type=BigInteger)
    end_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    elapsed_ms: int | None = Field(default=None, sa_type=BigInteger)
    reply_message_id: str | None = None
    answered_by: str | None = None
    owner_id: str | None = None
    bot_reply_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    shares: str = Field(default="[]", sa_type=Text)
    biz_ms: int | None = Field(default=None, sa_type=BigInteger)


class ReadMark(SQLModel, table=True):
    """Up to which message a party has read a conversation."""

    __tablename__ = "read_mark"
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    reader_kind: str = Field(primary_key=True)
    reader_id: str = Field(primary_key=True)
    message_id: str
    message_seq: int = Field(sa_type=BigInteger)
    at_ms: int = Field(sa_type=BigInteger)


class Draft(SQLModel, table=True):
    """What an agent has begun to write."""

    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    agent_id: str = Field(primary_key=True, foreign_key="agent.id")
    body: str = Field(sa_type=Text)
    visibility: str
    updated_at_ms: int = Field(sa_type=BigInteger)
