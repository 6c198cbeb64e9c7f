"""Drawing chats for review: fair, and so that anybody can draw the very same ones again.

The method, version 1. Every chat gets the rank SHA-256 of "SEED:CONVERSATION:SESSION". For each
agent the chats with the lowest ranks are drawn, as many as were asked for: within an agent each
chat is as likely as any other. What was singled out beside that (a bad rating, a long chat) is
drawn from the rest in the same order and is marked as what it is: it never counts in a figure that
speaks of all chats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

METHOD = 1
RANDOM = "random"
LONG_MESSAGES = 10
SLOW_MS = 180_000
BAD_RATING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A session that may be reviewed; ``agent_id`` has the most replies in it.

    ``messages`` are the shopper's; ``reopened`` when the shopper asked again within a week of its
    end; ``first_wait_ms`` is the wait for the first reply.
    """

    conversation_id: str
    session_no: int
    agent_id: str
    team_id: str | None
    channel: str
    started_at_ms: int
    rating: int | None = None
    messages: int = 0
    reopened: bool = False
    transferred: bool = False
    first_wait_ms: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """Which session it is."""
        return self.conversation_id, self.session_no


# What may be singled out, in the order in which it is drawn.
TARGETED: Mapping[str, Callable[[Candidate], bool]] = {
    "bad_rating": lambda one: one.rating is not None and one.rating <= BAD_RATING,
    "reopened": lambda one: one.reopened,
    "long": lambda one: one.messages >= LONG_MESSAGES,
    "slow": lambda one: one.first_wait_ms > SLOW_MS,
    "transferred": lambda one: one.transferred,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawScope:
    """Which chats are drawn from: those that began in a period, ms UTC, of whom and where.

    None is any. ``as_of_seq`` pins what is known of them; with ``skip_drawn`` the chats of earlier
    samples are left out.
    """

    from_ms: int
    to_ms: int
    timezone: str
    as_of_ms: int
    as_of_seq: int
    agent_id: str | None = None
    team_id: str | None = None
    channel: str | None = None
    skip_drawn: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many to draw: of each agent at random, and of each singled-out kind in all.

    So many as ``twice`` says of those at random are to be judged by a second reviewer as well.
    """

    per_agent: int
    targeted: Mapping[str, int] = field(default_factory=dict)
    twice: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chat that was drawn, by what, and whether two people are to judge it."""

    candidate: Candidate
    stratum: str
    twice: bool


@dataclass(frozen=True, slots=True)
class Population:
    """What was drawn from: chats by agent, and by what could be singled out."""

    agents: Mapping[str, int]
    targeted: Mapping[str, int]

    @property
    def size(self) -> int:
        """All of them."""
        return sum(self.agents.values())


def population(candidates: Sequence[Candidate]) -> Population:
    """How many there are to draw from."""
    return Population(
        dict(sorted(Counter(one.agent_id for one in candidates).items())),
        {name: sum(map(fits, candidates)) for name, fits in TARGETED.items()},
    )


def rank(seed: str, candidate: Candidate) -> str:
    """Where a chat stands in the order of a seed; the lowest is drawn first.

    >>> one = Candidate(conversation_id="c", session_no=1, agent_id="a", team_id=None,
    ...                 channel="chat", started_at_ms=0)
    >>> rank("seed", one)[:8]
    'b435bcd0'
    """
    return _hash(f"{seed}:{candidate.conversation_id}:{candidate.session_no}")


def draw(candidates: Sequence[Candidate], plan: Plan, *, seed: str) -> list[Drawn]:
    """The chats of a plan, in an order that tells nothing of agent or stratum.

    The same candidates, plan and seed give the same chats, in whatever order the candidates come.
    """
    ordered = sorted(candidates, key=lambda one: (rank(seed, one), one.key))
    chosen: dict[tuple[str, int], tuple[Candidate, str]] = {}
    taken: Counter[str] = Counter()
    for one in ordered:
        if taken[one.agent_id] < plan.per_agent:
            taken[one.agent_id] += 1
            chosen[one.key] = (one, RANDOM)
    # Judged twice are chats of all agents alike, by an order of its own.
    at_random = sorted(chosen, key=lambda key: _hash(f"{seed}:twice:{key[0]}:{key[1]}"))
    twice = set(at_random[: plan.twice])
    for name, fits in TARGETED.items():
        wanted = plan.targeted.get(name, 0)
        rest = [one for one in ordered if one.key not in chosen and fits(one)]
        chosen |= {one.key: (one, name) for one in rest[:wanted]}
    mixed = sorted(chosen, key=lambda key: _hash(f"{seed}:order:{key[0]}:{key[1]}"))
    return [Drawn(*chosen[key], twice=key in twice) for key in mixed]


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
