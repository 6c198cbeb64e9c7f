"""Charts drawn on the server as SVG: no script, no inline style, readable on paper and in the dark.

Colours come from classes of report.css. Every text is handed in, already in the reader's language.
A chart is a picture with a name; the same figures stand in a table beside it.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from agent_ui import svg
from agent_ui.svg import number as _n

_NICE_COUNTS = (1, 2, 5, 10)
_NICE_SPANS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram; ``missed`` ones are hatched, so that colour is not all that tells."""

    count: int
    missed: bool
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across a chart with its words; ``at`` is in the unit of the axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a trend: a value per point, None where there is none. ``look`` is its class."""

    name: str
    look: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a bar in time; ``look`` is bot, queue or agent."""

    start: float
    end: float
    look: str
    title: str


def histogram(
    bars: Sequence[Bar],
    *,
    name: str,
    step: float,
    ticks: Sequence[Mark],
    marks: Sequence[Mark],
    goal: Mark,
) -> Markup:
    """Bars of equal width ``step``, with lines at ``marks`` and a dotted one at ``goal``.

    The last bar is open: whatever lies beyond the axis stands in it.
    """
    width, height, left, right, top, bottom = 600, 282, 48, 10, 72, 34
    plot_w, plot_h = width - left - right, height - top - bottom
    highest, lines = _count_axis(max((bar.count for bar in bars), default=0))
    root = svg.root(width, height, name, look="ch fits")
    svg.hatch(root)

    def x(at: float) -> float:
        return left + min(at / (step * len(bars)), 1) * plot_w

    def y(count: float) -> float:
        return top + plot_h * (1 - count / highest)

    for count in lines:
        svg.line(root, left, y(count), width - right, y(count), look="grid")
        svg.text(root, left - 8, y(count) + 4, f"{count:,}", "end")
    gap = plot_w / len(bars)
    for number, bar in enumerate(bars):
        if bar.count:
            top_of_bar = min(y(bar.count), y(0) - 1.5)
            group = svg.element(root, "g", {"class": "bar-missed" if bar.missed else "bar-met"})
            svg.title(group, bar.title)
            svg.element(
                group,
                "rect",
                {
                    "x": left + number * gap + 0.8,
                    "y": top_of_bar,
                    "width": gap - 1.6,
                    "height": y(0) - top_of_bar,
                    "rx": 1.5,
                }
                | ({"fill": "url(#hatch)"} if bar.missed else {}),
            )
    for tick in ticks:
        svg.text(root, x(tick.at), height - 8, tick.text, "middle")
    svg.line(root, x(goal.at), top - 14, x(goal.at), y(0), look="goal")
    crowded = any(0 <= x(mark.at) - x(goal.at) < 10 * len(goal.text) for mark in marks)
    side = -6 if crowded else 6
    svg.text(root, x(goal.at) + side, top + 4, goal.text, "end" if crowded else "start")
    _percentiles(root, marks, x, top=top, foot=y(0), right=width - right)
    return svg.markup(root)


def trend(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    name: str,
    span: Callable[[float], str],
    goal: Mark | None = None,
    ceiling: float | None = None,
    band: bool = True,
) -> Markup:
    """Lines over days; ``span`` writes a value in words. A gap stays a gap.

    Values are spans in ms, or with ``ceiling`` anything from 0 to that. Where the first two series
    both have values, the space between them is shaded unless ``band`` is off.
    """
    width, height, left, right, top, bottom = 600, 274, 60, 112, 24, 34
    plot_w, plot_h = width - left - right, height - top - bottom
    highest, step = _trend_axis(series, goal, ceiling)
    root = svg.root(width, height, name, look="ch fits")

    def x(number: int) -> float:
        return left + (plot_w * number / (len(labels) - 1) if len(labels) > 1 else plot_w / 2)

    def y(value: float) -> float:
        return top + plot_h * (1 - min(value, highest) / highest)

    for number in range(round(highest / step) + 1):
        svg.line(root, left, y(number * step), width - right, y(number * step), look="grid")
        svg.text(root, left - 8, y(number * step) + 4, span(number * step), "end")
    every = max(1, math.ceil(len(labels) / 5))
    for number in range((len(labels) - 1) % every, len(labels), every):
        svg.text(root, x(number), height - 8, labels[number], "middle")
    if goal is not None:
        svg.line(root, left, y(goal.at), width - right, y(goal.at), look="goal")
        svg.text(root, left + 4, y(goal.at) - 5, goal.text, "start")
    if band and len(series) > 1:
        _band(root, series[0], series[1], x, y)
    ends: list[tuple[float, Series, int]] = []
    for one in series:
        _path(root, one, x, y)
        _beyond(root, one, highest, lambda number: (x(number), top - 7), span)
        last = max((n for n, value in enumerate(one.values) if value is not None), default=None)
        if last is not None:
            ends.append((y(one.values[last] or 0), one, last))
    _ends(root, ends, x, span)
    return svg.markup(root)


def clock_bar(
    parts: Sequence[Part],
    *,
    name: str,
    start: float,
    end: float,
    marks: Sequence[Mark],
    goal: Mark | None,
    closed: Sequence[tuple[float, float]] = (),
    closed_text: str = "",
) -> Markup:
    """A bar in time, cut where its owner changes, with the instants of messages above it.

    ``closed`` are the stretches outside business hours, drawn as a dark edge below the bar.
    """
    width, height, left, right, bar_top, bar_h = 900, 104, 6, 6, 46, 22
    length = max(end - start, 1)
    root = svg.root(width, height, name, look="ch wide")
    svg.hatch(root)

    def x(at: float) -> float:
        return left + min(max((at - start) / length, 0), 1) * (width - left - right)

    for part in parts:
        group = svg.element(root, "g", {"class": f"own-{part.look}"})
        svg.title(group, part.title)
        attributes: dict[str, object] = {
            "x": x(part.start),
            "y": bar_top,
            "width": max(x(part.end) - x(part.start), 1),
            "height": bar_h,
        }
        if part.look == "queue":
            attributes["fill"] = "url(#hatch)"
        svg.element(group, "rect", attributes)
        if x(part.end) - x(part.start) > 8 * len(part.title):
            middle = (x(part.start) + x(part.end)) / 2
            svg.text(root, middle, bar_top + bar_h + 18, part.title, "middle")
    for first, last in closed:
        group = svg.element(root, "g", {"class": "closed"})
        svg.title(group, closed_text)
        place = {"x": x(first), "y": bar_top + bar_h, "height": 5}
        svg.element(group, "rect", place | {"width": max(x(last) - x(first), 1)})
    taken = [-math.inf, -math.inf]
    for mark in sorted(marks, key=lambda one: one.at):
        at = x(mark.at)
        room = 7.5 * len(mark.text) + 12
        level = next((n for n, until in enumerate(taken) if at > until), None)
        foot = 10 if level is None else 14 + 14 * (1 - level)
        svg.line(root, at, foot, at, bar_top + bar_h, look="mark")
        svg.element(root, "circle", {"cx": at, "cy": foot, "r": 2.6, "class": "dot"})
        if level is not None:
            taken[level] = at + room
            at_end = at + room > width
            svg.text(
                root, at - 6 if at_end else at + 6, foot + 4, mark.text, "end" if at_end else ""
            )
    if goal is not None and start < goal.at < end:
        svg.line(root, x(goal.at), bar_top - 6, x(goal.at), bar_top + bar_h + 6, look="goal")
        svg.text(root, x(goal.at), height - 4, goal.text, "middle")
    return svg.markup(root)


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of two shares 0..1 side by side, with the words for each."""

    name: str
    first: float
    second: float
    first_text: str
    second_text: str


@dataclass(frozen=True, slots=True)
class Ribbon:
    """So much that went from one place of a row to another."""

    start: int
    end: int
    amount: float
    title: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a funnel: how many came so far, and the words for those who did not."""

    name: str
    amount: float
    text: str
    lost: str


def pairs(rows: Sequence[Pair], *, name: str, first: str, second: str) -> Markup:
    """Two bars a row on one axis of shares; ``first`` and ``second`` say what they are."""
    width, left, right, top, row_h = 660, 128, 112, 30, 40
    height = top + row_h * len(rows) + 4
    most = max([one for row in rows for one in (row.first, row.second)], default=0) or 1.0
    root = svg.root(width, height, name)
    svg.hatch(root)
    for look, words, x in (("pair-a", first, left), ("pair-b", second, left + 190)):
        group = svg.element(root, "g", {"class": look})
        svg.element(group, "rect", {"x": x, "y": 4, "width": 11, "height": 11, "rx": 2})
        svg.text(root, x + 17, 14, words, "start")
    room = width - left - right
    for number, row in enumerate(rows):
        y = top + number * row_h
        svg.text(root, left - 10, y + 19, row.name, "end", strong=True)
        bars = (
            ("pair-a", row.first, row.first_text, 3),
            ("pair-b", row.second, row.second_text, 17),
        )
        for look, share, words, down in bars:
            group = svg.element(root, "g", {"class": look})
            svg.title(group, f"{row.name}: {words}")
            svg.element(
                group,
                "rect",
                {
                    "x": left,
                    "y": y + down,
                    "width": max(room * share / most, 1.5),
                    "height": 11,
                    "rx": 2,
                },
            )
            svg.text(root, left + max(room * share / most, 1.5) + 6, y + down + 9.5, words, "start")
    return svg.markup(root)


def curve(
    shares: Sequence[float],
    *,
    name: str,
    mark: Mark,
    across: str,
    up: str,
    even: str,
) -> Markup:
    """What the first of a ranking bring together: ``shares`` at even steps from 0 to 1.

    ``mark`` is drawn across and down from its place; ``even`` says what the straight line is.
    """
    width, height, left, right, top, bottom = 520, 330, 46, 16, 22, 44
    plot_w, plot_h = width - left - right, height - top - bottom
    root = svg.root(width, height, name)

    def x(at: float) -> float:
        return left + plot_w * at

    def y(share: float) -> float:
        return top + plot_h * (1 - min(share, 1))

    for fifth in range(6):
        svg.line(root, left, y(fifth / 5), width - right, y(fifth / 5), look="grid")
        svg.text(root, left - 8, y(fifth / 5) + 4, f"{fifth * 20}%", "end")
        svg.text(root, x(fifth / 5), height - bottom + 18, f"{fifth * 20}%", "middle")
    svg.text(root, left, 11, up, "start")
    svg.text(root, width - right, height - 6, across, "end")
    svg.line(root, x(0), y(0), x(1), y(1), look="goal")
    svg.text(root, x(0.62), y(0.56), even, "start")
    points = len(shares) - 1
    if points > 0:
        steps = [f"{_n(x(n / points))} {_n(y(share))}" for n, share in enumerate(shares)]
        area = f"M{'L'.join(steps)}L{_n(x(1))} {_n(y(0))}Z"
        svg.element(root, "path", {"d": area, "class": "band"})
        svg.element(root, "path", {"d": "M" + "L".join(steps), "class": "line-a"})
        at = mark.at * points
        low = shares[math.floor(at)]
        share = low + (shares[math.ceil(at)] - low) * (at - math.floor(at))
        svg.line(root, x(mark.at), y(0), x(mark.at), y(share), look="mark")
        svg.line(root, x(0), y(share), x(mark.at), y(share), look="mark")
        svg.element(root, "circle", {"cx": x(mark.at), "cy": y(share), "r": 4, "class": "dot"})
        svg.text(root, x(mark.at) + 9, y(share) + 16, mark.text, "start", strong=True)
    return svg.markup(root)


def flows(
    places: Sequence[str], ribbons: Sequence[Ribbon], *, name: str, before: str, after: str
) -> Markup:
    """What went from the places on the left to those on the right, as wide as there was much."""
    width, height, left, right, top = 660, 330, 128, 128, 30
    room, gap = height - top - 8, 14
    left_x, right_x, bar = left, width - right, 12
    root = svg.root(width, height, name)
    whole = sum(one.amount for one in ribbons) or 1.0
    shown = [n for n in range(len(places)) if any(n in (one.start, one.end) for one in ribbons)]
    scale = (room - gap * max(0, len(shown) - 1)) / whole

    def spread(totals: Mapping[int, float]) -> dict[int, float]:
        """Where each place begins, its own amount and a gap below the one before."""
        tall = sum(totals.values()) * scale + gap * max(0, len(totals) - 1)
        at, found = top + (room - tall) / 2, {}
        for number, total in totals.items():
            found[number] = at
            at += total * scale + gap
        return found

    outs = {n: sum(one.amount for one in ribbons if one.start == n) for n in shown}
    ins = {n: sum(one.amount for one in ribbons if one.end == n) for n in shown}
    outs = {n: total for n, total in outs.items() if total}
    ins = {n: total for n, total in ins.items() if total}
    from_y, to_y = spread(outs), spread(ins)
    svg.text(root, left_x + bar, 14, before, "end")
    svg.text(root, right_x, 14, after, "start")
    middle = (left_x + right_x) / 2
    next_from, next_to = dict(from_y), dict(to_y)
    for one in sorted(ribbons, key=lambda ribbon: (ribbon.start, ribbon.end)):
        tall = one.amount * scale
        y1, y2 = next_from[one.start], next_to[one.end]
        next_from[one.start] += tall
        next_to[one.end] += tall
        x1, x2 = left_x + bar, right_x
        curve_to = f"C{_n(middle)} {_n(y1)} {_n(middle)} {_n(y2)} {_n(x2)} {_n(y2)}"
        back = (
            f"C{_n(middle)} {_n(y2 + tall)} {_n(middle)} {_n(y1 + tall)} {_n(x1)} {_n(y1 + tall)}"
        )
        shape = f"M{_n(x1)} {_n(y1)}{curve_to}L{_n(x2)} {_n(y2 + tall)}{back}Z"
        path = svg.element(root, "path", {"d": shape, "class": f"flow to-{one.end}"})
        svg.title(path, one.title)
    for starts, totals, x, words_x, anchor in (
        (from_y, outs, left_x, left_x - 8, "end"),
        (to_y, ins, right_x, right_x + bar + 8, "start"),
    ):
        for number, at in starts.items():
            tall = totals[number] * scale
            place = {"x": x, "y": at, "width": bar, "height": max(tall, 1.5), "rx": 2}
            svg.element(root, "rect", place | {"class": f"place to-{number}"})
            words = f"{places[number]} {totals[number]:,.0f}"
            svg.text(root, words_x, at + tall / 2 + 4, words, anchor, strong=True)
    return svg.markup(root)


def funnel(steps: Sequence[Step], *, name: str) -> Markup:
    """Steps one below the other, each as wide as many came so far, with those lost between."""
    width, left, row_h, bar_h = 660, 128, 58, 30
    height = row_h * len(steps) - (row_h - bar_h) + 6
    room = width - left - 150
    root = svg.root(width, height, name)
    most = max((step.amount for step in steps), default=0) or 1.0
    for number, step in enumerate(steps):
        y = 2 + number * row_h
        long = max(room * step.amount / most, 2)
        if number + 1 < len(steps):
            after = max(room * steps[number + 1].amount / most, 2)
            shape = (
                f"M{left} {y + bar_h}L{_n(left + long)} {y + bar_h}"
                f"L{_n(left + after)} {y + row_h}L{left} {y + row_h}Z"
            )
            svg.element(root, "path", {"d": shape, "class": "band"})
            svg.text(root, left + 10, y + bar_h + 18, steps[number + 1].lost, "start")
        group = svg.element(root, "g", {"class": "bar-met"})
        svg.title(group, f"{step.name}: {step.text}")
        place = {"x": left, "y": y, "width": long, "height": bar_h, "rx": 3}
        svg.element(group, "rect", place)
        svg.text(root, left - 10, y + 19, step.name, "end", strong=True)
        svg.text(root, left + long + 8, y + 19, step.text, "start", strong=True)
    return svg.markup(root)


def _percentiles(
    root: ET.Element,
    marks: Sequence[Mark],
    x: Callable[[float], float],
    *,
    top: float,
    foot: float,
    right: float,
) -> None:
    """Lines with a dot and words on top, each word on a level of its own where they are close."""
    taken = [-math.inf] * 3
    for mark in sorted(marks, key=lambda one: one.at):
        at, room = x(mark.at), 10 * len(mark.text) + 14
        level = next((n for n, until in enumerate(taken) if at > until), len(taken) - 1)
        taken[level] = at + room
        head = top - 20 - 18 * level
        svg.line(root, at, head, at, foot, look="mark")
        svg.element(root, "circle", {"cx": at, "cy": head, "r": 3, "class": "dot"})
        at_end = at + room > right
        svg.text(
            root,
            at - 7 if at_end else at + 7,
            head + 4,
            mark.text,
            "end" if at_end else "start",
            strong=True,
        )


def _ends(
    root: ET.Element,
    ends: list[tuple[float, Series, int]],
    x: Callable[[int], float],
    span: Callable[[float], str],
) -> None:
    """The last value of each line beside it, words kept apart."""
    before = -math.inf
    for at, one, last in sorted(ends, key=lambda end: end[0]):
        svg.element(root, "circle", {"cx": x(last), "cy": at, "r": 3, "class": f"end-{one.look}"})
        before = max(at + 4, before + 19)
        words = f"{one.name} {span(one.values[last] or 0)}"
        svg.text(root, x(last) + 7, before, words, "start", strong=True)


def _path(
    root: ET.Element,
    one: Series,
    x: Callable[[int], float],
    y: Callable[[float], float],
) -> None:
    steps: list[str] = []
    for number, value in enumerate(one.values):
        if value is None:
            continue
        follows = number > 0 and one.values[number - 1] is not None
        steps.append(f"{'L' if follows else 'M'}{_n(x(number))} {_n(y(value))}")
        alone = not follows and (number + 1 == len(one.values) or one.values[number + 1] is None)
        if alone:
            place = {"cx": x(number), "cy": y(value), "r": 2.2, "class": f"end-{one.look}"}
            svg.element(root, "circle", place)
    if steps:
        svg.element(root, "path", {"d": "".join(steps), "class": f"line-{one.look}"})


def _beyond(
    root: ET.Element,
    one: Series,
    highest: float,
    place: Callable[[int], tuple[float, float]],
    span: Callable[[float], str],
) -> None:
    """The values above the axis in words, but for the last, which has its words at its end."""
    known = [number for number, value in enumerate(one.values) if value is not None]
    for number in known[:-1]:
        value = one.values[number] or 0
        if value > highest:
            svg.text(root, *place(number), f"↑ {span(value)}", "middle")


def _band(
    root: ET.Element,
    lower: Series,
    upper: Series,
    x: Callable[[int], float],
    y: Callable[[float], float],
) -> None:
    run: list[tuple[int, float, float]] = []
    pairs = [*zip(lower.values, upper.values, strict=True), (None, None)]
    for number, (low, high) in enumerate(pairs):
        if low is not None and high is not None:
            run.append((number, low, high))
            continue
        if len(run) > 1:
            there = [f"{_n(x(at))} {_n(y(value))}" for at, value, _ in run]
            back = [f"{_n(x(at))} {_n(y(value))}" for at, _, value in reversed(run)]
            svg.element(root, "path", {"d": "M" + "L".join([*there, *back]) + "Z", "class": "band"})
        run = []


def nice_top(most: float) -> float:
    """A round number at or above the largest value, to end an axis at.

    >>> nice_top(37), nice_top(0.42), nice_top(1280)
    (40.0, 0.5, 2000.0)
    """
    if most <= 0:
        return 1
    size = 10.0 ** math.floor(math.log10(most))
    return next(nice * size for nice in (1, 2, 4, 5, 8, 10) if nice * size >= most)


def _count_axis(most: int) -> tuple[int, list[int]]:
    """The top of an axis of counts and its lines: whole, round numbers, at most five."""
    most = max(most, 1)
    size = 10 ** max(0, int(math.log10(most)) - 1)
    while True:
        for nice in _NICE_COUNTS:
            step = nice * size
            if step * 5 >= most:
                lines = list(range(0, most + step, step))
                return max(lines[-1], 1), lines
        size *= 10


def _trend_axis(
    series: Sequence[Series], goal: Mark | None, ceiling: float | None
) -> tuple[float, float]:
    """The top of the axis of a trend and the distance of its lines."""
    if ceiling is not None:
        return ceiling, ceiling / 4
    most = max((value for one in series for value in one.values if value is not None), default=0)
    if goal is None:
        return span_axis(max(most, 1))
    # One night without staff must not press all other days flat: what lies far beyond the goal is
    # drawn at the upper edge, with its value beside it.
    return span_axis(max(min(most, 3 * goal.at), goal.at * 1.15))


def span_axis(most_ms: float) -> tuple[float, float]:
    """The top of an axis of spans and the distance of its lines, in ms."""
    steps = (*_NICE_SPANS_S, *(86_400 * days for days in (2, 5, 10, 30, 100, 400)))
    step = next((s * 1000 for s in steps if s * 5000 >= most_ms), most_ms / 4)
    return math.ceil(most_ms / step) * step, step
