"""Articles of the knowledge base, and where imported objects came from."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds nothing yet."""
