"""Voiding what should not count: figures go on without it, the log keeps it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions.payload import Payload
from server.domain.actors import Actor
from server.domain.conversation import Conversation
from server.domain.corrections import VOIDABLE, moves_work
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.events import CorrectionVoided, Event
from server.domain.permissions import require
from server.domain.replay import Replayed, replay
from server.domain.ticket import CHANNEL as TICKET
from server.storage.corrections import load_event, voided_seqs
from server.storage.event_log import conversation_events
from server.storage.unit import Tx

Json = dict[str, Any]  # Any: JSON values
WRITE = "correction.write"


class Void(Payload):
    """Which event counts no more, and why."""

    target_seq: int = Field(ge=1, le=2**53)
    reason: Literal["test", "duplicate", "misplaced", "machine", "clock", "mistake", "other"]


def void(tx: Tx, actor: Actor, payload: Void) -> Json:
    """Voids an event; conversation, sessions and turns are made anew without it.

    To void a correction lets what it voided count again. Raises NotFound, InvalidInput for what
    cannot be voided, Conflict when that was done before or would change who works on what.
    """
    require(actor, WRITE)
    target = load_event(tx.connection, payload.target_seq)
    if target is None:
        raise NotFound("There is no event with this number.", field="target_seq")
    return {"seq": void_event(tx, actor, target, payload.reason).seq}


def void_event(
    tx: Tx,
    actor: Actor,
    target: Event,
    reason: str,
    *,
    at_ms: int | None = None,
    event_id: str | None = None,
    imported: bool = False,
) -> Event:
    """Voids an event of the log and gives the correction; raises as ``void`` does."""
    if target.kind not in VOIDABLE:
        raise InvalidInput(
            f"{target.kind} cannot be voided.", field="target_seq", reason="not_voidable"
        )
    data = CorrectionVoided(target_seq=target.seq, reason=reason, by=actor.id)
    record = partial(tx.record, actor, data, at_ms=at_ms, event_id=event_id, imported=imported)
    if target.conversation_id is None:
        _refuse_twice(tx, target)
        return record(customer_id=target.customer_id)
    conversation = tx.conversation(target.conversation_id)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    _refuse_twice(tx, target)  # only once nobody else can void it any more
    history = conversation_events(tx.connection, conversation.id)
    _refuse_work(conversation, history, data)
    event = record(conversation=conversation)
    tx.rewrite(_replayed([*history, event]))
    return event


def _refuse_twice(tx: Tx, target: Event) -> None:
    if target.seq in voided_seqs(tx.connection):
        raise Conflict("This does not count already.", reason="voided_before")


def _refuse_work(conversation: Conversation, history: list[Event], data: CorrectionVoided) -> None:
    """Returns nothing. Raises Conflict when more would change than figures."""
    if conversation.channel == TICKET:
        # A ticket's state is another fold of the same events, and is a promise to somebody.
        raise Conflict("What happened to a ticket stays.", reason="void_of_ticket")
    last = history[-1]
    tried = replace(last, seq=last.seq + 1, event_id="", data=data)
    after = _replayed([*history, tried]).conversation
    if moves_work(conversation, after):
        raise Conflict(
            "Without it the conversation would be in another state or with somebody else. "
            "Change that in the console.",
            reason="void_moves_work",
        )


def _replayed(history: list[Event]) -> Replayed:
    found = replay(history)
    if found is None:
        raise NotFound("The log has no such conversation.")
    return found
