"""Product quality, repairs and follow-up calls."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds what was made of bad experiences and deliveries, alarms of defects and who was told."""
    op.create_table(
        "care_repair",
        sa.Column("cause", sa.String(), primary_key=True, nullable=False),
        _text("kind"),
        _text("customer_id"),
        _text("ticket_id", null=True),
        _text("held", null=True),
        _int("at_ms"),
        _int("due_at_ms", null=True),
    )
    op.create_index("ix_care_repair_at", "care_repair", ["at_ms"])
    op.create_table(
        "care_plan",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _int("days", small=True),
        _text("segment", null=True),
        _int("share", small=True),
        _text("team_id", null=True),
        sa.Column("question_en", sa.Text(), nullable=False),
        sa.Column("question_zh", sa.Text(), nullable=False),
        _int("since_ms"),
        _int("created_at_ms"),
        _int("updated_at_ms"),
        _text("updated_by", null=True),
        _int("removed_at_ms", null=True),
    )
    op.create_table(
        "care_call",
        sa.Column("order_id", sa.String(), primary_key=True, nullable=False),
        _text("plan_id"),
        _text("customer_id", null=True),
        _text("ticket_id", null=True),
        _text("held", null=True),
        _int("made_at_ms"),
        _int("due_at_ms", null=True),
        _text("outcome", null=True),
        _int("outcome_at_ms", null=True),
        _text("problem_id", null=True),
        _int("tries", small=True),
    )
    op.create_index("ix_care_call_plan", "care_call", ["plan_id", "made_at_ms"])
    op.create_index("ix_care_call_ticket", "care_call", ["ticket_id"])
    op.create_table(
        "defect_alarm",
        _text("sku"),
        _text("defect_batch"),
        _text("week"),
        _int("at_ms"),
        _int("defects", small=True),
        _int("orders"),
        _int("expected_milli"),
        sa.PrimaryKeyConstraint("sku", "defect_batch", "week"),
    )
    op.create_index("ix_defect_alarm_at", "defect_alarm", ["at_ms"])
    op.create_table(
        "fix_notice",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        _text("sku"),
        _text("defect_batch", null=True),
        sa.Column("words_en", sa.Text(), nullable=False),
        sa.Column("words_zh", sa.Text(), nullable=False),
        _int("at_ms"),
        _text("by_id", null=True),
        _int("told", small=True),
        _int("held", small=True),
    )
    op.create_index("ix_fix_notice_sku", "fix_notice", ["sku", "at_ms"])
    op.create_table(
        "fix_told",
        sa.Column("ticket_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("notice_id", sa.String(), sa.ForeignKey("fix_notice.id"), nullable=False),
        _text("held", null=True),
        _int("at_ms"),
    )
    op.create_index("ix_fix_told_notice_id", "fix_told", ["notice_id"])


def _int(name: str, *, null: bool = False, small: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer() if small else sa.BigInteger(), nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=null)
