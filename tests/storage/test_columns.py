"""Columns as bytes: what comes back is what was given, one by one and many together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.storage.columns import Column, Texts, joined, packed, unpacked, unpacked_together

# Beyond 63 bits apart too, and with the -1 of times that did not come.
SMALL = st.integers(-1, 300)
TIMES = st.one_of(st.just(-1), st.integers(1_700_000_000_000, 1_700_086_400_000))
WIDE = st.integers(-(2**62), 2**62)
LETTERS = st.sampled_from(["", "a", "b", "茶", None])


def numbers(values: st.SearchStrategy[int]) -> st.SearchStrategy[Column]:
    return st.lists(values, min_size=1, max_size=9).map(lambda some: np.array(some, np.int64))


TRUTHS = st.lists(st.booleans(), min_size=1, max_size=20).map(lambda some: np.array(some, bool))
TEXTS = st.lists(LETTERS, min_size=1, max_size=9).map(Texts.of)
DAYS = st.one_of(
    *(st.lists(one, min_size=1, max_size=5) for one in (TRUTHS, TEXTS, numbers(TIMES))),
    st.lists(st.one_of(numbers(SMALL), numbers(WIDE)), min_size=1, max_size=5),
)


def test_what_never_came_stands_beside_numbers_below_it() -> None:
    column = np.array([-1, -2, 5, -1])
    assert unpacked(packed(column)).tolist() == column.tolist()


@given(DAYS)
def test_many_days_together_are_what_each_of_them_is(days: list[Column]) -> None:
    kept = [packed(day) for day in days]
    one_by_one, together = joined([unpacked(data) for data in kept]), unpacked_together(kept)
    assert together.tolist() == one_by_one.tolist() == joined(days).tolist()
    assert type(together) is type(one_by_one)
