"""A day by its hours: what was expected, with its band, and what came; as charts.py draws."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from agent_ui import svg
from agent_ui.charts import nice_top


@dataclass(frozen=True, slots=True)
class HourMark:
    """An hour: expected with its band, what came (None if not yet), and words above and on it."""

    expected: float
    low: float
    high: float
    came: float | None
    above: str
    title: str
    shut: bool = False


@dataclass(frozen=True, slots=True)
class Legend:
    """What line, band and bars are called."""

    expected: str
    band: str
    came: str | None


def hour_plot(hours: Sequence[HourMark], *, name: str, legend: Legend) -> Markup:
    """Bars of what came, a line of what was expected, the band behind it; closed hours are grey."""
    width, height, left, right, top, bottom = 900, 250, 34, 8, 44, 26
    plot_w, plot_h = width - left - right, height - top - bottom
    root = svg.root(width, height, name, look="ch wide")
    highest = nice_top(max([1.0, *(max(one.high, one.came or 0) for one in hours)]))
    step = plot_w / max(1, len(hours))

    def x(number: float) -> float:
        return left + step * (number + 0.5)

    def y(value: float) -> float:
        return top + plot_h * (1 - min(value, highest) / highest)

    for quarter in range(5):
        value = highest * quarter / 4
        svg.line(root, left, y(value), width - right, y(value), look="grid")
        svg.text(root, left - 6, y(value) + 4, f"{value:g}", "end")
    for number, one in enumerate(hours):
        if one.shut:
            place = {"x": left + step * number, "y": top, "width": step, "height": plot_h}
            svg.element(root, "rect", place | {"class": "waiting"})
        if number % 2 == 0:
            svg.text(root, x(number), height - 8, f"{number:02}", "middle")
    upper = [f"{svg.number(x(n))} {svg.number(y(one.high))}" for n, one in enumerate(hours)]
    lower = [f"{svg.number(x(n))} {svg.number(y(one.low))}" for n, one in enumerate(hours)]
    band = "M" + "L".join([*upper, *reversed(lower)]) + "Z"
    svg.element(root, "path", {"d": band, "class": "band"})
    for number, one in enumerate(hours):
        group = svg.element(root, "g", {"class": "pair-a"})
        svg.title(group, one.title)
        tall = y(0) - y(one.came or 0)
        bar = {"x": x(number) - step * 0.26, "y": y(0) - tall, "width": step * 0.52}
        svg.element(group, "rect", bar | {"height": max(tall, 0.1), "rx": 2})
        if one.above:
            svg.text(root, x(number), top - 6, one.above, "middle", strong=True)
    line = [f"{svg.number(x(n))} {svg.number(y(one.expected))}" for n, one in enumerate(hours)]
    svg.element(root, "path", {"d": "M" + "L".join(line), "class": "line-a"})
    _key(root, legend, left)
    return svg.markup(root)


def _key(root: ET.Element, legend: Legend, left: float) -> None:
    """What the marks are, in a row at the top."""
    svg.line(root, left, 10, left + 22, 10, look="line-a")
    svg.text(root, left + 28, 14, legend.expected, "start")
    svg.element(root, "rect", {"x": left + 170, "y": 4, "width": 22, "height": 12, "class": "band"})
    svg.text(root, left + 198, 14, legend.band, "start")
    if legend.came is not None:
        group = svg.element(root, "g", {"class": "pair-a"})
        svg.element(group, "rect", {"x": left + 470, "y": 4, "width": 12, "height": 12, "rx": 2})
        svg.text(root, left + 488, 14, legend.came, "start")
