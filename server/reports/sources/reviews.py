"""Quality reviews as rows of metrics, from nothing but the log."""

from __future__ import annotations

from sqlalchemy import Connection

from server.domain.review_draw import RANDOM
from server.reports.frames import Frame
from server.reports.scope import Scope
from server.reports.sources.visits import Logged, Visits, framed, load_events

_GIVEN = "review.given"
_REVISED = "review.revised"
_ANSWERED = "review.answered"


def load_reviews(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The reviews of chats that began in the period of a scope, as they stand at its instant."""
    given: dict[str, Logged] = {}
    latest: dict[str, Logged] = {}
    answers: dict[str, str] = {}
    for event in load_events(connection, scope, (_GIVEN, _REVISED, _ANSWERED)):
        review_id = event.data["review_id"]
        if event.kind == _ANSWERED:
            answers[review_id] = event.data.get("answer", "acknowledged")
            continue
        latest[review_id] = event
        if event.kind == _GIVEN:
            given[review_id] = event
    rows = []
    for review_id, event in given.items():
        chat = event.data
        at_ms = int(chat["started_at_ms"])
        if not (scope.from_ms or 0) <= at_ms < (scope.to_ms or at_ms + 1):
            continue
        verdict = latest[review_id].data
        points = int(verdict["score"])
        first = not chat.get("second", False)
        at_random = chat.get("stratum", RANDOM) == RANDOM
        rows.append(
            {
                "review_id": review_id,
                "conversation_id": chat["conversation_id"],
                "session_no": int(chat.get("session_no", 1)),
                "at_ms": at_ms,
                "agent_id": chat["agent_id"],
                "team_id": chat.get("team_id"),
                "channel": chat.get("channel"),
                "labels": "",
                "reviewer_id": event.actor_id,
                "points": points,
                "points_squared": points * points,
                "fair": first and at_random,
                "targeted": first and not at_random,
                "passed": bool(verdict.get("passed", False)),
                "critical": bool(verdict.get("critical", False)),
                "objected": answers.get(review_id) == "objected",
                "unanswered": review_id not in answers,
                "waiting": False,
            }
        )
    return framed(
        sessions,
        scope,
        rows,
        texts=("conversation_id", "review_id", "reviewer_id"),
        numbers=(
            *("session_no", "points", "points_squared", "fair", "targeted"),
            *("passed", "critical", "objected", "unanswered", "waiting"),
        ),
    )
