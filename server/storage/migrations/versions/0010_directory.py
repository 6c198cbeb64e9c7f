"""What staff keep about a customer."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OF_CUSTOMER = (
    "conversation_id IS NULL AND customer_id IS NOT NULL AND substr(kind, 1, 6) <> 'order.'"
)


def upgrade() -> None:
    """Adds the tables, and the ways to a customer by name and to what happened to one."""
    op.create_index(
        "ix_customer_name",
        "customer",
        ["name"],
        sqlite_where=sa.text("name IS NOT NULL"),
        postgresql_where=sa.text("name IS NOT NULL"),
    )
    op.create_index(
        "ix_event_customer",
        "event",
        ["customer_id", "seq"],
        sqlite_where=sa.text(OF_CUSTOMER),
        postgresql_where=sa.text(OF_CUSTOMER),
    )
    op.create_table(
        "customer_note",
        _customer(),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=True),
    )
    op.create_table(
        "customer_tag",
        _customer(),
        sa.Column("tag", sa.String(), primary_key=True, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_customer_tag_tag", "customer_tag", ["tag", "customer_id"])
    op.create_table(
        "customer_preference",
        _customer(),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column("timezone", sa.String(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=True),
    )
    op.create_table(
        "customer_block",
        _customer(),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=True),
    )
    op.create_table(
        "saved_segment",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("owner_id", sa.String(), sa.ForeignKey("agent.id"), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("counted_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("count_took_ms", sa.Integer(), nullable=True),
    )
    op.create_index("ix_saved_segment_owner_id", "saved_segment", ["owner_id"])


def _customer() -> sa.Column[str]:
    return sa.Column(
        "customer_id", sa.String(), sa.ForeignKey("customer.id"), primary_key=True, nullable=False
    )
