"""The blocks of the report pages as their templates show them: charts, and tables behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any  # Any: what a template shows

import numpy as np

from agent_ui import charts, plots
from agent_ui.render import Locale, duration, number, percent, sentence
from server.domain import statistics
from server.domain.metrics import GOAL_MS, Figures, Metric
from server.domain.metrics.presets import BY_HEADLINE, Goal, verdict
from server.domain.spans import MINUTE_MS
from server.http.report_blocks import Block, Desk, group_lines, in_order, tiles
from server.http.report_figures import direction, narrowed
from server.http.report_words import (
    WallClock,
    bin_words,
    listed,
    owner_words,
    short_day,
    short_span,
)
from server.reports.figures import figures_of
from server.reports.frames import Frame
from server.reports.pages import Key, known
from server.reports.scope import NOBODY
from server.reports.thread import Shares

STEP_MS = 15_000
LAST_STEP_MS = 8 * MINUTE_MS
MAX_TREND_DAYS = 800
USUAL_HOURS = range(9, 22)
FATE_MS = 10 * MINUTE_MS
USUAL_TARGET = 80
Told = dict[str, Any]  # Any: as above


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers that took ``from_ms`` to ``to_ms`` (exclusive, None for the open end)."""

    from_ms: int
    to_ms: int | None
    count: int

    @property
    def missed(self) -> bool:
        """True when these answers came after the goal; one exactly at the goal is in time."""
        return self.from_ms >= GOAL_MS + 1


def show(block: Block, desk: Desk) -> Told | None:
    """What a block's template is given; None when nothing of it is there."""
    told = SHOWS[block.kind](block, desk)
    if told is None:
        return None
    around = {"kind": block.kind, "title": block.title, "half": block.half, "by": block.by}
    return {"metric": None, "choices": []} | told | around


def _tiles(block: Block, desk: Desk) -> Told | None:
    found = tiles(block, desk)
    return {"tiles": found} if found else None


def _table(block: Block, desk: Desk) -> Told | None:
    asks, lines = group_lines(block, desk)
    if not any(ask.metric in desk.figures.metrics for ask in block.asks):
        return None
    heads = [
        (
            desk.figures.metrics[ask.metric],
            desk.teller.label(desk.figures.metrics[ask.metric], ask.stat),
        )
        for ask in asks
    ]
    return {"heads": heads, "lines": lines, "empty": not lines}


def _trend(block: Block, desk: Desk) -> Told | None:
    metric = _metric(block, desk)
    if metric is None:
        return None
    by_day = desk.figures.groups[("day", metric.id)]
    days = _all_days(desk, by_day)
    locale = desk.locale
    found = [by_day.get(day.isoformat()) for day in days]
    labels = [short_day(day, locale) for day in days]
    name = sentence(locale, "reports.chart.trend", metric=metric.name.of(locale))
    if metric.kind in ("time", "duration"):
        drawn = charts.trend(
            labels,
            [
                charts.Series("p50", "a", [one.median_ms if one else None for one in found]),
                charts.Series("p90", "b", [one.p90_ms if one else None for one in found]),
            ],
            name=name,
            goal=charts.Mark(GOAL_MS, sentence(locale, "reports.goal")),
            span=duration,
        )
        stats = ["median", "p90", "mean"]
    elif metric.kind == "rate":
        values = [_share(one) for one in found]
        drawn = charts.trend(
            labels,
            [charts.Series("", "a", values)],
            name=name,
            span=lambda value: percent(value, 0),
            ceiling=1.0,
            band=False,
        )
        stats = ["value"]
    else:
        values = [None if one is None or one.value is None else float(one.value) for one in found]
        drawn = charts.trend(
            labels,
            [charts.Series("", "a", values)],
            name=name,
            span=lambda value: desk.teller.amount(metric, value),
            ceiling=charts.nice_top(max((v for v in values if v is not None), default=1)),
            band=False,
        )
        stats = ["value"]
    lines = [
        (
            day.isoformat(),
            [
                desk.teller.show(
                    metric, one, stat=stat, at=narrowed(desk.pinned, "day", day.isoformat(), NOBODY)
                )
                for stat in stats
            ],
        )
        for day, one in zip(days, found, strict=True)
        if one is not None
    ]
    return _chart(metric, desk, drawn, block) | {
        "heads": [desk.teller.label(metric, stat) for stat in stats],
        "days": lines,
        "empty": not lines,
    }


def _spread(block: Block, desk: Desk) -> Told | None:
    metric = _metric(block, desk)
    if metric is None:
        return None
    frame, whole = desk.figures.rows[metric.id], desk.figures.whole[metric.id]
    locale = desk.locale
    found = bins_of(np.asarray(frame.columns[metric.span])[np.asarray(frame.columns[metric.done])])
    bars = [
        charts.Bar(
            one.count,
            missed=one.missed,
            title=f"{bin_words(one.from_ms, one.to_ms, locale)}: {number(one.count)}",
        )
        for one in found
    ]
    marks = [
        charts.Mark(value, f"{name} {duration(value)}")
        for name, value in (("p50", whole.median_ms), ("p90", whole.p90_ms), ("p95", whole.p95_ms))
        if value is not None
    ]
    ticks = [
        charts.Mark(at, duration(at) + ("+" if at == LAST_STEP_MS else ""))
        for at in range(0, LAST_STEP_MS + 1, 60_000)
    ]
    drawn = charts.histogram(
        bars,
        name=sentence(locale, "reports.chart.spread", metric=metric.name.of(locale)),
        step=STEP_MS,
        ticks=ticks,
        marks=marks,
        goal=charts.Mark(GOAL_MS, sentence(locale, "reports.goal")),
    )
    return _chart(metric, desk, drawn, block) | {
        "bins": [
            (
                bin_words(one.from_ms, one.to_ms, locale),
                one.count,
                desk.pinned.address(
                    "/reports/rows",
                    metric=metric.id,
                    outcome="answered",
                    wait_from=one.from_ms,
                    wait_to=one.to_ms,
                ),
            )
            for one in found
        ],
        "answered": whole.answered,
        "open": whole.n_open,
        "empty": not whole.n,
    }


def _heat(block: Block, desk: Desk) -> Told | None:
    metric = _metric(block, desk)
    if metric is None:
        return None
    frame = desk.figures.rows[metric.id]
    cells = _cells(metric, frame, desk)
    hours = [hour for _, hour in cells]
    span = range(min([*hours, USUAL_HOURS.start]), max([*hours, USUAL_HOURS.stop - 1]) + 1)
    level = _heat_levels(metric, cells)
    rows = []
    for weekday in range(7):
        row: list[Told | None] = []
        for hour in span:
            figures = cells.get((weekday, hour))
            if figures is None:
                row.append(None)
                continue
            at = replace(desk.pinned, weekday=weekday, hour=hour)
            row.append(
                {
                    "text": _heat_text(metric, figures),
                    "level": level(figures),
                    "miss": _misses(metric, figures),
                    "href": at.address("/reports/rows", metric=metric.id),
                    "n": desk.teller.noun(metric, figures.n),
                }
            )
        rows.append((sentence(desk.locale, f"reports.weekday.{weekday}"), row))
    return _chart(metric, desk, "", block) | {
        "hours": [f"{hour:02}" for hour in span],
        "rows": rows,
        "empty": not cells,
    }


def _funnel(block: Block, desk: Desk) -> Told | None:
    metric = _metric(block, desk)
    if metric is None:
        return None
    by = block.by or "agent"
    groups: dict[Key, Figures] = {
        key: figures
        for key, figures in desk.figures.groups[(by, metric.id)].items()
        if key is not None and figures.denominator
    }
    tops = sum(one.numerator or 0 for one in groups.values())
    total = sum(one.denominator or 0 for one in groups.values())
    locale, names = desk.locale, desk.names
    centre = tops / total if total else 0.0
    lines = []
    dots = []
    for key in in_order(by, {key: one.n for key, one in groups.items()}, names):
        figures = groups[key]
        n, value = figures.denominator or 0, _share(figures) or 0.0
        limits = statistics.rate_funnel(centre, n)
        place = "few" if n < FEW else _place(limits.place(value) if limits else "inside")
        shown = desk.teller.show(metric, figures, at=narrowed(desk.pinned, by, key, NOBODY))
        words = sentence(locale, f"reports.place.{place}")
        title = f"{names.of(by, key)}: {percent(value)} ({figures.numerator}/{n}), {words}"
        dots.append(plots.Dot(names.of(by, key), n, value, place, title))  # type: ignore[arg-type]  # from the table of places
        lines.append(
            {
                "key": key,
                "name": names.of(by, key),
                "shown": shown,
                "place": place,
                "words": words,
                "limits": None
                if limits is None or n < FEW
                else f"{percent(limits.low, 0)}–{percent(limits.high, 0)}",
            }
        )
    drawn = ""
    if dots:
        most = max(dot.n for dot in dots) * 1.12
        # Limits are binomial: drawn at enough counts to be smooth, not at every one.
        steps = sorted({max(3, round(most * (k / 60) ** 1.6)) for k in range(1, 61)})
        curve = [
            plots.Limits(n, (limit.low, limit.high), (limit.far_low, limit.far_high))
            for n in steps
            if (limit := statistics.rate_funnel(centre, n)) is not None
        ]
        drawn = plots.funnel_plot(
            dots,
            curve,
            centre,
            name=sentence(locale, "reports.chart.funnel", metric=metric.name.of(locale)),
            across=sentence(locale, "reports.funnel.across", rows=desk.teller.noun(metric, total)),
            centre_text=sentence(locale, "reports.funnel.centre", value=percent(centre)),
            near_text=sentence(locale, "reports.funnel.near"),
            far_text=sentence(locale, "reports.funnel.far"),
            words=lambda value: percent(value, 0),
        )
    outside = [line for line in lines if line["place"] in ("above", "below")]
    return _chart(metric, desk, drawn, block) | {
        "lines": lines,
        "outside": len(outside),
        "centre": percent(centre),
        "few": FEW,
        "empty": not lines,
    }


def _intervals(block: Block, desk: Desk) -> Told | None:
    metric = _metric(block, desk)
    if metric is None:
        return None
    by = block.by or "agent"
    groups = desk.figures.groups[(by, metric.id)]
    rows, lines = [], []
    for key in in_order(by, {key: one.n for key, one in groups.items()}, desk.names):
        figures = groups[key]
        shown = desk.teller.show(metric, figures, at=narrowed(desk.pinned, by, key, NOBODY))
        lines.append((key, desk.names.of(by, key), shown))
        low, high = _reach(metric, figures)
        said = f"{shown.value}{shown.small}" or shown.words
        rows.append(
            plots.Span(
                desk.names.of(by, key),
                None if not shown.value or shown.value.startswith(">") else _plain(metric, figures),
                low,
                high,
                f"{said} · n {number(figures.n)}",
            )
        )
    timed = metric.kind in ("time", "duration")
    shares = metric.kind == "rate" or metric.source == "review"
    goal = GOAL_MS if timed and metric.id in ("frt", "rt") else 0
    ends = [v for row in rows for v in (row.value, row.low, row.high) if v is not None]
    axis = charts.span_axis(max([goal, *ends, 1000]) * 1.04)
    drawn = plots.intervals(
        rows,
        name=sentence(desk.locale, "reports.chart.intervals", metric=metric.name.of(desk.locale)),
        words=short_span if timed else (lambda value: percent(value, 0)),
        goal=(goal, "") if goal else None,
        ceiling=1.0 if shares else axis[0] if timed else None,
        step=axis[1] if timed else None,
    )
    return _chart(metric, desk, drawn, block) | {"lines": lines, "empty": not rows}


def _fates(block: Block, desk: Desk) -> Told | None:
    metric = _metric(block, desk)
    if metric is None:
        return None
    frame = desk.figures.rows[metric.id]
    waits = list(zip(frame.columns[metric.span].tolist(), _causes(frame), strict=True))
    answered = _at(statistics.incidence(waits, "answered"))
    gone = _at(statistics.incidence(waits, "gone"))
    times = [step * FATE_MS // 60 for step in range(61)]
    locale = desk.locale
    points = [plots.Fate(at, answered(at), gone(at)) for at in times]
    drawn = plots.fates(
        points,
        name=sentence(locale, "reports.chart.fates"),
        words=duration,
        ticks=range(0, FATE_MS + 1, 120_000),
        answered=sentence(locale, "reports.fate.answered"),
        gone=sentence(locale, "reports.fate.gone"),
        waiting=sentence(locale, "reports.fate.waiting"),
        goal=(GOAL_MS, sentence(locale, "reports.goal")),
    )
    table = [
        (duration(at), answered(at), gone(at), max(0.0, 1 - answered(at) - gone(at)))
        for at in (30_000, 60_000, 120_000, 180_000, 300_000, 600_000)
    ]
    return _chart(metric, desk, drawn, block) | {"table": table, "empty": not waits}


def _scores(block: Block, desk: Desk) -> Told | None:
    metric = _metric(block, desk)
    whole = None if metric is None else desk.figures.whole[metric.id]
    if metric is None or whole is None or "score_5" not in whole.asides:
        return None
    counts = {score: whole.asides[f"score_{score}"] for score in (5, 4, 3, 2, 1)}
    rows = [
        plots.Amount(
            "★" * score,
            count,
            f"{number(count)} · {percent(count / whole.n, 0)}" if whole.n else "0",
            "met" if score >= 4 else "missed",
        )
        for score, count in counts.items()
    ]
    name = sentence(desk.locale, "reports.chart.scores")
    return _chart(metric, desk, plots.bars(rows, name=name, left=92), block) | {
        "scores": [(score, n, n / whole.n if whole.n else None) for score, n in counts.items()],
        "mean": whole.score,
        "empty": not whole.n,
    }


def _bounds(block: Block, desk: Desk) -> Told | None:
    """Satisfaction with what the silent ones could make of it."""
    metric = _metric(block, desk)
    if metric is None:
        return None
    score, locale = desk.figures.whole[metric.id], desk.locale
    value, (low, high) = _share(score), score.interval or (None, None)
    said = f"{percent(value)} · {number(score.numerator)}/{number(score.denominator)}"
    rows = [plots.Span(sentence(locale, "reports.bounds.raters"), value, low, high, said)]
    if score.bounds is not None:
        said = f"{percent(score.bounds[0], 0)}–{percent(score.bounds[1], 0)}"
        everybody = sentence(locale, "reports.bounds.everybody")
        rows.append(plots.Span(everybody, None, None, None, said, outer=score.bounds))
    name = sentence(locale, "reports.chart.bounds")
    drawn = plots.intervals(rows, name=name, words=lambda v: percent(v, 0), ceiling=1.0)
    return _chart(metric, desk, drawn, block) | {
        "value": percent(value),
        "interval": desk.teller.bounds(metric, score, "value"),
        "possible": score.bounds,
        "empty": not score.n,
    }


def _beside(block: Block, desk: Desk) -> Told | None:
    """A rate beside its baseline, which says how much of it would have come anyway."""
    metric = _metric(block, desk)
    if metric is None:
        return None
    served, locale = desk.figures.whole[metric.id], desk.locale
    base = served.baseline
    lines = [("served", served)] if base is None else [("served", served), ("missed", base)]
    rows = []
    for who, figures in lines:
        low, high = figures.interval or (None, None)
        said = f"{percent(_share(figures))} · {number(figures.numerator)}/{number(figures.n)}"
        name = sentence(locale, f"reports.beside.{who}")
        look = "a" if who == "served" else "b"
        rows.append(plots.Span(name, _share(figures), low, high, said, look=look))
    name = sentence(locale, "reports.chart.beside", metric=metric.name.of(locale))
    drawn = plots.intervals(rows, name=name, words=lambda value: percent(value, 0))
    apart = served.difference
    return _chart(metric, desk, drawn, block) | {
        "lines": [
            (sentence(locale, f"reports.beside.{who}"), desk.teller.show(metric, figures))
            for who, figures in lines
        ],
        "apart": None
        if apart is None
        else {
            "points": number(apart[0] * 100, 1),
            "low": number(apart[1] * 100, 1),
            "high": number(apart[2] * 100, 1),
            "sure": apart[1] > 0 or apart[2] < 0,
        },
        "maturing": served.asides.get("maturing", 0),
        "empty": not served.n,
    }


def _platforms(block: Block, desk: Desk) -> Told | None:
    locale = desk.locale
    target = (desk.query.target or USUAL_TARGET) / 100
    named: dict[str, list[str]] = {"pass": [], "fail": [], "none": []}
    lines, rows = [], []
    for ask in block.asks:
        figures = desk.figures.whole.get(ask.metric)
        if figures is None:
            continue
        preset, goal = BY_HEADLINE[ask.metric], Goal(metric=ask.metric, at_least=target)
        name = preset.name.of(locale)
        shown = desk.teller.show(desk.figures.metrics[ask.metric], figures)
        value = _share(figures)
        low, high = figures.interval or (None, None)
        state = verdict(replace(figures, interval=None), goal)
        named[state].append(name)
        lines.append(
            {
                "name": name,
                "rule": sentence(locale, f"reports.platform.{preset.id}.rule"),
                "shown": shown,
                "state": state,
                "near": verdict(figures, goal) == "near",
            }
        )
        look = "a" if state == "pass" else "b"
        said = f"{shown.value}{shown.small}" or shown.words
        rows.append(plots.Span(name, value, low, high, said, look=look))
    if not lines:
        return None
    drawn = plots.intervals(
        rows,
        name=sentence(locale, "reports.chart.platforms"),
        words=lambda value: percent(value, 0),
        goal=(target, ""),
        ceiling=1.0,
    )
    passed, failed = named["pass"], named["fail"]
    key = "both" if passed and failed else "pass" if passed else "fail" if failed else "none"
    outcome = sentence(
        locale,
        f"reports.verdict.{key}",
        passed=listed(locale, passed),
        failed=listed(locale, failed),
        target=percent(target, 0),
    )
    return {
        "svg": drawn,
        "lines": lines,
        "verdict": outcome,
        "target": round(target * 100),
        "empty": key == "none",
    }


def _movers(block: Block, desk: Desk) -> Told | None:
    """The figures that moved by more than chance would, the surest first."""
    if desk.figures.compared is None:
        return None
    found = [one for one in tiles(block, desk) if one.change is not None and one.change.sure]
    found.sort(key=lambda one: (one.change is None or one.change.good is not False, one.label))
    return {"tiles": found, "looked": len(block.asks), "empty": False}


# What the template of each kind of block is given.
SHOWS: Mapping[str, Callable[[Block, Desk], Told | None]] = {
    "tiles": _tiles,
    "table": _table,
    "trend": _trend,
    "spread": _spread,
    "heat": _heat,
    "funnel": _funnel,
    "intervals": _intervals,
    "fates": _fates,
    "scores": _scores,
    "bounds": _bounds,
    "beside": _beside,
    "platforms": _platforms,
    "movers": _movers,
}
# With fewer rows than this the limits are so wide that a place within them says nothing.
FEW = 20


def bins_of(waits_ms: Iterable[int]) -> list[Bin]:
    """Answers counted in steps of 15 seconds up to 8 minutes; the last bin is open.

    A step holds the waits above its start up to and including its end, so that an answer at exactly
    3:00 stands left of the line of the goal, as in the rate.
    """
    last = LAST_STEP_MS // STEP_MS
    waits = np.asarray(list(waits_ms), np.int64)
    places = np.minimum(np.maximum(waits - 1, 0) // STEP_MS, last)
    counts = np.bincount(places, minlength=last + 1).tolist() if len(waits) else [0] * (last + 1)
    return [
        Bin(
            step * STEP_MS + (1 if step else 0),
            (step + 1) * STEP_MS + 1 if step < last else None,
            count,
        )
        for step, count in enumerate(counts)
    ]


def clock(shares: Shares, locale: Locale, at: WallClock) -> str:
    """Waits as a bar in time, cut where the owner changed, with the public messages."""
    parts = [
        charts.Part(
            one.start_at_ms,
            one.end_at_ms,
            one.kind,
            f"{owner_words(one.kind, one.name, locale)} {duration(one.span_ms)}",
        )
        for one in shares.stretches
    ]
    marks = [
        charts.Mark(said.at_ms, at(said.at_ms))
        for said in shares.messages
        if said.at_ms >= shares.from_ms and said.visibility == "public"
    ]
    goal = charts.Mark(shares.from_ms + GOAL_MS, sentence(locale, "reports.goal"))
    return charts.clock_bar(
        parts,
        name=sentence(locale, "reports.chart.clock"),
        start=shares.from_ms,
        end=shares.until_ms,
        marks=marks,
        goal=goal,
        closed=shares.closed,
        closed_text=sentence(locale, "reports.owner.closed"),
    )


def _chart(metric: Metric, desk: Desk, drawn: str, block: Block) -> Told:
    choices = [
        (one.id, one.short.of(desk.locale))
        for ask in block.asks
        if (one := known([ask.metric]).get(ask.metric)) is not None
    ]
    return {
        "metric": metric,
        "svg": drawn,
        "choices": choices if len(choices) > 1 else [],
    }


def _metric(block: Block, desk: Desk) -> Metric | None:
    chosen = block.chosen(desk.query.view)
    if chosen is not None and chosen not in desk.figures.metrics:
        return None
    return None if chosen is None else desk.figures.metrics[chosen]


def _share(figures: Figures | None) -> float | None:
    return None if figures is None or figures.value is None else float(figures.value)


def _plain(metric: Metric, figures: Figures) -> float | None:
    return figures.median_ms if metric.kind in ("time", "duration") else _share(figures)


def _reach(metric: Metric, figures: Figures) -> tuple[float | None, float | None]:
    if metric.kind in ("time", "duration"):
        return figures.median_interval_ms or (None, None)
    return figures.interval or (None, None)


def _place(found: str) -> str:
    return {"low": "below", "far_low": "below", "high": "above", "far_high": "above"}.get(
        found, "within"
    )


def _causes(frame: Frame) -> list[str | None]:
    outcomes: list[str | None] = frame.columns["outcome"].tolist()
    left = ("abandoned", "closed_unanswered")
    return [
        "answered" if one == "answered" else "gone" if one in left else None for one in outcomes
    ]


def _at(steps: Sequence[statistics.Step]) -> Callable[[int], float]:
    times = np.array([step.at_ms for step in steps], np.int64)
    shares = [0.0, *(step.share for step in steps)]
    return lambda at_ms: shares[int(np.searchsorted(times, at_ms, side="right"))]


def _cells(metric: Metric, frame: Frame, desk: Desk) -> dict[tuple[int, int], Figures]:
    """The figures of each weekday and hour that has a row."""
    if "weekday" not in frame.columns or not len(frame):
        return {}
    codes = np.asarray(frame.columns["weekday"]) * 24 + np.asarray(frame.columns["hour"])
    found = {}
    for code in np.unique(codes).tolist():
        figures = figures_of(
            metric, frame.select(codes == code), as_of_ms=desk.figures.scope.as_of_ms
        )
        found[divmod(code, 24)] = figures
    return found


def _heat_levels(
    metric: Metric, cells: Mapping[tuple[int, int], Figures]
) -> Callable[[Figures], int]:
    """How dark a cell is, 0 to 8; for a time 6 is the goal."""
    if metric.kind in ("time", "duration"):
        return lambda one: (
            8 if one.median_ms is None else min(8, round(one.median_ms * 6 / GOAL_MS))
        )
    values = [float(one.value) for one in cells.values() if one.value is not None]
    most, least = max(values, default=1.0), min(values, default=0.0)
    spread = (most - least) or 1.0
    return lambda one: (
        0 if one.value is None else 1 + round(7 * (float(one.value) - least) / spread)
    )


def _heat_text(metric: Metric, figures: Figures) -> str:
    if metric.kind in ("time", "duration"):
        if figures.median_ms is not None:
            return short_span(figures.median_ms)
        return f">{short_span(figures.longest_ms or 0)}"
    if figures.value is None:
        return "–"
    value = float(figures.value)
    return percent(value, 0) if metric.kind == "rate" else number(value)


def _misses(metric: Metric, figures: Figures) -> bool:
    """True when half of the shoppers waited longer than the goal, or were never answered."""
    if metric.kind not in ("time", "duration") or direction(metric) != "low":
        return False
    if figures.median_ms is None:
        return (figures.longest_ms or 0) > GOAL_MS
    return figures.median_ms > GOAL_MS


def _all_days(desk: Desk, by_day: Mapping[Any, Figures]) -> list[date]:  # Any: a key of a group
    """Every day of the period up to today, or from the first to the last that has a row."""
    known = sorted(date.fromisoformat(str(key)) for key in by_day if key)
    if not known:
        return []
    scope = desk.figures.scope
    clock_of = partial(WallClock(scope.timezone).day)
    first, last = known[0], known[-1]
    if scope.from_ms is not None and scope.to_ms is not None:
        first = date.fromisoformat(clock_of(scope.from_ms))
        end = date.fromisoformat(clock_of(scope.to_ms - 1))
        last = max(last, min(end, date.fromisoformat(clock_of(scope.as_of_ms))))
    count = min((last - first).days + 1, MAX_TREND_DAYS)
    return [last - timedelta(days=count - 1 - step) for step in range(count)]
