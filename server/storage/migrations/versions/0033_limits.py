"""From which network a file came, as a keyed hash, for a day: one of them gets a share only."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds a column, and an index for what was sent in a day."""
    op.add_column("file", sa.Column("network_hash", sa.String(), nullable=True))
    op.create_index("ix_file_day", "file", ["uploader_kind", "created_at_ms"])
