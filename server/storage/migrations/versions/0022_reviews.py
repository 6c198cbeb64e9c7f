"""Sampled reviews of conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "scorecard_version",
        sa.Column("version", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("pass_mark", sa.Integer(), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "review_sample",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("card", sa.Integer(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_table(
        "review_item",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("sample_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("session_no", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("stratum", sa.String(), nullable=False),
        sa.Column("twice", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("sample_id", "place"),
    )
    op.create_index("ix_review_item_conversation", "review_item", ["conversation_id"])
    op.create_index("ix_review_item_agent", "review_item", ["agent_id"])
    op.create_table(
        "review",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("reviewer_id", sa.String(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("second", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("critical", sa.Boolean(), nullable=True),
        sa.Column("saved_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("given_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settled_at_ms", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("item_id", "reviewer_id"),
    )
    op.create_table(
        "review_text",
        sa.Column("review_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("settled", sa.Text(), nullable=False),
    )
    op.create_index("ix_review_text_conversation", "review_text", ["conversation_id"])
