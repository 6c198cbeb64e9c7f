"""Work, presence, bots, suggestions, tickets and groomed numbers, on logs told by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any  # Any: options handed on

import pytest

from server.domain.metrics import Figures, metric_of
from server.reports.rows import ReportRow, figures, report
from server.reports.scope import Scope
from server.storage.database import Database
from tests.reports.stories import DAY, HOUR, MINUTE, Story, at_ms

Tell = Callable[[Story], Database]
AMY, BO = "amy", "bo"
LATER = 60 * DAY


def scope(as_of: float = LATER, *, since: float | None = None, until: float | None = None) -> Scope:
    return Scope(
        timezone="Asia/Shanghai",
        as_of_ms=at_ms(as_of),
        from_ms=None if since is None else at_ms(since),
        to_ms=None if until is None else at_ms(until),
    )


def figure(database: Database, metric: str, as_of: float = LATER, **options: Any) -> Figures:
    found = partial(figures, scope=scope(as_of, **options))
    return database.read_now(lambda connection: found(connection).of(metric_of(metric)))


def share(database: Database, metric: str, as_of: float = LATER, **options: Any) -> tuple[Any, Any]:
    found = figure(database, metric, as_of, **options)
    return found.numerator, found.denominator


def by(
    database: Database, metric: str, dimension: str = "agent", **options: Any
) -> dict[str | None, ReportRow]:
    rows = database.read_now(
        partial(report, metric_ids=[metric], scope=scope(**options), by=dimension)
    )
    return {row.group: row for row in rows}


def focus(told: Story, seconds: float, chat: str, who: str, length: float) -> Story:
    data = {"focused_ms": round(length * 1000)}
    return told.tell(seconds, "agent.focus_recorded", data, chat=chat, who=who)


def present(told: Story, seconds: float, who: str, status: str, capacity: int = 4) -> Story:
    data = {"status": status, "capacity": capacity}
    return told.tell(seconds, "agent.presence_changed", data, who=who)


def test_handle_time_is_what_was_worked_and_nobody_works_longer_than_the_cap(story: Tell) -> None:
    told = Story().served(0, "c", "k", AMY)
    told.lines.pop()
    focus(told, 60, "c", AMY, 30)
    focus(told, 75, "c", AMY, 30)  # half of it was told before
    focus(told, 400, "c", AMY, 300)  # idle: 120 s at most
    focus(told, 410, "c", BO, 20)
    database = story(told.resolve(600, "c", AMY))
    found = figure(database, "aht")
    assert (found.numerator, found.denominator, found.n) == (185_000, 1, 2)
    assert found.mean_ms == 185_000
    assert found.asides["owned_ms"] == 590_000
    assert {key: row.mean_ms for key, row in by(database, "aht").items()} == {
        AMY: 165_000,
        BO: 20_000,
    }


def test_owning_a_chat_is_not_working_on_it(story: Tell) -> None:
    found = figure(story(Story().served(0, "c", "k", AMY)), "aht")
    assert (found.n, found.mean_ms) == (0, None)
    assert found.asides["owned_ms"] == 590_000


def test_chats_at_once_are_weighted_by_their_time(story: Tell) -> None:
    told = Story()
    for chat, start, end in (("a", 0, 100), ("b", 50, 100), ("c", 80, 100), ("d", 100, 110)):
        told.ask(start, chat, chat).accept(start, chat, AMY).resolve(end, chat, AMY)
    found = figure(story(told), "concurrency")
    assert (found.numerator, found.denominator) == (180_000, 110_000)
    assert found.value == pytest.approx(180 / 110)
    assert found.asides["peak"] == 3


def test_a_chat_passed_on_is_not_two_at_once(story: Tell) -> None:
    told = Story().ask(0, "c", "k").accept(0, "c", AMY)
    told.tell(60, "assignment.changed", {"from": AMY, "to": BO}, chat="c", who=AMY)
    told.tell(90, "assignment.ended", {"from": BO}, chat="c").accept(100, "c", AMY)
    rows = by(story(told.resolve(120, "c", AMY)), "concurrency")
    assert {key: (row.numerator, row.value) for key, row in rows.items()} == {
        AMY: (80_000, 1.0),
        BO: (30_000, 1.0),
    }


def test_a_chat_forgotten_open_is_work_for_a_week_at_most(story: Tell) -> None:
    database = story(Story().ask(0, "c", "k").accept(0, "c", AMY))
    assert figure(database, "concurrency").numerator == 7 * DAY * 1000
    assert figure(database, "concurrency", since=8 * DAY).n == 0
    part = figure(database, "concurrency", since=6 * DAY, until=7 * DAY)
    assert part.numerator == DAY * 1000


def test_presence_occupancy_and_utilisation(story: Tell) -> None:
    told = Story()
    present(told, 0, AMY, "online", 4)
    present(told, HOUR, AMY, "away")
    present(told, 2 * HOUR, AMY, "busy", 2)
    present(told, 3 * HOUR, AMY, "offline")
    told.ask(0, "c", "k").accept(30 * MINUTE, "c", AMY).resolve(90 * MINUTE, "c", AMY)
    told.ask(0, "d", "m").accept(45 * MINUTE, "d", AMY).resolve(150 * MINUTE, "d", AMY)
    database = story(told)
    assert figure(database, "online").value == 2 * HOUR * 1000
    assert share(database, "occ") == (HOUR * 1000, 2 * HOUR * 1000)
    # 45 minutes of two sessions in the first hour, 30 of one in the third; 4 and 2 places.
    assert share(database, "util") == (75 * MINUTE * 1000, 6 * HOUR * 1000)
    assert figure(database, "online", until=30 * MINUTE).value == 30 * MINUTE * 1000
    assert figure(database, "online", since=150 * MINUTE).value == 30 * MINUTE * 1000
    hours = by(database, "online", "hour")
    assert {key: row.value for key, row in hours.items()} == {"09": 3_600_000, "11": 3_600_000}


def test_who_never_goes_is_there_until_the_report(story: Tell) -> None:
    database = story(present(Story(), 0, AMY, "online"))
    assert figure(database, "online", 26 * HOUR).value == 26 * HOUR * 1000
    assert [row.value for row in by(database, "online", "day", as_of=26 * HOUR).values()] == [
        15 * HOUR * 1000,
        11 * HOUR * 1000,
    ]


def test_a_bot_that_was_enough_and_one_that_was_not(story: Tell) -> None:
    told = Story()
    for chat in ("alone", "again", "person", "handed", "open"):
        told.ask(0, chat, chat)
        told.tell(5, "message.posted", {"body": "So.", "origin": "bot"}, chat=chat, who="bot")
    for chat in ("alone", "again", "handed"):
        told.resolve(60, chat, "system")
    told.ask(HOUR, "again", "again").tell(50, "bot.handed_off", chat="handed", who="bot")
    told.reply(50, "person", AMY).resolve(60, "person", AMY)
    told.ask(0, "silent", "silent").resolve(60, "silent", "system")
    database = story(told)
    assert share(database, "bot_contain") == (2, 5)
    young = figure(database, "bot_contain", 2 * DAY)
    assert (young.n, young.n_open) == (0, 5)
    assert share(database, "bot_handoff") == (1, 5)


def test_no_figure_of_a_person_has_anything_of_a_bot(story: Tell) -> None:
    told = Story().ask(0, "c", "k")
    told.tell(5, "message.posted", {"body": "So.", "origin": "bot"}, chat="c", who="bot")
    database = story(told.resolve(60, "c", "system").rate(70, "c", 5))
    for metric in ("aht", "concurrency", "online", "greeting_only", "dismissed", "inq_conv_24h"):
        assert figure(database, metric).n == 0, metric
    assert set(by(database, "csat")) == {None}


def test_suggestions_used_and_their_rank(story: Tell) -> None:
    told = Story().ask(0, "c", "k").accept(1, "c", AMY)
    for number in range(4):
        data = {"suggestion_id": f"s{number}", "articles": ["a", "b", "c"]}
        told.tell(10 + number, "suggestion.shown", data, chat="c", who=AMY)
    for number, rank in ((0, 1), (1, 3)):
        used = {"suggestion_id": f"s{number}", "article": "a", "rank": rank}
        told.tell(20 + number, "suggestion.accepted", used, chat="c", who=AMY)
    told.tell(30, "suggestion.shown", {"suggestion_id": "own"}, chat="c", who="customer")
    found = figure(story(told), "kb_use")
    assert (found.numerator, found.denominator, found.score) == (2, 4, 2.0)


def ticket(told: Story, seconds: float, name: str, state: str = "new") -> Story:
    data = {"to": state}
    return told.tell(
        seconds, "ticket.state_changed", data, chat=name, customer=name, channel="email"
    )


def test_tickets_are_replied_to_within_a_day_or_not(story: Tell) -> None:
    told = Story()
    for name in ("soon", "late", "never", "note", "merged", "young"):
        ticket(told, DAY * 3 if name == "young" else 0, name)
    told.reply(23 * HOUR, "soon", AMY).reply(25 * HOUR, "late", AMY)
    told.reply(HOUR, "note", AMY, visibility="private")
    ticket(told, HOUR, "merged", "merged")
    ticket(told, 2 * HOUR, "soon", "open")
    database = story(told)
    assert share(database, "tkt24", 3.5 * DAY) == (1, 4)
    assert figure(database, "tkt24", 3.5 * DAY).n_open == 1
    rows = by(database, "tkt24", as_of=3.5 * DAY)
    assert {key: (row.numerator, row.denominator) for key, row in rows.items()} == {
        AMY: (1, 2),
        None: (0, 2),
    }


def test_targets_met_and_missed_are_of_who_owned_the_chat_then(story: Tell) -> None:
    told = Story().served(0, "c", "k", AMY)
    told.tell(1, "sla.applied", {"policy": "p", "version": 3, "effective_from": 0}, chat="c")
    told.tell(60, "sla.met", {"target": "first_response"}, chat="c")
    told.ask(2 * HOUR, "d", "m").accept(2 * HOUR + 1, "d", AMY)
    told.tell(2 * HOUR + 60, "assignment.changed", {"from": AMY, "to": BO}, chat="d", who=AMY)
    told.tell(3 * HOUR, "sla.breached", {"target": "next", "owner_id": AMY}, chat="d")
    told.tell(3 * HOUR + 5, "sla.met", {"target": "next"}, chat="d")
    told.tell(4 * HOUR, "sla.met", {"target": "resolution"}, chat="d")
    database = story(told)
    assert share(database, "sla_met") == (2, 3)
    rows = by(database, "sla_met")
    assert {key: (row.numerator, row.denominator) for key, row in rows.items()} == {
        AMY: (1, 2),
        BO: (1, 1),
    }


def test_greetings_and_macros_alone_are_told_from_answers(story: Tell) -> None:
    told = Story()
    runs: dict[str, list[dict[str, Any]]] = {
        "greeting": [{"body": "您好"}],
        "both": [{"body": "您好"}, {"body": "这款有货，今天可以发出。"}],
        "macro": [{"body": "Please wait a moment.", "origin": "macro"}] * 2,
        "article": [{"body": "See", "origin": "kb"}],
        "note": [{"body": "Hi"}, {"body": "A long private note", "visibility": "private"}],
    }
    for chat, messages in runs.items():
        told.ask(0, chat, chat).accept(1, chat, AMY)
        for number, data in enumerate(messages):
            told.reply(10 + number, chat, AMY, **data)
        told.ask(60, chat, chat)
    database = story(told)
    assert share(database, "greeting_only") == (2, 5)
    assert share(database, "macro_only") == (1, 5)


def test_silent_endings_dismissals_and_parting_shots_are_counted(story: Tell) -> None:
    told = Story().served(0, "c", "k", AMY)
    told.ask(0, "d", "m").accept(5, "d", BO).resolve(60, "d", BO)
    told.ask(0, "e", "n").accept(5, "e", BO).reply(59.5, "e", BO).resolve(60, "e", BO)
    told.ask(0, "f", "o").accept(5, "f", BO)
    told.tell(9, "turn.dismissed", {"reason": "courtesy"}, chat="f", who=BO)
    told.ask(20, "f", "o").tell(30, "turn.dismissed", {}, chat="f", who="customer")
    database = story(told.resolve(60, "f", BO))
    assert share(database, "resolved_unanswered") == (2, 4)
    assert share(database, "reply_at_resolve") == (1, 2)
    rows = by(database, "dismissed")
    assert {key: (row.numerator, row.denominator) for key, row in rows.items()} == {
        AMY: (0, 1),
        BO: (1, 2),
    }
