"""Thresholds, segments through time and what to do about them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "thresholds",
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("returns", sa.Text(), nullable=True),
        sa.Column("returns_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("labelled_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_table(
        "segment_change",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("segment_from", sa.String(), nullable=False),
        sa.Column("segment_to", sa.String(), nullable=False),
        sa.Column("activity_from", sa.String(), nullable=False),
        sa.Column("activity_to", sa.String(), nullable=False),
        sa.Column("relationship_from", sa.String(), nullable=False),
        sa.Column("relationship_to", sa.String(), nullable=False),
    )
    op.create_index("ix_segment_change_at", "segment_change", ["at_ms"])
    op.create_index("ix_segment_change_person", "segment_change", ["person_id", "at_ms"])
