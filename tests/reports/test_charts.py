"""Charts are pictures of their numbers: nothing from outside becomes markup or style."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_ui import charts
from agent_ui.render import duration
from server.http.report_views import bins_of

SVG = "{http://www.w3.org/2000/svg}"
GOAL = charts.Mark(180_000, "goal")
TEXT = '<script>alert("1")</script>&'


def histogram(counts: list[int], marks: list[charts.Mark]) -> ET.Element:
    bars = [charts.Bar(n, missed=i > 2, title=TEXT) for i, n in enumerate(counts)]
    drawn = charts.histogram(bars, name=TEXT, step=60_000, ticks=marks, marks=marks, goal=GOAL)
    return parsed(drawn)


def parsed(drawn: str) -> ET.Element:
    """The chart as XML; what is inside has no script and no style of its own."""
    root = ET.fromstring(drawn)
    for element in root.iter():
        assert element.tag.startswith(SVG)
        assert element.tag.removeprefix(SVG) not in ("script", "style", "foreignObject")
        assert not {"style", "onload", "href"} & set(element.attrib)
    return root


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=40),
    st.lists(st.builds(charts.Mark, st.floats(0, 1e9), st.just(TEXT)), max_size=4),
)
def test_a_histogram_has_a_bar_for_each_count_within_the_picture(
    counts: list[int], marks: list[charts.Mark]
) -> None:
    root = histogram(counts, marks)
    bars = [r for g in root.iter(f"{SVG}g") for r in g.iter(f"{SVG}rect")]
    assert len(bars) == sum(n > 0 for n in counts)
    for bar in bars:
        assert float(bar.attrib["height"]) > 0
        assert 0 <= float(bar.attrib["y"]) < 268


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 10**9), st.none() | st.integers(0, 10**9)), max_size=60
    )
)
def test_a_trend_draws_any_days_with_any_gaps(days: list[tuple[int | None, int | None]]) -> None:
    series = [
        charts.Series("p50", "a", [low for low, _ in days]),
        charts.Series("p90", "b", [high for _, high in days]),
    ]
    labels = [str(number) for number in range(len(days))]
    root = parsed(charts.trend(labels, series, name=TEXT, goal=GOAL, span=duration))
    for circle in root.iter(f"{SVG}circle"):
        assert 0 <= float(circle.attrib["cy"]) <= 268


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_clock_bar_stays_within_its_width(length: int, cut: int) -> None:
    cut = min(cut, length)
    parts = [charts.Part(0, cut, "queue", TEXT), charts.Part(cut, length, "agent", TEXT)]
    marks = [charts.Mark(at, "10:00:00") for at in (0, cut, length)]
    drawn = charts.clock_bar(parts, name=TEXT, start=0, end=length, marks=marks, goal=GOAL)
    for rect in parsed(drawn).iter(f"{SVG}rect"):
        assert float(rect.attrib.get("x", 0)) + float(rect.attrib["width"]) <= 901


@pytest.mark.parametrize(
    ("wait_ms", "place", "missed"),
    [
        (0, 0, False),
        (15_000, 0, False),
        (15_001, 1, False),
        (180_000, 11, False),
        (180_001, 12, True),
        (480_000, 31, True),
        (480_001, 32, True),
        (10**9, 32, True),
    ],
)
def test_an_answer_at_the_goal_is_in_time(wait_ms: int, place: int, missed: bool) -> None:
    bins = bins_of([wait_ms])
    assert [one.count for one in bins].index(1) == place
    assert bins[place].missed is missed
    end_ms = bins[place].to_ms
    assert bins[place].from_ms <= wait_ms
    assert end_ms is None or wait_ms < end_ms


shares = st.floats(0, 1)


@given(st.lists(st.tuples(shares, shares), max_size=14))
def test_pairs_of_shares_stay_within_the_picture(rows: list[tuple[float, float]]) -> None:
    pairs = [charts.Pair(TEXT, first, second, TEXT, TEXT) for first, second in rows]
    root = parsed(charts.pairs(pairs, name=TEXT, first=TEXT, second=TEXT))
    bars = [one for one in root.iter(f"{SVG}rect") if one.get("height") == "11"]
    assert len(bars) == 2 + 2 * len(rows), "two of them are the key"
    assert all(float(one.get("x", 0)) + float(one.get("width", 0)) <= 660 for one in bars)


@given(st.lists(st.integers(0, 10**6), max_size=40))
def test_a_curve_of_a_ranking_never_falls(spent: list[int]) -> None:
    ranked, whole = sorted(spent, reverse=True), sum(spent) or 1
    sums = [sum(ranked[:n]) / whole for n in range(len(ranked) + 1)]
    mark = charts.Mark(0.2, TEXT)
    root = parsed(charts.curve(sums, name=TEXT, mark=mark, across=TEXT, up=TEXT, even=TEXT))
    lines = [one.get("d", "") for one in root.iter(f"{SVG}path") if one.get("class") == "line-a"]
    assert len(lines) == (1 if spent else 0)
    for line in lines:
        heights = [float(point.split()[1]) for point in line[1:].split("L")]
        assert heights == sorted(heights, reverse=True)


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(1, 10**6), max_size=20
    )
)
def test_ribbons_begin_and_end_at_places_as_tall_as_all_of_them(
    moves: dict[tuple[int, int], int],
) -> None:
    ribbons = [charts.Ribbon(start, end, n, TEXT) for (start, end), n in moves.items()]
    drawn = charts.flows([TEXT] * 5, ribbons, name=TEXT, before=TEXT, after=TEXT)
    root = parsed(drawn)
    flows = [one for one in root.iter(f"{SVG}path") if "flow" in one.get("class", "")]
    assert len(flows) == len(moves)
    for one in root.iter(f"{SVG}rect"):
        assert float(one.get("y", 0)) >= 0
        assert float(one.get("y", 0)) + float(one.get("height", 0)) <= 332


@given(st.lists(st.integers(0, 10**7), max_size=6))
def test_a_funnel_has_a_bar_for_each_step(counts: list[int]) -> None:
    steps = [charts.Step(TEXT, n, TEXT, TEXT) for n in counts]
    root = parsed(charts.funnel(steps, name=TEXT))
    bars = list(root.iter(f"{SVG}rect"))
    assert len(bars) == len(counts)
    assert all(float(bar.get("width", 0)) > 0 for bar in bars)
