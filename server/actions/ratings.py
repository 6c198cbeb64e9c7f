"""The shopper's word on how it went."""

from __future__ import annotations

from typing import Annotated, Any  # Any: JSON values

from pydantic import Field

from server.actions.access import access_conversation
from server.actions.payload import Id, Payload
from server.domain.actors import Actor
from server.domain.errors import Conflict
from server.domain.events import RatingGiven, RatingRevised
from server.domain.text import clean
from server.storage.ratings import set_rating_comment
from server.storage.unit import Tx


class GiveRating(Payload):
    """A score from 1 (bad) to 5 (good) with an optional comment."""

    conversation_id: Id
    score: Annotated[int, Field(ge=1, le=5)]
    comment: str | None = None


def give_rating(tx: Tx, actor: Actor, payload: GiveRating) -> dict[str, Any]:  # Any: JSON values
    """Rates the latest session; a second rating revises the first. Raises Conflict too early."""
    conversation = access_conversation(tx, actor, payload.conversation_id)
    session = conversation.session
    if session is None or (session.replies == 0 and session.rating_asked_at_ms is None):
        raise Conflict("There is nothing to rate yet.")
    comment = (
        clean(payload.comment, limit=2000, name="comment", empty=True) if payload.comment else ""
    )
    if session.rating is None:
        tx.record(
            actor,
            RatingGiven(score=payload.score, session_no=session.session_no),
            conversation=conversation,
        )
    elif session.rating != payload.score:
        tx.record(
            actor,
            RatingRevised(score=payload.score, session_no=session.session_no),
            conversation=conversation,
        )
    if comment:
        set_rating_comment(tx, conversation.id, session_no=session.session_no, comment=comment)
    return {"conversation_id": conversation.id, "score": payload.score}
