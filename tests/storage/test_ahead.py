"""What was asked ahead is what the database would have answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any  # Any: column values

from sqlalchemy import Connection, bindparam, event, insert, select

from server.storage.ahead import Ahead
from server.storage.customers import CUSTOMER
from server.storage.database import Database
from server.storage.tables import OrderLine, Profile, ShopOrder, table

ORDER, LINE, PROFILE = table(ShopOrder), table(OrderLine), table(Profile)
_IDS: Any = bindparam("ids", expanding=True)
_OF = select(ORDER).where(ORDER.c.customer_id.in_(_IDS)).order_by(ORDER.c.created_at_ms.desc())
_LATEST = _OF.with_only_columns(ORDER.c.id, ORDER.c.number).limit(1)
_PROFILE = select(PROFILE).where(PROFILE.c.person_id == bindparam("id"))
_AHEAD = Ahead(_OF, _LATEST, _PROFILE)


def _fill(database: Database) -> None:
    person: dict[str, Any] = dict.fromkeys(column.name for column in CUSTOMER.columns)
    person |= {"id": "a", "identity": "claimed", "created_at_ms": 1, "seen_at_ms": 1}
    database.write_now(lambda tx: tx.later(insert(CUSTOMER), person))
    order: dict[str, Any] = dict.fromkeys(column.name for column in ORDER.columns)
    order |= {
        "customer_id": "a",
        "source": "shop",
        "currency": "CNY",
        "status": '"paid" \\ 已付款 🎉\n',
    }
    order |= {"total_minor": 2**53 + 1, "refunded_minor": 0, "net_minor": -5, "day": 1}
    order |= {"counted": True, "test": False, "written_at_ms": 1}
    orders: list[Mapping[str, Any]] = [
        order
        | {"id": f"o{at}", "external_id": f"{at}", "number": f"#{at}", "created_at_ms": at % 3}
        for at in range(3)
    ]
    database.write_now(lambda tx: tx.later(insert(ORDER), orders))
    profile: dict[str, Any] = dict.fromkeys(column.name for column in PROFILE.columns)
    numbers = {c.name: 0 for c in PROFILE.columns if not c.nullable}
    profile |= numbers | {"person_id": "a", "median_gap_days": 0.1 + 0.2, "segment": "x"}
    profile |= {"activity_stage": "x", "relationship_stage": "x", "trend": "flat"}
    profile |= {"quiet": True, "declining": False, "top20": False}
    database.write_now(lambda tx: tx.later(insert(PROFILE), profile))


def test_it_hands_out_what_the_database_answers(open_database: Callable[..., Database]) -> None:
    database = open_database()
    _fill(database)
    values = {"ids": ["a", "b"], "id": "a"}

    def look(connection: Connection) -> None:
        ahead = _AHEAD.ask(connection, values)
        for question, name in ((_OF, "ids"), (_LATEST, "ids"), (_PROFILE, "id")):
            for value in (values[name], ["b"] if name == "ids" else "b"):
                given = {name: value}
                rows = connection.execute(question, given).mappings().all()
                assert bool(rows) == (value == values[name])
                assert ahead.execute(question, given).mappings().all() == rows
        assert (
            ahead.execute(_PROFILE, {"id": "a"}).one() == connection.execute(_PROFILE, values).one()
        )
        assert (
            ahead.execute(select(ORDER.c.id)).all() == connection.execute(select(ORDER.c.id)).all()
        )

    database.read_now(look)


def test_it_asks_postgresql_once(open_database: Callable[..., Database]) -> None:
    database = open_database()
    asked: list[str] = []

    def note(*told: Any) -> None:  # Any: SQLAlchemy's
        asked.append(told[2])

    def look(connection: Connection) -> None:
        event.listen(connection.engine, "before_cursor_execute", note)
        ahead = _AHEAD.ask(connection, {"ids": ["a"], "id": "a"})
        for _ in range(2):
            assert ahead.execute(_OF, {"ids": ["a"]}).all() == []
            assert ahead.execute(_PROFILE, {"id": "a"}).first() is None

    database.read_now(look)
    assert len(asked) == (4 if database.is_sqlite else 1)
