"""Automatic closing: a reminder, then resolved, then closed; each step seen before it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from server.domain.hours import Hours
from server.domain.spans import DAY_MS
from server.domain.ticket import Ticket

Step = Literal["remind", "resolve", "close"]
STEPS: tuple[Step, ...] = ("remind", "resolve", "close")
MAX_DAYS = 365
_HORIZON_DAYS = 4 * MAX_DAYS


@dataclass(frozen=True, slots=True)
class Closing:
    """After how many business days each step comes: the first two from the state's beginning.

    ``close_days`` counts from when it was resolved. ``on`` is whether any step is taken at all.
    """

    on: bool = False
    remind_days: int = 2
    resolve_days: int = 5
    close_days: int = 7


@dataclass(frozen=True, slots=True)
class Planned:
    """A step that comes by itself at an instant."""

    step: Step
    at_ms: int


def read_closing(values: object) -> Closing:
    """What the shop has chosen; what is absent or makes no sense is as it comes."""
    if not isinstance(values, Mapping):
        return Closing()
    usual = Closing()

    def days(name: str, default: int) -> int:
        value = values.get(name)
        fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_DAYS
        return value if fits and isinstance(value, int) else default

    return Closing(
        on=values.get("on") is True,
        remind_days=days("remind_days", usual.remind_days),
        resolve_days=days("resolve_days", usual.resolve_days),
        close_days=days("close_days", usual.close_days),
    )


def plan(ticket: Ticket, closing: Closing, hours: Hours, tz: ZoneInfo) -> list[Planned]:
    """The steps that come for a ticket while nobody does anything, in order; none while held."""
    if ticket.held:
        return []
    if ticket.state == "resolved":
        since = ticket.resolved_at_ms or ticket.state_at_ms
        return [Planned("close", after_days(since, closing.close_days, hours, tz))]
    if ticket.state != "pending_customer":
        return []
    since = ticket.state_at_ms
    resolve = after_days(since, max(closing.remind_days, closing.resolve_days), hours, tz)
    steps = [
        Planned("resolve", resolve),
        Planned("close", after_days(resolve, closing.close_days, hours, tz)),
    ]
    if ticket.reminded_at_ms is not None:
        return steps
    return [Planned("remind", after_days(since, closing.remind_days, hours, tz)), *steps]


def next_step(
    ticket: Ticket, closing: Closing, hours: Hours, tz: ZoneInfo, *, at_ms: int
) -> Step | None:
    """The step whose time has come, None when there is none."""
    planned = plan(ticket, closing, hours, tz)
    return planned[0].step if planned and planned[0].at_ms <= at_ms else None


def after_days(at_ms: int, days: int, hours: Hours, tz: ZoneInfo) -> int:
    """The same local time so many business days later; where no hours are set every day counts."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(tz)
    calendar = hours.calendar_at(at_ms)
    left = days
    for number in range(1, _HORIZON_DAYS):
        later = moment + timedelta(days=number)
        if calendar is None or calendar.spans_of(later.date()):
            left -= 1
        if left <= 0:
            return int(later.astimezone(UTC).timestamp() * 1000)
    return at_ms + _HORIZON_DAYS * DAY_MS
