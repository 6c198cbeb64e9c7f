"""Notices to people of the desk about tickets that are theirs or that they watch."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "desk_notice",
        sa.Column("agent_id", sa.String(), sa.ForeignKey("agent.id"), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.String(), sa.ForeignKey("ticket.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("by_id", sa.String(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("read_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_desk_notice_at", "desk_notice", ["at_ms"])
    op.create_index("ix_desk_notice_ticket", "desk_notice", ["ticket_id"])
    op.create_index(
        "ix_desk_notice_unread",
        "desk_notice",
        ["agent_id", "seq"],
        sqlite_where=sa.text("read_at_ms IS NULL"),
        postgresql_where=sa.text("read_at_ms IS NULL"),
    )
