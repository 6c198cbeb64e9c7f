"""Rules that act by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

UNDERWAY = "promised_at_ms IS NOT NULL AND delivered_at_ms IS NULL AND cancelled_at_ms IS NULL"


def upgrade() -> None:
    """Adds rules, their versions and runs, and the indexes by which time finds its objects."""
    op.create_table(
        "rule",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        _int("version", small=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _int("position", small=True),
        _int("since_ms"),
        _text("stopped", null=True),
        _int("removed_at_ms", null=True),
        _int("created_at_ms"),
        _int("updated_at_ms"),
        _text("updated_by", null=True),
    )
    op.create_table(
        "rule_version",
        sa.Column("rule_id", sa.String(), sa.ForeignKey("rule.id"), nullable=False),
        _int("version", small=True),
        sa.Column("plan", sa.Text(), nullable=False),
        _text("change"),
        _text("agent_id", null=True),
        _int("created_at_ms"),
        sa.PrimaryKeyConstraint("rule_id", "version"),
    )
    op.create_table(
        "rule_run",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("rule_id", sa.String(), sa.ForeignKey("rule.id"), nullable=False),
        _int("version", small=True),
        _text("cause"),
        _int("seq", null=True),
        _text("subject"),
        _text("object_id"),
        _text("conversation_id", null=True),
        _int("at_ms"),
        _text("outcome"),
        _text("held", null=True),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        _int("due_at_ms", null=True),
        sa.UniqueConstraint("rule_id", "cause", name="uq_rule_run_cause"),
    )
    op.create_index("ix_rule_run_rule", "rule_run", ["rule_id", "at_ms", "id"])
    op.create_index("ix_rule_run_object", "rule_run", ["rule_id", "object_id", "at_ms"])
    op.create_index("ix_rule_run_at", "rule_run", ["at_ms"])
    _some("ix_rule_run_due", "rule_run", "due_at_ms", "due_at_ms IS NOT NULL")
    op.create_table(
        "rule_effect",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("run_id", sa.String(), sa.ForeignKey("rule_run.id"), nullable=False),
    )
    op.create_index("ix_rule_effect_run_id", "rule_effect", ["run_id"])
    waiting = "waiting_since_ms IS NOT NULL"
    _some("ix_conversation_waiting", "conversation", "waiting_since_ms", waiting)
    _some("ix_cart_left", "cart", "updated_at_ms", "ordered_at_ms IS NULL")
    delivered = "delivered_at_ms IS NOT NULL"
    _some("ix_shop_order_delivered", "shop_order", "delivered_at_ms", delivered)
    _some("ix_shop_order_promised", "shop_order", "promised_at_ms", UNDERWAY)


def _some(name: str, table: str, column: str, where: str) -> None:
    """An index over those rows only of which this is true."""
    only = sa.text(where)
    op.create_index(name, table, [column], sqlite_where=only, postgresql_where=only)


def _int(name: str, *, null: bool = False, small: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer() if small else sa.BigInteger(), nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=null)
