"""Mailboxes, mails in and mails out."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


class MailBox(SQLModel, table=True):
    """How far a mailbox was read: IMAP's own numbers; ``lease`` is the process that reads it."""

    __tablename__ = "mail_box"
    name: str = Field(primary_key=True)
    uid_validity: int = Field(default=0, sa_type=BigInteger)
    last_uid: int = Field(default=0, sa_type=BigInteger)
    lease: str | None = None
    lease_until_ms: int = Field(default=0, sa_type=BigInteger)
    looked_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = None


class MailIn(SQLModel, table=True):
    """A mail as it came: state new, taken, ignored or aside, and why.

    ``raw`` goes when retention says so; ``conversation_id`` is the thread that it was put into.
    """

    __tablename__ = "mail_in"
    __table_args__ = (
        Index("ix_mail_in_uid", "uid_validity", "uid", unique=True),
        Index("ix_mail_in_state", "state", "at_ms"),
        Index("ix_mail_in_rfc_id", "rfc_id"),
        Index("ix_mail_in_conversation", "conversation_id"),
    )
    id: str = Field(primary_key=True)
    uid_validity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    at_ms: int = Field(sa_type=BigInteger)
    size: int = Field(sa_type=BigInteger)
    raw: bytes | None = Field(default=None, sa_type=LargeBinary)
    state: str = "new"
    reason: str | None = None
    tries: int = 0
    sender: str | None = None
    subject: str | None = Field(default=None, sa_type=Text)
    rfc_id: str | None = None
    conversation_id: str | None = None
    settled_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class MailOut(SQLModel, table=True):
    """A mail that goes: state queued, sending, sent, failed, and why; sent at least once.

    ``rfc_id`` is made with the row, so a mail that goes twice is one for its receiver. ``enclosed``
    is a table that goes with it.
    """

    __tablename__ = "mail_out"
    __table_args__ = (
        Index("ix_mail_out_due", "state", "due_at_ms"),
        Index("ix_mail_out_conversation", "conversation_id", "created_at_ms"),
        Index("ix_mail_out_recipient", "recipient", "kind", "created_at_ms"),
    )
    id: str = Field(primary_key=True)
    kind: str
    conversation_id: str | None = None
    recipient: str
    subject: str = Field(sa_type=Text)
    words: str = Field(sa_type=Text)
    state: str = "queued"
    reason: str | None = None
    tries: int = 0
    created_at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int = Field(sa_type=BigInteger)
    sent_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    rfc_id: str
    answers_rfc_id: str | None = None
    lease: str | None = None
    enclosed: str | None = Field(default=None, sa_type=Text)


class MailWish(SQLModel, table=True):
    """A reply that goes by mail at ``due_at_ms`` unless the shopper has seen it by then."""

    __tablename__ = "mail_wish"
    __table_args__ = (
        Index("ix_mail_wish_due", "due_at_ms"),
        Index("ix_mail_wish_conversation", "conversation_id"),
    )
    message_id: str = Field(primary_key=True)
    conversation_id: str
    due_at_ms: int = Field(sa_type=BigInteger)
    mail_id: str | None = None


class MailSheet(SQLModel, table=True):
    """How a mail that came looks: its HTML, cleaned; the id is the mail's.

    The message that it became has a block that says so; ``public`` when the shopper wrote it.
    """

    __tablename__ = "mail_sheet"
    __table_args__ = (Index("ix_mail_sheet_conversation", "conversation_id"),)
    id: str = Field(primary_key=True)
    conversation_id: str
    public: bool
    html: str = Field(sa_type=Text)


class MailOutFile(SQLModel, table=True):
    """A file that goes with a mail."""

    __tablename__ = "mail_out_file"
    mail_id: str = Field(primary_key=True)
    file_id: str = Field(primary_key=True)
