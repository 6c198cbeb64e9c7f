"""What other desks count wrong, counted right: one test a defect."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any  # Any: JSON values

import pytest

from server.actions.imports import import_events
from server.domain.hours import Hours, calendar_of
from server.domain.metrics import METRICS
from server.domain.periods import instant_ms, zone
from server.domain.spans import DAY_MS, HOUR_MS, MINUTE_MS
from server.reports.cli import report_command
from server.reports.rows import ReportRow
from server.reports.sources.conversations import CONVERSATION_SOURCES
from server.storage.database import Database
from tests.reports.worked_example import AMY, BO, write_lines

# A Friday, 10:00 in Shanghai.
START = 1_795_140_000_000
Line = dict[str, Any]  # Any: JSON values
Told = Callable[..., dict[str | None, ReportRow]]


def event(
    at_ms: int, kind: str, who: str | None = None, *, chat: str = "C1", **data: Any
) -> Line:  # Any: JSON values
    """A row of another desk's log; ``who`` is an agent, "bot", or None for the shopper."""
    system = kind in {"queue.entered", "customer.left", "conversation.opened"}
    actor_kind = "bot" if who == "bot" else "agent" if who else "system" if system else "customer"
    if kind == "message.posted":
        data.setdefault("body", "...")
    return {
        "event_id": f"{chat}-{at_ms}-{kind}-{who}-{data.get('status', '')}",
        "ts": START + at_ms,
        "kind": kind,
        "conversation": chat,
        "customer": f"buyer of {chat}",
        "actor_kind": actor_kind,
        "actor": who if actor_kind == "agent" else None,
        "channel": "chat",
        "data": data,
    }


def ask(at_ms: int, **more: Any) -> Line:  # Any: JSON values
    """The shopper writes."""
    return event(at_ms, "message.posted", **more)


def reply(at_ms: int, who: str = AMY, **more: Any) -> Line:  # Any: JSON values
    """An agent writes."""
    return event(at_ms, "message.posted", who, **more)


def resolve(at_ms: int, who: str = AMY, **more: Any) -> Line:  # Any: JSON values
    """An agent calls it done."""
    return event(at_ms, "conversation.status_changed", who, status="resolved", **more)


@pytest.fixture
def told(shop_database: Database, tmp_path: Path) -> Told:
    """What a metric says of a log, by group: ``told("rt", lines, by="agent")``."""

    def tell(metric: str, lines: list[Line], **options: Any) -> dict[str | None, ReportRow]:
        path = write_lines(tmp_path / "log.ndjson", sorted(lines, key=lambda line: line["ts"]))
        assert import_events(shop_database, path).rejected == []
        last = max(line["ts"] for line in lines)
        now_ms = last + options.pop("later_ms", HOUR_MS)
        ask_for = partial(report_command, metric_ids=[metric], now_ms=now_ms, **options)
        return {row.group: row for row in shop_database.read_now(ask_for)}

    return tell


def test_messages_of_bots_are_nobodys_answers(told: Told) -> None:
    lines = [
        ask(0),
        event(1_000, "message.posted", "bot", origin="bot"),
        reply(90_000),
        event(91_000, "message.posted", "bot", origin="auto"),
    ]
    assert told("frt", lines, by="agent")[AMY].median_ms == 90_000
    assert set(told("replies", lines, by="agent")) == {AMY}
    assert told("qa_ratio", lines)[None].numerator == 1
    assert told("frt_any", lines, by="agent")["bot"].median_ms == 1_000


def test_the_idle_time_of_a_bot_is_no_time_of_resolution(told: Told) -> None:
    lines = [
        ask(0),
        event(1_000, "message.posted", "bot", origin="bot"),
        event(DAY_MS, "conversation.status_changed", "bot", status="closed"),
    ]
    assert told("frt_res", lines)[None].n == 0
    assert told("full_res", lines)[None].n == 0


def test_a_conversation_that_comes_again_is_measured_from_its_coming_again(told: Told) -> None:
    lines = [ask(0), reply(60_000), resolve(120_000), ask(5 * DAY_MS)]
    lines += [reply(5 * DAY_MS + 10 * MINUTE_MS), resolve(5 * DAY_MS + 11 * MINUTE_MS)]
    days = told("frt", lines, by="day")
    assert [row.median_ms for row in days.values()] == [60_000, 10 * MINUTE_MS]
    longest = told("duration", lines, by="day")
    assert [row.median_ms for row in longest.values()] == [60_000, 10 * MINUTE_MS]


def test_who_had_no_conversation_has_no_first_response_time(told: Told) -> None:
    lines = [event(-60_000, "agent.presence_changed", BO, status="online", capacity=5)]
    lines[0] |= {"conversation": None, "customer": None}
    lines += [ask(0), reply(60_000)]
    assert set(told("frt", lines, by="agent")) == {AMY}


def test_two_figures_count_the_same_resolutions(told: Told) -> None:
    lines = [ask(0), reply(60_000), resolve(120_000), ask(DAY_MS), reply(DAY_MS + 60_000)]
    lines += [resolve(DAY_MS + 120_000), ask(DAY_MS + HOUR_MS, chat="C2")]
    once = told("one_touch", lines, later_ms=8 * DAY_MS)[None]
    again = told("reopen", lines, later_ms=8 * DAY_MS)[None]
    assert once.denominator == again.denominator == 2


def test_labels_and_teams_are_those_of_then(told: Told) -> None:
    lines = [
        event(0, "conversation.opened", chat="C1", channel="chat"),
        ask(0),
        event(1_000, "queue.entered", team_id="first"),
        event(2_000, "conversation.tagged", AMY, add=["price"], remove=[]),
        reply(60_000),
        resolve(120_000),
        ask(DAY_MS),
        event(DAY_MS + 1_000, "queue.entered", team_id="second"),
        event(DAY_MS + 2_000, "conversation.tagged", AMY, add=["repair"], remove=["price"]),
        reply(DAY_MS + 60_000),
        resolve(DAY_MS + 120_000),
    ]
    labels = told("rt", lines, by="label")
    assert {key: row.n for key, row in labels.items()} == {"price": 1, "repair": 1}


@pytest.mark.parametrize("between", ["snoozed", "resolved"])
def test_a_first_response_does_not_begin_again(told: Told, between: str) -> None:
    """Putting a chat aside, or calling it done, answers nobody."""
    lines = [
        ask(0),
        event(10_000, "conversation.status_changed", AMY, status=between),
        event(20_000, "conversation.status_changed", AMY, status="open"),
        reply(600_000),
    ]
    row = told("frt", lines)[None]
    assert row.n == 1
    assert row.within_goal == 0
    assert row.median_ms in (600_000, None)


def test_a_chat_that_an_agent_began_has_no_answer_in_no_time(told: Told) -> None:
    lines = [
        event(0, "conversation.opened", AMY, initiator="agent", channel="chat"),
        reply(0),
        reply(1_000),
    ]
    assert told("frt", lines)[None].n == 0
    assert told("replies", lines)[None].n == 0
    lines += [ask(HOUR_MS), reply(HOUR_MS + 60_000)]
    assert told("frt", lines)[None].median_ms == 60_000
    assert told("qa_ratio", lines)[None].numerator == 1


def test_to_ignore_somebody_improves_nothing(told: Told) -> None:
    lines = [
        line for n in range(3) for line in (ask(n, chat=f"A{n}"), reply(n + 60_000, chat=f"A{n}"))
    ]
    answered = told("frt", lines)[None]
    assert (answered.n, answered.n_open, answered.within_goal) == (3, 0, 1)
    ignored = [ask(10 + n, chat=f"B{n}") for n in range(4)]
    row = told("frt", lines + ignored)[None]
    assert (row.n, row.n_open, row.median_ms) == (7, 4, None)
    assert told("unanswered", lines + ignored)[None].numerator == 4


def test_without_hours_there_is_no_time_within_hours(told: Told) -> None:
    row = told("frt", [ask(0), reply(60_000)])[None]
    assert row.median_ms == 60_000
    assert row.business is None


def test_a_day_may_have_several_spans_one_past_midnight_and_a_holiday_has_none() -> None:
    zone_name = "Asia/Shanghai"
    shop = calendar_of(
        zone_name, ["9:00-12:00, 13:00-18:00, 20:00-2:00"] * 7, {"2026-10-01": ("", "National Day")}
    )
    asked, answered = (
        instant_ms(at, zone(zone_name)) for at in ("2026-09-30T11:30", "2026-10-02T09:30")
    )
    # Half an hour, the afternoon, the evening until two; nothing on the holiday; half an hour.
    assert Hours([(0, shop)]).wait_ms(asked, answered) == 12 * HOUR_MS


def test_an_event_that_is_told_twice_counts_once(told: Told) -> None:
    lines = [ask(0), reply(60_000), resolve(120_000)]
    once = {metric: told(metric, lines)[None] for metric in ("rt", "replies", "one_touch")}
    twice = {metric: told(metric, lines + lines)[None] for metric in once}
    assert twice == once


def test_a_conversation_of_a_single_event_is_counted(told: Told) -> None:
    row = told("rt", [ask(0)])[None]
    assert (row.n, row.n_open, row.mean_ms) == (1, 1, None)
    assert told("wait_total", [ask(0)])[None].value == HOUR_MS


def test_spam_and_tests_are_left_out(told: Told) -> None:
    lines = [ask(0), ask(0, chat="S"), ask(0, chat="T")]
    lines += [event(1_000, "conversation.status_changed", AMY, chat="S", status="spam")]
    lines += [event(1_000, "conversation.tagged", AMY, chat="T", add=["test"], remove=[])]
    assert told("frt", lines)[None].n == 1


def test_a_clock_that_was_set_back_gives_no_negative_wait(told: Told) -> None:
    lines = [ask(HOUR_MS), reply(HOUR_MS - 60_000)]
    row = told("rt", lines, later_ms=0)[None]
    assert (row.mean_ms or 0) >= 0


BASE = [
    ask(0),
    event(1_000, "queue.entered"),
    event(20_000, "assignment.accepted", AMY, to=AMY),
    reply(60_000),
    ask(200_000),
    reply(230_000),
    resolve(300_000),
]
# What happens besides, and the figures that may change by it; all others stay as they are.
BESIDES: dict[str, tuple[list[Line], set[str]]] = {
    "a private note": ([reply(210_000, BO, visibility="private")], set()),
    "a greeting": ([event(2_000, "message.posted", "bot", origin="auto")], set()),
    "an answer of a bot": (
        [event(2_000, "message.posted", "bot", origin="bot")],
        {"frt_any"},
    ),
    "a transfer": (
        [event(210_000, "assignment.changed", AMY, to=BO, **{"from": AMY})],
        {"agent_rt", "transfer"},
    ),
    "a further message in the same turn": (
        [ask(30_000)],
        {"qa_ratio"},
    ),
    "a second message of a reply": (
        [reply(70_000)],
        {"qa_ratio"},
    ),
    "thanks that are dismissed": (
        [ask(310_000), event(320_000, "turn.dismissed", AMY, reason="courtesy")],
        {
            *("rt", "frt", "frt_any", "agent_rt", "queue_wait", "asa", "wait_total"),
            *("sl_30", "sl_180", "r3m_turn", "r30_sess", "r3m_sess", "leave_rate"),
            *("unanswered", "qa_ratio", "full_res", "fcr", "duration", "transfer", "dismissed"),
        },
    ),
}


@pytest.mark.parametrize("besides", BESIDES, ids=str)
def test_what_happens_besides_changes_only_what_it_must(
    shop_database: Database, tmp_path: Path, besides: str
) -> None:
    more, may_change = BESIDES[besides]
    path = write_lines(tmp_path / "base.ndjson", BASE)
    assert import_events(shop_database, path).rejected == []
    other = [line | {"conversation": "C2", "event_id": f"2-{line['event_id']}"} for line in BASE]
    other += [line | {"conversation": "C2"} for line in more]
    ours = [m.id for m in METRICS.values() if m.source in CONVERSATION_SOURCES]
    ask_for = partial(report_command, metric_ids=ours, now_ms=START + 8 * DAY_MS)
    before = {row.metric: row for row in shop_database.read_now(ask_for)}
    path = write_lines(tmp_path / "other.ndjson", sorted(other, key=lambda line: line["ts"]))
    assert import_events(shop_database, path).rejected == []
    both = shop_database.read_now(ask_for)
    changed = {row.metric for row in both if not _twice(before[row.metric], row)}
    # The same customer in two conversations at once is one customer, and not a first contact.
    assert changed - {"received", "consulted", "r3m_cust", "fcr"} <= may_change


def _twice(one: ReportRow, two: ReportRow) -> bool:
    """True when the second is the first of two equal conversations."""
    counts = (one.value or 0) * 2 == two.value if one.unit == "n" else one.value == two.value
    return counts and one.mean_ms == two.mean_ms
