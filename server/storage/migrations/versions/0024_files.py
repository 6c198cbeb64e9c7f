"""Files that people sent."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "file",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("uploader_kind", sa.String(), nullable=False),
        sa.Column("uploader_id", sa.String(), nullable=True),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("content_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_file_sha256", "file", ["sha256"])
    op.create_index("ix_file_message", "file", ["message_id"])
    op.create_index("ix_file_conversation", "file", ["conversation_id"])
    op.create_index("ix_file_uploader", "file", ["uploader_kind", "uploader_id", "created_at_ms"])
    op.create_index("ix_file_state", "file", ["state", "created_at_ms"])
    op.create_table(
        "file_gone",
        sa.Column("sha256", sa.String(), primary_key=True, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "mail_out_file",
        sa.Column("mail_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("file_id", sa.String(), primary_key=True, nullable=False),
    )
