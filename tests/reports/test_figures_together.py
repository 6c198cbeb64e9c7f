"""All metrics at once: what the worked example gives, the rows behind, other logs, later logs."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any  # Any: JSON values

import pytest

from server.domain.metrics import METRICS, metric_of
from server.reports.cli import formatted, report_command
from server.reports.rows import figures, report, rows_behind
from server.reports.scope import Scope
from server.storage.database import Database
from server.storage.event_log import last_seq
from tests.reports.stories import DAY, HOUR, Story, at_ms
from tests.reports.worked_example import AMY, AS_OF, BO

Tell = Callable[[Story], Database]
# What is expected of a metric: n, n_open, value, numerator, denominator.
EXPECTED: dict[str, tuple[Any, ...]] = {
    "aht": (0, 0, None, 0, 0),
    "concurrency": (2, 0, 1.0, 360_000, 360_000),
    "online": (54, 0, 188_400_000, None, None),
    "bot_contain": (0, 1, None, 0, 0),
    "csat": (1, 0, 1.0, 1, 1),
    "csat_rr": (1, 1, 1.0, 1, 1),
    "csat_invite": (1, 0, 1.0, 1, 1),
    "tkt24": (0, 0, None, 0, 0),
    "sla_met": (0, 0, None, 0, 0),
    "inq_conv_24h": (1, 0, 1.0, 1, 1),
    "inq_conv_96h": (0, 1, None, 0, 0),
    "aov_chat": (1, 0, "299.00", 29_900, 1),
    "repeat_90d": (0, 1, None, 0, 0),
    "repeat_1d": (1, 0, 0.0, 0, 1),
    "contact_per_order": (2, 0, 2.0, 2, 1),
    "contact_per_order_linked": (0, 1, None, 0, 0),
    "kb_use": (0, 0, None, 0, 0),
    "greeting_only": (2, 0, 0.5, 1, 2),
    "macro_only": (2, 0, 0.0, 0, 2),
    "resolved_unanswered": (1, 0, 0.0, 0, 1),
    "dismissed": (3, 0, 1 / 3, 1, 3),
    "reply_at_resolve": (1, 0, 0.0, 0, 1),
}
OWNERS = {"csat": {AMY}, "inq_conv_24h": {BO}, "aov_chat": {BO}, "concurrency": {AMY, BO}}


def test_the_worked_example_gives_what_was_worked_out(example: Database) -> None:
    rows = example.read_now(
        partial(report_command, metric_ids=list(EXPECTED), now_ms=0, as_of=AS_OF)
    )
    found = {
        row.metric: (row.n, row.n_open, row.value, row.numerator, row.denominator) for row in rows
    }
    assert found == EXPECTED
    csat = next(row for row in rows if row.metric == "csat")
    assert csat.interval == pytest.approx((0.207, 1.0), abs=5e-4)
    for metric, owners in OWNERS.items():
        by_agent = partial(report_command, metric_ids=[metric], now_ms=0, as_of=AS_OF, by="agent")
        assert {row.group for row in example.read_now(by_agent)} == owners, metric
    text = list(csv.DictReader(io.StringIO(formatted(rows, "csv"))))
    assert [(row["metric"], row["n"]) for row in text] == [(row.metric, str(row.n)) for row in rows]
    as_json = {row["metric"]: row for row in json.loads(formatted(rows, "json"))}
    assert as_json["aov_chat"]["value"] == "299.00"
    assert as_json["aov_chat"]["filters"]["currency"] == "CNY"


def a_month(seed: int, *, chats: int, prefix: str = "m") -> Story:
    """Chats of thirty days, at random: some served, some not, some rated, some followed by one."""
    chance = random.Random(seed)
    told = Story(prefix=prefix)
    for number in range(chats):
        chat, customer = f"{prefix}{number}", f"k{chance.randrange(chats // 2)}"
        at = chance.uniform(0, 30 * DAY)
        agent = chance.choice(["amy", "bo", "cai"])
        told.ask(at, chat, customer, channel=chance.choice(["chat", "email"]))
        if chance.random() < 0.2:
            continue
        told.accept(at + 20, chat, agent).reply(at + chance.uniform(30, 900), chat, agent)
        if chance.random() < 0.3:
            other = chance.choice(["amy", "bo"])
            told.ask(at + 1000, chat, customer).reply(at + 1100, chat, other)
        focused = {"focused_ms": chance.randrange(1000, 200_000)}
        told.tell(at + 300, "agent.focus_recorded", focused, chat=chat, who=agent)
        if chance.random() < 0.9:
            told.resolve(at + 2 * HOUR, chat, agent)
            told.ask_rating(at + 2 * HOUR + 1, chat)
            if chance.random() < 0.4:
                told.rate(at + 3 * HOUR, chat, chance.randint(1, 5))
    for number in range(chats):
        at, customer = chance.uniform(-10 * DAY, 40 * DAY), f"k{chance.randrange(chats // 2)}"
        told.pay(at, f"{prefix}o{number}", customer, chance.randrange(1000, 90_000))
    return told


def by_hand(told: Story, hours: int, as_of: int) -> dict[str, Any]:
    """Conversion, sales and ratings of a month from its rows alone, in the plainest way."""
    chats, orders = read_by_hand(told)
    for chat in chats.values():
        before = range(chat["at"] - DAY * 1000, chat["at"])
        chat["presale"] = not any(o[1] == chat["who"] and o[0] in before for o in orders)
    span = hours * HOUR * 1000
    bought: set[str] = set()
    sales: dict[str, int] = {}
    for at, who, minor in orders:
        replies = [
            (reply, name)
            for name, chat in chats.items()
            if chat["who"] == who and chat["presale"]
            for reply in chat["replies"]
            if reply <= at
        ]
        reply, name = max(replies, default=(0, ""))
        if at - reply <= span:
            bought.add(name)
        if at - reply <= 96 * HOUR * 1000:
            sales[who] = sales.get(who, 0) + minor
    ripe = [
        name
        for name, chat in chats.items()
        if chat["presale"] and chat["replies"] and chat["replies"][-1] <= as_of - span
    ]
    scores = [chat["score"] for chat in chats.values() if "score" in chat]
    return {
        "inq": (sum(name in bought for name in ripe), len(ripe)),
        "sales": (sum(sales.values()), len(sales)),
        "csat": (sum(score >= 4 for score in scores), len(scores)),
        "scores": Counter(scores),
    }


def read_by_hand(told: Story) -> tuple[dict[str, dict[str, Any]], list[tuple[int, str, int]]]:
    """Each chat's first message, answers and score; the orders as (paid, customer, amount)."""
    chats: dict[str, dict[str, Any]] = {}
    orders = []
    for line in sorted(told.lines, key=lambda line: str(line["ts"])):
        at = round(1000 * datetime.fromisoformat(line["ts"]).timestamp())
        chat = chats.get(line["conversation"] or "", {})
        match line["kind"], line["actor_kind"]:
            case "order.paid", _:
                orders.append((at, line["customer"], line["data"]["amount_minor"]))
            case "message.posted", "customer":
                new = {"at": at, "who": line["customer"], "replies": []}
                chats.setdefault(line["conversation"], new)["open"] = True
            case "message.posted", _:
                if chat.pop("open", False):
                    chat["replies"].append(at)
            case "rating.given", _:
                chat["score"] = line["data"]["score"]
    return chats, orders


@pytest.mark.parametrize("seed", [1, 2])
def test_a_month_of_another_desk_gives_what_its_rows_say(story: Tell, seed: int) -> None:
    told = a_month(seed, chats=120)
    as_of = at_ms(60 * DAY)
    expected = by_hand(told, 48, as_of)
    database = story(told)
    scope = Scope(timezone="Asia/Shanghai", as_of_ms=as_of)

    def of(metric: str) -> Any:
        return database.read_now(
            lambda connection: figures(connection, scope).of(metric_of(metric))
        )

    inquiries, sales, csat = of("inq_conv_48h"), of("aov_chat"), of("csat")
    assert (inquiries.numerator, inquiries.denominator) == expected["inq"]
    assert (sales.numerator, sales.denominator) == expected["sales"]
    assert (csat.numerator, csat.denominator) == expected["csat"]
    assert {n: csat.asides[f"score_{n}"] for n in range(1, 6)} == {
        n: expected["scores"][n] for n in range(1, 6)
    }


def test_as_many_rows_stand_behind_as_the_number_says(story: Tell) -> None:
    database = story(a_month(3, chats=60))
    scopes = [
        Scope(timezone="Asia/Shanghai", as_of_ms=at_ms(60 * DAY)),
        Scope(
            timezone="Asia/Shanghai",
            as_of_ms=at_ms(60 * DAY),
            from_ms=at_ms(5 * DAY),
            to_ms=at_ms(20 * DAY),
            channel="chat",
        ),
        Scope(timezone="Asia/Shanghai", as_of_ms=at_ms(10 * DAY), agent_id="-", hour=10),
    ]

    def differing(connection: Any) -> list[tuple[str, int, int]]:
        wrong = []
        for scope in scopes:
            for metric in (*METRICS.values(), metric_of("inq_conv_48h"), metric_of("repeat_3d")):
                if metric.kind == "money":
                    continue
                n = figures(connection, scope).of(metric).n
                rows = rows_behind(connection, scope, metric)
                if rows.n != n:
                    wrong.append((metric.id, n, rows.n))
        return wrong

    assert database.read_now(differing) == []


def test_agents_add_up_to_all_where_each_row_is_of_one(story: Tell) -> None:
    database = story(a_month(4, chats=60))
    scope = Scope(timezone="Asia/Shanghai", as_of_ms=at_ms(60 * DAY))
    names = ["csat", "inq_conv_24h", "aht", "online", "greeting_only", "reply_at_resolve"]
    for name in names:
        (whole,) = database.read_now(partial(report, metric_ids=[name], scope=scope))
        parts = database.read_now(partial(report, metric_ids=[name], scope=scope, by="agent"))
        assert sum(row.n for row in parts) == whole.n, name


def test_a_report_of_an_earlier_log_is_the_same_after_the_log_went_on(
    story: Tell, tmp_path: Path
) -> None:
    names = [*(name for name in METRICS), "inq_conv_48h", "repeat_3d"]
    database = story(a_month(5, chats=40))
    seq = database.read_now(last_seq)
    scope = Scope(timezone="Asia/Shanghai", as_of_ms=at_ms(20 * DAY), as_of_seq=seq)
    ask = partial(report, metric_ids=names, scope=scope)
    before = [(database.read_now(ask), database.read_now(partial(ask, by="agent")))]
    later = a_month(6, chats=20, prefix="n")
    later.tell(9 * DAY, "conversation.status_changed", {"status": "spam"}, chat="m1")
    later.rate(10 * DAY, "m2", 1).tell(
        11 * DAY, "conversation.tagged", {"add": ["test"]}, chat="m3"
    )
    later.reply(12 * DAY, "m4", "amy").ask(13 * DAY, "m5", "new", channel="chat")
    later.lines = [
        line | {"customer": None} if line["conversation"] in {f"m{n}" for n in range(40)} else line
        for line in later.lines
    ]
    later.write(database, tmp_path)
    assert [(database.read_now(ask), database.read_now(partial(ask, by="agent")))] == before
