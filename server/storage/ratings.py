"""What shoppers wrote beside a rating; the scores themselves are in the log and the session."""

from __future__ import annotations

from sqlalchemy import text

from server.storage.unit import Tx

_SET_COMMENT = text(
    "INSERT INTO rating_comment (conversation_id, session_no, comment)"
    " VALUES (:conversation_id, :session_no, :comment)"
    " ON CONFLICT (conversation_id, session_no) DO UPDATE SET comment = excluded.comment"
)


def set_rating_comment(tx: Tx, conversation_id: str, *, session_no: int, comment: str) -> None:
    """Keeps what a shopper wrote beside a rating, apart from the log."""
    values = {"conversation_id": conversation_id, "session_no": session_no, "comment": comment}
    tx.later(_SET_COMMENT, values)
