"""A connection that is left open is told of by the place where it was made."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.support.connections import ConnectionWatch


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> ConnectionWatch:
    """One of this test's own, so that the suite's finds nothing."""
    monkeypatch.setattr(psycopg.BaseConnection, "__init__", psycopg.BaseConnection.__init__)
    return ConnectionWatch()


def test_what_was_closed_is_not_told(watch: ConnectionWatch, postgres_url: str) -> None:
    psycopg.connect(postgres_url).close()
    with psycopg.connect(postgres_url):
        pass
    assert watch.left_open() == []


def test_what_is_open_is_told_with_its_place_and_closed(
    watch: ConnectionWatch, postgres_url: str
) -> None:
    left = psycopg.connect(postgres_url)
    (told,) = watch.left_open()
    test, place, *_ = told.splitlines()
    assert "test_what_is_open_is_told_with_its_place_and_closed" in test
    assert place.strip().startswith("tests/support/test_connections.py:")
    assert left.closed
    assert watch.left_open() == []


async def test_those_of_an_event_loop_are_known_too(
    watch: ConnectionWatch, postgres_url: str
) -> None:
    left = await psycopg.AsyncConnection.connect(postgres_url)
    assert len(watch.left_open()) == 1
    assert left.closed


def test_the_one_that_an_engine_has_lent_out_when_it_ends_is_found(
    watch: ConnectionWatch, postgres_url: str
) -> None:
    engine = create_engine(postgres_url.replace("postgresql", "postgresql+psycopg"))
    lent = engine.connect()
    lent.execute(text("SELECT 1"))
    engine.dispose()
    assert len(watch.left_open()) == 1
    lent.invalidate()
