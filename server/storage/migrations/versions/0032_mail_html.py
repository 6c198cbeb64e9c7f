"""How mails that came look: their HTML, cleaned; and who wants no mail about defects."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table and the column."""
    op.create_table(
        "mail_sheet",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
    )
    op.create_index("ix_mail_sheet_conversation", "mail_sheet", ["conversation_id"])
    op.add_column(
        "agent", sa.Column("alarm_mail", sa.Boolean(), nullable=False, server_default=sa.true())
    )
