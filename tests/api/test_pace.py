"""How fast a program may go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import TooMany
from server.http.api import calls
from server.http.api.pace import BURST, MOST, PER_S, Paces
from tests.api.conftest import As
from tests.http.desk import Desk, served

if TYPE_CHECKING:
    from server.storage.database import Database


@pytest_asyncio.fixture
async def desk(open_database: Callable[..., Database], data_dir: Path) -> AsyncIterator[Desk]:
    """A server with its limits."""
    async with served(open_database, data_dir) as desk:
        await desk.set_up()
        yield desk


def _taken(paces: Paces, token: str, now_s: float, calls: int) -> int:
    """How many of the calls at one instant are let through."""
    done = 0
    for _ in range(calls):
        try:
            paces.take(token, now_s)
        except TooMany:
            continue
        done += 1
    return done


def test_a_burst_and_then_so_many_a_second() -> None:
    paces = Paces()
    assert _taken(paces, "a", 1000.0, 200) == BURST
    assert _taken(paces, "a", 1000.5, 200) == PER_S / 2
    assert _taken(paces, "b", 1000.5, 200) == BURST
    assert _taken(paces, "a", 1100.0, 200) == BURST


@given(st.lists(st.floats(0, 3), max_size=300))
def test_no_rhythm_gets_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    paces = Paces()
    now = done = 0.0
    for pause in pauses:
        now += pause
        done += _taken(paces, "a", now, 1)
        assert done <= BURST + PER_S * now + 1e-6


def test_the_longest_unheard_of_are_forgotten() -> None:
    paces = Paces()
    for number in range(MOST + 10):
        paces.take(str(number), 1000.0)
    assert len(paces._paid_until) == MOST


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_program_that_is_too_fast_is_told_when_to_come_back(
    program: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long they take here, they come at once.
    monkeypatch.setattr(calls, "time", SimpleNamespace(monotonic=lambda: 0.0))
    fast, other = await program("agent"), await program("agent")
    answers = await asyncio.gather(*(fast.get("/teams") for _ in range(BURST + 100)))
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) == 100
    assert {answer.status for answer in answers} == {200, 429}
    assert refused[0].code == "too_many"
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert (await other.get("/teams")).status == 200
