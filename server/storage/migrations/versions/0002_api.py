"""What programs need: scopes of tokens, answers kept for idempotency keys."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds nothing yet."""
