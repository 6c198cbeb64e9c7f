"""The segments of all customers as columns, and of whom they may not know the latest."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables; they fill by themselves."""
    op.create_table(
        "segment_head",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("shape", sa.Integer(), nullable=False),
    )
    op.create_table(
        "segment_column",
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("block", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "segment_mark",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Packed already: a second try would only cost time at each reading.
        op.execute("ALTER TABLE segment_column ALTER COLUMN data SET STORAGE EXTERNAL")
