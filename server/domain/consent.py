"""What a person may agree to, and what holds when they said different things in several places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Purpose = Literal["service", "analytics", "marketing_email", "marketing_sms", "profiling"]
State = Literal["given", "refused"]

PURPOSES: tuple[Purpose, ...] = (
    "service",
    "analytics",
    "marketing_email",
    "marketing_sms",
    "profiling",
)
# What holds while nobody said anything. The chat itself needs no consent; working out a value from
# orders that the shop has anyway goes on until it is refused; everything else waits for a yes.
UNSAID: dict[Purpose, bool] = {
    "service": True,
    "analytics": False,
    "marketing_email": False,
    "marketing_sms": False,
    "profiling": True,
}


def holds(purpose: Purpose, said: Iterable[State]) -> bool:
    """Whether a purpose is allowed, given the last word of each record of one person.

    One refusal is enough: joining two records must not bring back what was withdrawn in one of
    them. The chat can be ended, not refused.

    >>> holds("analytics", ["given", "refused"]), holds("analytics", ["given"])
    (False, True)
    """
    states = set(said)
    if purpose == "service":
        return True
    if "refused" in states:
        return False
    return "given" in states or UNSAID[purpose]
