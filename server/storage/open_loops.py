"""Everything that waits for the shop past its target, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal  # Any: columns

from sqlalchemy import Connection, Select, and_, exists, false, func, or_, select, text

from server.storage.customers import CUSTOMER
from server.storage.rows import CONVERSATION
from server.storage.tables import ON_DESK, MailIn, MailOut, TargetWatch, table
from server.storage.ticket_rows import TICKET, TICKET_TASK, TICKET_TEXT

Kind = Literal["chat", "ticket", "task", "mail", "undelivered"]
C, T, W = CONVERSATION.c, TICKET.c, table(TargetWatch).c
WATCH, MAIL_IN, MAIL_OUT = table(TargetWatch), table(MailIn), table(MailOut)
# Of more than these nobody reads on; they are counted nevertheless.
MOST = 500


@dataclass(frozen=True, slots=True)
class Loop:
    """Something that is owed since ``due_at_ms``; ``id`` is of the chat, ticket, task or mail.

    ``owed`` is the target that was missed, ``about`` what a task or mail is called.
    """

    kind: Kind
    id: str
    due_at_ms: int
    conversation_id: str | None = None
    number: str | None = None
    customer_id: str | None = None
    customer_name: str | None = None
    agent_id: str | None = None
    team_id: str | None = None
    owed: str | None = None
    about: str | None = None


def open_loops(
    connection: Connection, *, at_ms: int, limit_ms: int, limit: int = MOST
) -> list[Loop]:
    """What is open past its target, the latest first."""
    found: list[Loop] = []
    for kind, statement in _statements(at_ms, limit_ms).items():
        due = statement.selected_columns["due_at_ms"]
        rows = connection.execute(statement.order_by(due).limit(limit)).mappings()
        found += [Loop(kind=_KIND[kind], **row) for row in rows]
    return sorted(found, key=lambda one: (one.due_at_ms, one.kind, one.id))[:limit]


def count_open_loops(connection: Connection, *, at_ms: int, limit_ms: int) -> dict[Kind, int]:
    """How much is open past its target, by kind; all must be zero."""
    found: dict[Kind, int] = dict.fromkeys(_KIND.values(), 0)
    for kind, statement in _statements(at_ms, limit_ms, counted=True).items():
        found[_KIND[kind]] += int(connection.execute(statement).scalar_one())
    return found


_KIND: dict[str, Kind] = {
    "watched": "chat",
    "unwatched": "chat",
    "ticket": "ticket",
    "task": "task",
    "mail": "mail",
    "undelivered": "undelivered",
}


def _statements(
    at_ms: int, limit_ms: int, *, counted: bool = False
) -> dict[str, Select[Any]]:  # Any: columns
    """Each kind as a query of the columns of a Loop; ``counted`` as one number, without names."""
    late = or_(W.missed, W.due_at_ms <= at_ms)
    chat = [
        C.id,
        C.id.label("conversation_id"),
        C.customer_id,
        CUSTOMER.c.name.label("customer_name"),
        C.assignee_id.label("agent_id"),
        C.team_id,
    ]
    ticket = [
        T.number,
        T.customer_id,
        CUSTOMER.c.name.label("customer_name"),
    ]
    task = TICKET_TASK.c
    later = MAIL_OUT.alias("later")
    is_open = C.status == "open"
    unanswered = (
        text(ON_DESK),
        is_open,
        C.waiting_since_ms <= at_ms - limit_ms,
        W.due_at_ms.is_(None),
        func.coalesce(W.missed, false()).is_(false()),
    )
    # As lists say it, which an index counts by itself.
    overdue = (T.lane == "us", T.next_due_at_ms < at_ms)
    found = {
        "watched": select(
            *chat,
            func.coalesce(W.due_at_ms, C.waiting_since_ms, C.last_activity_at_ms).label(
                "due_at_ms"
            ),
            W.target.label("owed"),
        )
        .join_from(CONVERSATION, WATCH, W.conversation_id == C.id)
        .join(CUSTOMER, CUSTOMER.c.id == C.customer_id)
        .where(text(ON_DESK), is_open, late),
        # Without a target of its own the usual limit of an answer holds.
        "unwatched": select(*chat, (C.waiting_since_ms + limit_ms).label("due_at_ms"))
        .join_from(CONVERSATION, WATCH, W.conversation_id == C.id, isouter=True)
        .join(CUSTOMER, CUSTOMER.c.id == C.customer_id)
        .where(*unanswered),
        "ticket": select(
            T.id,
            T.id.label("conversation_id"),
            *ticket,
            T.assignee_id.label("agent_id"),
            T.team_id,
            T.next_due_at_ms.label("due_at_ms"),
            T.next_due.label("owed"),
            TICKET_TEXT.c.subject.label("about"),
        )
        .select_from(TICKET)
        .join(CUSTOMER, CUSTOMER.c.id == T.customer_id)
        .join(TICKET_TEXT, TICKET_TEXT.c.ticket_id == T.id, isouter=True)
        .where(*overdue),
        "task": select(
            task.id,
            task.ticket_id.label("conversation_id"),
            *ticket,
            func.coalesce(task.assignee_id, T.assignee_id).label("agent_id"),
            func.coalesce(task.team_id, T.team_id).label("team_id"),
            task.due_at_ms,
            task.title.label("about"),
        )
        .join_from(TICKET_TASK, TICKET, T.id == task.ticket_id)
        .join(CUSTOMER, CUSTOMER.c.id == T.customer_id)
        .where(task.state == "open", task.due_at_ms <= at_ms, T.lane != "done"),
        "mail": select(
            MAIL_IN.c.id,
            MAIL_IN.c.conversation_id,
            MAIL_IN.c.at_ms.label("due_at_ms"),
            MAIL_IN.c.reason.label("owed"),
            MAIL_IN.c.subject.label("about"),
        ).where(MAIL_IN.c.state == "aside"),
        # What was written after it went by another mail, or will be told to have failed as well.
        "undelivered": select(
            MAIL_OUT.c.id,
            MAIL_OUT.c.conversation_id,
            T.number,
            C.customer_id,
            CUSTOMER.c.name.label("customer_name"),
            func.coalesce(T.assignee_id, C.assignee_id).label("agent_id"),
            func.coalesce(T.team_id, C.team_id).label("team_id"),
            MAIL_OUT.c.created_at_ms.label("due_at_ms"),
            MAIL_OUT.c.reason.label("owed"),
            MAIL_OUT.c.subject.label("about"),
        )
        .join_from(MAIL_OUT, CONVERSATION, C.id == MAIL_OUT.c.conversation_id)
        .join(CUSTOMER, CUSTOMER.c.id == C.customer_id)
        .join(TICKET, T.id == C.id, isouter=True)
        .where(
            MAIL_OUT.c.state == "failed",
            MAIL_OUT.c.kind == "reply",
            C.status.not_in(("closed", "spam")),
            ~exists().where(
                and_(
                    later.c.conversation_id == MAIL_OUT.c.conversation_id,
                    later.c.kind == "reply",
                    later.c.created_at_ms > MAIL_OUT.c.created_at_ms,
                )
            ),
        ),
    }
    if not counted:
        return found
    count = func.count()
    return found | {
        "watched": select(count)
        .join_from(CONVERSATION, WATCH, W.conversation_id == C.id)
        .where(text(ON_DESK), is_open, late),
        "unwatched": select(count)
        .join_from(CONVERSATION, WATCH, W.conversation_id == C.id, isouter=True)
        .where(*unanswered),
        "ticket": select(count).select_from(TICKET).where(*overdue),
        **{kind: found[kind].with_only_columns(count) for kind in ("task", "mail", "undelivered")},
    }
