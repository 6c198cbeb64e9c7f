"""What the pages about customers show beside plain figures: names, money, charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from agent_ui import charts
from agent_ui.render import Locale, number, percent, sentence
from server.domain.lifecycle import ACTIVITY_STAGES
from server.domain.money import digits
from server.reports.segments import Funnel, SegmentReport, Week

_SIGNS = {"CNY": "¥", "JPY": "¥", "EUR": "€", "GBP": "£", "USD": "$", "HKD": "HK$", "TWD": "NT$"}
# The key of what those who did not come to a step are called.
_LOST = {"ordered": "never", "again": "once", "active": "silent"}
# Colour and sign of a group's chip, as beside every chat.
_LOOKS: Mapping[str, tuple[str, str]] = {
    "champions": ("gold", "crown"),
    "key_value": ("gold", "crown"),
    "loyal": ("blue", "gem"),
    "key_keep": ("blue", "gem"),
    "regular_value": ("blue", "gem"),
    "stable": ("blue", "gem"),
    "active": ("blue", "gem"),
    "potential_loyalist": ("violet", "trending-up"),
    "key_develop": ("violet", "trending-up"),
    "building": ("violet", "trending-up"),
    "new": ("teal", "sprout"),
    "promising": ("teal", "sprout"),
    "regular_develop": ("teal", "sprout"),
    "exploring": ("teal", "sprout"),
    "need_attention": ("red", "eye"),
    "cant_lose": ("red", "life-buoy"),
    "at_risk": ("red", "life-buoy"),
    "key_rescue": ("red", "life-buoy"),
    "declining": ("red", "life-buoy"),
    "about_to_sleep": ("grey", "hourglass"),
    "prospects": ("grey", "user-round"),
    "prospect": ("grey", "user-round"),
    "none": ("grey", "user-round"),
}


@dataclass(frozen=True, slots=True)
class Money:
    """Amounts of the shop's currency as people write them."""

    currency: str

    def __call__(self, minor: float | None) -> str:
        """An amount; without the small change where it is large. A dash for None.

        >>> Money("CNY")(42_800), Money("CNY")(2_310_060), Money("SEK")(9_950), Money("JPY")(980)
        ('¥428.00', '¥23,101', 'SEK 99.50', '¥980')
        """
        if minor is None:
            return "–"
        places = digits(self.currency)
        value = minor / 10**places
        sign = _SIGNS.get(self.currency, f"{self.currency} ")
        return f"{sign}{value:,.{0 if abs(value) >= 1000 else places}f}"


def group_name(locale: Locale, grouping: str, group: str) -> str:
    """What a segment, cell or stage is called."""
    return sentence(locale, f"reports.{grouping}.{group}")


def look(group: str) -> tuple[str, str]:
    """Colour and sign of a group's chip."""
    return _LOOKS.get(group, ("grey", "moon"))


def share(part: float, whole: float) -> float | None:
    """A share, None of nothing."""
    return part / whole if whole else None


def share_chart(report: SegmentReport, grouping: str, locale: Locale) -> str:
    """Who the customers are beside who brings the revenue."""
    rows = [
        charts.Pair(
            group_name(locale, grouping, one.id),
            (first := share(one.customers, report.whole.customers) or 0.0),
            (second := share(one.net_minor, report.whole.net_minor) or 0.0),
            f"{percent(first)} · {number(one.customers)}",
            percent(second),
        )
        for one in report.groups[grouping]
        if one.customers
    ]
    return charts.pairs(
        rows,
        name=sentence(locale, "reports.segments.chart.shares"),
        first=sentence(locale, "reports.segments.of_customers"),
        second=sentence(locale, "reports.segments.of_revenue"),
    )


def curve_chart(report: SegmentReport, locale: Locale) -> str:
    """What the best customers bring."""
    top = percent(report.curve.top_share)
    return charts.curve(
        report.curve.shares,
        name=sentence(locale, "reports.segments.chart.curve"),
        mark=charts.Mark(0.2, sentence(locale, "reports.segments.top_mark", share=top)),
        across=sentence(locale, "reports.segments.across"),
        up=sentence(locale, "reports.segments.up"),
        even=sentence(locale, "reports.segments.even"),
    )


def flow_chart(report: SegmentReport, locale: Locale) -> str:
    """Who went from which stage of activity to which."""
    names = [group_name(locale, "activity", stage) for stage in ACTIVITY_STAGES]
    ribbons = [
        charts.Ribbon(
            ACTIVITY_STAGES.index(before),
            ACTIVITY_STAGES.index(after),
            count,
            f"{group_name(locale, 'activity', before)} → "
            f"{group_name(locale, 'activity', after)}: {number(count)}",
        )
        for (before, after), count in report.flows.moves["activity"].items()
        if before in ACTIVITY_STAGES and after in ACTIVITY_STAGES
    ]
    return charts.flows(
        names,
        ribbons,
        name=sentence(locale, "reports.segments.chart.flows"),
        before=sentence(locale, "reports.segments.before"),
        after=sentence(locale, "reports.segments.after"),
    )


def funnel_chart(funnel: Funnel, locale: Locale) -> str:
    """How far customers came, and how many did not."""
    first = funnel.steps[0].customers
    steps = []
    before = first
    for one in funnel.steps:
        lost = ""
        if one.id in _LOST:
            gone = max(0, before - one.customers)
            lost = sentence(
                locale,
                f"reports.segments.lost.{_LOST[one.id]}",
                count=number(gone),
                share=percent(share(gone, before), 0),
            )
        words = number(one.customers)
        if one.id != "known":
            words += f" · {percent(share(one.customers, first), 0)}"
        name = sentence(locale, f"reports.segments.step.{one.id}")
        steps.append(charts.Step(name, one.customers, words, lost))
        before = one.customers
    return charts.funnel(steps, name=sentence(locale, "reports.segments.chart.funnel"))


def week_words(week: Week, locale: Locale) -> str:
    """The days of a week.

    >>> from collections import Counter
    >>> from datetime import date
    >>> week_words(Week(date(2026, 11, 16), Counter()), "en")
    '16–22 Nov'
    """
    last = week.monday + timedelta(days=6)
    if locale == "zh":
        return f"{week.monday.month}/{week.monday.day}–{last.month}/{last.day}"
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905  # reads better
    first = f"{week.monday.day}"
    if week.monday.month != last.month:
        first += f" {months[week.monday.month - 1]}"
    return f"{first}–{last.day} {months[last.month - 1]}"


def curve_rows(report: SegmentReport) -> list[tuple[float, float]]:
    """The curve at every twentieth, or at every buyer while they are fewer."""
    shares = report.curve.shares
    points = len(shares) - 1
    every = max(1, points // 20)
    return [(n / points, share) for n, share in enumerate(shares) if points and n % every == 0]


def heat_level(count: int, most: int) -> int:
    """How dark a cell of a heat map of counts is, 0 to 8."""
    return 0 if not count else max(1, round(8 * count / most))
