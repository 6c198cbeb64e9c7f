"""Charts of what is not certain: intervals, funnel limits, what became of those who waited.

As in charts.py, every text is handed in and every colour is a class; whatever a colour says, a
shape or a word says too.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from agent_ui import svg

Place = Literal["above", "below", "within", "few"]
Words = Callable[[float], str]
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Dot:
    """Somebody in a funnel plot: of ``n`` rows a share ``value``, and where that lies."""

    name: str
    n: int
    value: float
    place: Place
    title: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What chance alone allows for ``n`` rows: 95 % within ``near``, 99.8 % within ``far``."""

    n: float
    near: tuple[float, float]
    far: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Span:
    """A row of an interval plot; None for ``high`` is open, ``outer`` what else is possible."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    look: str = "a"
    outer: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A row of a bar chart."""

    name: str
    amount: float
    text: str
    look: str = "met"


@dataclass(frozen=True, slots=True)
class Fate:
    """What had become of those who asked after so long, as shares of all of them."""

    after: float
    answered: float
    gone: float


def funnel_plot(
    dots: Sequence[Dot],
    limits: Sequence[Limits],
    centre: float,
    *,
    name: str,
    across: str,
    centre_text: str,
    near_text: str,
    far_text: str,
    words: Words,
) -> Markup:
    """Shares over the number of rows, with the limits of chance around the share of all.

    ``limits`` rise in n. Spiegelhalter 2005 (Statistics in Medicine 24): who lies within the
    limits differs by no more than chance does, so there is nothing to rank.
    """
    width, height, left, right, top, bottom = 660, 340, 52, 104, 22, 44
    plot_w, plot_h = width - left - right, height - top - bottom
    most_n = max([one.n for one in limits] + [dot.n for dot in dots], default=1) or 1
    values = [dot.value for dot in dots]
    lows = [one.far[0] for one in limits[len(limits) // 3 :]]
    highs = [one.far[1] for one in limits[len(limits) // 3 :]]
    floor, ceiling, step = _share_axis(
        min([*values, *lows, centre]), max([*values, *highs, centre])
    )
    root = svg.root(width, height, name)

    def x(n: float) -> float:
        return left + plot_w * n / most_n

    def y(value: float) -> float:
        kept = min(max(value, floor), ceiling)
        return top + plot_h * (1 - (kept - floor) / (ceiling - floor))

    for number in range(round((ceiling - floor) / step) + 1):
        at = floor + step * number
        svg.line(root, left, y(at), width - right, y(at), look="grid")
        svg.text(root, left - 8, y(at) + 4, words(at), "end")
    for n in _count_ticks(most_n):
        svg.text(root, x(n), height - bottom + 18, f"{n:,}", "middle")
    svg.text(root, width - right, height - 6, across, "end")
    for look, pick in (("far", 1), ("near", 0)):
        pairs = [((one.near, one.far)[pick], one.n) for one in limits]
        for side in (0, 1):
            steps = [f"{svg.number(x(n))} {svg.number(y(pair[side]))}" for pair, n in pairs]
            if len(steps) > 1:
                _path(root, "M" + "L".join(steps), f"limit-{look}")
    svg.line(root, left, y(centre), width - right, y(centre), look="mark")
    svg.text(root, width - right + 8, y(centre) + 4, centre_text, "start", strong=True)
    if limits:
        last = limits[-1]
        taken = y(centre)
        for pair, said in ((last.near, near_text), (last.far, far_text)):
            # Words of the upper limits only, and no closer than a line of text.
            taken = min(y(pair[1]) + 4, taken - 14)
            svg.text(root, width - right + 8, taken, said, "start")
    _dots(root, dots, x, y, right=width - right)
    return svg.markup(root)


def intervals(
    rows: Sequence[Span],
    *,
    name: str,
    words: Words,
    goal: tuple[float, str] | None = None,
    ceiling: float | None = None,
    step: float | None = None,
) -> Markup:
    """One row each: a dot at the value, a line over the interval, a pale bar over the possible.

    An interval whose end is open ends in an arrow. ``ceiling`` ends the axis; without it the axis
    holds what there is. ``step`` is the distance of its lines, a quarter of it unless said.
    """
    # Names keep their room on a phone, where the words of a chart are larger than the rest of it.
    names = [_cut(row.name, 20) for row in rows]
    left = max(142, round(18 + 9.2 * max(map(_width, names), default=0)))
    width, right, top, row_h = 600, 160, 26, 34
    height = top + row_h * len(rows) + 12
    root = svg.root(width, height, name, look="ch fits")
    room = width - left - right
    known = [v for row in rows for v in (row.value, row.low, row.high) if v is not None]
    if goal is not None:
        known.append(goal[0] * 1.1)
    most = ceiling if ceiling is not None else max(known, default=1) * 1.05
    # What is next to nothing has no room for lines.
    most = most if most > TINY else 1

    def x(value: float) -> float:
        return left + room * min(max(value, 0), most) / most

    step = most / 4 if step is None else step
    for number in range(int(most / step + 1e-9) + 1):
        at = step * number
        svg.line(root, x(at), top - 6, x(at), height - 10, look="grid")
        svg.text(root, x(at), 12, words(at), "middle")
    if goal is not None and goal[0] <= most:
        svg.line(root, x(goal[0]), top - 6, x(goal[0]), height - 10, look="goal")
    for number, row in enumerate(rows):
        y = top + row_h * number + row_h / 2
        svg.text(root, left - 12, y + 4, names[number], "end", strong=True)
        group = svg.element(root, "g", {"class": f"span-{row.look}"})
        svg.title(group, f"{row.name}: {row.text}")
        if row.outer is not None:
            place = {"x": x(row.outer[0]), "y": y - 8, "height": 16, "rx": 3, "class": "outer"}
            svg.element(group, "rect", place | {"width": max(x(row.outer[1]) - x(row.outer[0]), 1)})
        if row.low is not None:
            end = most if row.high is None else row.high
            svg.line(group, x(row.low), y, x(end), y, look="reach")
            svg.line(group, x(row.low), y - 5, x(row.low), y + 5, look="reach")
            if row.high is None:
                tip = f"M{svg.number(x(end) - 5)} {svg.number(y - 5)}l6 5l-6 5"
                _path(group, tip, "reach")
            else:
                svg.line(group, x(end), y - 5, x(end), y + 5, look="reach")
        if row.value is not None:
            svg.element(group, "circle", {"cx": x(row.value), "cy": y, "r": 4.5})
        svg.text(root, width - right + 12, y + 4, row.text, "start")
    return svg.markup(root)


def bars(rows: Sequence[Amount], *, name: str, left: int = 128) -> Markup:
    """Bars from the left, one a row, with words at their ends."""
    width, row_h, bar_h = 600, 32, 16
    right = 120
    height = row_h * len(rows) + 6
    root = svg.root(width, height, name, look="ch fits")
    svg.hatch(root)
    most = max((row.amount for row in rows), default=0) or 1.0
    room = width - left - right
    for number, row in enumerate(rows):
        y = 4 + number * row_h
        long = max(room * row.amount / most, 1.5 if row.amount else 0)
        svg.text(root, left - 10, y + 12.5, _cut(row.name, 18), "end", strong=True)
        group = svg.element(root, "g", {"class": f"bar-{row.look}"})
        svg.title(group, f"{row.name}: {row.text}")
        place = {"x": left, "y": y, "width": long, "height": bar_h, "rx": 3}
        if row.look == "missed":
            place["fill"] = "url(#hatch)"  # type: ignore[assignment]  # one text among numbers
        svg.element(group, "rect", place)
        svg.text(root, left + long + 8, y + 12.5, row.text, "start")
    return svg.markup(root)


def fates(
    points: Sequence[Fate],
    *,
    name: str,
    words: Words,
    ticks: Sequence[float],
    answered: str,
    gone: str,
    waiting: str,
    goal: tuple[float, str] | None = None,
) -> Markup:
    """Areas over the time since the question: answered below, gone above, the rest still waits."""
    width, height, left, right, top, bottom = 600, 274, 60, 138, 22, 34
    plot_w, plot_h = width - left - right, height - top - bottom
    root = svg.root(width, height, name, look="ch fits")
    svg.hatch(root)
    most = max((one.after for one in points), default=1) or 1

    def x(at: float) -> float:
        return left + plot_w * at / most

    def y(share: float) -> float:
        return top + plot_h * (1 - share)

    frame = {"x": left, "y": top, "width": plot_w, "height": plot_h, "class": "waiting"}
    svg.element(root, "rect", frame)
    lower = _stairs(points, x, lambda one: y(one.answered))
    upper = _stairs(points, x, lambda one: y(1 - one.gone))
    if points:
        corner = f"{svg.number(x(most))} {svg.number(y(0))}L{svg.number(x(0))} {svg.number(y(0))}Z"
        _path(root, f"M{lower}L{corner}", "area-answered")
        roof = f"{svg.number(x(most))} {svg.number(y(1))}L{svg.number(x(0))} {svg.number(y(1))}Z"
        svg.element(
            root, "path", {"d": f"M{upper}L{roof}", "class": "area-gone", "fill": "url(#hatch)"}
        )
    for quarter in range(5):
        at = quarter / 4
        svg.line(root, left, y(at), width - right, y(at), look="grid")
        svg.text(root, left - 8, y(at) + 4, f"{quarter * 25}%", "end")
    for tick in ticks:
        svg.text(root, x(tick), height - 8, words(tick), "middle")
    if goal is not None:
        svg.line(root, x(goal[0]), top - 6, x(goal[0]), y(0), look="goal")
        svg.text(root, x(goal[0]) + 6, top - 6, goal[1], "start")
    if points:
        last = points[-1]
        rest = max(0.0, 1 - last.answered - last.gone)
        said = [
            (y(1 - last.gone / 2), f"{gone} {last.gone:.1%}"),
            (y(last.answered + rest / 2), f"{waiting} {rest:.1%}"),
            (y(last.answered / 2), f"{answered} {last.answered:.1%}"),
        ]
        before = -math.inf
        for at, text in said:
            before = max(at + 4, before + 19)
            svg.text(root, width - right + 8, before, text, "start", strong=True)
    return svg.markup(root)


def _dots(
    root: ET.Element,
    dots: Sequence[Dot],
    x: Callable[[float], float],
    y: Callable[[float], float],
    *,
    right: float,
) -> None:
    """The dots with their names, kept apart from each other."""
    placed = [(x(dot.n) - 7, x(dot.n) + 7, y(dot.value) + 4) for dot in dots]
    for dot in sorted(dots, key=lambda one: (y(one.value), one.name)):
        at_x, at_y = x(dot.n), y(dot.value)
        group = svg.element(root, "g", {"class": f"dot-{dot.place}"})
        svg.title(group, dot.title)
        if dot.place in ("above", "below"):
            up = -1 if dot.place == "above" else 1
            shape = (
                f"M{svg.number(at_x)} {svg.number(at_y + 6.5 * up)}l6 {svg.number(-11.0 * up)}h-12Z"
            )
            _path(group, shape, "shape")
        else:
            svg.element(group, "circle", {"cx": at_x, "cy": at_y, "r": 5, "class": "shape"})
        long = 7.4 * _width(dot.name)
        at_end = at_x + long + 12 > right
        start = at_x - 10 - long if at_end else at_x + 10
        # The nearest line, above or below, on which neither a name nor a dot stands yet.
        line = next(
            at
            for at in (at_y + 4 + side * 4 * far for far in range(99) for side in (1, -1))
            if not any(abs(at - o) < 13 and start < e and start + long > s for s, e, o in placed)
        )
        placed.append((start, start + long, line))
        anchor = "end" if at_end else "start"
        svg.text(root, at_x - 10 if at_end else at_x + 10, line, dot.name, anchor, strong=True)


def _stairs(
    points: Sequence[Fate], x: Callable[[float], float], height: Callable[[Fate], float]
) -> str:
    """A step line through the points: a share holds until the next answer."""
    steps = []
    before = None
    for one in points:
        at, up = svg.number(x(one.after)), svg.number(height(one))
        if before is not None and before != up:
            steps.append(f"{at} {before}")
        steps.append(f"{at} {up}")
        before = up
    return "L".join(steps)


def _path(parent: ET.Element, shape: str, look: str) -> None:
    svg.element(parent, "path", {"d": shape, "class": look})


def _share_axis(low: float, high: float) -> tuple[float, float, float]:
    """The ends of an axis of shares and its step: round, with room, never beyond 0 and 1."""
    room = max(high - low, 0.02) * 0.08
    low, high = max(0.0, low - room), min(1.0, high + room)
    step = next((one for one in (0.02, 0.05, 0.1, 0.2) if one * 5 >= high - low), 0.25)
    floor = math.floor(low / step + 1e-9) * step
    return floor, max(math.ceil(high / step - 1e-9) * step, floor + step), step


def _count_ticks(most: float) -> list[int]:
    size = 10 ** max(0, int(math.log10(max(most, 1))) - 1)
    step = next((nice * size for nice in (1, 2, 5, 10, 20, 50) if nice * size * 6 >= most), size)
    return list(range(0, int(most) + 1, max(1, step)))


def _width(words: str) -> float:
    """About how many letters wide words are; a Chinese one is as wide as two."""
    return sum(1.75 if ord(char) > 0x2E7F else 1 for char in words)


def _cut(words: str, most: int) -> str:
    """Words that fit, with an ellipsis in the place of what does not."""
    if _width(words) <= most:
        return words
    kept = ""
    for char in words:
        if _width(kept + char) > most - 1:
            break
        kept += char
    return kept.rstrip() + "…"
