"""How long figures of a million chats take: ``python -m tests.benchmarks.bench_figures [CHATS]``.

With ``--folder`` the database is kept there and used again, with ``--only overview`` only questions
with that word in their names are asked. Set SHOPBELL_DATABASE_URL to an empty
PostgreSQL database to measure that instead of SQLite; one that is filled is used as it is.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import orjson
from sqlalchemy import Connection, Table, insert

from server.config import Settings
from server.domain.metrics import METRICS, metric_of
from server.domain.segment import SEGMENTS, Thresholds, to_json
from server.domain.spans import DAY_MS
from server.http.report_pages import PAGES
from server.jobs.segment_columns import keep_segments_now
from server.reports.pages import load_page
from server.reports.rows import ReportRow, figures
from server.reports.scope import Scope
from server.reports.sources.conversations import CONVERSATION_SOURCES
from server.storage import figures as kept
from server.storage.columns import Column, Texts
from server.storage.customers import CUSTOMER
from server.storage.database import Database
from server.storage.facts import KINDS, load_facts
from server.storage.figure_log import LOG_KINDS, log_columns
from server.storage.migrate import migrate
from server.storage.opening import open_database
from server.storage.profiles import PROFILE, SEGMENT_CHANGE
from server.storage.rows import EVENT
from server.storage.segment_columns import ENOUGH_MARKS
from server.storage.shop import Shop, insert_shop, load_shop
from server.storage.thresholds import THRESHOLDS
from tests.benchmarks.figure_data import (
    CUSTOMERS,
    FIRST_DAY,
    columns,
    conversation_id,
    customer_id,
    customer_keys,
    days,
    event_rows,
    log_rows,
)

DAYS = 730
LOGGED = 60
SAMPLE = 300
PAGE = (
    "frt",
    "rt",
    "r3m_turn",
    "sl_30",
    "r3m_sess",
    "abandon",
    "unanswered",
    "qa_ratio",
    "one_touch",
)
PORTION = 20_000
SLOW_S = 3.0


def fill(database: Database, chats: int) -> None:
    """Writes the columns of all days and the log of the last ones, and compares a sample."""
    keys = customer_keys()
    segments = segment_rows()
    seq = 0
    with database.engine.begin() as connection:
        if database.is_sqlite:
            # The writer's engine begins nothing by itself; a commit a row would take an hour.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        blocks: dict[tuple[str, int], list[SimpleNamespace]] = {}
        for made in days(chats, DAYS):
            for source, found in columns(made, keys).items():
                connection.execute(insert(kept.DAY), kept.day_values(source, made.day, found))
                connection.execute(insert(kept.COLUMN), kept.column_values(source, made.day, found))
            told = list(log_rows(made))
            for source, kind in LOG_KINDS.items():
                block = blocks.setdefault((source, kept.day_of(source, made.day * DAY_MS)), [])
                block.extend(SimpleNamespace(**row) for row in told if row["kind"] in kind.kinds)
            for source, block_day in [key for key in blocks if _over(*key, made.day)]:
                write_block(connection, source, block_day, blocks.pop((source, block_day)))
            if made.day >= FIRST_DAY + DAYS - LOGGED:
                rows = [*event_rows(made), *told]
                for start in range(0, len(rows), PORTION):
                    connection.execute(insert(EVENT), rows[start : start + PORTION])
            seq = made.next_seq - 1
        for (source, block_day), found_rows in blocks.items():
            write_block(connection, source, block_day, found_rows)
        connection.execute(insert(kept.HEAD), {"id": 1, "seq": seq, "shape": kept.SHAPE})
        fill_segments(connection, segments)
        compare(connection, made.first_seq[:SAMPLE].tolist(), made.day)
        if database.is_sqlite:
            connection.exec_driver_sql("COMMIT")
        else:
            # As autovacuum does by itself.
            connection.exec_driver_sql("ANALYZE")


def _over(source: str, block_day: int, day: int) -> bool:
    return bool(block_day != kept.day_of(source, (day + 1) * DAY_MS))


def write_block(connection: Connection, source: str, day: int, rows: list[SimpleNamespace]) -> None:
    """Writes the columns of what the log tells of no chat."""
    if rows:
        found = log_columns(source, rows)
        connection.execute(insert(kept.DAY), kept.day_values(source, day, found))
        connection.execute(insert(kept.COLUMN), kept.column_values(source, day, found))


def fill_segments(
    connection: Connection, segments: Mapping[Table, list[dict[str, object]]]
) -> None:
    """Writes the segments of all customers; PostgreSQL ends who idles while thinking them up."""
    for target, rows in segments.items():
        for start in range(0, len(rows), PORTION):
            connection.execute(insert(target), rows[start : start + PORTION])


def segment_rows() -> dict[Table, list[dict[str, object]]]:
    """Every customer has bought, and was in three segments before the one they are in."""
    end = (FIRST_DAY + DAYS) * DAY_MS
    limits = orjson.dumps(to_json(Thresholds(version=1, at_ms=end))).decode()
    found: dict[Table, list[dict[str, object]]] = {
        THRESHOLDS: [{"version": 1, "at_ms": end, "day": FIRST_DAY + DAYS, "limits": limits}]
    }
    draw = np.random.default_rng(2)
    ways = draw.integers(0, len(SEGMENTS) - 1, (CUSTOMERS, 4)).tolist()
    times = np.sort(draw.integers(FIRST_DAY * DAY_MS, end, (CUSTOMERS, 3))).tolist()
    found[CUSTOMER] = [
        {"id": customer_id(n), "created_at_ms": 0, "seen_at_ms": 0, "identity": "anonymous"}
        for n in range(CUSTOMERS)
    ]
    found[PROFILE] = [
        {"person_id": customer_id(n), "segment": SEGMENTS[ways[n][-1]], "updated_at_ms": end}
        for n in range(CUSTOMERS)
    ]
    stages = {"activity_from": "", "activity_to": "", "relationship_from": ""}
    found[SEGMENT_CHANGE] = [
        stages
        | {"id": f"c{n}-{step}", "person_id": customer_id(n), "at_ms": at_ms, "cause": "order"}
        | {"segment_from": SEGMENTS[ways[n][step]], "segment_to": SEGMENTS[ways[n][step + 1]]}
        | {"relationship_to": ""}
        for n in range(CUSTOMERS)
        for step, at_ms in enumerate(times[n])
    ]
    return found


def compare(connection: Connection, firsts: list[int], day: int) -> None:
    """The columns of the first chats of a day are what their log gives."""
    ids = [conversation_id(first) for first in firsts]
    facts = sorted(load_facts(connection, ids), key=lambda one: one.conversation)
    for source in KINDS:
        right = kept.facts_columns(source, facts)
        [one] = [d for d in kept.kept_days(connection, source, None, None) if d.day == day]
        mine = {name: kept.kept_column(connection, source, name, [one]) for name in right}
        chosen = np.isin(np.asarray(mine["conversation"]), firsts)
        for name in right:
            found, wanted = sorted_rows(mine, name, chosen), sorted_rows(right, name, None)
            if found != wanted:
                raise AssertionError(f"{source}.{name} is not what the log says")
    print(f"the columns of {len(ids)} chats are what their log gives")


def sorted_rows(made: Mapping[str, Column], name: str, chosen: object) -> list[object]:
    """The values of a column in an order that both ways have."""
    keys = [
        np.asarray(made[key])
        for key in ("conversation", "turn_no", "start_at_ms", "at_ms")
        if key in made
    ]
    column = made[name]
    order = np.lexsort(keys[::-1])
    if chosen is not None:
        order = order[np.asarray(chosen)[order]]
    values = column[order] if isinstance(column, Texts) else np.asarray(column)[order]
    return list(values.tolist())


def time_it(
    database: Database, name: str, goal_s: float, ask: Callable[[Connection], object]
) -> None:
    """Prints how long a question takes: the first time and the best of two or three more."""
    spans: list[tuple[float, float]] = []
    while len(spans) < (3 if spans and spans[0][0] > SLOW_S else 4):
        before, cpu = time.perf_counter(), processor_s(database)
        database.read_now(ask)
        spans.append((time.perf_counter() - before, processor_s(database) - cpu))
    best = min(span for span, _ in spans[1:]), min(cpu for _, cpu in spans[1:])
    print(
        f"{name:44} first {spans[0][0]:6.3f} s  best {best[0]:6.3f} s"
        f"  cpu {best[1]:6.3f} s  goal {goal_s} s"
    )


def processor_s(database: Database) -> float:
    """The processor's time of this process, and of a PostgreSQL on this machine."""
    own = time.process_time()
    if database.is_sqlite:
        return own
    pids = database.read_now(
        lambda c: (
            c.exec_driver_sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            .scalars()
            .all()
        )
    )
    ticks = 0
    for pid in pids:
        # After the name in brackets, which may hold anything: user and system time.
        stat = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(stat[11]) + int(stat[12])
    return own + ticks / os.sysconf("SC_CLK_TCK")


def asked(
    connection: Connection, *, metrics: tuple[str, ...], by: tuple[str | None, ...], scope: Scope
) -> list[ReportRow]:
    """The rows of a report with several groupings from one loaded scope."""
    loaded = figures(connection, scope)
    chosen = [metric_of(name) for name in metrics]
    return [row for one in by for row in loaded.rows(chosen, by=one)]


def page(connection: Connection, *, name: str, scope: Scope, compared: Scope | None) -> object:
    """All that a report page needs of the log."""
    return load_page(
        connection, PAGES[name].divided(None).wants(None), scope=scope, compared=compared
    )


def main() -> None:
    """Fills a database and measures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("chats", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="")
    asked_for = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = asked_for.folder or Path(passing)
        folder.mkdir(exist_ok=True)
        settings = Settings(data_dir=folder)
        if settings.database_url is not None:
            raw = Database(settings.database_url, settings.sqlite_path)
            migrate(raw.engine)
            raw.close()
        database = open_database(settings, serving=False)[0]
        if database.read_now(load_shop) is None:
            shop = Shop(
                name="B", locale="en", timezone="Asia/Shanghai", currency="CNY", site_key="s"
            )
            database.write_now(lambda tx: insert_shop(tx, shop))
            before = time.perf_counter()
            fill(database, asked_for.chats)
            spent = time.perf_counter() - before
            print(f"{asked_for.chats:,} chats written in {spent:.1f} s")
        # As the server does once it has started.
        before = time.perf_counter()
        if keep_segments_now(database, enough=ENOUGH_MARKS):
            print(f"the segments of all customers as columns: {time.perf_counter() - before:.1f} s")
        gc.collect()
        gc.freeze()
        measure(database, asked_for.only)
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"database {size / 1e6:,.0f} MB, memory at most {peak:,} MB")
        database.close()


def measure(database: Database, only: str) -> None:
    """Asks what supervisors ask and prints how long it takes."""

    def timed(name: str, goal_s: float, ask: Callable[[Connection], object]) -> None:
        if only in name:
            time_it(database, name, goal_s, ask)

    end = (FIRST_DAY + DAYS) * DAY_MS
    whole = Scope(timezone="Asia/Shanghai", as_of_ms=end + DAY_MS)
    month, weeks, earlier = (
        replace(whole, from_ms=end - since * DAY_MS, to_ms=end - until * DAY_MS)
        for since, until in ((30, 0), (28, 0), (56, 28))
    )
    ours = tuple(m.id for m in METRICS.values() if m.source in CONVERSATION_SOURCES)
    for name, goal_s, metrics, by, scope in (
        ("P50 and P90 by agent, 30 days", 0.3, ("rt",), ("agent",), month),
        ("first and every reply by agent, 30 days", 0.3, ("frt", "rt"), ("agent",), month),
        ("P50 and P90 by agent, all time", 2.0, ("rt",), ("agent",), whole),
        (
            "nine metrics of 28 days, five ways",
            0.3,
            PAGE,
            (None, "agent", "day", "hour", "weekday"),
            weeks,
        ),
        ("all metrics of chats, 28 days", 0.3, ours, (None,), weeks),
        ("all metrics, 28 days", 0.3, tuple(METRICS), (None,), weeks),
    ):
        timed(name, goal_s, partial(asked, metrics=metrics, by=by, scope=scope))
    for name in PAGES:
        ask = partial(page, name=name, scope=weeks, compared=earlier)
        timed(f"page {name}, 28 days and those before", 0.3, ask)
    for name in PAGES:
        ours_now, ours_before = (replace(one, segment="loyal") for one in (weeks, earlier))
        ask = partial(page, name=name, scope=ours_now, compared=ours_before)
        timed(f"page {name} of a segment, 28 days and those before", 0.3, ask)
    for name in PAGES:
        ask = partial(page, name=name, scope=whole, compared=None)
        timed(f"page {name}, all time", 2.0, ask)
    every = partial(asked, metrics=ours, by=(None,), scope=whole)
    timed("all metrics of chats, all time", 5.0, every)


if __name__ == "__main__":
    main()
