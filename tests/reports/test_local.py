"""Days and hours of many rows at once are those of the shop's clock, one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.domain.periods import LocalTimes, zone
from server.reports.frames import Frame
from server.reports.local import LocalColumns
from server.reports.scope import Scope

# Half hours, quarters, a change of half an hour, a day that was left out, and none.
ZONES = (
    *("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo"),
)


@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(946_684_800_000, 2_000_000_000_000), max_size=30),
    st.integers(0, 4),
)
def test_local_times_are_those_of_the_zone(name: str, instants: list[int], near: int) -> None:
    # The changes of 2026 in Europe and 2011 in Samoa, and instants close to one another.
    instants += [1_774_746_000_000, 1_792_890_000_000, 1_325_239_200_000][:near]
    instants += [at + step for at in instants for step in (-3_600_000, 899_999, 1_800_000)]
    found = LocalColumns(
        Scope(timezone=name, as_of_ms=0), Frame({"at_ms": np.array(instants, np.int64)})
    )
    local = LocalTimes(zone(name))
    right = [local(at) for at in instants]
    assert found.day().tolist() == [one.day for one in right]
    assert found.hour().tolist() == [one.hour for one in right]
    assert found.weekday().tolist() == [one.weekday for one in right]
