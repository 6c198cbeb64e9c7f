"""Targets: what a shop promises about answers and solutions, and to which chats and tickets.

Policies are an ordered list; the first that matches holds, one for each chat or ticket. Which one
held, in which version of the list, is written down when it is applied: a later change of the list
touches what is open only where somebody says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args  # Any: JSON values

from server.domain.errors import InvalidInput
from server.domain.hours import Calendar
from server.domain.spans import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

Clock = Literal["calendar", "business"]
Unit = Literal["second", "minute", "hour", "day"]
TargetName = Literal["queue_wait", "first_response", "round", "next_response", "resolution"]
TARGETS: tuple[TargetName, ...] = get_args(TargetName)
TICKET = "ticket"
FIELDS = ("channel", "priority", "type", "category", "team", "segment")
MAX_POLICIES = 50
MAX_NAME = 80
MAX_VALUES = 50
MAX_AMOUNT = 10_000
_UNIT_MS: Mapping[str, int] = {
    "second": SECOND_MS,
    "minute": MINUTE_MS,
    "hour": HOUR_MS,
    "day": DAY_MS,
}


@dataclass(frozen=True, slots=True)
class Target:
    """So much time, by the wall clock or in business time; ``warn_percent`` of it is the warning.

    A day of business time is as long as an open day of the week is on average.
    """

    amount: float
    unit: Unit
    clock: Clock = "business"
    warn_percent: int = 80

    def limit_ms(self, calendar: Calendar | None) -> int:
        """The time that there is, in ms of its clock."""
        unit_ms = _UNIT_MS[self.unit]
        if self.unit == "day" and self.clock == "business" and calendar is not None:
            unit_ms = day_ms(calendar)
        return max(1, round(self.amount * unit_ms))


@dataclass(frozen=True, slots=True)
class Facts:
    """What a policy is chosen by. ``category`` are the tags."""

    channel: str
    priority: str | None = None
    type: str | None = None
    category: tuple[str, ...] = ()
    team: str | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A row of the list: which it is for (no values of a field mean any), and its targets."""

    name: str
    match: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    enabled: bool = True

    def matches(self, facts: Facts) -> bool:
        """True when every field that it names has one of its values."""
        return self.enabled and all(
            not values or any(own in values for own in _values(facts, name))
            for name, values in self.match.items()
        )


def _values(facts: Facts, name: str) -> tuple[str, ...]:
    value = getattr(facts, name)
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def day_ms(calendar: Calendar) -> int:
    """How long an open day of a week is on average, in ms."""
    days = [sum(s.end_min - s.start_min for s in spans) for spans in calendar.weekly if spans]
    return round(sum(days) / len(days) * MINUTE_MS) if days else _UNIT_MS["day"]


def policy_of(policies: Sequence[Policy], facts: Facts) -> Policy | None:
    """The first policy that matches; None when nothing was promised."""
    return next((policy for policy in policies if policy.matches(facts)), None)


def named(policies: Sequence[Policy], name: str) -> Policy | None:
    """The policy with this name, or None."""
    return next((policy for policy in policies if policy.name == name), None)


# What holds until a shop has said otherwise: enough for a small one.
DEFAULTS: tuple[Policy, ...] = (
    Policy(
        "Urgent tickets",
        {"channel": (TICKET,), "priority": ("urgent",)},
        {
            "first_response": Target(2, "hour"),
            "next_response": Target(4, "hour"),
            "resolution": Target(1.5, "day"),
        },
    ),
    Policy(
        "Tickets",
        {"channel": (TICKET,)},
        {
            "first_response": Target(4, "hour"),
            "next_response": Target(8, "hour"),
            "resolution": Target(3, "day"),
        },
    ),
    # The console shows these two spans anyway; events about every chat are for who wants them.
    Policy(
        "Chats",
        {"channel": ("chat",)},
        {
            "first_response": Target(60, "second", "calendar"),
            "round": Target(180, "second", "calendar", warn_percent=56),
        },
        enabled=False,
    ),
)


def to_json(policies: Sequence[Policy]) -> list[dict[str, Any]]:  # Any: JSON values
    """The list as JSON, which ``from_json`` reads."""
    return [
        {
            "name": one.name,
            "enabled": one.enabled,
            "match": {name: list(values) for name, values in one.match.items() if values},
            "targets": {
                name: {
                    "amount": target.amount,
                    "unit": target.unit,
                    "clock": target.clock,
                    "warn_percent": target.warn_percent,
                }
                for name, target in one.targets.items()
            },
        }
        for one in policies
    ]


def from_json(values: Any) -> tuple[Policy, ...]:  # Any: JSON values
    """The list of ``to_json``. Raises InvalidInput for what is no list of policies."""
    if not isinstance(values, list):
        raise InvalidInput("Policies are a list.", field="policies")
    try:
        found = tuple(
            Policy(
                name=str(one["name"]),
                enabled=bool(one.get("enabled", True)),
                match={k: tuple(map(str, v)) for k, v in dict(one.get("match") or {}).items()},
                targets={
                    name: Target(
                        amount=float(target["amount"]),
                        unit=target["unit"],
                        clock=target.get("clock", "business"),
                        warn_percent=int(target.get("warn_percent", 80)),
                    )
                    for name, target in dict(one.get("targets") or {}).items()
                },
            )
            for one in values
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput("This is no list of policies.", field="policies") from None
    return checked(found)


def checked(policies: Sequence[Policy]) -> tuple[Policy, ...]:
    """The policies. Raises InvalidInput for too many, no or the same names, no such target."""
    if len(policies) > MAX_POLICIES:
        raise InvalidInput(
            f"At most {MAX_POLICIES} policies.", field="policies", reason="too_many_policies"
        )
    names = [policy.name for policy in policies]
    if len({name.casefold() for name in names}) < len(names):
        raise InvalidInput(
            "Each policy has a name of its own.", field="name", reason="policy_taken"
        )
    for policy in policies:
        _check(policy)
    return tuple(policies)


def _check(policy: Policy) -> None:
    if not policy.name.strip() or len(policy.name) > MAX_NAME:
        raise InvalidInput("Give the policy a name.", field="name", reason="policy_name")
    for name, values in policy.match.items():
        if name not in FIELDS or len(values) > MAX_VALUES:
            raise InvalidInput("Nothing can be matched so.", field="match")
    for name, target in policy.targets.items():
        if (
            name not in TARGETS
            or target.unit not in _UNIT_MS
            or target.clock not in get_args(Clock)
        ):
            raise InvalidInput("There is no such target.", field="targets")
        if not 0 < target.amount <= MAX_AMOUNT:
            raise InvalidInput(
                "A time is more than 0.", field=f"{name}_amount", reason="target_amount"
            )
        if not 1 <= target.warn_percent <= 100:
            raise InvalidInput(
                "Warn between 1 and 100 %.", field=f"{name}_warn", reason="target_warn"
            )
