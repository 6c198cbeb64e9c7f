"""Figures of people and of what came of chats."""

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds nothing yet."""
