"""Rows chosen among chosen rows have the columns of the first ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.reports.frames import Frame, Texts

NAMES = ("number", "text", "made", "follows")
# How rows are chosen: some of them in any order, a stretch; or a column is replaced in between.
STEPS = st.lists(
    st.one_of(
        st.lists(st.integers(0, 99), max_size=8),
        st.tuples(st.integers(0, 9), st.integers(0, 9)),
        st.just("replaced"),
    ),
    max_size=5,
)


@given(
    values=st.lists(st.integers(-5, 5), max_size=12),
    steps=STEPS,
    read=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(NAMES)), max_size=6),
)
def test_columns_of_chosen_rows_are_those_of_the_first_frame_however_often_chosen(
    values: list[int],
    steps: list[list[int] | tuple[int, int] | str],
    read: list[tuple[int, str]],
) -> None:
    first = np.array(values, np.int64)
    frame = (
        Frame({"number": first, "text": Texts.of(map(str, values))}, n=len(values))
        .making(made=lambda: first * 2)
        .following(follows=lambda rows: rows.numbers("number") * 3)
    )
    frames, expected = [frame], [list(zip(values, values, strict=True))]
    for step in steps:
        rows = expected[-1]
        if isinstance(step, str):
            frame = frame.having(number=frame.numbers("number") + 100)
            rows = [(number + 100, first) for number, first in rows]
        elif isinstance(step, tuple):
            frame, rows = frame.select(slice(*step)), rows[slice(*step)]
        else:
            places = [place % len(rows) for place in step] if rows else []
            frame, rows = frame.select(np.array(places, np.intp)), [rows[p] for p in places]
        frames.append(frame)
        expected.append(rows)
    # What was read of a frame between changes nothing.
    for place, name in read:
        if place < len(frames) and "replaced" not in steps:
            _ = frames[place].columns[name].tolist()
    for frame, rows in zip(frames, expected, strict=True):
        assert frame.n == len(rows)
        assert frame.numbers("number").tolist() == [number for number, _ in rows]
        assert frame.texts("text").tolist() == [str(first) for _, first in rows]
        assert frame.numbers("made").tolist() == [first * 2 for _, first in rows]
        if "replaced" not in steps:
            assert frame.numbers("follows").tolist() == [number * 3 for number, _ in rows]
