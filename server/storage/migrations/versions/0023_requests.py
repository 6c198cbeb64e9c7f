"""Which lines of orders a request is about, and portal sessions by the shop's word."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table and the column."""
    op.create_table(
        "request_line",
        sa.Column("ticket_id", sa.String(), sa.ForeignKey("ticket.id"), primary_key=True),
        sa.Column("order_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("line_no", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_request_line_order", "request_line", ["order_id"])
    op.add_column("portal_session", sa.Column("customer_id", sa.String(), nullable=True))
