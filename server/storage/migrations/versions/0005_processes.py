"""What several processes share: who is here, who looks at what, who failed to sign in."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "process",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "shopper_presence",
        sa.Column("process_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("gone_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_shopper_presence_customer", "shopper_presence", ["customer_id"])
    op.create_table(
        "viewing",
        sa.Column("process_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("conversation_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("agent_id", sa.String(), primary_key=True, nullable=False),
    )
    op.create_index("ix_viewing_conversation", "viewing", ["conversation_id"])
    op.create_table(
        "failed_try",
        sa.Column("key_hash", sa.String(), primary_key=True, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recent", sa.Text(), nullable=False),
    )
    op.create_index("ix_failed_try_last", "failed_try", ["last_at_ms"])
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_conversation_queue",
            "conversation",
            [sa.text("coalesce(waiting_since_ms, queued_at_ms)"), "queued_at_ms"],
            postgresql_where=sa.text("queued_at_ms IS NOT NULL AND status = 'open'"),
        )
