"""Mail in and out: what came, what goes, and which words wait to be mailed."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "mail_box",
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("looked_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
    )
    op.create_table(
        "mail_in",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("rfc_id", sa.String(), nullable=True),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("settled_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_mail_in_uid", "mail_in", ["uid_validity", "uid"], unique=True)
    op.create_index("ix_mail_in_state", "mail_in", ["state", "at_ms"])
    op.create_index("ix_mail_in_rfc_id", "mail_in", ["rfc_id"])
    op.create_index("ix_mail_in_conversation", "mail_in", ["conversation_id"])
    op.create_table(
        "mail_out",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("rfc_id", sa.String(), nullable=False),
        sa.Column("answers_rfc_id", sa.String(), nullable=True),
        sa.Column("lease", sa.String(), nullable=True),
    )
    op.create_index("ix_mail_out_due", "mail_out", ["state", "due_at_ms"])
    op.create_index("ix_mail_out_conversation", "mail_out", ["conversation_id", "created_at_ms"])
    op.create_index("ix_mail_out_recipient", "mail_out", ["recipient", "kind", "created_at_ms"])
    op.create_table(
        "mail_wish",
        sa.Column("message_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("mail_id", sa.String(), nullable=True),
    )
    op.create_index("ix_mail_wish_due", "mail_wish", ["due_at_ms"])
    op.create_index("ix_mail_wish_conversation", "mail_wish", ["conversation_id"])
