"""Figures: what reports keep ready."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns of figures, day by day; they fill by themselves."""
    op.create_table(
        "figure_head",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("shape", sa.Integer(), nullable=False),
    )
    op.create_table(
        "figure_day",
        sa.Column("source", sa.String(), primary_key=True, nullable=False),
        sa.Column("day", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "figure_column",
        sa.Column("source", sa.String(), primary_key=True, nullable=False),
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("day", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Packed already: a second try would only cost time at each reading.
        op.execute("ALTER TABLE figure_column ALTER COLUMN data SET STORAGE EXTERNAL")
