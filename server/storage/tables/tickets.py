"""Tickets: what stands beside their thread."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel


class TicketRow(SQLModel, table=True):
    """A ticket as the fold of its thread's events; the thread is the conversation of the same id.

    ``lane`` and ``sort_ms`` follow from the other columns and are what lists go by. Not from the
    log: ``next_due_at_ms`` and ``next_due``, which the targets give, and ``client_key``, by which
    who made it finds it again.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_lane", "lane", "sort_ms", "id"),
        # All that a count asks for, so that it reads no rows.
        Index(
            "ix_ticket_desk",
            "lane",
            "team_id",
            "assignee_id",
            "type",
            "priority",
            "next_due_at_ms",
            "id",
        ),
        # To the id, in the order of the lists: else SQLite would walk through the whole lane.
        Index("ix_ticket_assignee", "assignee_id", "lane", "sort_ms", "id"),
        Index("ix_ticket_team", "team_id", "lane", "sort_ms", "id"),
        Index("ix_ticket_customer", "customer_id", "created_at_ms"),
        Index("ix_ticket_created", "created_at_ms", "id"),
        Index("ix_ticket_state", "state", "state_at_ms"),
        Index(
            "ix_ticket_wake",
            "wake_at_ms",
            sqlite_where=text("wake_at_ms IS NOT NULL"),
            postgresql_where=text("wake_at_ms IS NOT NULL"),
        ),
        Index(
            "ix_ticket_merged_into",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        Index(
            "ix_ticket_parent",
            "parent_id",
            sqlite_where=text("parent_id IS NOT NULL"),
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True, foreign_key="conversation.id")
    number: str = Field(unique=True)
    customer_id: str = Field(foreign_key="customer.id")
    created_at_ms: int = Field(sa_type=BigInteger)
    type: str
    source: str
    state: str
    status: str | None = None
    reason: str | None = None
    priority: str
    priority_source: str
    team_id: str | None = None
    assignee_id: str | None = None
    parent_id: str | None = None
    merged_into: str | None = None
    before_merge: str | None = None
    updated_at_ms: int = Field(sa_type=BigInteger)
    state_at_ms: int = Field(sa_type=BigInteger)
    wake_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    waiting_since_ms: int | None = Field(default=None, sa_type=BigInteger)
    replied_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    first_resolved_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    resolved_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    reopens: int = 0
    answered: bool = False
    last_reply_id: str | None = None
    owed: str = Field(default="[]", sa_type=Text)
    reminded_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    held: bool = False
    seq: int
    last_seq: int = Field(sa_type=BigInteger)
    next_due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    next_due: str | None = None
    lane: str
    sort_ms: int = Field(sa_type=BigInteger)
    client_key: str | None = Field(default=None, unique=True)


class TicketText(SQLModel, table=True):
    """What people wrote on a ticket itself; kept apart from the log because it is personal."""

    __tablename__ = "ticket_text"
    ticket_id: str = Field(primary_key=True, foreign_key="ticket.id")
    subject: str = Field(sa_type=Text)
    fields: str = Field(default="{}", sa_type=Text)
    contact: str | None = Field(default=None, sa_type=Text)


class TicketLink(SQLModel, table=True):
    """What a ticket points to: a conversation, an order, one of its lines, a product, a ticket."""

    __tablename__ = "ticket_link"
    __table_args__ = (Index("ix_ticket_link_target", "kind", "target"),)
    ticket_id: str = Field(primary_key=True, foreign_key="ticket.id")
    kind: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None


class TicketTask(SQLModel, table=True):
    """A piece of a ticket's work for another desk, with a clock of its own."""

    __tablename__ = "ticket_task"
    __table_args__ = (
        Index("ix_ticket_task_ticket", "ticket_id", "created_at_ms"),
        Index("ix_ticket_task_open", "state", "due_at_ms"),
    )
    id: str = Field(primary_key=True)
    ticket_id: str = Field(foreign_key="ticket.id")
    title: str = Field(sa_type=Text)
    team_id: str | None = None
    assignee_id: str | None = None
    state: str = "open"
    result: str | None = Field(default=None, sa_type=Text)
    created_at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    ended_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    by_id: str | None = None
    ended_by_id: str | None = None


class TicketWatcher(SQLModel, table=True):
    """Who wants to hear of a ticket."""

    __tablename__ = "ticket_watcher"
    ticket_id: str = Field(primary_key=True, foreign_key="ticket.id")
    agent_id: str = Field(primary_key=True, foreign_key="agent.id", index=True)
    at_ms: int = Field(sa_type=BigInteger)
    seen_seq: int = 0


class TicketNote(SQLModel, table=True):
    """The words beside an event of a ticket: values before and after, or why it ended."""

    __tablename__ = "ticket_note"
    __table_args__ = (Index("ix_ticket_note_ticket", "ticket_id"),)
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    ticket_id: str = Field(foreign_key="ticket.id")
    words: str = Field(sa_type=Text)


class TicketTypeRow(SQLModel, table=True):
    """A type of ticket of the shop's own, or a shipped one as the shop has changed it."""

    __tablename__ = "ticket_type"
    id: str = Field(primary_key=True)
    position: int = 0
    active: bool = True
    definition: str = Field(sa_type=Text)
    updated_at_ms: int = Field(sa_type=BigInteger)


class TicketStatus(SQLModel, table=True):
    """A name of the shop's own for a state of tickets, and what the shopper reads of it."""

    __tablename__ = "ticket_status"
    id: str = Field(primary_key=True)
    state: str
    position: int = 0
    active: bool = True
    name_en: str
    name_zh: str
    shown_en: str | None = None
    shown_zh: str | None = None


class TicketSearch(SQLModel, table=True):
    """All words of a ticket in one text, cut so that either database finds them.

    Triggers keep ``ticket_words`` beside it: a full-text table with SQLite, with PostgreSQL one of
    the sets of words, in the order of the tickets.
    """

    __tablename__ = "ticket_search"
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: str = Field(unique=True)
    words: str = Field(sa_type=Text)


class RequestLine(SQLModel, table=True):
    """A line of an order that a shopper's request is about, and how many pieces of it."""

    __tablename__ = "request_line"
    __table_args__ = (Index("ix_request_line_order", "order_id"),)
    ticket_id: str = Field(primary_key=True, foreign_key="ticket.id")
    order_id: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    quantity: int
    wanted: str
    reason: str
    outcome: str
    at_ms: int = Field(sa_type=BigInteger)
