"""Who does something: a customer, an agent, a bot or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["customer", "agent", "bot", "system"]
Role = Literal["agent", "supervisor", "admin"]
ROLES: tuple[Role, ...] = ("agent", "supervisor", "admin")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or part of the system, with what its permissions depend on.

    ``role`` and ``team_ids`` are set for agents only; ``id`` is None for bot and system. ``also``
    are the other rows of a shopper: browsers of theirs that wrote before they signed in.
    """

    kind: ActorKind
    id: str | None = None
    name: str | None = None
    role: Role | None = None
    team_ids: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()

    def is_shopper(self, customer_id: str | None) -> bool:
        """True when a customer row is this shopper's own, or one of their browsers' before."""
        return customer_id is not None and (customer_id == self.id or customer_id in self.also)

    @property
    def leads(self) -> bool:
        """True for those who see every conversation: supervisors and admins."""
        return self.role in ("supervisor", "admin")


SYSTEM = Actor("system", name="Shopbell")


def agent(
    agent_id: str, *, name: str, role: Role = "agent", team_ids: frozenset[str] = frozenset()
) -> Actor:
    """The actor of a person who signs in."""
    return Actor("agent", agent_id, name, role, team_ids)


def customer(
    customer_id: str, *, name: str | None = None, also: frozenset[str] = frozenset()
) -> Actor:
    """The actor of a shopper."""
    return Actor("customer", customer_id, name, also=also)
