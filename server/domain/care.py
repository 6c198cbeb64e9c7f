"""What mends a relation: settings of repairs and alarms, and whom to call after a delivery."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal  # Any: JSON values

from server.domain.spans import DAY_MS

Kind = Literal["rating", "complaint", "refund"]
KINDS: tuple[Kind, ...] = ("rating", "complaint", "refund")
Outcome = Literal["reached", "not_reached", "refused", "problem"]
# As the field of a follow-up call has it.
IN_FIELD: Mapping[Outcome, str] = {
    "reached": "satisfied",
    "not_reached": "not_reached",
    "refused": "refused",
    "problem": "problem",
}
# Type of the ticket that a repair or a call is.
TICKET_TYPE = "follow_up"
# How long a call may be made after the day that it is planned for.
CALL_WITHIN_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Repairs:
    """When a relation needs mending, and whose task that is.

    ``refund_minor`` is in the shop's currency, ``days`` how far apart two complaints may lie.
    ``team_id`` None gives it to the supervisor with the fewest such tasks.
    """

    on: bool = True
    kinds: tuple[Kind, ...] = field(default=KINDS)
    rating: int = 2
    days: int = 90
    refund_minor: int = 50_000
    team_id: str | None = None
    due_hours: int = 24


def read_repairs(value: object) -> Repairs:
    """The settings as a shop has kept them; what is missing is as it comes.

    >>> read_repairs({"rating": 1}).rating, read_repairs(None).due_hours
    (1, 24)
    """
    kept = value if isinstance(value, Mapping) else {}
    usual = asdict(Repairs())
    values: dict[str, Any] = {  # Any: JSON values
        name: kept[name] for name in usual if name in kept and name != "kinds"
    }
    if "kinds" in kept:
        values["kinds"] = tuple(one for one in KINDS if one in kept["kinds"])
    return Repairs(**values)


def kept_repairs(repairs: Repairs) -> dict[str, Any]:  # Any: JSON values
    """The settings as they are kept."""
    return asdict(repairs) | {"kinds": list(repairs.kinds)}


def is_drawn(plan_id: str, order_id: str, share: int) -> bool:
    """True for the orders of a sample of ``share`` per cent; the same order always answers alike.

    >>> is_drawn("p", "o", 100), is_drawn("p", "o", 0)
    (True, False)
    >>> 400 < sum(is_drawn("p", str(n), 50) for n in range(1000)) < 600
    True
    """
    digest = hashlib.sha256(f"{plan_id}:{order_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < share
