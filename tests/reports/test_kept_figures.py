"""Columns that reports keep ready change no number, however old they are; they only save time."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any  # Any: fields of Scope

import numpy as np
import pytest
from sqlalchemy import text

from server.actions.imports import import_events
from server.domain.metrics import METRICS
from server.jobs.figures import keep_figures_now
from server.reports.rows import ReportRow, figures
from server.reports.scope import Scope
from server.reports.sources.conversations import Conversations
from server.reports.verify import verify
from server.storage import figures as kept
from server.storage.columns import packed, unpacked
from server.storage.database import Database
from server.storage.event_log import last_seq
from tests.reports.test_replay import AS_OF, START, random_log
from tests.reports.worked_example import write_lines

OURS = list(METRICS.values())
SCOPES: list[dict[str, Any]] = [  # Any: as above
    {},
    {"from_ms": START + 86_400_000, "to_ms": START + 4 * 86_400_000},
    {"as_of_ms": START + 3 * 86_400_000},
    {"channel": "email"},
    {"as_of_seq": 70},
    {"as_of_seq": 70, "as_of_ms": START + 2 * 86_400_000},
]


def everything(database: Database) -> list[list[ReportRow]]:
    """All figures in several scopes, in all and by agent and day."""

    def read(connection: Any) -> list[list[ReportRow]]:  # Any: a connection
        found: list[list[ReportRow]] = []
        for changes in SCOPES:
            scope = replace(Scope(timezone="Asia/Shanghai", as_of_ms=AS_OF), **changes)
            loaded = figures(connection, scope)
            found.extend(loaded.rows(OURS, by=by) for by in (None, "agent", "day"))
        return found

    return database.read_now(read)


@pytest.fixture
def lines() -> list[dict[str, Any]]:  # Any: JSON values
    """The rows of a random log, with orders, and a chat that turned out to be a test."""
    told = [line | {"ts": line["ts"]} for line in random_log(21, conversations=9)]
    draw = random.Random(21)
    for number in range(24):
        at, buyer = START + draw.randrange(12 * 86_400_000), f"buyer-{draw.randrange(9)}"
        order = {"order_id": f"o{number % 20}", "amount_minor": 100 * number, "currency": "CNY"}
        kind = ("order.paid", "order.paid", "order.refunded")[number % 3]
        told.append(of_nobody(f"order-{number}", at, kind, order, customer=buyer))
        status = {"status": draw.choice(("online", "away", "busy", "offline"))}
        told.append(of_nobody(f"desk-{number}", at, "agent.presence_changed", status, actor="ann"))
    told.sort(key=lambda line: line["ts"])
    tested = next(line for line in told if line["conversation"] == "chat-3")
    test = {"event_id": "test", "ts": AS_OF - 1, "kind": "conversation.tagged"}
    return [*told, tested | test | {"actor_kind": "system", "data": {"add": ["test"]}}]


def of_nobody(
    event_id: str,
    at: int,
    kind: str,
    data: dict[str, Any],  # Any: JSON values
    *,
    customer: str | None = None,
    actor: str | None = None,
) -> dict[str, Any]:
    """A row of no conversation."""
    return {
        "event_id": event_id,
        "ts": at,
        "kind": kind,
        "conversation": None,
        "customer": customer,
        "actor_kind": "system" if actor is None else "agent",
        "actor": actor,
        "data": data,
    }


def test_the_columns_give_what_the_log_gives(
    shop_database: Database, tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    half = len(lines) // 2
    import_events(shop_database, write_lines(tmp_path / "1.ndjson", lines[:half]))
    chats = {line["conversation"] for line in lines[:half]} - {None}
    assert keep_figures_now(shop_database) == len(chats)
    old = shop_database.read_now(kept.head_seq)
    import_events(shop_database, write_lines(tmp_path / "2.ndjson", lines[half:]))
    with_old_columns = everything(shop_database)
    assert keep_figures_now(shop_database) > 0
    assert shop_database.read_now(kept.head_seq) == shop_database.read_now(last_seq) > old
    with_columns = everything(shop_database)
    assert [str(d) for d in shop_database.read_now(lambda c: list(verify(c)))] == []
    with shop_database.engine.begin() as connection:
        for name in ("figure_head", "figure_day", "figure_column"):
            connection.execute(text(f"DELETE FROM {name}"))
    from_the_log = everything(shop_database)
    assert with_old_columns == from_the_log
    assert with_columns == from_the_log
    assert any(row.n for rows in from_the_log for row in rows)


def test_columns_of_an_older_make_are_made_again(
    example: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_figures_now(example)
    monkeypatch.setattr(kept, "SHAPE", kept.SHAPE + 1)
    assert example.read_now(kept.head_seq) == 0
    assert keep_figures_now(example) == 1
    assert example.read_now(kept.head_seq) == example.read_now(last_seq)
    assert keep_figures_now(example) == 0


def test_verify_tells_of_a_column_that_is_not_what_the_log_says(example: Database) -> None:
    keep_figures_now(example)
    assert list(example.read_now(lambda c: list(verify(c)))) == []
    wrong = packed(np.asarray(unpacked(_data(example))) + 1)
    with example.engine.begin() as connection:
        connection.execute(
            text("UPDATE figure_column SET data = :data WHERE source='turn' AND name='end_at_ms'"),
            {"data": wrong},
        )
    found = [str(d) for d in example.read_now(lambda c: list(verify(c)))]
    assert found
    assert all("Figures of turn, day" in one for one in found)


def _data(database: Database) -> bytes:
    statement = text("SELECT data FROM figure_column WHERE source='turn' AND name='end_at_ms'")
    return bytes(database.read_now(lambda c: c.execute(statement).scalars().all()[0]))


def test_two_processes_do_not_write_the_same_days(example: Database) -> None:
    up_to = example.read_now(last_seq)
    first = example.read_now(partial(kept.next_pack, up_to=up_to))
    second = example.read_now(partial(kept.next_pack, up_to=up_to))
    assert first is not None
    assert second is not None
    assert example.write_now(partial(kept.write_pack, pack=first))
    assert not example.write_now(partial(kept.write_pack, pack=second))


def test_only_the_columns_that_a_figure_needs_are_read(example: Database) -> None:
    keep_figures_now(example)

    def read(connection: Any) -> set[str]:  # Any: a connection
        scope = Scope(timezone="Asia/Shanghai", as_of_ms=AS_OF, as_of_seq=10**9)
        frame = Conversations(connection, scope).frame("turn")
        frame.numbers("wait_ms")
        return set(frame.columns.made)

    assert "customer" not in example.read_now(read)
