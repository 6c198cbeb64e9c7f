"""What the shop knows: its orders, products and carts, and what they add up to for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables, and to a customer who it turned out to be."""
    op.add_column("customer", sa.Column("merged_into", sa.String(), nullable=True))
    op.add_column("customer", sa.Column("merged_as", sa.String(), nullable=True))
    op.add_column("customer", sa.Column("person_id", sa.String(), nullable=True))
    op.add_column("customer", sa.Column("told_at_ms", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_customer_person_id",
        "customer",
        ["person_id"],
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_table(
        "shop_source",
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("old_secret", sa.String(), nullable=True),
        sa.Column("old_secret_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("customer_ids", sa.String(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("applied_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("lag_ms", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("refused_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("stale_after_ms", sa.BigInteger(), nullable=False),
        sa.Column("uninstalled_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("removed_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_table(
        "shop_delivery",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("triggered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("applied_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.UniqueConstraint("source", "dedupe_key", name="uq_shop_delivery_key"),
    )
    op.create_index(
        "ix_shop_delivery_due",
        "shop_delivery",
        ["due_at_ms"],
        sqlite_where=sa.text("due_at_ms IS NOT NULL"),
        postgresql_where=sa.text("due_at_ms IS NOT NULL"),
    )
    op.create_index(
        "ix_shop_delivery_customer",
        "shop_delivery",
        ["source", "customer"],
        sqlite_where=sa.text("customer IS NOT NULL"),
        postgresql_where=sa.text("customer IS NOT NULL"),
    )
    op.create_index("ix_shop_delivery_received", "shop_delivery", ["received_at_ms"])
    op.create_index(
        "ix_shop_delivery_list", "shop_delivery", ["source", "status", "received_at_ms"]
    )
    op.create_table(
        "shop_order",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("paid_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("shipped_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("promised_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("refunded_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=True),
        sa.Column("shipping_minor", sa.BigInteger(), nullable=True),
        sa.Column("tax_minor", sa.BigInteger(), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("fulfilment", sa.String(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("tracking_number", sa.String(), nullable=True),
        sa.Column("tracking_url", sa.Text(), nullable=True),
        sa.Column("coupon", sa.String(), nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("written_at_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("source", "external_id", name="uq_shop_order_external"),
    )
    op.create_index(
        "ix_shop_order_batch",
        "shop_order",
        ["batch"],
        sqlite_where=sa.text("batch IS NOT NULL"),
        postgresql_where=sa.text("batch IS NOT NULL"),
    )
    op.create_index("ix_shop_order_created", "shop_order", ["created_at_ms", "id"])
    op.create_index("ix_shop_order_customer", "shop_order", ["customer_id", "created_at_ms"])
    op.create_index("ix_shop_order_email", "shop_order", ["email_key"])
    op.create_index("ix_shop_order_number", "shop_order", ["number"])
    op.create_table(
        "order_line",
        sa.Column(
            "order_id",
            sa.String(),
            sa.ForeignKey("shop_order.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("line_no", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("product_id", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("brand", sa.String(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("refunded_quantity", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_order_line_sku", "order_line", ["sku"])
    op.create_table(
        "product",
        sa.Column("source", sa.String(), primary_key=True, nullable=False),
        sa.Column("sku", sa.String(), primary_key=True, nullable=False),
        sa.Column("product_id", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("brand", sa.String(), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "import_batch",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("undone_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_table(
        "import_change",
        sa.Column("batch", sa.String(), primary_key=True, nullable=False),
        sa.Column("noun", sa.String(), primary_key=True, nullable=False),
        sa.Column("key", sa.String(), primary_key=True, nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
    )
    op.create_table(
        "cart",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=True),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ordered_at_ms", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("source", "token", name="uq_cart_token"),
    )
    op.create_index("ix_cart_customer", "cart", ["customer_id", "updated_at_ms"])
    op.create_table(
        "contact",
        sa.Column(
            "customer_id",
            sa.String(),
            sa.ForeignKey("customer.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(), primary_key=True, nullable=False),
        sa.Column("key", sa.String(), primary_key=True, nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("verified_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_contact_key", "contact", ["kind", "key"])
    op.create_table(
        "profile",
        sa.Column("person_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("order_days", sa.Integer(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("coupon_orders", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=True),
        sa.Column("last_day", sa.Integer(), nullable=True),
        sa.Column("first_order_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_order_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("median_gap_days", sa.Float(), nullable=True),
        sa.Column("r", sa.Integer(), nullable=True),
        sa.Column("f", sa.Integer(), nullable=True),
        sa.Column("m", sa.Integer(), nullable=True),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("value_cell", sa.String(), nullable=True),
        sa.Column("activity_stage", sa.String(), nullable=False),
        sa.Column("relationship_stage", sa.String(), nullable=False),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.Column("declining", sa.Boolean(), nullable=False),
        sa.Column("trend", sa.String(), nullable=False),
        sa.Column("top20", sa.Boolean(), nullable=False),
        sa.Column("next_flip_day", sa.Integer(), nullable=True),
        sa.Column("thresholds_version", sa.Integer(), nullable=False),
        sa.Column("staged_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
    )
    op.create_index("ix_profile_flip", "profile", ["next_flip_day"])
    op.create_index("ix_profile_net", "profile", ["net_minor", "person_id"])
    op.create_index("ix_profile_segment", "profile", ["segment"])
