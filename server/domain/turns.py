"""Turns: how long a shopper waited, for whom, and how it ended. Pure steps used by the reducer.

A turn opens at the first customer message when none is open and ends with a counted human reply, a
dismissal, the shopper leaving, or the conversation closing. The wait is cut at each change of
owner, so the shares of bot, queue and agents add up to the wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from server.domain.changing import changed

Outcome = Literal["waiting", "answered", "dismissed", "abandoned", "closed_unanswered"]
OUTCOMES: tuple[Outcome, ...] = (
    "waiting",
    "answered",
    "dismissed",
    "abandoned",
    "closed_unanswered",
)
OwnerKind = Literal["bot", "queue", "agent"]
COUNTED_ORIGINS = frozenset({"typed", "macro", "kb"})


@dataclass(frozen=True, slots=True)
class Owner:
    """Who the shopper is waiting for since when; ``bot`` until a queue or an agent takes over."""

    kind: OwnerKind
    id: str | None
    since_ms: int


@dataclass(frozen=True, slots=True)
class Share:
    """A closed stretch of a turn's wait and who owned it; milliseconds UTC, end exclusive."""

    kind: OwnerKind
    id: str | None
    start_at_ms: int
    end_at_ms: int


@dataclass(frozen=True)
class Turn:
    """One wait of a shopper. ``shares`` holds the closed stretches; spans are never negative.

    ``end_at_ms`` is the time of the reply or of what else ended the wait, None while waiting.
    ``owner_id`` is the agent who owned it last, or None.
    """

    conversation_id: str
    turn_no: int
    session_no: int
    is_first_in_session: bool
    ask_seq: int
    ask_at_ms: int
    ask_message_id: str
    outcome: Outcome = "waiting"
    end_seq: int | None = None
    end_at_ms: int | None = None
    reply_message_id: str | None = None
    answered_by: str | None = None
    owner_id: str | None = None
    bot_reply_at_ms: int | None = None
    shares: tuple[Share, ...] = ()

    @property
    def elapsed_ms(self) -> int | None:
        """The wait in milliseconds, None while it lasts; a clock set back counts as 0."""
        return None if self.end_at_ms is None else max(0, self.end_at_ms - self.ask_at_ms)

    @property
    def shares_until_ms(self) -> int:
        """Up to where the wait is already divided into shares."""
        return self.shares[-1].end_at_ms if self.shares else self.ask_at_ms


def cut(turn: Turn, owner: Owner, at_ms: int) -> Turn:
    """The turn with the time up to ``at_ms`` given to ``owner``."""
    start = turn.shares_until_ms
    if at_ms <= start:
        return turn
    share = Share(owner.kind, owner.id, start, at_ms)
    return changed(turn, shares=(*turn.shares, share))


def hand_over(turn: Turn, owner: Owner, to: Owner) -> Turn:
    """The turn with its wait cut where ``to`` takes it over from ``owner``."""
    return changed(cut(turn, owner, to.since_ms), owner_id=to.id if to.kind == "agent" else None)


def end(
    turn: Turn,
    owner: Owner,
    *,
    outcome: Outcome,
    seq: int,
    at_ms: int,
    reply_message_id: str | None = None,
    answered_by: str | None = None,
) -> Turn:
    """The turn ended at ``at_ms``, the last stretch given to ``owner``.

    A time before what is already divided counts as that instant, so shares add up to the wait.
    """
    end_at_ms = max(at_ms, turn.shares_until_ms)
    return changed(
        cut(turn, owner, end_at_ms),
        outcome=outcome,
        end_seq=seq,
        end_at_ms=end_at_ms,
        reply_message_id=reply_message_id,
        answered_by=answered_by,
        owner_id=owner.id if owner.kind == "agent" else turn.owner_id,
    )


def reopen(turn: Turn) -> Turn:
    """The turn waiting again, as if it had never ended."""
    return changed(
        turn,
        outcome="waiting",
        end_seq=None,
        end_at_ms=None,
        reply_message_id=None,
        answered_by=None,
    )
