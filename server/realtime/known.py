"""What this process knows without asking the database: names, and what was last said where.

Kept for telling events only. It is never older than what has been told: a change made here is heard
of with its commit, one made by another process with its event, and names are read again each
second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from server.actions.messages import preview_of
from server.domain.conversation import Conversation
from server.domain.events import (
    CustomerErased,
    CustomerIdentified,
    Event,
    MessagePosted,
    RatingGiven,
    RatingRevised,
)
from server.storage.conversations import Found
from server.storage.customers import CustomerChanged
from server.storage.database import Committed
from server.storage.rows import Message
from server.storage.views import Facts

T = TypeVar("T")
MOST = 20_000
# For what no event tells of: a name taken back, a language changed, both in another process.
CUSTOMERS_LAST_S = 30.0
NAMES_LAST_S = 2.0


@dataclass(frozen=True, slots=True)
class _Customer:
    """What lists show of a shopper, and when (monotonic) it was read."""

    name: str | None
    locale: str | None
    identity: str
    segment: str | None
    top20: bool
    own_name: str | None
    at_s: float


@dataclass(frozen=True, slots=True)
class _Last:
    """The newest state of a conversation that was told, and the preview of its last message."""

    staff_seq: int
    message_id: str | None
    preview: str | None


@dataclass(slots=True)
class Known:
    """``now_s`` is a monotonic clock. Everything here may be forgotten at any moment."""

    now_s: Callable[[], float]
    _names: Mapping[str, str] = field(default_factory=dict)
    _teams: Mapping[str, str] = field(default_factory=dict)
    _names_at_s: float = float("-inf")
    _customers: dict[str, _Customer] = field(default_factory=dict)
    _lasts: dict[str, _Last] = field(default_factory=dict)

    def heed(self, committed: Committed) -> None:
        """Forgets the customers that a commit has changed."""
        for notice in committed.notices:
            if isinstance(notice, CustomerChanged):
                self._customers.pop(notice.customer_id, None)
        for event in committed.events:
            if isinstance(event.data, CustomerIdentified):
                self._customers.pop(event.customer_id or "", None)
            if isinstance(event.data, CustomerErased):
                self._customers.clear()
                self._lasts.clear()

    def name_people(self, names: Mapping[str, str], teams: Mapping[str, str]) -> None:
        """Takes the names of people and teams as they are now."""
        self._names, self._teams, self._names_at_s = names, teams, self.now_s()

    def learn(self, facts: Facts) -> None:
        """Keeps what was read for telling."""
        self.name_people(facts.names, facts.teams)
        for found in facts.found.values():
            customer = _Customer(
                found.customer_name,
                found.customer_locale,
                found.customer_identity,
                found.segment,
                found.top20,
                found.own_name,
                self.now_s(),
            )
            _put(self._customers, found.conversation.customer_id, customer)
            self._keep(found)

    def recall(self, committed: Committed, events: Iterable[Event]) -> tuple[Facts, list[Event]]:
        """What is known of the events without a read, and those for which one is needed."""
        states = {c.id: c for c in committed.conversations}
        texts = {m.id: m for m in committed.messages}
        found: dict[str, Found | None] = {}
        unknown: list[Event] = []
        names_hold = self.now_s() - self._names_at_s < NAMES_LAST_S
        for event in events:
            key = event.conversation_id or ""
            if key not in found:
                found[key] = self._found(states.get(key), texts) if names_hold else None
            if found[key] is None or not self._tellable(event, texts):
                unknown.append(event)
        known = {key: one for key, one in found.items() if one is not None}
        for one in known.values():
            self._keep(one)
        return Facts(texts, known, self._names, self._teams, {}), unknown

    def _found(self, state: Conversation | None, texts: Mapping[str, Message]) -> Found | None:
        if state is None:
            return None
        customer = self._customers.get(state.customer_id)
        if customer is None or self.now_s() - customer.at_s > CUSTOMERS_LAST_S:
            return None
        last = self._lasts.get(state.id)
        if last is not None and last.staff_seq > state.staff_seq:
            # Another process has written since, and its event was told first.
            return None
        said = state.last_message
        preview = None
        if said is not None:
            if said.author_kind == "agent" and said.author_id not in self._names:
                return None
            message = texts.get(said.id)
            if message is not None:
                preview = preview_of(message.body, message.blocks or [])
            elif last is not None and last.message_id == said.id:
                preview = last.preview
            else:
                return None
        return Found(
            state,
            preview,
            customer.name,
            customer.locale,
            customer.identity,
            customer.segment,
            customer.top20,
            customer.own_name,
        )

    def _tellable(self, event: Event, texts: Mapping[str, Message]) -> bool:
        data = event.data
        if isinstance(data, MessagePosted):
            return data.message_id in texts and self._named(event)
        if isinstance(data, RatingGiven | RatingRevised):
            return False  # what was written beside it stands in the rows
        people = (getattr(data, "to", None), getattr(data, "from_", None))
        team_id = getattr(data, "team_id", None)
        return (
            self._named(event)
            and all(person is None or person in self._names for person in people)
            and (team_id is None or team_id in self._teams)
        )

    def _named(self, event: Event) -> bool:
        return event.actor_kind != "agent" or event.actor_id in self._names

    def _keep(self, found: Found) -> None:
        state = found.conversation
        said = state.last_message
        _put(
            self._lasts, state.id, _Last(state.staff_seq, said.id if said else None, found.preview)
        )


def _put(kept: dict[str, T], key: str, value: T) -> None:
    """Keeps a value; forgets all when there are too many."""
    if len(kept) > MOST:
        kept.clear()
    kept[key] = value
