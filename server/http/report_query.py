"""What the address of a report says: period, filters, and the state of the log it was read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from server.domain.dimensions import DIMENSIONS
from server.domain.errors import InvalidInput
from server.domain.metrics import metric_of
from server.domain.periods import MAX_AT_MS, day_start_ms, instant_ms, local_date, zone
from server.domain.segment import SEGMENTS
from server.domain.text import whole_number
from server.domain.turns import OUTCOMES
from server.http.report_address import Wrong, refused
from server.reports.scope import NOBODY, Scope
from server.storage.database import Database
from server.storage.event_log import lasting_seq

PERIOD_DAYS: Mapping[str, int] = {"today": 1, "7": 7, "28": 28, "90": 90}
DEFAULT_PERIOD = "28"
PERIODS = (*PERIOD_DAYS, "month", "all", "custom")
COMPARE = ("previous", "year", "custom", "off")
CLOCKS = ("elapsed", "business")
MAX_VALUE_CHARS = 100
_NUMBERS = {
    "hit": 1,
    "target": 100,
    "hour": 23,
    "weekday": 6,
    "wait_from": MAX_AT_MS,
    "wait_to": MAX_AT_MS,
    "as_of": MAX_AT_MS,
    "seq": 2**53,
    "page": 100_000,
}


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "period": PERIODS,
    "compare": COMPARE,
    "clock": CLOCKS,
    "outcome": OUTCOMES,
    "segment": (*SEGMENTS, NOBODY),
    "by": DIMENSIONS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """The parameters of a report's address; None is absent. Dates are days of the shop.

    ``compare`` says which period the figures stand beside, ``cfrom`` and ``cto`` are its days when
    it is one's own choice. ``view`` is the metric of the charts that show one of several, ``by``
    what a breakdown divides by, ``target`` the share in per cent that is to be reached. ``hit`` of
    a list of rows keeps those that were a success (1) or not (0). ``as_of`` (ms UTC) and ``seq``
    pin the report to one state, so that the rows behind a number are as many as the number says
    however long ago it was read.
    """

    period: str = DEFAULT_PERIOD
    from_: str | None = None
    to: str | None = None
    compare: str = "previous"
    cfrom: str | None = None
    cto: str | None = None
    channel: str | None = None
    team: str | None = None
    agent: str | None = None
    segment: str | None = None
    label: str | None = None
    sku: str | None = None
    clock: str = "elapsed"
    by: str | None = None
    view: str | None = None
    target: int | None = None
    hour: int | None = None
    weekday: int | None = None
    outcome: str | None = None
    wait_from: int | None = None
    wait_to: int | None = None
    as_of: int | None = None
    seq: int | None = None
    metric: str = "frt"
    hit: int | None = None
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

    def narrowed(self, name: str, value: str | int) -> ReportQuery:
        """The query with one more filter."""
        return replace(self, **{name: value})  # type: ignore[arg-type]  # named by the caller

    def of_page(self) -> ReportQuery:
        """What belongs to a whole page: without what narrows a list of rows."""
        return replace(
            self,
            sku=None,
            hour=None,
            weekday=None,
            outcome=None,
            wait_from=None,
            wait_to=None,
            metric="frt",
            hit=None,
            page=1,
        )

    def unpinned(self) -> ReportQuery:
        """The same question asked again now."""
        return replace(self, as_of=None, seq=None)


PARAMETERS = frozenset(field.name.rstrip("_") for field in fields(ReportQuery))


def read_query(given: Mapping[str, str]) -> ReportQuery:
    """The parameters of an address. Raises InvalidInput for values that make no sense."""
    values: dict[str, str | int] = {}
    wrong: list[Wrong] = []
    for field in fields(ReportQuery):
        name = field.name.rstrip("_")
        value = given.get(name, "").strip()
        if not value:
            continue
        number = whole_number(value, digits=16) if name in _NUMBERS else None
        values[field.name] = value if number is None else number
        wrong += _wrong(name, value, number)
    if wrong:
        raise refused(*wrong)
    for first, last, kind in (("from_", "to", "period"), ("cfrom", "cto", "compare")):
        if first in values or last in values:
            values.setdefault(kind, "custom")
    return ReportQuery(**values)  # type: ignore[arg-type]  # checked above


def _wrong(name: str, value: str, number: int | None) -> Iterator[Wrong]:
    """What a parameter says that it cannot, at most one."""
    if name in _NUMBERS:
        if number is None or number > _NUMBERS[name]:
            yield Wrong(name, value, "span", ("0", str(_NUMBERS[name])))
    elif len(value) > MAX_VALUE_CHARS:
        yield Wrong(name, value, "long")
    elif name in _CHOICES and value not in _CHOICES[name]:
        yield Wrong(name, value, "choice", _CHOICES[name])
    elif name in {"metric", "view"}:
        try:
            metric_of(value)
        except InvalidInput:
            yield Wrong(name, value, "metric")


def scope_of(query: ReportQuery, *, timezone: str, now_ms: int, agent_id: str | None) -> Scope:
    """What the query looks at; ``agent_id`` keeps it to one person, whatever the query says.

    Raises InvalidInput for dates that are none or stand in the wrong order.
    """
    tz = zone(timezone)
    as_of_ms = now_ms if query.as_of is None else query.as_of
    from_ms, to_ms = _period(query, tz, as_of_ms)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise refused(Wrong("to", str(query.to), "order"))
    return Scope(
        timezone=timezone,
        as_of_ms=as_of_ms,
        as_of_seq=query.seq,
        from_ms=from_ms,
        to_ms=to_ms,
        agent_id=query.agent if agent_id is None else agent_id,
        team_id=query.team,
        channel=query.channel,
        segment=query.segment,
        label=query.label,
        sku=query.sku,
        hour=query.hour,
        weekday=query.weekday,
        outcome=query.outcome,
        wait_from_ms=query.wait_from,
        wait_to_ms=query.wait_to,
    )


def compared_with(query: ReportQuery, scope: Scope) -> Scope | None:
    """The same question about the period that the query compares with; None for no comparison.

    The period before has as many days and ends where this one begins; the same days a year ago are
    those of the same date, a 29th of February those of the 28th. Raises InvalidInput for dates that
    are none or stand in the wrong order.
    """
    days = days_of(scope)
    if query.compare == "off" or days is None:
        return None
    first, last = days
    tz = zone(scope.timezone)
    if query.compare == "custom":
        if query.cfrom is None or query.cto is None:
            return None
        from_ms, to_ms = _instants(("cfrom", query.cfrom), ("cto", query.cto), tz)
        if from_ms is not None and to_ms is not None and from_ms >= to_ms:
            raise refused(Wrong("cto", query.cto, "order"))
        return replace(scope, from_ms=from_ms, to_ms=to_ms)
    if query.compare == "year":
        first, last = _year_before(first), _year_before(last)
    else:
        first, last = first - (last - first) - timedelta(days=1), first - timedelta(days=1)
    return replace(
        scope,
        from_ms=day_start_ms(first, tz),
        to_ms=day_start_ms(last + timedelta(days=1), tz),
    )


def _year_before(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        return day.replace(year=day.year - 1, day=28)
    return day.replace(year=day.year - 1)


async def pinned_scope(
    database: Database, query: ReportQuery, *, timezone: str, agent_id: str | None = None
) -> Scope:
    """As ``scope_of``, bound to the state of the log that a page names: it can be made again."""
    scope = scope_of(query, timezone=timezone, now_ms=database.clock(), agent_id=agent_id)
    if scope.as_of_seq is None:
        scope = replace(scope, as_of_seq=await database.read(lasting_seq))
    return scope


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
        return _instants(("from", query.from_), ("to", query.to), tz)
    today = local_date(as_of_ms, tz)
    if query.period == "month":
        return day_start_ms(today.replace(day=1), tz), day_start_ms(today + timedelta(days=1), tz)
    first = today - timedelta(days=PERIOD_DAYS[query.period] - 1)
    return day_start_ms(first, tz), day_start_ms(today + timedelta(days=1), tz)


# A parameter and what it says.
Said = tuple[str, str | None]


def _instants(first: Said, last: Said, tz: ZoneInfo) -> tuple[int | None, int | None]:
    """Where a period begins and ends. Raises InvalidInput for what is no day or time."""
    found: list[int | None] = []
    wrong: list[Wrong] = []
    for (name, value), end in ((first, False), (last, True)):
        try:
            found.append(None if value is None else instant_ms(value, tz, end=end))
        except InvalidInput:
            wrong.append(Wrong(name, value or "", "date"))
    if wrong:
        raise refused(*wrong)
    return found[0], found[1]
