"""What the address of a report says: period, filters, and the state of the log it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from server.domain.errors import InvalidInput
from server.domain.metrics import METRICS
from server.domain.periods import MAX_AT_MS, day_start_ms, instant_ms, local_date, zone
from server.domain.turns import OUTCOMES
from server.reports.turns import Scope

PERIOD_DAYS: Mapping[str, int] = {"today": 1, "7": 7, "28": 28, "90": 90}
DEFAULT_PERIOD = "28"
PERIODS = (*PERIOD_DAYS, "all", "custom")
MAX_VALUE_CHARS = 100
_NUMBERS = {
    "hour": 23,
    "weekday": 6,
    "wait_from": MAX_AT_MS,
    "wait_to": MAX_AT_MS,
    "as_of": MAX_AT_MS,
    "seq": 2**53,
    "page": 100_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """The parameters of a report's address; None is absent. Dates are days of the shop.

    ``as_of`` (ms UTC) and ``seq`` pin the report to one state, so that the turns behind a number
    are as many as the number says however long ago it was read.
    """

    period: str = DEFAULT_PERIOD
    from_: str | None = None
    to: str | None = None
    channel: str | None = None
    team: str | None = None
    agent: str | None = None
    hour: int | None = None
    weekday: int | None = None
    outcome: str | None = None
    wait_from: int | None = None
    wait_to: int | None = None
    as_of: int | None = None
    seq: int | None = None
    metric: str = "frt"
    page: int = 1

    def address(self, path: str, **changes: str | int | None) -> str:
        """The address of a page with these parameters, some of them changed."""
        wanted = replace(self, **changes)  # type: ignore[arg-type]  # field by field
        pairs = [
            (field.name.rstrip("_"), str(value))
            for field in fields(wanted)
            if (value := getattr(wanted, field.name)) is not None and value != field.default
        ]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def unpinned(self) -> ReportQuery:
        """The same question asked again now."""
        return replace(self, as_of=None, seq=None)


def read_query(given: Mapping[str, str]) -> ReportQuery:
    """The parameters of an address. Raises InvalidInput for a value that makes no sense."""
    values: dict[str, str | int] = {}
    for field in fields(ReportQuery):
        name = field.name.rstrip("_")
        value = given.get(name, "").strip()
        if not value:
            continue
        if name in _NUMBERS:
            values[field.name] = _number(name, value)
        elif len(value) > MAX_VALUE_CHARS:
            raise InvalidInput(f"{name} is too long.", field=name)
        else:
            values[field.name] = value
    if ("from_" in values or "to" in values) and "period" not in values:
        values["period"] = "custom"
    for name, known in (("period", PERIODS), ("outcome", OUTCOMES), ("metric", tuple(METRICS))):
        if name in values and values[name] not in known:
            raise InvalidInput(f"{name} must be one of {', '.join(known)}.", field=name)
    return ReportQuery(**values)  # type: ignore[arg-type]  # checked above


def scope_of(query: ReportQuery, *, timezone: str, now_ms: int, agent_id: str | None) -> Scope:
    """What the query looks at; ``agent_id`` keeps it to one person, whatever the query says.

    Raises InvalidInput for dates that are none or stand in the wrong order.
    """
    tz = zone(timezone)
    as_of_ms = now_ms if query.as_of is None else query.as_of
    from_ms, to_ms = _period(query, tz, as_of_ms)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise InvalidInput("The period ends before it begins.", field="to")
    return Scope(
        timezone=timezone,
        as_of_ms=as_of_ms,
        as_of_seq=query.seq,
        from_ms=from_ms,
        to_ms=to_ms,
        agent_id=query.agent if agent_id is None else agent_id,
        team_id=query.team,
        channel=query.channel,
        hour=query.hour,
        weekday=query.weekday,
        outcome=query.outcome,
        wait_from_ms=query.wait_from,
        wait_to_ms=query.wait_to,
    )


def days_of(scope: Scope) -> tuple[date, date] | None:
    """First and last local day of a period, None when it is open to either side."""
    if scope.from_ms is None or scope.to_ms is None:
        return None
    tz = zone(scope.timezone)
    return local_date(scope.from_ms, tz), local_date(scope.to_ms - 1, tz)


def _period(query: ReportQuery, tz: ZoneInfo, as_of_ms: int) -> tuple[int | None, int | None]:
    if query.period == "all":
        return None, None
    if query.period == "custom":
        start = None if query.from_ is None else instant_ms(query.from_, tz)
        end = None if query.to is None else instant_ms(query.to, tz, end=True)
        return start, end
    today = local_date(as_of_ms, tz)
    first = today - timedelta(days=PERIOD_DAYS[query.period] - 1)
    return day_start_ms(first, tz), day_start_ms(today + timedelta(days=1), tz)


def _number(name: str, value: str) -> int:
    # isdecimal alone takes digits of every script, which int() understands and people do not.
    if not (value.isascii() and value.isdecimal() and len(value) < 17):
        raise InvalidInput(f"{name} must be a whole number.", field=name)
    if int(value) > _NUMBERS[name]:
        raise InvalidInput(f"{name} must be at most {_NUMBERS[name]}.", field=name)
    return int(value)
