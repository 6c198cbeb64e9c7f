"""Consents, erasures and how long things are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables, and to a customer when they were erased."""
    op.add_column("customer", sa.Column("erased_at_ms", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_customer_merged_into",
        "customer",
        ["merged_into"],
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("ip_hash", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_consent_customer", "consent", ["customer_id", "purpose", "at_ms"])
    op.create_table(
        "tombstone",
        sa.Column("key_hash", sa.String(), primary_key=True, nullable=False),
        sa.Column("erased_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
    )
    op.create_table(
        "privacy_request",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("asked_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=True),
        sa.Column("done_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
    )
    op.create_index("ix_privacy_request_due", "privacy_request", ["done_at_ms", "due_at_ms"])
