"""The directory of a large shop, and the history of a customer with 10,000 entries.

    python -m pytest -q tests/benchmarks/bench_directory.py -s

Times are of one connection on this machine, the best of three.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any  # Any: whatever a query answers

from sqlalchemy import Connection, text

from server.actions.shop import init_shop
from server.domain.actors import SYSTEM, agent
from server.domain.conditions import read_condition
from server.domain.spans import DAY_MS
from server.storage import directory, history
from server.storage.database import Database
from server.storage.directory import Asked
from server.storage.migrate import migrate
from server.storage.unit import Tx

CUSTOMERS = int(os.environ.get("SHOPBELL_BENCH_CUSTOMERS", "1000000"))
ENTRIES = 10_000
LEAD = agent("lead", name="Lead", role="supervisor")
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
_ID = "substr('000000000000' || i, -12)"
_PG_ID = "lpad(i::text, 12, '0')"
SEGMENTS = (
    "champions loyal potential_loyalist new promising need_attention about_to_sleep cant_lose"
)


def fill(database: Database) -> int:
    """A shop of a million: everybody has a name, a number, a profile; every 50th a tag."""
    sqlite = database.is_sqlite
    key = _ID if sqlite else _PG_ID
    numbers = (
        f"{_NUMBERS.format(count=CUSTOMERS)} SELECT"
        if sqlite
        else f"WITH n(i) AS (SELECT generate_series(1, {CUSTOMERS})) SELECT"
    )
    now = database.clock()
    names = SEGMENTS.split()
    segment = "CASE i % 8 " + " ".join(f"WHEN {k} THEN '{n}'" for k, n in enumerate(names)) + " END"
    false, true = ("0", "1") if sqlite else ("false", "true")
    statements = (
        (
            "INSERT INTO customer (id, external_id, name, locale, identity, created_at_ms,"
            " seen_at_ms)"
            f" {numbers} {key}, 'X' || i, 'Person ' || i || ' 王' || (i % 977), 'en', 'claimed',"
            f" {now} - i * CAST(60000 AS BIGINT), {now} - i * CAST(60000 AS BIGINT) FROM n"
        ),
        "INSERT INTO contact (customer_id, kind, key, value, level, source, created_at_ms)"
        f" {numbers} {key}, 'phone', '+86138' || substr('00000000' || i, -8),"
        f" '138' || i, 'verified', 'shop', {now} FROM n"
        if sqlite
        else "INSERT INTO contact (customer_id, kind, key, value, level, source, created_at_ms)"
        f" {numbers} {key}, 'phone', '+86138' || lpad(i::text, 8, '0'),"
        f" '138' || i, 'verified', 'shop', {now} FROM n",
        (
            f"INSERT INTO customer_tag (customer_id, tag, source, at_ms) {numbers} {key}, 'vip',"
            f" 'staff', {now} FROM n WHERE i % 50 = 0"
        ),
    )
    columns = {
        "orders": "1 + i % 12",
        "order_days": "1 + i % 12",
        "net_minor": "(i % 999983) * 97 % 1000003",
        "last_day": f"{now // DAY_MS} - i % 700",
        "last_order_at_ms": f"{now} - (i % 700) * CAST({DAY_MS} AS BIGINT)",
        "segment": segment,
        "activity_stage": "'active'",
        "relationship_stage": "'stable'",
        "trend": "'flat'",
        "top20": f"CASE WHEN i % 5 = 0 THEN {true} ELSE {false} END",
        "quiet": false,
        "declining": false,
        "updated_at_ms": str(now),
    }
    zero = ("gross_minor", "refunded_minor", "coupon_orders", "thresholds_version", "revision")
    columns |= dict.fromkeys(zero, "0")
    known = ", ".join(columns)
    values = ", ".join(columns.values())
    profile = f"INSERT INTO profile (person_id, {known}) {numbers} {key}, {values} FROM n"
    with database.engine.begin() as connection:
        for statement in (*statements, profile):
            connection.execute(text(statement))
        _history(connection, sqlite=sqlite, now=now)
        connection.execute(text("ANALYZE"))
    return now


def _history(connection: Connection, *, sqlite: bool, now: int) -> None:
    """10,000 entries of one customer: visits, orders, chats with ratings, consents, tags."""
    who = "000000000001"
    numbers = (
        f"{_NUMBERS.format(count=ENTRIES)} SELECT"
        if sqlite
        else f"WITH n(i) AS (SELECT generate_series(1, {ENTRIES})) SELECT"
    )
    key = _ID if sqlite else _PG_ID
    false = "0" if sqlite else "false"
    for statement in (
        (
            "INSERT INTO page_event (id, customer_id, kind, at_ms, url, title)"
            f" {numbers} 'v' || {key}, '{who}', 'page', {now} - i * 7000,"
            " 'https://shop.example/', 'P' FROM n WHERE i % 2 = 0"
        ),
        (
            "INSERT INTO shop_order (id, source, external_id, number, customer_id, created_at_ms,"
            " day, currency, total_minor, refunded_minor, net_minor, counted, status, test,"
            " written_at_ms)"
            f" {numbers} 'o' || {key}, 'shop', 'e' || i, 'N' || i, '{who}', {now} - i * 9000, 1,"
            f" 'CNY', 1000, 0, 1000, {false}, 'paid', {false}, {now} FROM n WHERE i % 4 = 1"
        ),
        (
            "INSERT INTO conversation (id, customer_id, channel, status, opened_at_ms, staff_seq,"
            " visitor_seq, last_seq, last_activity_at_ms, state)"
            f" {numbers} 'c' || {key}, '{who}', 'chat', 'resolved', {now} - i * 8000, 1, 1, 1,"
            f" {now} - i * 8000, '{{}}' FROM n WHERE i % 8 = 3"
        ),
        (
            "INSERT INTO chat_session (conversation_id, session_no, cause, started_at_ms, rating,"
            f" rated_at_ms, replies) {numbers} 'c' || {key}, 1, 'new', {now} - i * 8000, 5,"
            f" {now} - i * 8000 + 1, 1 FROM n WHERE i % 8 = 3"
        ),
    ):
        connection.execute(text(statement))


def best(what: str, run: Callable[[], Any]) -> None:  # Any: whatever it answers
    """Says how long something takes."""
    times = []
    for _ in range(3):
        began_s = perf_counter()
        answer = run()
        times.append(perf_counter() - began_s)
    size = answer if isinstance(answer, int | bool) else len(getattr(answer, "entries", answer))
    print(f"{what:58} {min(times) * 1000:9.1f} ms   ({size})")


def measure(database: Database) -> None:
    """The figures of docs/customers.md."""
    now_ms = fill(database)
    with database._reader_engine.connect() as c:  # one reader, without its thread
        now = directory.today(c, now_ms)

        def page(values: dict[str, Any], sort: Any = "newest") -> Any:  # Any: JSON, a sort
            condition = directory.expanded(c, read_condition(values))
            return directory.page(
                c, condition, now=now, sort=sort, among=None, after=None, limit=51
            )

        def count(values: dict[str, Any], up_to: int | None = None) -> int:  # Any: JSON
            return directory.count(c, read_condition(values), now=now, up_to=up_to)

        known = {"field": "known", "is": True}
        champions = {"field": "segment", "in": ["champions"]}
        narrow = {
            "all": [champions, {"field": "tag", "in": ["vip"]}, {"field": "orders", "min": 5}]
        }
        best("list, newest", lambda: page(known))
        best("list, highest spend", lambda: page(known, "spend"))
        best("list, latest order", lambda: page(known, "last_order"))
        best("list, champions with a tag and 5 orders", lambda: page(narrow))
        best("list, nobody meets it", lambda: page({"field": "orders", "min": 99}))
        best("count up to 10,001", lambda: count(champions, 10_001))
        best("count champions", lambda: count(champions))
        best("count champions with a tag and 5 orders", lambda: count(narrow))
        best("count everybody", lambda: count(known))
        vip = read_condition(narrow)
        best(
            "does one person meet it",
            lambda: directory.matches(c, vip, "000000000400", at_ms=now_ms),
        )
        phone = Asked("13800000777", None, ("+8613800000777",))
        best("find by telephone", lambda: directory.find(c, phone).person_ids)
        best("find by customer number", lambda: directory.find(c, Asked("X777")).person_ids)
        best("find by a part of a name", lambda: directory.find(c, Asked("son 77777")).person_ids)
        best("find by a name that nobody has", lambda: directory.find(c, Asked("Zq")).person_ids)
        rows, lanes = ("000000000001",), history.LANES
        first = history.page(c, LEAD, rows, lanes=lanes, before=None, limit=50)
        deep = (first.entries[-1].at_ms - ENTRIES * 4000, "")
        best(
            "history of 10,000, newest page",
            lambda: history.page(c, LEAD, rows, lanes=lanes, before=None, limit=50),
        )
        best(
            "history of 10,000, a page in the middle",
            lambda: history.page(c, LEAD, rows, lanes=lanes, before=deep, limit=50),
        )
        best(
            "history of 10,000, counts of the lanes",
            lambda: sum(history.counts(c, LEAD, rows).values()),
        )


def _set_up(tx: Tx) -> None:
    init_shop(tx, SYSTEM, name="S", locale="en", timezone="Asia/Shanghai", currency="CNY")


def test_directory_on_sqlite(tmp_path: Path) -> None:
    database = Database(None, tmp_path / "shopbell.db")
    migrate(database.engine)
    database.write_now(_set_up)
    print(f"\nSQLite, {CUSTOMERS:,} customers")
    measure(database)
    database.close()


def test_directory_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    database = Database(postgres_url, tmp_path)
    database.write_now(_set_up)
    print(f"\nPostgreSQL, {CUSTOMERS:,} customers")
    measure(database)
    database.close()
