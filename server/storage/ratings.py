"""What shoppers wrote beside a rating; the scores themselves are in the log and the session."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select, text

from server.storage.tables import RatingComment, table
from server.storage.unit import Tx

RATING_COMMENT = table(RatingComment)
_SET_COMMENT = text(
    "INSERT INTO rating_comment (conversation_id, session_no, comment)"
    " VALUES (:conversation_id, :session_no, :comment)"
    " ON CONFLICT (conversation_id, session_no) DO UPDATE SET comment = excluded.comment"
)


def set_rating_comment(tx: Tx, conversation_id: str, *, session_no: int, comment: str) -> None:
    """Keeps what a shopper wrote beside a rating, apart from the log."""
    values = {"conversation_id": conversation_id, "session_no": session_no, "comment": comment}
    tx.later(_SET_COMMENT, values)


def rating_comments(
    connection: Connection, conversation_ids: Collection[str]
) -> dict[tuple[str, int], str]:
    """What shoppers wrote beside their ratings, by conversation and session."""
    c = RATING_COMMENT.c
    found = connection.execute(
        select(c.conversation_id, c.session_no, c.comment).where(
            c.conversation_id.in_(conversation_ids)
        )
    )
    return {
        (conversation_id, session_no): comment for conversation_id, session_no, comment in found
    }
