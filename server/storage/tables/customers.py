"""Customers: who they are, what joins two of them, what staff wrote about them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel


class Customer(SQLModel, table=True):
    """A shopper; anonymous until identified, ``verified`` once the shop has signed for it.

    Several rows may be one person. A merge moves no row: it sets ``merged_into`` (the row it was
    joined to), ``merged_as`` (session: the same browser signed in, so the shopper goes on seeing
    what was written before; merge: staff and proofs, which a shopper never notices) and, in every
    row below it, ``person_id`` (the row at the top; None means that the row is at the top itself).
    ``external_id`` is the shop's own id, which signed identities name; what other sources call a
    customer is in ``customer_origin``. ``told_at_ms`` is when, by its clock, the source of the row
    had last changed it.
    """

    __table_args__ = (
        Index("ix_customer_created", "created_at_ms", "id"),
        # Most rows have none: SQLite, once it has counted, would not use an index over all.
        Index(
            "ix_customer_person_id",
            "person_id",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        # Few rows are merged: with the others in it, SQLite would think that it leads nowhere.
        Index(
            "ix_customer_person_id",
            "person_id",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        Index(
            "ix_customer_merged_into",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        # Looked through whole for a part of a name: 60 MB less than the table.
        Index(
            "ix_customer_name",
            "name",
            sqlite_where=text("name IS NOT NULL"),
            postgresql_where=text("name IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    external_id: str | None = Field(default=None, unique=True)
    name: str | None = None
    email: str | None = Field(default=None, index=True)
    phone: str | None = None
    locale: str | None = None
    identity: str = "anonymous"
    created_at_ms: int = Field(sa_type=BigInteger)
    seen_at_ms: int = Field(sa_type=BigInteger)
    merged_into: str | None = None
    merged_as: str | None = None
    person_id: str | None = None
    told_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    erased_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class VisitorToken(SQLModel, table=True):
    """What a shopper's browser shows to be the same shopper again; only its hash is kept."""

    __tablename__ = "visitor_token"
    token_hash: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    created_at_ms: int = Field(sa_type=BigInteger)
    seen_at_ms: int = Field(sa_type=BigInteger)


class UsedIdentity(SQLModel, table=True):
    """Ids of signed identities already shown, so that none works again from another browser."""

    __tablename__ = "used_identity"
    jti: str = Field(primary_key=True)
    customer_id: str
    expires_at_ms: int = Field(sa_type=BigInteger, index=True)


class CustomerOrigin(SQLModel, table=True):
    """What another desk calls a customer; several names may mean the same person."""

    __tablename__ = "customer_origin"
    name: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)


class Contact(SQLModel, table=True):
    """An e-mail address or telephone number of a customer, and how sure we are of it.

    ``key`` is what equal values share (actions/contacts.py); ``level`` is verified, claimed or
    guessed. Only verified contacts ever join two customers.
    """

    __table_args__ = (Index("ix_contact_key", "kind", "key"),)
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str
    level: str
    source: str
    created_at_ms: int = Field(sa_type=BigInteger)
    verified_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class CustomerLink(SQLModel, table=True):
    """Why two customer rows are one person; what ``merged_into`` and ``person_id`` follow from.

    ``how`` is session (the browser ``customer_id`` signed in to ``other_id``), proof (an order's
    number and postcode), staff (a supervisor's decision) or auto (both have proved the contact
    ``kind``, ``key``). An undone link stays, with who undid it.
    """

    __tablename__ = "customer_link"
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    other_id: str = Field(foreign_key="customer.id", index=True)
    how: str
    kind: str | None = None
    key: str | None = None
    why: str | None = Field(default=None, sa_type=Text)
    agent_id: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    undone_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    undone_by: str | None = None


class LinkLog(SQLModel, table=True):
    """Who joined, parted, proved or looked at whom; nothing here is ever changed.

    ``before`` and ``after`` are the persons (JSON lists of row ids) that the change concerned.
    """

    __tablename__ = "link_log"
    __table_args__ = (
        Index("ix_link_log_at", "at_ms", "id"),
        Index("ix_link_log_customer", "customer_id", "at_ms"),
    )
    id: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    action: str
    customer_id: str | None = None
    other_id: str | None = None
    before: str = Field(default="[]", sa_type=Text)
    after: str = Field(default="[]", sa_type=Text)
    agent_id: str | None = None
    why: str | None = Field(default=None, sa_type=Text)


class ReviewCase(SQLModel, table=True):
    """Two customer rows that may be one person, for a supervisor to decide.

    ``kind`` is conflict (both are known to one source, by different ids) or near. ``state`` is
    open, merged, apart or gone (what spoke for it is there no more).
    """

    __tablename__ = "review_case"
    __table_args__ = (
        UniqueConstraint("customer_id", "other_id", name="uq_review_case_pair"),
        Index("ix_review_case_state", "state", "opened_at_ms"),
    )
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id")
    other_id: str = Field(foreign_key="customer.id", index=True)
    kind: str
    evidence: str = Field(default="[]", sa_type=Text)
    state: str = "open"
    opened_at_ms: int = Field(sa_type=BigInteger)
    decided_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    decided_by: str | None = None


class BlockedValue(SQLModel, table=True):
    """A contact that says nothing of who somebody is, because many have it.

    ``reason`` is shared, role or staff; ``state`` is blocked, or allowed once a supervisor said so.
    """

    __tablename__ = "blocked_value"
    __table_args__ = (Index("ix_blocked_value_state", "state", "at_ms"),)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    reason: str
    state: str = "blocked"
    persons: int = 0
    at_ms: int = Field(sa_type=BigInteger)
    agent_id: str | None = None


class CustomerNote(SQLModel, table=True):
    """What staff wrote down about a customer; ``version`` grows with each save.

    It is a time, so that two notes which came together in a merge never have the same version.
    """

    __tablename__ = "customer_note"
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    body: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None


class CustomerTag(SQLModel, table=True):
    """A word on a customer; ``source`` is staff, or the shop source that put it there."""

    __tablename__ = "customer_tag"
    __table_args__ = (Index("ix_customer_tag_tag", "tag", "customer_id"),)
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    tag: str = Field(primary_key=True)
    source: str = "staff"
    at_ms: int = Field(sa_type=BigInteger)


class CustomerPreference(SQLModel, table=True):
    """How a customer wants to be reached; quiet hours are minutes of the day in ``timezone``."""

    __tablename__ = "customer_preference"
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    channel: str | None = None
    quiet_from: int | None = None
    quiet_to: int | None = None
    timezone: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None


class CustomerBlock(SQLModel, table=True):
    """A customer whose messages are refused."""

    __tablename__ = "customer_block"
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    reason: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None


class SavedSegment(SQLModel, table=True):
    """A condition on customers with a name; ``count`` is how many met it at ``counted_at_ms``."""

    __tablename__ = "saved_segment"
    id: str = Field(primary_key=True)
    name: str
    condition: str = Field(sa_type=Text)
    shared: bool = False
    owner_id: str = Field(foreign_key="agent.id", index=True)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    count: int | None = None
    counted_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    count_took_ms: int | None = None
