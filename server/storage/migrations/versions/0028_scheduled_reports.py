"""Reports sent by mail on a schedule, and mailed codes."""

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
