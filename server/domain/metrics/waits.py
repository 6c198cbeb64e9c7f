"""Waits: turns as they stood at the instant of a report, with what a report groups by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.domain.errors import InvalidInput
from server.domain.periods import LocalTimes
from server.domain.turns import Outcome, Share, Turn

DIMENSIONS = ("agent", "team", "channel", "segment", "label", "day", "hour", "weekday")


@dataclass(frozen=True, slots=True)
class Wait:
    """A turn as it stood at the instant of a report, with what a report groups by.

    ``wait_ms`` runs to the end of the turn, or to the instant of the report while it lasts.
    ``agent_id`` is who answered, else who owned the wait last; None for nobody (queue or bot).
    ``day`` and ``hour`` are those of the question on the shop's clock.
    """

    conversation_id: str
    turn_no: int
    session_no: int
    is_first_in_session: bool
    ask_at_ms: int
    outcome: Outcome
    end_at_ms: int | None
    wait_ms: int
    agent_id: str | None
    team_id: str | None
    channel: str
    day: str
    hour: int
    weekday: int
    segment: str | None = None

    @property
    def answered(self) -> bool:
        """True when a person of the shop answered."""
        return self.outcome == "answered"

    @property
    def waiting(self) -> bool:
        """True while the shopper waits."""
        return self.outcome == "waiting"


def wait_of(
    turn: Turn, *, as_of_ms: int, local: LocalTimes, channel: str, team_id: str | None
) -> Wait | None:
    """The turn as it stood at ``as_of_ms``; None when it was asked later.

    An end after that instant had not happened yet: the turn was open, and its owner is whoever
    owned it then.
    """
    if turn.ask_at_ms > as_of_ms:
        return None
    asked = local(turn.ask_at_ms)
    open_then = turn.end_at_ms is None or turn.end_at_ms > as_of_ms
    last_owner = turn.answered_by or turn.owner_id
    agent_id = _owner_at(turn, as_of_ms) if open_then else last_owner
    end_at_ms = None if open_then else turn.end_at_ms
    return Wait(
        conversation_id=turn.conversation_id,
        turn_no=turn.turn_no,
        session_no=turn.session_no,
        is_first_in_session=turn.is_first_in_session,
        ask_at_ms=turn.ask_at_ms,
        outcome="waiting" if open_then else turn.outcome,
        end_at_ms=end_at_ms,
        wait_ms=max(0, (as_of_ms if end_at_ms is None else end_at_ms) - turn.ask_at_ms),
        agent_id=agent_id,
        team_id=team_id,
        channel=channel,
        day=asked.day,
        hour=asked.hour,
        weekday=asked.weekday,
    )


def _owner_at(turn: Turn, at_ms: int) -> str | None:
    """The agent who owned the turn at an instant; None for the queue or a bot."""
    for share in turn.shares:
        if at_ms < share.end_at_ms:
            return _agent(share)
    if turn.end_at_ms is None or not turn.shares:
        return turn.owner_id
    return _agent(turn.shares[-1])


def _agent(share: Share) -> str | None:
    return share.id if share.kind == "agent" else None


def group_of(wait: Wait, dimension: str) -> str | int | None:
    """Where a wait belongs in a dimension: an id of agent, team or channel, a day, an hour.

    None is a group of its own: nobody, no team, no segment. Raises InvalidInput for no dimension.
    """
    match dimension:
        case "agent":
            return wait.agent_id
        case "team":
            return wait.team_id
        case "channel":
            return wait.channel
        case "segment":
            return wait.segment
        case "day":
            return wait.day
        case "hour":
            return wait.hour
    raise InvalidInput(
        f"Cannot group by {dimension!r}. There are: {', '.join(DIMENSIONS)}.", by=dimension
    )


def groups(waits: Iterable[Wait], dimension: str) -> dict[str | int | None, list[Wait]]:
    """The waits of each group, groups in order, the nameless one last."""
    found: dict[str | int | None, list[Wait]] = {}
    for wait in waits:
        found.setdefault(group_of(wait, dimension), []).append(wait)
    keys = sorted((key for key in found if key is not None), key=lambda key: (str(type(key)), key))
    ordered = {key: found[key] for key in keys}
    return ordered | ({None: found[None]} if None in found else {})
