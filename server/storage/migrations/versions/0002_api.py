"""What programs need: scopes of tokens, answers kept for idempotency keys, lists in order."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tokens made before have no scopes: they may do all that their person may."""
    op.add_column("api_token", sa.Column("scopes", sa.Text(), nullable=True))
    op.create_table(
        "kept_answer",
        sa.Column("owner", sa.String(), primary_key=True, nullable=False),
        sa.Column("key", sa.String(), primary_key=True, nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_kept_answer_at_ms", "kept_answer", ["at_ms"])
    op.create_index("ix_conversation_opened", "conversation", ["opened_at_ms", "id"])
    op.create_index("ix_customer_created", "customer", ["created_at_ms", "id"])
