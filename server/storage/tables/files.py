"""Files that people sent."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class FileRow(SQLModel, table=True):
    """A file that somebody sent: its bytes are in the folder of files, by their SHA-256.

    Without ``message_id`` it waits to be used. ``state`` is scanning, clean, unscanned, infected or
    refused; of the last two there are no bytes. ``content_id`` is what a mail calls it inside.
    ``network_hash`` says for a day which files of shoppers came from one network.
    """

    __tablename__ = "file"
    __table_args__ = (
        Index("ix_file_sha256", "sha256"),
        Index("ix_file_message", "message_id"),
        Index("ix_file_conversation", "conversation_id"),
        Index("ix_file_uploader", "uploader_kind", "uploader_id", "created_at_ms"),
        Index("ix_file_state", "state", "created_at_ms"),
        Index("ix_file_day", "uploader_kind", "created_at_ms"),
    )
    id: str = Field(primary_key=True)
    sha256: str | None = None
    bytes: int = Field(sa_type=BigInteger)
    media_type: str
    name: str
    width: int | None = None
    height: int | None = None
    uploader_kind: str
    uploader_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    content_id: str | None = None
    state: str
    created_at_ms: int = Field(sa_type=BigInteger)
    used_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    network_hash: str | None = None


class FileGone(SQLModel, table=True):
    """Bytes that perhaps nobody refers to any more: a job looks, and lets them go."""

    __tablename__ = "file_gone"
    sha256: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
