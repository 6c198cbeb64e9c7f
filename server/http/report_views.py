"""What the report templates show beside plain figures: names, comparisons, charts, times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from agent_ui import charts
from agent_ui.render import Locale, duration, has_sentence, local_day, sentence
from server.domain.metrics import GOAL_MS, Figures
from server.domain.periods import zone
from server.http.report_query import ReportQuery
from server.reports.response_times import LAST_STEP_MS, STEP_MS, Choices, Line, ResponseTimes
from server.reports.thread import TurnShown
from server.reports.turns import NOBODY, Scope

DAY_MS = 86_400_000
MAX_TREND_DAYS = 800
USUAL_HOURS = range(9, 22)
_EN_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905  # reads better


@dataclass(frozen=True, slots=True)
class Names:
    """Names of people, teams, channels and shoppers in the language of the page."""

    choices: Choices
    locale: Locale

    def agent(self, agent_id: str | None) -> str:
        """Who answered or owns a wait."""
        if agent_id is None or agent_id == NOBODY:
            return sentence(self.locale, "reports.nobody")
        return self.choices.agents.get(agent_id, agent_id)

    def team(self, team_id: str) -> str:
        """A team."""
        if team_id == NOBODY:
            return sentence(self.locale, "reports.no_team")
        name, name_zh = self.choices.teams.get(team_id, (team_id, None))
        return name_zh if self.locale == "zh" and name_zh else name

    def channel(self, channel: str) -> str:
        """A channel, by its own name where there is no other."""
        key = f"reports.channel.{channel}"
        return sentence(self.locale, key) if has_sentence(self.locale, key) else channel

    def customer(self, customer_id: str, name: str | None) -> str:
        """A shopper, or the visitor with the last four characters of the id."""
        code = customer_id[-4:].upper()
        return name or sentence(self.locale, "reports.visitor", code=code)


@dataclass(frozen=True, slots=True)
class WallClock:
    """Times of the day with seconds, as the shop's clock showed them."""

    timezone: str

    def __call__(self, at_ms: int) -> str:
        """Such as 10:00:05."""
        return f"{self._at(at_ms):%H:%M:%S}"

    def day(self, at_ms: int) -> str:
        """Such as 2026-11-20."""
        return self._at(at_ms).date().isoformat()

    def _at(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, zone(self.timezone))


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure moved against the period before; ``amount`` is a share, or points of a share."""

    amount: float
    up: bool
    good: bool


def changes(figures: ResponseTimes) -> dict[str, Change | None]:
    """The movements of the key figures; None where one of the two is missing or nothing moved."""
    now, before = figures.whole, figures.previous
    if before is None:
        return dict.fromkeys(("frt_median", "frt_p90", "r3m", "rt_median"))
    points = None
    if now.r3m.value is not None and before.r3m.value is not None:
        points = now.r3m.value - before.r3m.value
    return {
        "frt_median": _span_change(now.frt.median_ms, before.frt.median_ms),
        "frt_p90": _span_change(now.frt.p90_ms, before.frt.p90_ms),
        "rt_median": _span_change(now.rt.median_ms, before.rt.median_ms),
        "r3m": None
        if points is None or abs(points) < 0.0005
        else Change(abs(points), up=points > 0, good=points > 0),
    }


def _span_change(now: int | None, before: int | None) -> Change | None:
    if now is None or not before or now == before:
        return None
    return Change(abs(now - before) / before, up=now > before, good=now < before)


def zone_words(timezone: str, at_ms: int) -> str:
    """The zone as people write it, such as UTC+8 or UTC-3:30.

    >>> zone_words("Asia/Shanghai", 0)
    'UTC+8'
    """
    offset = datetime.fromtimestamp(at_ms / 1000, zone(timezone)).utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


def day_count(scope: Scope) -> int | None:
    """How many days a period has, None when it is open to either side."""
    if scope.from_ms is None or scope.to_ms is None:
        return None
    return max(1, round((scope.to_ms - scope.from_ms) / DAY_MS))


def period_words(scope: Scope, locale: Locale) -> str:
    """The days of a period: one, from the first to the last, or all time."""
    if scope.from_ms is None and scope.to_ms is None:
        return sentence(locale, "reports.period.all")
    first = "…" if scope.from_ms is None else local_day(locale, scope.from_ms, scope.timezone)
    last = "…" if scope.to_ms is None else local_day(locale, scope.to_ms - 1, scope.timezone)
    return first if first == last else f"{first} – {last}"


def filter_words(query: ReportQuery, names: Names, locale: Locale) -> str:
    """What a report is narrowed to besides its period; empty when to nothing."""
    words = [
        None if query.channel is None else names.channel(query.channel),
        None if query.team is None else names.team(query.team),
        None if query.agent is None else names.agent(query.agent),
        None if query.weekday is None else sentence(locale, f"reports.weekday.{query.weekday}"),
        None if query.hour is None else f"{query.hour:02}:00",
        None if query.outcome is None else sentence(locale, f"reports.outcome.{query.outcome}"),
        None if query.wait_from is None else bin_words(query.wait_from, query.wait_to, locale),
    ]
    return " · ".join(word for word in words if word)


def line_query(query: ReportQuery, line: Line, kind: str) -> ReportQuery:
    """The query narrowed to one line of a table by agent, day or hour."""
    if kind == "agent":
        return replace(query, agent=NOBODY if line.key is None else str(line.key))
    if kind == "hour":
        return replace(query, hour=int(line.key or 0))
    return replace(query, period="custom", from_=str(line.key), to=str(line.key))


def short_day(day: date, locale: Locale) -> str:
    """A day as a chart writes it.

    >>> short_day(date(2026, 11, 7), "en"), short_day(date(2026, 11, 7), "zh")
    ('7 Nov', '11/7')
    """
    return f"{day.month}/{day.day}" if locale == "zh" else f"{day.day} {_EN_MONTHS[day.month - 1]}"


def heat_hours(figures: ResponseTimes) -> range:
    """The hours of the heat map: the usual ones, and all in which somebody asked."""
    hours = [hour for _, hour in figures.heat]
    first = min([*hours, USUAL_HOURS.start])
    return range(first, max([*hours, USUAL_HOURS.stop - 1]) + 1)


def heat_level(figures: Figures | None) -> int:
    """How dark a cell of the heat map is, 0 to 8; 6 is the goal."""
    if figures is None or not figures.n:
        return 0
    if figures.median_ms is None:
        return 8
    return min(8, round(figures.median_ms * 6 / GOAL_MS))


def short_span(ms: int) -> str:
    """A span in at most five characters, for a cell of the heat map.

    >>> short_span(106_000), short_span(31_774_000)
    ('1:46', '8.8h')
    """
    return duration(ms) if ms < 3_600_000 else f"{ms / 3_600_000:.3g}h"


def exact_span(ms: int) -> str:
    """A span to the millisecond, so that parts are seen to add up; whole seconds without.

    >>> exact_span(150_000), exact_span(4_912)
    ('2:30', '0:04.912')
    """
    return duration(ms) + (f".{ms % 1000:03}" if ms % 1000 else "")


def misses_goal(figures: Figures) -> bool:
    """True when half of the shoppers waited longer than the goal, or were never answered."""
    if figures.median_ms is None:
        return (figures.longest_ms or 0) > GOAL_MS
    return figures.median_ms > GOAL_MS


def bin_words(from_ms: int, to_ms: int | None, locale: Locale) -> str:
    """A step of the histogram: 0:15-0:30, or over 8:00."""
    if to_ms is None:
        return sentence(locale, "reports.bin_open", **{"from": duration(from_ms)})
    spans = {"from": duration(from_ms), "to": duration(to_ms)}
    return sentence(locale, "reports.bin_range", **spans)


def histogram(figures: ResponseTimes, locale: Locale) -> str:
    """The distribution of the first wait with median, p90 and goal."""
    bars = [
        charts.Bar(
            one.count,
            missed=one.missed,
            title=sentence(
                locale,
                "reports.bin",
                **{
                    "from": duration(one.from_ms),
                    "to": "…" if one.to_ms is None else duration(one.to_ms),
                    "n": one.count,
                },
            ),
        )
        for one in figures.bins
    ]
    frt = figures.whole.frt
    marks = [
        charts.Mark(value, f"{name} {duration(value)}")
        for name, value in (("p50", frt.median_ms), ("p90", frt.p90_ms), ("p95", frt.p95_ms))
        if value is not None
    ]
    minutes = range(0, LAST_STEP_MS + 1, 60_000)
    ticks = [
        charts.Mark(at, duration(at) + ("+" if at == LAST_STEP_MS else ""))
        for at in minutes
        if at % 120_000 == 0 or len(minutes) < 10
    ]
    return charts.histogram(
        bars,
        name=sentence(locale, "reports.chart.spread"),
        step=STEP_MS,
        ticks=ticks,
        marks=marks,
        goal=charts.Mark(GOAL_MS, sentence(locale, "reports.goal")),
    )


def trend(figures: ResponseTimes, locale: Locale) -> str:
    """Median and p90 of the first reply by day; days without a session stay empty."""
    lines = {str(line.key): line for line in figures.days}
    days = _all_days(figures, lines)
    frt = [line.frt if (line := lines.get(day.isoformat())) else None for day in days]
    return charts.trend(
        [short_day(day, locale) for day in days],
        [
            charts.Series("p50", "a", [one.median_ms if one else None for one in frt]),
            charts.Series("p90", "b", [one.p90_ms if one else None for one in frt]),
        ],
        name=sentence(locale, "reports.chart.daily"),
        goal=charts.Mark(GOAL_MS, sentence(locale, "reports.goal")),
        span=duration,
    )


def _all_days(figures: ResponseTimes, lines: Mapping[str, Line]) -> list[date]:
    """Every day of the period up to today, or from the first to the last with a session."""
    known = sorted(date.fromisoformat(key) for key in lines)
    if not known:
        return []
    last_known = WallClock(figures.scope.timezone).day(figures.scope.as_of_ms)
    first, last = known[0], known[-1]
    if figures.scope.from_ms is not None and figures.scope.to_ms is not None:
        clock = WallClock(figures.scope.timezone)
        first = date.fromisoformat(clock.day(figures.scope.from_ms))
        end = date.fromisoformat(clock.day(figures.scope.to_ms - 1))
        last = max(last, min(end, date.fromisoformat(last_known)))
    count = min((last - first).days + 1, MAX_TREND_DAYS)
    return [last - timedelta(days=count - 1 - number) for number in range(count)]


def clock(shown: TurnShown, locale: Locale, at: WallClock) -> str:
    """The wait of a turn as a bar, cut where its owner changed, with its public messages."""
    parts = [
        charts.Part(
            one.start_at_ms,
            one.end_at_ms,
            one.kind,
            f"{owner_words(one.kind, one.name, locale)} {duration(one.span_ms)}",
        )
        for one in shown.stretches
    ]
    marks = [
        charts.Mark(said.at_ms, at(said.at_ms))
        for said in shown.messages
        if said.at_ms >= shown.turn.ask_at_ms and said.visibility == "public"
    ]
    return charts.clock_bar(
        parts,
        name=sentence(locale, "reports.chart.clock"),
        start=shown.turn.ask_at_ms,
        end=shown.until_ms,
        marks=marks,
        goal=charts.Mark(shown.turn.ask_at_ms + GOAL_MS, sentence(locale, "reports.goal")),
    )


def owner_words(kind: str, name: str | None, locale: Locale) -> str:
    """Whom a shopper waited for: the agent by name, the queue with its team, the bot."""
    words = sentence(locale, f"reports.owner.{kind}")
    if name is None:
        return words
    return name if kind == "agent" else f"{words} {name}"
