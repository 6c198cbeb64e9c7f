"""The shopper's portal: codes that were mailed, and browsers that are signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "portal_code",
        sa.Column("browser_hash", sa.String(), primary_key=True, nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_portal_code_created", "portal_code", ["created_at_ms"])
    op.create_table(
        "portal_session",
        sa.Column("token_hash", sa.String(), primary_key=True, nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_portal_session_created", "portal_session", ["created_at_ms"])
