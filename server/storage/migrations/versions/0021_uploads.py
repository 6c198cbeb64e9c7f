"""Articles that were uploaded and wait for a word."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "article_upload",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("files", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_article_upload_agent_id", "article_upload", ["agent_id"])
