"""Another desk's random log, measured here and worked out again with pandas and lifelines.

The second calculation shares nothing with the first: it walks over the rows of the file, not over
events of ours, and takes its statistics from other people's libraries.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any  # Any: JSON values and tables

import pandas as pd  # type: ignore[import-untyped]  # has none
import pytest
from lifelines import KaplanMeierFitter  # type: ignore[import-untyped]  # has none
from statsmodels.stats.proportion import (  # type: ignore[import-untyped]  # has none
    proportion_confint,
)

from server.actions.imports import import_events
from server.domain.metrics import METRICS, metric_of
from server.domain.metrics.measure import measure
from server.jobs.figures import keep_figures_now
from server.reports.rows import ReportRow, figures, rows_behind
from server.reports.scope import NOBODY, Scope
from server.reports.sources.conversations import CONVERSATION_SOURCES
from server.storage.database import Database
from server.storage.event_log import last_seq
from tests.reports.worked_example import write_lines

START = 1_763_600_000_000
ZONE = "Asia/Shanghai"
DAY_MS = 86_400_000
AGENTS = ("ann", "ben", "cat")
OURS = [metric for metric in METRICS.values() if metric.source in CONVERSATION_SOURCES]


class Chat:
    """A believable chat of another desk: queue, owner, answers, notes, a bot, closing."""

    def __init__(self, draw: random.Random, name: str, customer: str, channel: str) -> None:
        self.draw = draw
        self.lines: list[dict[str, Any]] = []  # Any: JSON values
        self.at = START + draw.randrange(20 * DAY_MS)
        self.owner = draw.choice(AGENTS)
        self.same = {"conversation": name, "customer": customer, "channel": channel}

    def add(
        self, kind: str, who: str, actor: str | None = None, **data: Any
    ) -> None:  # Any: JSON values
        """One more row; ``who`` is the kind of the actor."""
        self.lines.append(
            {
                "event_id": f"{self.same['conversation']}-{len(self.lines)}",
                "ts": self.at,
                "kind": kind,
                "actor_kind": who,
                "actor": actor,
                "data": data,
                **self.same,
            }
        )

    def ask(self, round_: int) -> None:
        """The shopper writes, perhaps twice; somebody has or gets the chat."""
        self.add("message.posted", "customer", body="?")
        if round_ == 0:
            self.at += 1_000
            self.add("message.posted", "bot", body="hello", origin="auto")
            self.add("queue.entered", "system")
        self.at += self.draw.choice((3_000, 12_000, 40_000, 100_000))
        if self.draw.random() < 0.3:
            self.add("message.posted", "customer", body="??")
        if round_ == 0:
            self.add("assignment.accepted", "agent", self.owner, to=self.owner)
        elif self.draw.random() < 0.2:
            before = self.owner
            self.owner = self.draw.choice([agent for agent in AGENTS if agent != before])
            fields = {"from": before, "to": self.owner, "reason": "transfer"}
            self.add("assignment.changed", "agent", before, **fields)

    def answer(self) -> None:
        """The owner notes, answers once or twice, or dismisses; or does nothing."""
        self.at += self.draw.choice((5_000, 25_000, 60_000, 170_000, 400_000))
        if self.draw.random() < 0.2:
            self.add("message.posted", "agent", self.owner, body="n", visibility="private")
        if self.draw.random() < 0.85:
            origin = self.draw.choice(("typed", "macro", "kb"))
            self.add("message.posted", "agent", self.owner, body="!", origin=origin)
            if self.draw.random() < 0.3:
                self.at += 4_000
                self.add("message.posted", "agent", self.owner, body="and", origin="typed")
        elif self.draw.random() < 0.5:
            self.add("turn.dismissed", "agent", self.owner, reason="courtesy")
        self.at += self.draw.choice((20_000, 90_000, 600_000))


def foreign_log(seed: int, *, chats: int = 60) -> list[dict[str, Any]]:  # Any: JSON values
    """The rows of many chats in the order of time."""
    draw = random.Random(seed)
    lines: list[dict[str, Any]] = []  # Any: JSON values
    for number in range(chats):
        customer = f"buyer-{draw.randrange(chats // 2)}"
        chat = Chat(draw, f"chat-{seed}-{number}", customer, ("chat", "email")[number % 2])
        for round_ in range(draw.randrange(1, 5)):
            chat.ask(round_)
            chat.answer()
        if draw.random() < 0.7:
            chat.add("conversation.status_changed", "agent", chat.owner, status="resolved")
        lines += chat.lines
    return sorted(lines, key=lambda line: line["ts"])


def turns_of(  # noqa: C901  # one branch a kind of row
    lines: list[dict[str, Any]],  # Any: JSON values
    as_of: int,
) -> pd.DataFrame:
    """One row a turn, worked out from the rows of the file."""
    found: list[dict[str, Any]] = []
    for name, rows in pd.DataFrame(lines).groupby("conversation", sort=False):
        waiting: dict[str, Any] | None = None
        owner, first = None, True
        for row in rows.itertuples():
            data = row.data
            if row.kind.startswith("assignment"):
                owner = data["to"]
            public = data.get("visibility", "public") == "public"
            ended = None
            if row.kind == "message.posted" and row.actor_kind == "customer":
                if waiting is None:
                    waiting = {"chat": name, "customer": row.customer, "ask": row.ts}
                    waiting |= {"first": first, "channel": row.channel}
                    found.append(waiting)
                    first = False
            elif row.kind == "message.posted" and row.actor_kind == "agent" and public:
                ended = ("answered", row.actor)
            elif row.kind == "turn.dismissed":
                ended = ("dismissed", owner)
            elif row.kind == "conversation.status_changed":
                ended = ("closed_unanswered", owner)
            if ended is not None and waiting is not None:
                waiting |= {"end": row.ts, "outcome": ended[0], "agent": ended[1]}
                waiting = None
        if waiting is not None:
            waiting |= {"end": as_of, "outcome": "waiting", "agent": owner}
    table = pd.DataFrame(found)
    table["wait"] = table["end"] - table["ask"]
    table["answered"] = table["outcome"] == "answered"
    local = pd.to_datetime(table["ask"], unit="ms", utc=True).dt.tz_convert(ZONE)
    table["hour"], table["day"] = local.dt.hour, local.dt.strftime("%Y-%m-%d")
    return table


def told(database: Database, as_of: int, **changes: Any) -> dict[str, ReportRow]:
    """What a report says of every metric of conversations."""
    by = changes.pop("by", None)
    scope = Scope(timezone=ZONE, as_of_ms=as_of, **changes)
    rows = database.read_now(lambda c: figures(c, scope).rows(OURS, by=by))
    return {f"{row.metric}:{row.group}" if by else row.metric: row for row in rows}


def same_time(row: ReportRow, table: pd.DataFrame) -> None:
    """Median, mean, counts and Kaplan-Meier as lifelines has them."""
    fitted = KaplanMeierFitter().fit(table["wait"], table["answered"])
    assert row.n == len(table)
    assert row.n_open == (table["outcome"] == "waiting").sum()
    median = fitted.median_survival_time_
    assert row.median_ms == (None if math.isinf(median) else median)
    answered = table.loc[table["answered"], "wait"]
    assert row.mean_ms == (math.floor(answered.mean() + 0.5) if len(answered) else None)
    if row.n >= 29:
        waiting = fitted.survival_function_.iloc[:, 0]
        reached = waiting[waiting <= 0.1]
        assert row.p90_ms == (reached.index[0] if len(reached) else None)


def same_rate(row: ReportRow, good: int, total: int) -> None:
    """Numerator, denominator and interval as statsmodels has it."""
    assert (row.numerator, row.denominator) == (good, total)
    if total:
        assert row.interval == pytest.approx(proportion_confint(good, total, method="wilson"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_foreign_log_gives_what_others_work_out(
    shop_database: Database, tmp_path: Path, seed: int
) -> None:
    lines = foreign_log(seed)
    as_of = START + 21 * DAY_MS
    path = write_lines(tmp_path / "log.ndjson", lines)
    assert import_events(shop_database, path).rejected == []
    table = turns_of(lines, as_of)
    for keep in (False, True):
        if keep:
            keep_figures_now(shop_database)
        rows = told(shop_database, as_of)
        same_time(rows["rt"], table)
        same_time(rows["frt"], table[table["first"]])
        for agent, group in table.groupby("agent"):
            same_time(told(shop_database, as_of, by="agent")[f"rt:{agent}"], group)
        matured = table[
            (table["ask"] <= as_of - 180_000)
            & table["hour"].between(8, 22)
            & (table["outcome"] != "dismissed")
        ]
        good = matured["answered"] & (matured["wait"] <= 180_000)
        same_rate(rows["r3m_turn"], int(good.sum()), len(matured))
        by_customer = good.groupby([matured["customer"], matured["day"]]).all()
        same_rate(rows["r3m_cust"], int(by_customer.sum()), len(by_customer))
        first = table[table["first"]]
        for seconds in (30, 180):
            quick = first["answered"] & (first["wait"] <= seconds * 1000)
            same_rate(rows[f"sl_{seconds}"], int(quick.sum()), len(first))
        messages = pd.DataFrame(lines)
        messages = messages[messages["kind"] == "message.posted"]
        public = messages["data"].map(lambda data: data.get("visibility", "public") == "public")
        agents = messages[(messages["actor_kind"] == "agent") & public]
        asked = messages[messages["actor_kind"] == "customer"]
        assert (rows["qa_ratio"].numerator, rows["qa_ratio"].denominator) == (
            len(agents),
            len(asked),
        )
        assert rows["consulted"].value == asked["customer"].nunique()
        assert rows["received"].value == agents["customer"].nunique()
        assert rows["wait_total"].median_ms == pytest.approx(
            table.groupby("chat")["wait"].sum().quantile(0.5, interpolation="lower"), abs=1
        )
        passed = {line["conversation"] for line in lines if line["kind"] == "assignment.changed"}
        same_rate(rows["transfer"], len(passed), table["chat"].nunique())


def test_the_columns_say_what_the_rows_say(shop_database: Database, tmp_path: Path) -> None:
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", foreign_log(3, chats=25)))
    scope = Scope(timezone=ZONE, as_of_ms=START + 15 * DAY_MS)

    def compare(connection: Any) -> None:  # Any: a connection
        loaded = figures(connection, scope)
        for metric in OURS:
            frame = loaded.counting(metric)
            plain = measure(metric, list(frame.rows()), as_of_ms=scope.as_of_ms)
            found = loaded.of(metric)
            for name in ("n", "n_open", "value", "numerator", "denominator", "asides"):
                assert getattr(found, name) == getattr(plain, name), (metric.id, name)
            for name in ("median_ms", "p90_ms", "p95_ms", "mean_ms", "answered", "longest_ms"):
                assert getattr(found, name) == getattr(plain, name), (metric.id, name)

    shop_database.read_now(compare)


def test_the_shares_of_a_wait_add_up_to_it(shop_database: Database, tmp_path: Path) -> None:
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", foreign_log(4)))
    scope = Scope(timezone=ZONE, as_of_ms=START + 15 * DAY_MS)

    def sums(connection: Any) -> tuple[pd.Series, pd.Series]:  # Any: a connection
        loaded = figures(connection, scope)
        turns, shares = loaded.frame("turn"), loaded.frame("share")
        waits = pd.DataFrame(
            {name: turns.numbers(name) for name in ("conversation", "turn_no", "wait_ms")}
        )
        parts = pd.DataFrame(
            {name: shares.numbers(name) for name in ("conversation", "turn_no", "span_ms")}
        )
        keys = ["conversation", "turn_no"]
        return waits.set_index(keys)["wait_ms"], parts.groupby(keys)["span_ms"].sum()

    waits, parts = shop_database.read_now(sums)
    assert len(waits) > 50
    assert parts.reindex(waits.index, fill_value=0).eq(waits).all()


def test_behind_each_figure_stand_as_many_rows_as_it_says(
    shop_database: Database, tmp_path: Path
) -> None:
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", foreign_log(5, chats=30)))
    keep_figures_now(shop_database)
    agent = shop_database.read_now(
        lambda c: next(k for k in figures(c, _scope()).by(metric_of("rt"), "agent") if k)
    )
    filters: list[dict[str, Any]] = [  # Any: fields of Scope
        {},
        {"agent_id": agent},
        {"agent_id": NOBODY},
        {"team_id": NOBODY},
        {"channel": "email", "hour": 15},
        {"weekday": 2, "from_ms": START, "to_ms": START + 9 * DAY_MS},
        {"outcome": "answered", "wait_from_ms": 30_000, "wait_to_ms": 180_001},
        {"label": NOBODY, "as_of_seq": shop_database.read_now(last_seq) // 2},
    ]

    def compare(connection: Any) -> int:  # Any: a connection
        rows = 0
        for changes in filters:
            scope = _scope(**changes)
            loaded = figures(connection, scope)
            for metric in OURS:
                behind = loaded.behind(metric)
                assert behind.n == loaded.of(metric).n, (metric.id, changes)
                rows += behind.n
        return rows

    assert shop_database.read_now(compare) > 500
    names = shop_database.read_now(
        lambda c: rows_behind(c, _scope(), metric_of("rt")).conversation_id.tolist()
    )
    assert all(names)


def _scope(**changes: Any) -> Scope:  # Any: fields of Scope
    return Scope(timezone=ZONE, as_of_ms=START + 15 * DAY_MS, **changes)
