"""What a shopper with consent looks at."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "page_event",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("term", sa.String(), nullable=True),
    )
    op.create_index("ix_page_event_customer", "page_event", ["customer_id", "at_ms"])
    op.create_index("ix_page_event_at", "page_event", ["at_ms"])
    op.create_table(
        "page_day",
        sa.Column("day", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("kind", sa.String(), primary_key=True, nullable=False),
        sa.Column("key", sa.String(), primary_key=True, nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
    )
