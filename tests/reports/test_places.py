"""Numbers of customers are found where a search would find them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.reports.places import Places

# As drawn numbers are, and as they never are: all in one part.
numbers = st.one_of(st.integers(0, 2**63 - 1), st.integers(0, 40), st.just(2**63 - 1))


@given(known=st.sets(numbers, max_size=60), others=st.lists(numbers, max_size=20))
def test_every_number_is_found_in_its_place_and_no_other(
    known: set[int], others: list[int]
) -> None:
    ordered = sorted(known)
    asked = [*ordered, *others, -1]
    found = Places(np.array(ordered, np.int64)).of(np.array(asked, np.int64))
    assert found.tolist() == [ordered.index(one) if one in known else -1 for one in asked]
