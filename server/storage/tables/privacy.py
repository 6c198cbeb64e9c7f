"""Pages that people saw, what they agreed to, and those who were erased."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field, SQLModel


class PageEvent(SQLModel, table=True):
    """What a shopper who agreed to it did on a page: looked, searched, filled the cart.

    ``kind`` is page, product, search, cart or checkout. ``path`` is the address without query and
    fragment. Kept for a time only; what is left of it then is in ``page_day``.
    """

    __tablename__ = "page_event"
    __table_args__ = (
        Index("ix_page_event_customer", "customer_id", "at_ms"),
        Index("ix_page_event_at", "at_ms"),
    )
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id")
    kind: str
    at_ms: int = Field(sa_type=BigInteger)
    url: str | None = Field(default=None, sa_type=Text)
    title: str | None = None
    sku: str | None = None
    product: str | None = Field(default=None, sa_type=Text)
    term: str | None = None


class PageDay(SQLModel, table=True):
    """How often something was looked at or searched on a local day; nobody can be told from it."""

    __tablename__ = "page_day"
    day: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    events: int
    visitors: int


class ConsentRow(SQLModel, table=True):
    """What a person said about a purpose, and to which words; rows are only ever added.

    ``state`` is given or refused (also when taken back). ``source`` says where it was said: widget,
    page (the shop's own consent tool), shop (a file or its events), agent. ``by`` is the agent.
    """

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_customer", "customer_id", "purpose", "at_ms"),)
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id")
    purpose: str
    state: str
    text_version: str
    language: str
    source: str
    ip_hash: str | None = None
    by: str | None = None
    at_ms: int = Field(sa_type=BigInteger)


class Tombstone(SQLModel, table=True):
    """That something of an erased person must not come back, by a keyed hash of its name."""

    key_hash: str = Field(primary_key=True)
    erased_at_ms: int = Field(sa_type=BigInteger)
    request_id: str


class PrivacyRequest(SQLModel, table=True):
    """A wish of a person to get or to erase their data, when it is due, and what came of it.

    ``kind`` is export or erase. ``customer_id`` is the person's id, which says nothing by itself
    once they are erased. ``receipt`` holds numbers of rows only.
    """

    __tablename__ = "privacy_request"
    __table_args__ = (Index("ix_privacy_request_due", "done_at_ms", "due_at_ms"),)
    id: str = Field(primary_key=True)
    kind: str
    customer_id: str
    asked_at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int = Field(sa_type=BigInteger)
    asked_by: str | None = None
    done_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    done_by: str | None = None
    receipt: str = Field(default="{}", sa_type=Text)
