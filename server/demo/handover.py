"""What the history leaves open, brought to the desk that opens now.

An import leaves the desk alone: its open chats are nobody's, and none of them waits in a queue.
In the demo they are this very desk's chats, so who waits stands in the queue and the rest stay
with whom they talked to.
"""

from __future__ import annotations

from dataclasses import replace

from server.actions import routing
from server.domain.actors import SYSTEM
from server.domain.events import AssignmentAccepted
from server.storage import conversations
from server.storage.unit import Tx


def hand_over(tx: Tx) -> None:
    """Puts open chats of nobody in the queue, those that are answered with who answered last."""
    everything = replace(SYSTEM, role="supervisor")
    for found in conversations.on_desk(tx.connection, everything):
        conversation = tx.conversation(found.conversation.id)
        if conversation is None or conversation.status != "open":
            continue
        if conversation.owner.kind == "agent":
            continue
        last = conversation.last_turn
        if conversation.turn is None and last is not None and last.answered_by is not None:
            accepted = AssignmentAccepted(to=last.answered_by, reason="auto")
            tx.record(SYSTEM, accepted, conversation=conversation)
        else:
            routing.attend(tx, conversation)
