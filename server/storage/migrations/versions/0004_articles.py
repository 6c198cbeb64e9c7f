"""Articles of the knowledge base, and what other desks call our customers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds articles with their texts and phrasings, and the names of imported customers."""
    op.create_table(
        "article",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("source", "external_id", name="uq_article_external"),
    )
    op.create_index("ix_article_updated_at_ms", "article", ["updated_at_ms"])
    op.create_table(
        "article_text",
        sa.Column(
            "article_id",
            sa.String(),
            sa.ForeignKey("article.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("locale", sa.String(), primary_key=True, nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "article_phrasing",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("article_id", sa.String(), sa.ForeignKey("article.id"), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_article_phrasing_article_id", "article_phrasing", ["article_id"])
    op.create_table(
        "customer_origin",
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
    )
    op.create_index("ix_customer_origin_customer_id", "customer_origin", ["customer_id"])
