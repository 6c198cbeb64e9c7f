"""The first tables: shop, people, customers, the event log and what is derived from it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates everything from nothing."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE event_seq")
    op.create_table(
        "agent",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("imported_as", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(), nullable=True),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_cause", sa.String(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("status_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_assigned_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("imported_as"),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=True),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("external_id"),
    )
    op.create_index("ix_customer_email", "customer", ["email"])
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("src_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("session_no", sa.Integer(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("team_id", sa.String(), nullable=True),
        sa.Column("staff_seq", sa.Integer(), nullable=True),
        sa.Column("visitor_seq", sa.Integer(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("v", sa.Integer(), nullable=False),
        sa.UniqueConstraint("event_id"),
    )
    op.create_index("ix_event_kind_at", "event", ["kind", "at_ms"])
    op.create_index("ix_event_staff", "event", ["conversation_id", "staff_seq"], unique=True)
    op.create_index("ix_event_visitor", "event", ["conversation_id", "visitor_seq"])
    op.create_table(
        "secret",
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("value", sa.String(), nullable=False),
    )
    op.create_table(
        "shop",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("site_key", sa.String(), nullable=False),
        sa.Column("origins", sa.Text(), nullable=False),
        sa.Column("identity_secret", sa.String(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("site_key"),
    )
    op.create_table(
        "team",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "used_identity",
        sa.Column("jti", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_used_identity_expires_at_ms", "used_identity", ["expires_at_ms"])
    op.create_table(
        "api_token",
        sa.Column("token_hash", sa.String(), primary_key=True, nullable=False),
        sa.Column("agent_id", sa.String(), sa.ForeignKey("agent.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_api_token_agent_id", "api_token", ["agent_id"])
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=True),
        sa.Column("assignee_id", sa.String(), nullable=True),
        sa.Column("queued_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("waiting_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("snoozed_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_activity_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("staff_seq", sa.Integer(), nullable=False),
        sa.Column("visitor_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("preview", sa.String(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.UniqueConstraint("external_id"),
    )
    op.create_index("ix_conversation_assignee", "conversation", ["assignee_id", "status"])
    op.create_index(
        "ix_conversation_customer", "conversation", ["customer_id", "last_activity_at_ms"]
    )
    op.create_index(
        "ix_conversation_queued",
        "conversation",
        ["queued_at_ms"],
        sqlite_where=sa.text("queued_at_ms IS NOT NULL"),
        postgresql_where=sa.text("queued_at_ms IS NOT NULL"),
    )
    op.create_index("ix_conversation_status", "conversation", ["status", "last_activity_at_ms"])
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.String(), primary_key=True, nullable=False),
        sa.Column("agent_id", sa.String(), sa.ForeignKey("agent.id"), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=True),
    )
    op.create_index("ix_sign_in_agent_id", "sign_in", ["agent_id"])
    op.create_table(
        "team_member",
        sa.Column(
            "team_id", sa.String(), sa.ForeignKey("team.id"), primary_key=True, nullable=False
        ),
        sa.Column(
            "agent_id", sa.String(), sa.ForeignKey("agent.id"), primary_key=True, nullable=False
        ),
    )
    op.create_index("ix_team_member_agent_id", "team_member", ["agent_id"])
    op.create_table(
        "visitor_token",
        sa.Column("token_hash", sa.String(), primary_key=True, nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_visitor_token_customer_id", "visitor_token", ["customer_id"])
    op.create_table(
        "chat_session",
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("session_no", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.Column("rating_asked_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rated_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("replies", sa.Integer(), nullable=False),
        sa.Column("first_turn_no", sa.Integer(), nullable=True),
    )
    op.create_index("ix_chat_session_started", "chat_session", ["started_at_ms"])
    op.create_table(
        "draft",
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column(
            "agent_id", sa.String(), sa.ForeignKey("agent.id"), primary_key=True, nullable=False
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("conversation_id", sa.String(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("staff_seq", sa.Integer(), nullable=False),
        sa.Column("visitor_seq", sa.Integer(), nullable=True),
        sa.Column("sender_kind", sa.String(), nullable=False),
        sa.Column("sender_id", sa.String(), nullable=True),
        sa.Column("client_id", sa.String(), nullable=True),
        sa.Column("visibility", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("blocks", sa.Text(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("seq"),
        sa.UniqueConstraint("sender_kind", "sender_id", "client_id", name="uq_message_client"),
    )
    op.create_index("ix_message_conversation", "message", ["conversation_id", "seq"])
    op.create_table(
        "rating_comment",
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("session_no", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
    )
    op.create_table(
        "read_mark",
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("reader_kind", sa.String(), primary_key=True, nullable=False),
        sa.Column("reader_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("message_seq", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "turn",
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("turn_no", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("session_no", sa.Integer(), nullable=False),
        sa.Column("is_first_in_session", sa.Boolean(), nullable=False),
        sa.Column("ask_seq", sa.BigInteger(), nullable=False),
        sa.Column("ask_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ask_message_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("end_seq", sa.BigInteger(), nullable=True),
        sa.Column("end_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("elapsed_ms", sa.BigInteger(), nullable=True),
        sa.Column("reply_message_id", sa.String(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("owner_id", sa.String(), nullable=True),
        sa.Column("bot_reply_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("shares", sa.Text(), nullable=False),
    )
    op.create_index("ix_turn_answered_by", "turn", ["answered_by", "ask_at_ms"])
    op.create_index("ix_turn_ask", "turn", ["ask_at_ms"])
