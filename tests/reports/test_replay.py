"""The log up to a row gives what it gave when it ended there; redelivery adds nothing."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any  # Any: JSON values

from server.actions.imports import import_events
from server.domain.metrics import METRICS
from server.domain.metrics.model import still_maturing
from server.domain.turns import OUTCOMES
from server.reports.rows import ReportRow, report, rows_behind
from server.reports.scope import NOBODY, Scope
from server.reports.sources.conversations import CONVERSATION_SOURCES
from server.reports.verify import verify
from server.storage.database import Database
from server.storage.event_log import last_seq
from tests.reports.worked_example import write_lines

START = 1_763_600_000_000
AS_OF = START + 30 * 86_400_000
KINDS = ("ask", "ask", "reply", "reply", "note", "bot", "queue", "take", "pass", "left", "back")


def random_log(seed: int, *, conversations: int = 12, length: int = 14) -> list[dict[str, Any]]:
    """Believable and unbelievable conversations, woven together in time."""
    draw = random.Random(seed)
    lines = []
    for chat in range(conversations):
        at = START + draw.randrange(10 * 86_400_000)
        for step in range(length):
            at += draw.choice((0, 3_000, 40_000, 170_000, 400_000, 100_000_000))
            kind = "ask" if step == 0 else draw.choice((*KINDS, "resolve", "dismiss"))
            lines.append((at, chat, step, kind, draw.choice(("ann", "ben"))))
    return [line_of(*line) for line in sorted(lines)]


def line_of(at: int, chat: int, step: int, kind: str, agent: str) -> dict[str, Any]:
    kinds: dict[str, tuple[str, str, dict[str, Any]]] = {
        "ask": ("message.posted", "customer", {"body": "?"}),
        "reply": ("message.posted", "agent", {"body": "!"}),
        "note": ("message.posted", "agent", {"body": "n", "visibility": "private"}),
        "bot": ("message.posted", "bot", {"body": "b"}),
        "queue": ("queue.entered", "system", {}),
        "take": ("assignment.accepted", "agent", {"to": agent}),
        "pass": ("assignment.changed", "system", {"to": agent}),
        "left": ("customer.left", "system", {}),
        "back": ("customer.returned", "system", {}),
        "resolve": ("conversation.status_changed", "agent", {"status": "resolved"}),
        "dismiss": ("turn.dismissed", "agent", {"reason": "courtesy"}),
    }
    name, actor_kind, data = kinds[kind]
    return {
        "event_id": f"{chat}-{step}",
        "ts": at,
        "kind": name,
        "conversation": f"chat-{chat}",
        "customer": f"buyer-{chat}",
        "actor_kind": actor_kind,
        "actor": agent if actor_kind == "agent" else None,
        "channel": ("chat", "email")[chat % 2],
        "data": data,
    }


def scope(**changes: Any) -> Scope:  # Any: fields of Scope
    return Scope(timezone="Asia/Shanghai", as_of_ms=AS_OF, **changes)


def figures(database: Database, *, by: str | None = None, **changes: Any) -> list[ReportRow]:
    """All metrics; changes are fields of the scope."""
    return database.read_now(
        partial(report, metric_ids=list(METRICS), scope=scope(**changes), by=by)
    )


def test_the_log_up_to_a_row_gives_what_it_gave_then(
    shop_database: Database, tmp_path: Path
) -> None:
    lines = random_log(7)
    remembered = []
    for number in range(0, len(lines), 28):
        part = write_lines(tmp_path / f"{number}.ndjson", lines[number : number + 28])
        import_events(shop_database, part)
        seq = shop_database.read_now(last_seq)
        remembered.append((seq, [figures(shop_database, by=by) for by in (None, "agent", "team")]))
    assert len(remembered) > 4
    for seq, then in remembered:
        now = [figures(shop_database, by=by, as_of_seq=seq) for by in (None, "agent", "team")]
        assert now == then


def test_redelivery_changes_no_figure(shop_database: Database, tmp_path: Path) -> None:
    lines = random_log(8)
    import_events(shop_database, write_lines(tmp_path / "once.ndjson", lines))
    before = figures(shop_database, by="day")
    twice = [*random.Random(1).sample(lines, len(lines)), *lines]
    outcome = import_events(shop_database, write_lines(tmp_path / "twice.ndjson", twice))
    assert (outcome.accepted, outcome.unchanged) == (0, 2 * len(lines))
    assert figures(shop_database, by="day") == before


def test_a_random_log_verifies(shop_database: Database, tmp_path: Path) -> None:
    for seed in range(3):
        lines = [line | {"event_id": f"{seed}-{line['event_id']}"} for line in random_log(seed)]
        for line in lines:
            line["conversation"] = f"{seed}-{line['conversation']}"
        import_events(shop_database, write_lines(tmp_path / f"{seed}.ndjson", lines))
    assert shop_database.read_now(lambda c: [str(d) for d in verify(c)]) == []


def test_as_many_turns_stand_behind_a_number_as_it_says(
    shop_database: Database, tmp_path: Path
) -> None:
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", random_log(9)))
    agents = {row.group for row in figures(shop_database, by="agent")}
    assert {"ann", "ben", None} <= agents
    filters: list[dict[str, Any]] = [  # Any: fields of Scope
        {},
        {"agent_id": NOBODY},
        {"team_id": NOBODY},
        {"channel": "chat"},
        {"channel": "email", "from_ms": START, "to_ms": START + 5 * 86_400_000},
        *({"hour": hour} for hour in range(0, 24, 5)),
        *({"weekday": weekday} for weekday in range(7)),
        *({"outcome": outcome} for outcome in OUTCOMES),
        {"wait_from_ms": 3_000, "wait_to_ms": 180_001},
        {"as_of_seq": 60},
    ]
    for changes in filters:
        for row in figures(shop_database, **changes):
            metric = METRICS[row.metric]
            if metric.source not in CONVERSATION_SOURCES:
                continue
            found = shop_database.read_now(
                partial(rows_behind, scope=scope(**changes), metric=metric)
            )
            assert len(found) == row.n, (row.metric, changes)
            if row.n:
                open_now = found.numbers(metric.still).sum()
                if metric.finish is still_maturing:
                    open_now = (row.asides or {})["maturing"]
                assert open_now == row.n_open, (row.metric, changes)


def test_the_groups_of_a_report_add_up_to_the_whole(
    shop_database: Database, tmp_path: Path
) -> None:
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", random_log(10)))
    whole = {row.metric: row for row in figures(shop_database)}
    for by in ("agent", "team", "channel", "segment", "day", "hour"):
        rows = figures(shop_database, by=by)
        for metric, total in whole.items():
            # Customers whom two agents served, or who came on two days, count for both.
            if METRICS[metric].distinct or METRICS[metric].source not in CONVERSATION_SOURCES:
                continue
            parts = [row for row in rows if row.metric == metric]
            assert sum(row.n for row in parts) == total.n
            assert sum(row.numerator or 0 for row in parts) == (total.numerator or 0)


def test_spam_is_left_out(shop_database: Database, tmp_path: Path) -> None:
    lines = random_log(11)
    spam = {"kind": "conversation.status_changed", "actor_kind": "system", "actor": None}
    last = [
        lines[0]
        | spam
        | {"event_id": f"spam-{n}", "ts": AS_OF, "data": {"status": "spam"}}
        | {"conversation": f"chat-{n}", "customer": f"buyer-{n}"}
        for n in range(12)
    ]
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", [*lines, *last]))
    assert {row.n for row in figures(shop_database)} == {0}
