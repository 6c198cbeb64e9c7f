"""One figure as a report page shows it: its words, its bounds, its change, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from agent_ui.render import Locale, duration, has_sentence, money, number, percent, sentence
from server.domain import statistics, survival
from server.domain.metrics import Figures, Metric
from server.domain.spans import HOUR_MS
from server.http.report_query import ReportQuery

Direction = Literal["low", "high"]

ROWS = "/reports/rows"
# From here on nobody counts minutes.
LONG_MS = 24 * HOUR_MS
_SMALLEST: Mapping[str, int] = {"p90": survival.MIN_N_P90, "p95": survival.MIN_N_P95}
# Of a rate, which way is the good one; high unless said otherwise. None: neither is.
_LOW_IS_GOOD = (
    "abandon",
    "leave_rate",
    "unanswered",
    "unserved",
    "reopen",
    "transfer",
    "missed",
    "dropped",
    "contact_per_order",
    "order_contact",
    "greeting_only",
    "resolved_unanswered",
    "no_reply",
    "dismissal",
    "dismissed",
    "review_critical",
    "late_reply",
    "care_",
    "game_",
)
# Of a source of two kinds of rows, which one a metric counts.
_NOUNS = {"contact_per_order": "session", "contact_per_order_linked": "order"}
_NEUTRAL = (
    "received",
    "consulted",
    "replies",
    "concurrency",
    "online",
    "occ",
    "util",
    "qa_ratio",
    "one_touch",
    "kb_use",
    "csat_invite",
    "orders",
    "baseline",
    "unserved_",
    "review_objected",
)


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure moved against another period; ``sure`` when by more than chance would.

    ``up`` is None where it did not move, ``good`` where neither way is the better one.
    """

    text: str
    up: bool | None
    good: bool | None
    sure: bool
    before: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure with all that stands around it. Texts are in the language of the page.

    ``value`` may be empty and ``words`` say why there is none. ``parts`` are the two whole numbers
    of a rate with their addresses.
    """

    metric: Metric
    stat: str
    label: str
    value: str
    small: str
    words: str
    hint: str
    n: int
    n_open: int
    rows: str
    open_rows: str
    bounds: str
    parts: tuple[tuple[str, str], tuple[str, str]] | None
    change: Change | None
    href: str
    open_href: str

    @property
    def countable(self) -> bool:
        """True when the figure is one whole number by another, told as such beside it."""
        return self.metric.kind == "ratio" and not (self.metric.amount or "").endswith("_ms")

    @property
    def final(self) -> bool:
        """True when nothing in the figure can change any more by time passing."""
        return self.n_open == 0


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells figures in one language, in the shop's currency, with links that keep the query."""

    locale: Locale
    currency: str
    pinned: ReportQuery

    def show(
        self,
        metric: Metric,
        figures: Figures,
        *,
        stat: str = "value",
        before: Figures | None = None,
        at: ReportQuery | None = None,
    ) -> Shown:
        """The figure of a metric; ``at`` is the query of its rows where it is narrower."""
        at = self.pinned if at is None else at
        told = figures
        if at.clock == "business" and figures.business is not None:
            told = figures.business
            before = None if before is None else before.business
        value, words, hint = self._value(metric, told, stat)
        body, small = _split(value)
        ripening = "maturing" in figures.asides
        href = at.address(ROWS, metric=metric.id)
        return Shown(
            metric=metric,
            stat=stat,
            label=self.label(metric, stat),
            value=body,
            small=small,
            words=words,
            hint=hint,
            n=figures.n,
            n_open=figures.n_open,
            rows=self.noun(metric, figures.n),
            open_rows=sentence(
                self.locale, f"reports.fig.{'ripening' if ripening else 'open'}", n=figures.n_open
            ),
            bounds=self.bounds(metric, told, stat),
            parts=self._parts(metric, told, at),
            change=self._change(metric, told, before, stat),
            href=href,
            # What is not ripe is not among the rows yet.
            open_href="" if ripening else at.address(ROWS, metric=metric.id, outcome="waiting"),
        )

    def label(self, metric: Metric, stat: str) -> str:
        """What a figure is called: a time says which of its numbers it is."""
        name = metric.short.of(self.locale)
        if metric.kind not in ("time", "duration"):
            return name
        which = sentence(self.locale, f"reports.stat.{'median' if stat == 'value' else stat}")
        return sentence(self.locale, "reports.fig.label", name=name, stat=which)

    def noun(self, metric: Metric, count: int) -> str:
        """How many rows of its kind."""
        what = "customer" if metric.distinct == "customer" else metric.source
        key = f"reports.noun.{_NOUNS.get(metric.id, what)}"
        if not has_sentence(self.locale, f"{key}.other"):
            key = "reports.noun.row"
        return sentence(self.locale, key, n=count)

    def amount(self, metric: Metric, value: float | None, currency: str | None = None) -> str:
        """A value of a metric in words."""
        if value is None:
            return "–"
        if metric.unit == "money":
            return self.money(value, currency)
        if metric.unit == "ms":
            return duration(value) if value < LONG_MS else f"{number(value / HOUR_MS)} h"
        if metric.unit == "ratio" and metric.per_cent:
            return percent(value)
        return number(value, 0 if value == int(value) else 2)

    def money(self, minor: float, currency: str | None = None) -> str:
        """An amount of the smallest unit, of the shop's currency unless said."""
        return money(round(minor), currency or self.currency)

    def bounds(self, metric: Metric, figures: Figures, stat: str) -> str:
        """The 95 % bounds in words; empty where there are none."""
        if figures.interval is not None and figures.denominator:
            low, high = figures.interval
            if metric.kind == "rate" or metric.unit == "ratio":
                # An interval of per cents needs no decimals to be read.
                return f"{percent(low, 0)}–{percent(high, 0)}"
            return f"{self.amount(metric, low)}–{self.amount(metric, high)}"
        if stat in ("value", "median") and figures.median_interval_ms is not None:
            low_ms, high_ms = figures.median_interval_ms
            if low_ms is None and high_ms is None:
                return ""
            return f"{duration(low_ms)}–{'∞' if high_ms is None else duration(high_ms)}"
        return ""

    def _value(self, metric: Metric, figures: Figures, stat: str) -> tuple[str, str, str]:
        """(the number, or else words, and a hint to the words)."""
        say = self.locale
        if metric.kind in ("time", "duration"):
            if not figures.n:
                return "", sentence(say, "reports.fig.nothing"), ""
            ms = {
                "p90": figures.p90_ms,
                "p95": figures.p95_ms,
                "mean": figures.mean_ms,
            }.get(stat, figures.median_ms)
            if ms is not None:
                return duration(ms), "", ""
            if figures.n < _SMALLEST.get(stat, 0):
                hint = sentence(say, "reports.too_small_hint")
                return "", sentence(say, "reports.too_small"), hint
            if stat == "mean":
                return "", sentence(say, "reports.fig.nothing"), ""
            longest = duration(figures.longest_ms)
            hint = sentence(say, "reports.not_reached_hint")
            return sentence(say, "reports.not_reached", span=longest), "", hint
        if figures.value is None:
            key = "reports.fig.not_ripe" if figures.n_open else "reports.fig.nothing"
            return "", sentence(say, key), ""
        return self.amount(metric, figures.value, figures.currency), "", ""

    def _parts(
        self, metric: Metric, figures: Figures, at: ReportQuery
    ) -> tuple[tuple[str, str], tuple[str, str]] | None:
        if figures.numerator is None or figures.denominator is None:
            return None
        whole = at.address(ROWS, metric=metric.id)
        if metric.kind != "rate":
            if metric.unit == "money":
                top = self.money(figures.numerator, figures.currency)
            elif metric.unit == "ms":
                top = duration(figures.numerator)
            else:
                top = number(figures.numerator)
            return (top, whole), (number(figures.denominator), whole)
        hits = at.address(ROWS, metric=metric.id, hit=1)
        return (number(figures.numerator), hits), (number(figures.denominator), whole)

    def _change(
        self, metric: Metric, now: Figures, before: Figures | None, stat: str
    ) -> Change | None:
        if before is None or not before.n or not now.n:
            return None
        if metric.kind == "rate":
            return self._points(metric, now, before)
        one, other = _number(now, stat), _number(before, stat)
        if one is None or not other:
            return None
        moved = (one - other) / other
        if abs(moved) < 0.005:
            return Change(
                sentence(self.locale, "reports.fig.same"),
                up=None,
                good=None,
                sure=False,
                before=self._said(metric, before, stat),
            )
        return Change(
            # Against next to nothing a per cent says nothing.
            percent(abs(moved), 0) if abs(moved) < 10 else f"×{one / other:,.0f}",
            up=moved > 0,
            good=_is_good(metric, rising=moved > 0),
            sure=_apart(now.median_interval_ms, before.median_interval_ms)
            if metric.kind == "time" and stat in ("value", "median")
            else _far(now, before),
            before=self._said(metric, before, stat),
        )

    def _points(self, metric: Metric, now: Figures, before: Figures) -> Change | None:
        if None in (now.numerator, now.denominator, before.numerator, before.denominator):
            return None
        found = statistics.difference(
            now.numerator or 0, now.denominator or 0, before.numerator or 0, before.denominator or 0
        )
        if found is None:
            return None
        moved, low, high = found
        sure = low > 0 or high < 0
        said = self._said(metric, before, "value")
        if abs(moved) < 0.0005:
            same = sentence(self.locale, "reports.fig.same")
            return Change(same, up=None, good=None, sure=False, before=said)
        return Change(
            sentence(self.locale, "reports.kpi.points", points=number(abs(moved) * 100, 1)),
            up=moved > 0,
            good=_is_good(metric, rising=moved > 0),
            sure=sure,
            before=said,
        )

    def _said(self, metric: Metric, figures: Figures, stat: str) -> str:
        value, words, _ = self._value(metric, figures, stat)
        return value or words


def direction(metric: Metric) -> Direction | None:
    """Which way is the good one of a metric; None where neither is."""
    if metric.id.startswith(_NEUTRAL):
        return None
    if metric.kind in ("time", "duration") or metric.unit == "ms":
        return "low"
    if metric.id.startswith(_LOW_IS_GOOD):
        return "low"
    return "high" if metric.kind in ("rate", "money") else None


def narrowed(query: ReportQuery, dimension: str, key: str | int | None, nobody: str) -> ReportQuery:
    """The query narrowed to one group of a dimension."""
    value = nobody if key is None else key
    match dimension:
        case "day":
            return replace(query, period="custom", from_=str(value), to=str(value))
        case "hour" | "weekday":
            return query.narrowed(dimension, int(value))
        case "agent" | "team" | "channel" | "segment" | "label" | "sku":
            return query.narrowed(dimension, str(value))
    return query


def _is_good(metric: Metric, *, rising: bool) -> bool | None:
    good = direction(metric)
    return None if good is None else rising == (good == "high")


def _number(figures: Figures, stat: str) -> float | None:
    if stat in ("p90", "p95", "mean") and figures.median_ms is not None:
        return {"p90": figures.p90_ms, "p95": figures.p95_ms, "mean": figures.mean_ms}[stat]
    return None if figures.value is None else float(figures.value)


def _apart(
    one: tuple[int | None, int | None] | None, other: tuple[int | None, int | None] | None
) -> bool:
    """True when two intervals do not touch; an open end reaches everywhere."""
    if one is None or other is None or one[0] is None or other[0] is None:
        return False
    if one[1] is not None and one[1] < other[0]:
        return True
    return other[1] is not None and other[1] < one[0]


def _far(now: Figures, before: Figures) -> bool:
    if now.interval is None or before.interval is None:
        return False
    return now.interval[1] < before.interval[0] or before.interval[1] < now.interval[0]


def _split(text: str) -> tuple[str, str]:
    """A number and the sign after it, which stands smaller.

    >>> _split("95.4%"), _split("0:46")
    (('95.4', '%'), ('0:46', ''))
    """
    return (text[:-1], "%") if text.endswith("%") else (text, "")
