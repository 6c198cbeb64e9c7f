"""Figures of people and of what came of chats."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds an index: what some customers paid, among millions of orders of others."""
    op.create_index(
        "ix_event_paid",
        "event",
        ["customer_id", "at_ms"],
        sqlite_where=sa.text("kind = 'order.paid'"),
        postgresql_where=sa.text("kind = 'order.paid'"),
    )
