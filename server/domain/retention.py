"""How long things are kept: one row for each kind of thing, with what a shop may choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from server.domain.errors import InvalidInput

Kept = Literal["conversations", "visits", "deliveries"]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long one kind of thing is kept, in ``unit``; 0 keeps it for good where ``for_good``."""

    name: Kept
    unit: Literal["days", "months"]
    default: int
    most: int
    for_good: bool = False


RETENTIONS: tuple[Retention, ...] = (
    Retention("conversations", "months", 24, 120, for_good=True),
    Retention("visits", "days", 90, 90),
    Retention("deliveries", "days", 30, 365),
)
# A month as people mean it when they say how long something is kept.
_DAYS_A_MONTH = 30.44


@dataclass(frozen=True, slots=True)
class Policy:
    """What a shop has chosen: whether pages may be noted at all, and how long things are kept."""

    page_events: bool = True
    kept: tuple[tuple[Kept, int], ...] = ()

    def of(self, name: Kept) -> int:
        """How long something is kept, in the unit of its row; 0 is for good."""
        row = next(row for row in RETENTIONS if row.name == name)
        return dict(self.kept).get(name, row.default)

    @property
    def days(self) -> dict[Kept, int]:
        """How many days each kind of thing is kept; 0 is for good."""
        return {
            row.name: self.of(row.name)
            if row.unit == "days"
            else round(self.of(row.name) * _DAYS_A_MONTH)
            for row in RETENTIONS
        }


def checked(name: Kept, value: int) -> int:
    """A time that a shop may choose for something. Raises InvalidInput for another."""
    row = next(row for row in RETENTIONS if row.name == name)
    if (value == 0 and row.for_good) or 1 <= value <= row.most:
        return value
    raise InvalidInput(
        f"{name} are kept from 1 to {row.most} {row.unit}.", field=name, reason="retention_invalid"
    )
