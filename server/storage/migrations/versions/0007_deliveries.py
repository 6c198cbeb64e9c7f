"""Shop data on its way in."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds what is told of orders piece by piece."""
    op.create_table(
        "shop_order_parts",
        sa.Column("source", sa.String(), primary_key=True, nullable=False),
        sa.Column("external_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
    )
