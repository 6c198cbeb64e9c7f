"""Rows in an order: what numpy's slower ways say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.reports.ordering import first_places, places_by

WHOLE = st.one_of(st.integers(-3, 3), st.integers(-(2**61), 2**61))


@given(st.lists(st.tuples(WHOLE, WHOLE, WHOLE)))
def test_rows_come_by_their_columns_and_those_alike_as_they_were(
    rows: list[tuple[int, int, int]],
) -> None:
    first, second, third = columns = np.array(rows, np.int64).reshape(-1, 3).T

    assert places_by(*columns).tolist() == np.lexsort((third, second, first)).tolist()
    assert places_by(first, lambda: second, lambda: third).tolist() == places_by(*columns).tolist()
    assert places_by(first).tolist() == np.argsort(first, kind="stable").tolist()


@given(st.lists(WHOLE))
def test_each_value_is_found_where_it_is_first(values: list[int]) -> None:
    numbers = np.array(values, np.int64)

    assert first_places(numbers).tolist() == np.unique(numbers, return_index=True)[1].tolist()
