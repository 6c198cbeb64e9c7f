"""Turns as rows of metrics."""

from __future__ import annotations

from sqlalchemy import Connection

from server.reports.frames import Frame
from server.reports.turns import Scope, load_waits

_TEXTS = ("conversation_id", "outcome", "agent_id", "team_id", "channel", "segment", "day")
_NUMBERS = (
    *("turn_no", "session_no", "is_first_in_session", "ask_at_ms", "wait_ms"),
    *("hour", "weekday", "answered", "waiting"),
)


def load_turns(connection: Connection, scope: Scope) -> Frame:
    """The turns of a scope in the order of their questions."""
    frame = Frame.of(load_waits(connection, scope), _TEXTS, _NUMBERS)
    return frame.having(at_ms=frame.ask_at_ms)
