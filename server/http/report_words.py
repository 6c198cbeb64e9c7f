"""Names and times as the report pages write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agent_ui.groups import group_words
from agent_ui.render import Locale, duration, local_day, sentence
from server.domain.periods import zone
from server.domain.segment import SEGMENTS
from server.domain.spans import HOUR_MS
from server.http.report_query import ReportQuery
from server.reports.pages import Choices
from server.reports.scope import NOBODY, Scope

_EN_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905  # reads better


@dataclass(frozen=True, slots=True)
class Names:
    """Names of people, teams, channels and shoppers in the language of the page."""

    choices: Choices
    locale: Locale

    def of(self, dimension: str, key: str | int | None) -> str:
        """What a group of a dimension is called."""
        match dimension:
            case "agent":
                return self.agent(None if key is None else str(key))
            case "team":
                return self.team(NOBODY if key is None else str(key))
            case "segment":
                return self.segment(None if key is None else str(key))
            case "sku":
                return self.product(None if key is None else str(key))
        return self._words(dimension, None if key is None else str(key))

    def told(self, dimension: str | None, group: str | None) -> str:
        """What a group of a kept report is called; a dash where it was not divided."""
        if dimension is None:
            return "–"
        return self.product(group) if dimension == "sku" else self._words(dimension, group)

    def _words(self, dimension: str, key: str | None) -> str:
        return group_words(self.locale, dimension, key)

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

    def segment(self, segment: str | None) -> str:
        """A segment of customers."""
        return self._words("segment", None if segment == NOBODY else segment)

    def product(self, sku: str | None) -> str:
        """A product by its SKU, with its title where the shop told of it."""
        if sku is None or sku == NOBODY:
            return sentence(self.locale, "reports.without.sku")
        title = self.choices.products.get(sku)
        return sku if title is None else f"{title} ({sku})"

    def channel(self, channel: str) -> str:
        """A channel, by its own name where there is no other."""
        return self._words("channel", channel)

    def customer(self, customer_id: str, name: str | None) -> str:
        """A shopper, or the visitor with the last four characters of the id."""
        code = customer_id[-4:].upper()
        return name or sentence(self.locale, "reports.visitor", code=code)


def choices_of(names: Names) -> dict[str, list[tuple[str, str]]]:
    """What each filter offers: (value, words)."""
    known = names.choices
    without = sentence(names.locale, "reports.without.segment")
    return {
        "channel": [(one, names.channel(one)) for one in known.channels],
        "team": [(one, names.team(one)) for one in (*known.teams, NOBODY)],
        "agent": [(one, names.agent(one)) for one in (*known.agents, NOBODY)],
        "segment": [*((one, names.segment(one)) for one in SEGMENTS), (NOBODY, without)],
    }


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


def listed(locale: Locale, names: Sequence[str]) -> str:
    """Names as they stand in a sentence.

    >>> listed("en", ["Taobao", "JD", "Douyin"]), listed("zh", ["淘宝", "京东"])
    ('Taobao, JD and Douyin', '淘宝、京东')
    """
    if locale == "zh" or len(names) < 2:
        return "、".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def period_words(scope: Scope, locale: Locale) -> str:
    """The days of a period: one, from the first to the last, or all time."""
    if scope.from_ms is None and scope.to_ms is None:
        return sentence(locale, "reports.period.all")
    first = "…" if scope.from_ms is None else local_day(locale, scope.from_ms, scope.timezone)
    last = "…" if scope.to_ms is None else local_day(locale, scope.to_ms - 1, scope.timezone)
    return first if first == last else f"{first} – {last}"


def filters(query: ReportQuery, names: Names, locale: Locale) -> list[tuple[str, str]]:
    """What a report is narrowed to besides its period: (parameter, words)."""
    said = {
        "channel": None if query.channel is None else names.channel(query.channel),
        "team": None if query.team is None else names.team(query.team),
        "agent": None if query.agent is None else names.agent(query.agent),
        "segment": None if query.segment is None else names.segment(query.segment),
        "label": query.label,
        "sku": None if query.sku is None else names.of("sku", query.sku),
        "clock": None if query.clock == "elapsed" else sentence(locale, "reports.clock.business"),
        "weekday": None if query.weekday is None else names.of("weekday", query.weekday),
        "hour": None if query.hour is None else names.of("hour", query.hour),
        "outcome": None
        if query.outcome is None
        else sentence(locale, f"reports.outcome.{query.outcome}"),
        "hit": None if query.hit is None else sentence(locale, f"reports.hit.{query.hit}"),
        "wait_from": None
        if query.wait_from is None
        else bin_words(query.wait_from, query.wait_to, locale),
    }
    return [(name, words) for name, words in said.items() if words]


def short_day(day: date, locale: Locale) -> str:
    """A day as a chart writes it.

    >>> short_day(date(2026, 11, 7), "en"), short_day(date(2026, 11, 7), "zh")
    ('7 Nov', '11/7')
    """
    return f"{day.month}/{day.day}" if locale == "zh" else f"{day.day} {_EN_MONTHS[day.month - 1]}"


def short_span(ms: float) -> str:
    """A span in at most five characters, for a cell of the heat map.

    >>> short_span(106_000), short_span(31_774_000)
    ('1:46', '8.8h')
    """
    hours = ms / HOUR_MS
    return duration(ms) if hours < 1 else f"{hours:.{1 if hours < 99.5 else 0}f}h"


def exact_span(ms: int) -> str:
    """A span to the millisecond, so that parts are seen to add up; whole seconds without.

    >>> exact_span(150_000), exact_span(4_912)
    ('2:30', '0:04.912')
    """
    return duration(ms) + (f".{ms % 1000:03}" if ms % 1000 else "")


def bin_words(from_ms: int, to_ms: int | None, locale: Locale) -> str:
    """A step of the histogram: 0:15-0:30, or over 8:00."""
    if to_ms is None:
        return sentence(locale, "reports.bin_open", **{"from": duration(from_ms)})
    spans = {"from": duration(from_ms), "to": duration(to_ms)}
    return sentence(locale, "reports.bin_range", **spans)


def owner_words(kind: str, name: str | None, locale: Locale) -> str:
    """Whom a shopper waited for: the agent by name, the queue with its team, the bot."""
    words = sentence(locale, f"reports.owner.{kind}")
    if name is None:
        return words
    return name if kind == "agent" else f"{words} {name}"
