"""A void, a reopening, a transfer, a bot's answer and a note change these figures and no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any  # Any: the fields of a row
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from server.actions.corrections import Void, void
from server.domain.actors import Actor
from server.domain.metrics import METRICS
from server.reports.rows import report
from server.reports.scope import Scope
from server.storage.database import Database
from server.storage.rows import EVENT
from server.storage.unit import Tx
from tests.reports.stories import DAY, HOUR, Story, at_ms
from tests.reports.worked_example import open_shop

Tell = Callable[[Story], Database]
Told = dict[tuple[str, str | None], dict[str, Any]]  # Any: as above
AMY, BO = "amy", "bo"
# The first waits of a new session, those of every turn, and what follows from them.
NEW_SESSION = {
    *("frt", "frt_any", "sl_30", "sl_180", "r30_sess", "r3m_sess", "leave_rate", "unanswered"),
    *("duration", "transfer", "contact_per_order"),
}
NEW_TURN = {"rt", "r3m_turn", "r3m_cust", "wait_total", "qa_ratio"}
# What happens besides, and the figures that it changes: in all and by agent.
CHANGES: dict[str, tuple[Callable[[Story], object], set[str]]] = {
    "a private note": (
        lambda told: told.reply(210, "c", BO, visibility="private"),
        set(),
    ),
    "a bot's answer": (
        lambda told: told.reply(2, "c", "bot", origin="bot"),
        {"frt_any", "bot_contain", "bot_handoff"},
    ),
    "a transfer": (
        lambda told: told.tell(
            210, "assignment.changed", {"from": AMY, "to": BO}, chat="c", who=AMY
        ),
        {"agent_rt", "transfer", "concurrency", "occ", "util"},
    ),
    "a reopening": (
        lambda told: told.ask(2 * HOUR, "c", "k"),
        {*NEW_SESSION - {"r3m_sess"}, *NEW_TURN, "reopen", "fcr", "fcr_asked", "full_res"}
        | {"consulted"},
    ),
}


def a_chat() -> Story:
    """Two questions, each answered by Amy, a rating and an order; Bo is there as well."""
    told = Story()
    for who in (AMY, BO):
        told.tell(-HOUR, "agent.presence_changed", {"status": "online", "capacity": 5}, who=who)
    told.ask(0, "c", "k").tell(1, "queue.entered", chat="c").accept(20, "c", AMY)
    told.reply(60, "c", AMY).ask(200, "c", "k").reply(230, "c", AMY).resolve(300, "c", AMY)
    return told.ask_rating(301, "c").rate(400, "c", 5).pay(HOUR, "o", "k")


def figures(database: Database, as_of_ms: int = at_ms(10 * DAY)) -> Told:
    """All figures in all and by agent."""
    found: Told = {}
    for by in (None, "agent"):
        scope = Scope(timezone="Asia/Shanghai", as_of_ms=as_of_ms)
        ask = partial(report, metric_ids=list(METRICS), scope=scope, by=by)
        for row in database.read_now(ask):
            key = (row.metric, row.group if by else "all")
            found[key] = {name: getattr(row, name) for name in SAID}
    return found


SAID = (
    *("n", "n_open", "value", "numerator", "denominator", "interval", "median_ms", "mean_ms"),
    *("within_goal", "asides", "score", "bounds", "baseline", "difference"),
)


def changed(one: Told, other: Told) -> set[str]:
    return {key[0] for key in {*one, *other} if one.get(key) != other.get(key)}


@pytest.mark.parametrize("what", CHANGES)
def test_exactly_these_figures_change(story: Tell, what: str) -> None:
    more, expected = CHANGES[what]
    told = a_chat()
    more(told)
    told.lines.sort(key=lambda line: line["ts"])
    assert changed(figures(story(a_chat())), figures(story(told))) == expected


@pytest.mark.parametrize(
    ("what", "stays"),
    [
        ("a bot's answer", set()),
        ("a transfer", set()),
        # The shopper did come back: the session and the open chat are events of their own.
        ("a reopening", {"full_res", "contact_per_order"}),
    ],
)
def test_what_was_voided_leaves_every_figure_as_without_it(
    story: Tell, what: str, stays: set[str]
) -> None:
    more, _ = CHANGES[what]
    told = a_chat()
    more(told)
    target = f"i:{told.lines[-1]['event_id']}"
    told.lines.sort(key=lambda line: line["ts"])
    database = story(told)
    lead = Actor("agent", "lead", role="admin")

    def correct(tx: Tx) -> None:
        (seq,) = tx.execute(select(EVENT.c.seq).where(EVENT.c.event_id == target)).one()
        void(tx, lead, Void(target_seq=seq, reason="mistake"))

    database.write_now(correct)
    assert changed(figures(story(a_chat())), figures(database)) == stays


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_of_the_clock_change_counts_the_hours_it_had(
    database: Database, tmp_path: Path, day: str, hours: int
) -> None:
    open_shop(database, timezone="Europe/Berlin")
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(day).replace(tzinfo=berlin).timestamp()
    told = Story()
    for number in range(-1, hours + 1):
        told.ask(start - at_ms(0) / 1000 + number * HOUR, f"c{number}", f"k{number}")
    told.write(database, tmp_path)
    scope = Scope(timezone="Europe/Berlin", as_of_ms=round(start * 1000) + 30 * HOUR * 1000)
    rows = database.read_now(partial(report, metric_ids=["rt"], scope=scope, by="day"))
    before = datetime.fromisoformat(day).date() - timedelta(days=1)
    assert {row.group: row.n for row in rows} == {
        before.isoformat(): 1,
        day: hours,
        (before + timedelta(days=2)).isoformat(): 1,
    }
    by_hour = database.read_now(partial(report, metric_ids=["rt"], scope=scope, by="hour"))
    night = {row.group: row.n for row in by_hour}
    assert night.get("02", 0) == {23: 0, 25: 2}[hours]
