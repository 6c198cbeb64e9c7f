"""What goes well together, and what came of saying so."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "product_pair",
        sa.Column("sku", sa.String(), primary_key=True, nullable=False),
        sa.Column("other_sku", sa.String(), primary_key=True, nullable=False),
        sa.Column("together", sa.Integer(), nullable=False),
        sa.Column("sku_orders", sa.Integer(), nullable=False),
        sa.Column("other_orders", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("lift", sa.Float(), nullable=False),
        sa.Column("computed_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("because_sku", sa.String(), nullable=True),
        sa.Column("offered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ordered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("settled_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_offer_offered", "offer", ["offered_at_ms", "id"])
    op.create_index("ix_offer_customer", "offer", ["customer_id", "offered_at_ms"])
    op.create_index(
        "ix_offer_unsettled",
        "offer",
        ["offered_at_ms"],
        sqlite_where=sa.text("settled_at_ms IS NULL"),
        postgresql_where=sa.text("settled_at_ms IS NULL"),
    )
    op.create_table(
        "buying_mark",
        sa.Column("conversation_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("session_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "playbook_version",
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
    )
