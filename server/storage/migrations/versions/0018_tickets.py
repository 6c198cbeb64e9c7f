"""Tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ON_DESK = "status IN ('open', 'snoozed') AND channel <> 'ticket'"
_WRITE = "INSERT INTO ticket_words(rowid, words) VALUES (new.id, new.words);"
_DROP = "INSERT INTO ticket_words(ticket_words, rowid, words) VALUES ('delete', old.id, old.words);"
_TABLE = (
    "CREATE VIRTUAL TABLE ticket_words USING fts5(words, content='ticket_search',"
    " content_rowid='id', tokenize=\"unicode61 remove_diacritics 2\")"
)
# The text is in one place; these keep what finds it in step.
_TRIGGERS = (
    f"CREATE TRIGGER ticket_search_added AFTER INSERT ON ticket_search BEGIN {_WRITE} END",
    f"CREATE TRIGGER ticket_search_gone AFTER DELETE ON ticket_search BEGIN {_DROP} END",
    f"CREATE TRIGGER ticket_search_new AFTER UPDATE ON ticket_search BEGIN {_DROP} {_WRITE} END",
)


def upgrade() -> None:
    """Adds tickets, what belongs to them, and the search over all of it."""
    op.create_index(
        "ix_conversation_desk",
        "conversation",
        ["assignee_id", "status"],
        sqlite_where=sa.text(ON_DESK),
        postgresql_where=sa.text(ON_DESK),
    )
    op.create_table(
        "ticket",
        sa.Column(
            "id", sa.String(), sa.ForeignKey("conversation.id"), primary_key=True, nullable=False
        ),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), sa.ForeignKey("customer.id"), nullable=False),
        _int("created_at_ms"),
        _text("type"),
        _text("source"),
        _text("state"),
        _text("status", null=True),
        _text("reason", null=True),
        _text("priority"),
        _text("priority_source"),
        _text("team_id", null=True),
        _text("assignee_id", null=True),
        _text("parent_id", null=True),
        _text("merged_into", null=True),
        _text("before_merge", null=True),
        _int("updated_at_ms"),
        _int("state_at_ms"),
        _int("wake_at_ms", null=True),
        _int("waiting_since_ms", null=True),
        _int("replied_at_ms", null=True),
        _int("first_resolved_at_ms", null=True),
        _int("resolved_at_ms", null=True),
        sa.Column("reopens", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        _text("last_reply_id", null=True),
        sa.Column("owed", sa.Text(), nullable=False),
        _int("reminded_at_ms", null=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        _int("last_seq"),
        _int("next_due_at_ms", null=True),
        _text("next_due", null=True),
        _text("lane"),
        _int("sort_ms"),
        _text("client_key", null=True),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("client_key"),
    )
    op.create_index("ix_ticket_lane", "ticket", ["lane", "sort_ms", "id"])
    op.create_index(
        "ix_ticket_desk",
        "ticket",
        ["lane", "team_id", "assignee_id", "type", "priority", "next_due_at_ms", "id"],
    )
    op.create_index("ix_ticket_assignee", "ticket", ["assignee_id", "lane", "sort_ms"])
    op.create_index("ix_ticket_team", "ticket", ["team_id", "lane", "sort_ms"])
    op.create_index("ix_ticket_customer", "ticket", ["customer_id", "created_at_ms"])
    op.create_index("ix_ticket_created", "ticket", ["created_at_ms", "id"])
    op.create_index("ix_ticket_state", "ticket", ["state", "state_at_ms"])
    for name, column in (
        ("ix_ticket_wake", "wake_at_ms"),
        ("ix_ticket_merged_into", "merged_into"),
        ("ix_ticket_parent", "parent_id"),
    ):
        some = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "ticket", [column], sqlite_where=some, postgresql_where=some)
    op.create_table(
        "ticket_text",
        _ticket(key=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
    )
    op.create_table(
        "ticket_link",
        _ticket(key=True),
        sa.Column("kind", sa.String(), primary_key=True, nullable=False),
        sa.Column("target", sa.String(), primary_key=True, nullable=False),
        _int("at_ms"),
        _text("by_id", null=True),
    )
    op.create_index("ix_ticket_link_target", "ticket_link", ["kind", "target"])
    op.create_table(
        "ticket_task",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        _ticket(),
        sa.Column("title", sa.Text(), nullable=False),
        _text("team_id", null=True),
        _text("assignee_id", null=True),
        _text("state"),
        sa.Column("result", sa.Text(), nullable=True),
        _int("created_at_ms"),
        _int("due_at_ms", null=True),
        _int("ended_at_ms", null=True),
        _text("by_id", null=True),
        _text("ended_by_id", null=True),
    )
    op.create_index("ix_ticket_task_ticket", "ticket_task", ["ticket_id", "created_at_ms"])
    op.create_index("ix_ticket_task_open", "ticket_task", ["state", "due_at_ms"])
    op.create_table(
        "ticket_watcher",
        _ticket(key=True),
        sa.Column(
            "agent_id", sa.String(), sa.ForeignKey("agent.id"), primary_key=True, nullable=False
        ),
        _int("at_ms"),
        sa.Column("seen_seq", sa.Integer(), nullable=False),
    )
    op.create_index("ix_ticket_watcher_agent_id", "ticket_watcher", ["agent_id"])
    op.create_table(
        "ticket_note",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        _ticket(),
        sa.Column("words", sa.Text(), nullable=False),
    )
    op.create_index("ix_ticket_note_ticket", "ticket_note", ["ticket_id"])
    op.create_table(
        "ticket_type",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        _int("updated_at_ms"),
    )
    op.create_table(
        "ticket_status",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        _text("state"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        _text("name_en"),
        _text("name_zh"),
        _text("shown_en", null=True),
        _text("shown_zh", null=True),
    )
    op.create_table(
        "ticket_search",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("ticket_id", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.UniqueConstraint("ticket_id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in (_TABLE, *_TRIGGERS):
            op.execute(statement)
    else:
        op.execute(
            "CREATE INDEX ix_ticket_search_words ON ticket_search"
            " USING gin (to_tsvector('simple', words))"
        )


def _ticket(*, key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "ticket_id", sa.String(), sa.ForeignKey("ticket.id"), primary_key=key, nullable=False
    )


def _int(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=null)
