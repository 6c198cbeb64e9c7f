"""Orders, products and carts, and the shops and files that they come from."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# Orders with a promised day that have neither come nor been called off. As above.
UNDERWAY = "promised_at_ms IS NOT NULL AND delivered_at_ms IS NULL AND cancelled_at_ms IS NULL"


class ShopSource(SQLModel, table=True):
    """A place that shop data comes from: a shop system's webhooks or files.

    ``customer_ids`` is "shop" when its customer ids are those that signed identities name, "own"
    when they mean nothing elsewhere (they are then in ``customer_origin`` as ``NAME:ID``).
    ``failures`` counts deliveries that went wrong since the last one that was applied, ``refused``
    those with a wrong signature since the last right one. A source that was removed keeps its row,
    so that what came from it keeps its meaning.
    """

    __tablename__ = "shop_source"
    name: str = Field(primary_key=True)
    kind: str
    secret: str | None = None
    old_secret: str | None = None
    old_secret_until_ms: int | None = Field(default=None, sa_type=BigInteger)
    customer_ids: str = "shop"
    created_at_ms: int = Field(sa_type=BigInteger)
    received_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    applied_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    lag_ms: int | None = Field(default=None, sa_type=BigInteger)
    failures: int = 0
    refused: int = 0
    refused_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    stale_after_ms: int = Field(sa_type=BigInteger)
    uninstalled_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    removed_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class ShopDelivery(SQLModel, table=True):
    """A shop event as it came, stored before anything is made of it.

    ``status`` is waiting, applied, ignored (nothing in it for us, ``reason`` says why) or dead.
    ``body`` are the bytes that were signed. ``customer`` is the source's id of whom it is about,
    known once it was read, so that erasing a person finds what came about them.
    """

    __tablename__ = "shop_delivery"
    __table_args__ = (
        UniqueConstraint("source", "dedupe_key", name="uq_shop_delivery_key"),
        Index("ix_shop_delivery_list", "source", "status", "received_at_ms"),
        Index(
            "ix_shop_delivery_due",
            "due_at_ms",
            sqlite_where=text("due_at_ms IS NOT NULL"),
            postgresql_where=text("due_at_ms IS NOT NULL"),
        ),
        Index(
            "ix_shop_delivery_customer",
            "source",
            "customer",
            sqlite_where=text("customer IS NOT NULL"),
            postgresql_where=text("customer IS NOT NULL"),
        ),
        Index("ix_shop_delivery_received", "received_at_ms"),
    )
    id: str = Field(primary_key=True)
    source: str
    dedupe_key: str
    topic: str
    headers: str = Field(default="{}", sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)
    customer: str | None = None
    received_at_ms: int = Field(sa_type=BigInteger)
    triggered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    status: str = "waiting"
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    attempts: int = 0
    applied_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    reason: str | None = Field(default=None, sa_type=Text)


class ShopOrderParts(SQLModel, table=True):
    """What a source told of an order piece by piece: refunds and parcels, by their ids.

    They may come before the order itself, which is in ``shop_order`` with all of them.
    """

    __tablename__ = "shop_order_parts"
    source: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    parts: str = Field(sa_type=Text)
    updated_at_ms: int = Field(sa_type=BigInteger)


class ShopOrder(SQLModel, table=True):
    """An order of the shop, as its source last told it.

    ``total_minor`` is what was paid before refunds, ``net_minor`` what is left of it. ``counted``
    says whether figures count it: paid, no test, not cancelled, something left, in the shop's
    currency. ``day`` is the local day of ``created_at_ms`` in the shop's zone, days since
    1970-01-01. ``customer_id`` is None for a guest: what the order says of them proves nothing.
    """

    __tablename__ = "shop_order"
    __table_args__ = (
        UniqueConstraint("source", "external_id", name="uq_shop_order_external"),
        Index("ix_shop_order_customer", "customer_id", "created_at_ms"),
        Index("ix_shop_order_created", "created_at_ms", "id"),
        Index("ix_shop_order_email", "email_key"),
        Index("ix_shop_order_number", "number"),
        Index(
            "ix_shop_order_batch",
            "batch",
            sqlite_where=text("batch IS NOT NULL"),
            postgresql_where=text("batch IS NOT NULL"),
        ),
        # What rules some days after delivery, or after a promised day, go by.
        Index(
            "ix_shop_order_delivered",
            "delivered_at_ms",
            sqlite_where=text("delivered_at_ms IS NOT NULL"),
            postgresql_where=text("delivered_at_ms IS NOT NULL"),
        ),
        Index(
            "ix_shop_order_promised",
            "promised_at_ms",
            sqlite_where=text(UNDERWAY),
            postgresql_where=text(UNDERWAY),
        ),
    )
    id: str = Field(primary_key=True)
    source: str
    external_id: str
    number: str
    customer_id: str | None = Field(default=None, foreign_key="customer.id")
    email: str | None = None
    email_key: str | None = None
    phone: str | None = None
    postcode: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    day: int
    paid_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    cancelled_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    shipped_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    promised_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    delivered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    refunded_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    updated_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    currency: str
    total_minor: int = Field(sa_type=BigInteger)
    refunded_minor: int = Field(default=0, sa_type=BigInteger)
    net_minor: int = Field(sa_type=BigInteger)
    discount_minor: int | None = Field(default=None, sa_type=BigInteger)
    shipping_minor: int | None = Field(default=None, sa_type=BigInteger)
    tax_minor: int | None = Field(default=None, sa_type=BigInteger)
    counted: bool
    status: str
    fulfilment: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = Field(default=None, sa_type=Text)
    coupon: str | None = None
    test: bool = False
    batch: str | None = None
    written_at_ms: int = Field(sa_type=BigInteger)


class OrderLine(SQLModel, table=True):
    """A line of an order; ``quantity`` minus ``refunded_quantity`` was kept."""

    __tablename__ = "order_line"
    __table_args__ = (Index("ix_order_line_sku", "sku"),)
    order_id: str = Field(primary_key=True, foreign_key="shop_order.id")
    line_no: int = Field(primary_key=True)
    sku: str | None = None
    product_id: str | None = None
    title: str
    category: str | None = None
    brand: str | None = None
    quantity: int
    refunded_quantity: int = 0
    price_minor: int = Field(sa_type=BigInteger)
    discount_minor: int | None = Field(default=None, sa_type=BigInteger)


class Product(SQLModel, table=True):
    """A product of the shop's catalogue, by source and sku."""

    __table_args__ = (Index("ix_product_sku", "sku"),)
    source: str = Field(primary_key=True)
    sku: str = Field(primary_key=True)
    product_id: str | None = None
    title: str
    category: str | None = None
    brand: str | None = None
    price_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = None
    url: str | None = Field(default=None, sa_type=Text)
    image_url: str | None = Field(default=None, sa_type=Text)
    stock: int | None = None
    batch: str | None = None
    updated_at_ms: int = Field(sa_type=BigInteger)


class ImportBatch(SQLModel, table=True):
    """An import of a file that wrote something, so that it can be undone."""

    __tablename__ = "import_batch"
    id: str = Field(primary_key=True)
    noun: str
    source: str
    name: str
    at_ms: int = Field(sa_type=BigInteger)
    accepted: int = 0
    undone_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class ImportChange(SQLModel, table=True):
    """What a row was before an import wrote it, as JSON; None when there was none.

    Orders and products that were not there are not listed: they carry the batch themselves.
    """

    __tablename__ = "import_change"
    batch: str = Field(primary_key=True)
    noun: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    before: str | None = Field(default=None, sa_type=Text)


class Cart(SQLModel, table=True):
    """A cart that is or was being filled; ``ordered_at_ms`` once an order came of it."""

    __table_args__ = (
        UniqueConstraint("source", "token", name="uq_cart_token"),
        Index("ix_cart_customer", "customer_id", "updated_at_ms"),
        # Carts of which no order came.
        Index(
            "ix_cart_left",
            "updated_at_ms",
            sqlite_where=text("ordered_at_ms IS NULL"),
            postgresql_where=text("ordered_at_ms IS NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    source: str
    token: str
    customer_id: str | None = Field(default=None, foreign_key="customer.id")
    email_key: str | None = None
    currency: str
    total_minor: int = Field(sa_type=BigInteger)
    lines: str = Field(default="[]", sa_type=Text)
    checkout_url: str | None = Field(default=None, sa_type=Text)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    ordered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
