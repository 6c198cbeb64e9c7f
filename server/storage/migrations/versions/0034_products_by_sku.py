"""A product is found by its SKU alone: reports, hints and links of tickets know no source.

The key begins with the source, so each of them read the whole catalogue.
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the index."""
    op.create_index("ix_product_sku", "product", ["sku"])
