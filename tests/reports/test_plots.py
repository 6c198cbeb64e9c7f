"""Plots of uncertainty stay within their pictures, whatever the figures, and carry no markup."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from agent_ui import plots
from agent_ui.render import percent
from tests.reports.test_charts import SVG, TEXT, parsed

SHARES = st.floats(0, 1)
PLACES = st.sampled_from(["above", "below", "within", "few"])


@given(
    st.lists(
        st.builds(plots.Dot, st.just(TEXT), st.integers(1, 10**6), SHARES, PLACES, st.just(TEXT)),
        max_size=30,
    ),
    SHARES,
)
def test_everybody_stands_in_the_funnel_once(dots: list[plots.Dot], centre: float) -> None:
    most = max((dot.n for dot in dots), default=1)
    limits = [
        plots.Limits(n, (centre * 0.9, min(1, centre * 1.1)), (centre * 0.8, min(1, centre * 1.2)))
        for n in (1, most / 2, most)
    ]
    root = parsed(
        plots.funnel_plot(
            dots,
            limits,
            centre,
            name=TEXT,
            across=TEXT,
            centre_text=TEXT,
            near_text=TEXT,
            far_text=TEXT,
            words=percent,
        )
    )
    drawn = [one for one in root.iter() if one.attrib.get("class") == "shape"]
    assert len(drawn) == len(dots)
    for one in drawn:
        if "cy" in one.attrib:
            assert 0 <= float(one.attrib["cy"]) <= 340


@example([plots.Span(TEXT, None, None, 5e-324, TEXT)])
@given(
    st.lists(
        st.builds(
            plots.Span,
            st.just(TEXT),
            st.none() | st.floats(0, 1e9),
            st.none() | st.floats(0, 1e9),
            st.none() | st.floats(0, 1e9),
            st.just(TEXT),
        ),
        max_size=20,
    )
)
def test_intervals_end_within_the_picture(rows: list[plots.Span]) -> None:
    root = parsed(plots.intervals(rows, name=TEXT, words=percent))
    for line in root.iter(f"{SVG}line"):
        assert 0 <= float(line.attrib["x1"]) <= float(line.attrib["x2"]) + 700 <= 1400


@given(st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), max_size=40))
def test_fates_never_rise_above_the_whole(steps: list[tuple[float, float]]) -> None:
    answered = list(itertools.accumulate((a for a, _ in steps), max))
    gone = list(itertools.accumulate((g for _, g in steps), max))
    points = [
        plots.Fate(n * 1000.0, a, g) for n, (a, g) in enumerate(zip(answered, gone, strict=True))
    ]
    root = parsed(
        plots.fates(
            points,
            name=TEXT,
            words=percent,
            ticks=[0, 1000],
            answered=TEXT,
            gone=TEXT,
            waiting=TEXT,
        )
    )
    assert sum(one.attrib.get("class") == "area-gone" for one in root.iter()) == bool(points)


@given(st.lists(st.builds(plots.Amount, st.just(TEXT), st.floats(0, 1e9), st.just(TEXT))))
def test_bars_are_drawn_to_one_scale(rows: list[plots.Amount]) -> None:
    root = parsed(plots.bars(rows, name=TEXT))
    wide = [
        float(r.attrib["width"])
        for g in root.iter(f"{SVG}g")
        for r in g.iter(f"{SVG}rect")
        if "height" in r.attrib
    ]
    assert all(0 <= one <= 353 for one in wide)
