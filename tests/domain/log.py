"""A log written by hand: events of one conversation, numbered as the transaction numbers them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Literal

from server.domain.actors import ActorKind
from server.domain.conversation import Conversation, Session
from server.domain.events import (
    AssignmentAccepted,
    ConversationOpened,
    Event,
    EventData,
    MessagePosted,
    SessionStarted,
    seen_by_shopper,
)
from server.domain.replay import Replayed, replay
from server.domain.turns import Turn

S = 1000


@dataclass
class Log:
    """Events so far; times are seconds since the conversation was opened."""

    events: list[Event] = field(default_factory=list)
    _heads: list[int] = field(default_factory=lambda: [0, 0])
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add(
        self, at_s: float, data: EventData, who: str = "system", *, imported: bool = False
    ) -> Event:
        """Appends an event; ``who`` is customer, bot, system, or the id of an agent."""
        kinds: dict[str, ActorKind] = {"customer": "customer", "bot": "bot", "system": "system"}
        seq = len(self.events) + 1
        self._heads[0] += 1
        seen = seen_by_shopper(data)
        self._heads[1] += seen
        event = Event(
            seq=seq,
            event_id=f"e{seq}",
            at_ms=int(at_s * S),
            data=data,
            actor_kind=kinds.get(who, "agent"),
            actor_id=None if who in ("bot", "system") else who,
            conversation_id="c",
            customer_id="customer",
            staff_seq=self._heads[0],
            visitor_seq=self._heads[1] if seen else None,
            imported=imported,
        )
        self.events.append(event)
        return event

    def open(self, at_s: float = 0) -> Log:
        """The conversation begins, and its first session."""
        self.add(at_s, ConversationOpened(), "customer")
        self.add(at_s, SessionStarted(), "customer")
        return self

    def say(
        self,
        at_s: float,
        who: str,
        *,
        visibility: Literal["public", "private"] = "public",
        origin: Literal["typed", "macro", "kb", "bot", "auto", "campaign", "system"] = "typed",
    ) -> str:
        """The id of a message."""
        message_id = f"m{next(self._numbers)}"
        data = MessagePosted(message_id=message_id, visibility=visibility, origin=origin)
        self.add(at_s, data, who)
        return message_id

    def accept(self, at_s: float, agent: str) -> None:
        """The agent owns the conversation now."""
        self.add(at_s, AssignmentAccepted(to=agent), agent)

    @property
    def replayed(self) -> Replayed:
        """Everything that follows from the events so far."""
        found = replay(self.events)
        assert found is not None
        return found

    @property
    def state(self) -> Conversation:
        """The conversation after the events so far."""
        return self.replayed.conversation

    @property
    def turns(self) -> list[Turn]:
        """The turns in order."""
        return list(self.replayed.turns.values())

    @property
    def turn(self) -> Turn:
        """The latest turn."""
        return self.turns[-1]

    @property
    def sessions(self) -> list[Session]:
        """The sessions in order."""
        return list(self.replayed.sessions.values())


def shares(turn: Turn) -> list[tuple[str, str | None, int]]:
    """How a wait divides: owner, id, seconds."""
    return [(s.kind, s.id, (s.end_at_ms - s.start_at_ms) // S) for s in turn.shares]
