"""Thousands of values are one parameter, and still found by an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any  # Any: column values

from sqlalchemy import insert, or_, select

from server.storage.among import among
from server.storage.customers import CUSTOMER
from server.storage.database import Database

C = CUSTOMER.c
_FOUND = select(C.id).where(among(C.id, "ids")).order_by(C.id)


def _fill(database: Database) -> None:
    empty: dict[str, Any] = dict.fromkeys(column.name for column in CUSTOMER.columns)
    rows: list[Mapping[str, Any]] = [
        empty | {"id": f"c{number}", "identity": "claimed", "created_at_ms": 1, "seen_at_ms": 1}
        for number in range(5)
    ]
    database.write_now(lambda tx: tx.later(insert(CUSTOMER), rows))


def test_it_finds_what_is_among_many(open_database: Callable[..., Database]) -> None:
    database = open_database()
    _fill(database)
    many = {f"c{number}" for number in range(3, 40_000)}

    def found(ids: object) -> list[str]:
        return database.read_now(lambda c: list(c.execute(_FOUND, {"ids": ids}).scalars()))

    assert found(many) == ["c3", "c4"]
    assert found(["c1", 'c"2', "c'3"]) == ["c1"]
    assert found(()) == []
    others = select(C.id).where(~or_(among(C.id, "ids"), C.id == "c0")).order_by(C.id)
    ids = {"ids": ["c1"]}
    left = database.read_now(lambda c: list(c.execute(others, ids).scalars()))
    assert left == ["c2", "c3", "c4"]


def test_an_index_serves_it(open_database: Callable[..., Database]) -> None:
    database = open_database()
    compiled = str(_FOUND.compile(database.engine))
    # As "... = 1" it would be asked of every row.
    assert not any(f"{sign} 1" in compiled for sign in ("=", "IS"))
    if database.is_sqlite:
        plan = database.read_now(
            lambda c: [
                str(row[3]) for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", ("[]",))
            ]
        )
        assert any(line.startswith("SEARCH customer USING") for line in plan)
