"""Who is who: proofs, merges and the list of those to look at."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.add_column("shop", sa.Column("old_identity_secret", sa.String(), nullable=True))
    op.create_table(
        "customer_link",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("other_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("undone_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
    )
    op.create_index("ix_customer_link_customer_id", "customer_link", ["customer_id"])
    op.create_index("ix_customer_link_other_id", "customer_link", ["other_id"])
    op.create_table(
        "link_log",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("other_id", sa.String(), nullable=True),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
    )
    op.create_index("ix_link_log_at", "link_log", ["at_ms", "id"])
    op.create_index("ix_link_log_customer", "link_log", ["customer_id", "at_ms"])
    op.create_table(
        "review_case",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("other_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("decided_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.UniqueConstraint("customer_id", "other_id", name="uq_review_case_pair"),
    )
    op.create_index("ix_review_case_state", "review_case", ["state", "opened_at_ms"])
    op.create_index("ix_review_case_other_id", "review_case", ["other_id"])
    op.create_table(
        "blocked_value",
        sa.Column("kind", sa.String(), primary_key=True, nullable=False),
        sa.Column("key", sa.String(), primary_key=True, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
    )
    op.create_index("ix_blocked_value_state", "blocked_value", ["state", "at_ms"])
