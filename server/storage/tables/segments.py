"""What a customer is worth, what to do about it, and what goes together."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel


class Profile(SQLModel, table=True):
    """What the orders of a person add up to; ``person_id`` is the customer row at the top.

    Kept up to date in the transaction that writes an order, made anew every night. Who never
    ordered has no row: they are prospects. Days are local days since 1970-01-01. ``revision``
    counts the writes, so that what was worked out from older orders is not written over newer;
    ``updated_at_ms`` is the last time that orders changed a row, ``staged_at_ms`` the last time
    that a segment or stage did.
    """

    __table_args__ = (
        Index("ix_profile_flip", "next_flip_day"),
        Index("ix_profile_segment", "segment"),
        Index("ix_profile_net", "net_minor", "person_id"),
    )
    person_id: str = Field(primary_key=True)
    orders: int = 0
    order_days: int = 0
    net_minor: int = Field(default=0, sa_type=BigInteger)
    gross_minor: int = Field(default=0, sa_type=BigInteger)
    refunded_minor: int = Field(default=0, sa_type=BigInteger)
    coupon_orders: int = 0
    first_day: int | None = None
    last_day: int | None = None
    first_order_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    last_order_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    median_gap_days: float | None = None
    r: int | None = None
    f: int | None = None
    m: int | None = None
    segment: str = "prospects"
    value_cell: str | None = None
    activity_stage: str = "prospect"
    relationship_stage: str = "none"
    quiet: bool = False
    declining: bool = False
    trend: str = "flat"
    top20: bool = False
    next_flip_day: int | None = None
    thresholds_version: int = 0
    staged_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    revision: int = 0


class ThresholdsRow(SQLModel, table=True):
    """The limits between scores, segments and stages as they were frozen on a day.

    ``limits`` is JSON (domain/segment.py Thresholds), ``returns`` the table of who came back, which
    is made anew once a week, at ``returns_at_ms``. Until ``labelled_at_ms`` some profiles may still
    be labelled by the version before.
    """

    __tablename__ = "thresholds"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at_ms: int = Field(sa_type=BigInteger)
    day: int
    limits: str = Field(sa_type=Text)
    returns: str | None = Field(default=None, sa_type=Text)
    returns_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    labelled_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class SegmentChange(SQLModel, table=True):
    """A person's segment or a stage of theirs became another; written only when one did.

    ``cause`` is order (also a refund or a correction), time, thresholds or erased.
    """

    __tablename__ = "segment_change"
    __table_args__ = (
        Index("ix_segment_change_at", "at_ms"),
        Index("ix_segment_change_person", "person_id", "at_ms"),
    )
    id: str = Field(primary_key=True)
    person_id: str
    at_ms: int = Field(sa_type=BigInteger)
    cause: str
    segment_from: str
    segment_to: str
    activity_from: str
    activity_to: str
    relationship_from: str
    relationship_to: str


class SegmentHead(SQLModel, table=True):
    """One row: how often the columns of segments were written, and how they are made."""

    __tablename__ = "segment_head"
    id: int = Field(primary_key=True)
    version: int
    shape: int


class SegmentColumn(SQLModel, table=True):
    """One column of the segments of all customers, as ``storage.columns`` packs it.

    What holds whatever the time is in block -1, what changed in the block of its time.
    """

    __tablename__ = "segment_column"
    name: str = Field(primary_key=True)
    block: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)


class SegmentMark(SQLModel, table=True):
    """A customer of whom the columns of segments may not know the latest; one row a write."""

    __tablename__ = "segment_mark"
    id: str = Field(primary_key=True)
    customer_id: str


class ProductPair(SQLModel, table=True):
    """Two products that the same orders held more often than chance would have it.

    Both directions have a row. ``together`` of ``orders`` orders held both; ``lift`` is how much
    more often that is than if neither had to do with the other.
    """

    __tablename__ = "product_pair"
    sku: str = Field(primary_key=True)
    other_sku: str = Field(primary_key=True)
    together: int
    sku_orders: int
    other_orders: int
    orders: int
    lift: float
    computed_at_ms: int = Field(sa_type=BigInteger)


class Offer(SQLModel, table=True):
    """A product that an agent showed a shopper, and what came of it.

    ``kind`` is hint (goes with ``because_sku``), price (a price was asked for) or card. It is
    settled once the shopper ordered it, or when too much time has gone by.
    """

    __table_args__ = (
        Index("ix_offer_offered", "offered_at_ms", "id"),
        Index("ix_offer_customer", "customer_id", "offered_at_ms"),
        Index(
            "ix_offer_unsettled",
            "offered_at_ms",
            sqlite_where=text("settled_at_ms IS NULL"),
            postgresql_where=text("settled_at_ms IS NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    conversation_id: str
    customer_id: str
    message_id: str
    agent_id: str | None = None
    sku: str
    title: str
    kind: str
    because_sku: str | None = None
    offered_at_ms: int = Field(sa_type=BigInteger)
    accepted_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    ordered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    order_id: str | None = None
    settled_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class BuyingMark(SQLModel, table=True):
    """What the shopper of a conversation last said that sounds like buying.

    ``kind`` is price, discount, bulk or buying. ``items`` are the products of the catalogue that
    were meant, as ``[[sku, likeness]]``; what the shopper wrote stays in the message alone.
    """

    __tablename__ = "buying_mark"
    conversation_id: str = Field(primary_key=True)
    message_id: str
    session_no: int
    kind: str
    quantity: int | None = None
    items: str = Field(default="[]", sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger)


class PlaybookVersion(SQLModel, table=True):
    """What the shop made of the playbook, one row a change; the one with the highest number holds.

    ``texts`` has only what differs from the texts that come with the program.
    """

    __tablename__ = "playbook_version"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    texts: str = Field(sa_type=Text)
    agent_id: str | None = None
    restored: int | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
