"""What the knowledge base needs beside its articles."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables, and to an article its kind, its life time and its place among changes."""
    op.add_column(
        "article", sa.Column("kind", sa.String(), nullable=False, server_default="article")
    )
    op.add_column("article", sa.Column("shortcut", sa.String(), nullable=True))
    op.add_column("article", sa.Column("valid_from_ms", sa.BigInteger(), nullable=True))
    op.add_column("article", sa.Column("valid_to_ms", sa.BigInteger(), nullable=True))
    op.add_column("article", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column(
        "article", sa.Column("kb_seq", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_index("ix_article_kb_seq", "article", ["kb_seq"])
    op.add_column(
        "article_phrasing", sa.Column("uses", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("article_phrasing", sa.Column("added_by", sa.String(), nullable=True))
    op.add_column("article_phrasing", sa.Column("conversation_id", sa.String(), nullable=True))
    op.add_column("article_phrasing", sa.Column("customer_id", sa.String(), nullable=True))
    op.create_index("ix_article_phrasing_customer_id", "article_phrasing", ["customer_id"])
    op.create_table(
        "article_version",
        sa.Column(
            "article_id", sa.String(), sa.ForeignKey("article.id"), primary_key=True, nullable=False
        ),
        sa.Column("locale", sa.String(), primary_key=True, nullable=False),
        sa.Column("version", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=True),
        sa.Column("saved_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "article_vector",
        sa.Column("text_hash", sa.String(), primary_key=True, nullable=False),
        sa.Column("encoder", sa.String(), primary_key=True, nullable=False),
        sa.Column("vector", sa.Text(), nullable=False),
    )
    op.create_table(
        "knowledge_head",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO knowledge_head (id, seq) VALUES (1, 1)")
    # Whatever is there already is a change that every process must take over.
    op.execute("UPDATE article SET kb_seq = 1")
    op.create_table(
        "suggestion",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("locale", sa.String(), nullable=True),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("articles", sa.Text(), nullable=False),
        sa.Column("kb_seq", sa.BigInteger(), nullable=False),
        sa.Column("asked_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("chosen_id", sa.String(), nullable=True),
        sa.Column("chosen_rank", sa.Integer(), nullable=True),
        sa.Column("outcome_by", sa.String(), nullable=True),
        sa.Column("outcome_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("edit_ratio", sa.Float(), nullable=True),
    )
    op.create_index("ix_suggestion_conversation", "suggestion", ["conversation_id", "asked_at_ms"])
    op.create_index("ix_suggestion_asked", "suggestion", ["asked_at_ms"])
    op.create_index("ix_suggestion_chosen", "suggestion", ["chosen_id", "outcome_at_ms"])
    op.create_index("ix_suggestion_customer_id", "suggestion", ["customer_id"])
    op.create_table(
        "knowledge_calibration",
        sa.Column("at_ms", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("coefficients", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("error", sa.Float(), nullable=False),
        sa.Column("covered", sa.Float(), nullable=False),
    )
