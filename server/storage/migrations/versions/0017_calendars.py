"""Business calendars, corrections, targets."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables, and the business clock of turns."""
    op.create_table(
        "calendar_version",
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("team_id", sa.String(), nullable=True),
        sa.Column("hours", sa.Text(), nullable=True),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
    )
    op.add_column("turn", sa.Column("biz_ms", sa.BigInteger(), nullable=True))
