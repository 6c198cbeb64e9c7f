"""Contacts per order by product: what was ordered is what the log said when it was paid."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Connection

from server.actions.imports import import_events
from server.domain.metrics import Figures, Metric, metric_of
from server.jobs.figures import keep_figures_now
from server.reports.page_csv import page_csv
from server.reports.rows import ReportRow, figures, report, rows_behind
from server.reports.scope import NOBODY, Scope
from server.storage.database import Database
from tests.reports.stories import DAY, HOUR, MINUTE, Story, at_ms
from tests.reports.worked_example import event_lines, write_lines

Tell = Callable[[Story], Database]
Shares = dict[str | None, tuple[int | None, int | None]]
AMY = "amy"
METRICS = ("contact_per_order", "contact_per_order_linked", "aov_chat")


def scope(as_of: float = 400 * DAY, **options: int) -> Scope:
    return Scope(timezone="Asia/Shanghai", as_of_ms=at_ms(as_of), **options)  # type: ignore[arg-type]  # instants


def by_sku(database: Database, metric: str, of: Scope | None = None) -> Shares:
    ask = partial(report, metric_ids=[metric], scope=of or scope(), by="sku")
    rows: list[ReportRow] = database.read_now(ask)
    return {row.group: (row.numerator, row.denominator) for row in rows}


def test_a_chat_belongs_to_each_sku_of_the_latest_order_before_it(story: Tell) -> None:
    told = Story().pay(0, "o1", "k", skus=["LAMP"]).pay(DAY, "o2", "k", skus=["DESK", "CHAIR"])
    told.served(2 * DAY, "c", "k", AMY).served(2 * DAY, "d", "stranger", AMY)
    told.pay(3 * DAY, "o3", "other", skus=["LAMP"])
    assert by_sku(story(told), "contact_per_order") == {
        "CHAIR": (1, 1),
        "DESK": (1, 1),
        "LAMP": (0, 2),
        None: (1, 0),
    }


def test_in_the_worked_example_the_second_day_is_about_what_was_bought_on_the_first(
    shop_database: Database, tmp_path: Path
) -> None:
    lines = [
        line | {"data": line["data"] | {"skus": ["LAMP-3"]}}
        if line["kind"] == "order.paid"
        else line
        for line in event_lines()
    ]
    import_events(shop_database, write_lines(tmp_path / "c1.ndjson", lines))
    assert by_sku(shop_database, "contact_per_order") == {"LAMP-3": (1, 1), None: (1, 0)}
    whole = partial(report, metric_ids=["contact_per_order"], scope=scope())
    (row,) = shop_database.read_now(whole)
    assert (row.numerator, row.denominator) == (2, 1)
    assert by_sku(shop_database, "aov_chat") == {"LAMP-3": (29_900, 1)}


@pytest.mark.parametrize(("days", "group"), [(30, "LAMP"), (30.001, None)])
def test_an_order_of_more_than_thirty_days_ago_is_not_what_a_chat_is_about(
    story: Tell, days: float, group: str | None
) -> None:
    told = Story().pay(0, "o", "k", skus=["LAMP"]).ask(days * DAY, "c", "k")
    found = by_sku(story(told), "contact_per_order", replace(scope(), from_ms=at_ms(HOUR)))
    assert found == {group: (1, 0)}


def test_a_later_telling_of_the_same_order_changes_nothing(story: Tell) -> None:
    told = Story().pay(0, "o", "k", skus=["LAMP"]).pay(HOUR, "o", "k", skus=["DESK"])
    told.ask(2 * HOUR, "c", "k")
    assert by_sku(story(told), "contact_per_order") == {"LAMP": (1, 1)}


def a_shop(seed: int) -> Story:
    """Two months of orders of one to three products, and of chats before and after them."""
    draw = random.Random(seed)
    told = Story(prefix=f"p{seed}-")
    for number in range(90):
        buyer = f"k{draw.randrange(8)}"
        when = draw.randrange(60 * DAY) + draw.random()
        if draw.random() < 0.5:
            skus = draw.sample(["A", "B", "C", "D"], draw.randrange(4))
            told.pay(when, f"o{number}", buyer, skus=skus)
        else:
            told.served(when, f"c{number}", buyer, AMY)
    told.lines.sort(key=lambda line: line["ts"])
    return told


def plainly(told: Story, *, from_s: float, to_s: float) -> Shares:
    """The same figure from the lines, one by one."""
    paid = [line for line in told.lines if line["kind"] == "order.paid"]
    asked: dict[str, dict[str, object]] = {}
    for line in told.lines:
        if line["kind"] == "message.posted" and line["actor_kind"] == "customer":
            asked.setdefault(line["conversation"], line)
    first, last = (Story().tell(s, "x").lines[0]["ts"] for s in (from_s, to_s))
    contacts: dict[str | None, int] = defaultdict(int)
    orders: dict[str | None, int] = defaultdict(int)
    for chat in asked.values():
        if not first <= str(chat["ts"]) < last:
            continue
        mine = [one for one in paid if one["customer"] == chat["customer"]]
        mine = [one for one in mine if one["ts"] <= str(chat["ts"])]
        latest = mine[-1] if mine else None
        if latest and ms(str(chat["ts"])) - ms(latest["ts"]) > 30 * DAY * 1000:
            latest = None
        for sku in (latest["data"]["skus"] if latest else []) or [None]:
            contacts[sku] += 1
    for one in paid:
        if first <= one["ts"] < last:
            for sku in one["data"]["skus"] or [None]:
                orders[sku] += 1
    return {sku: (contacts[sku], orders[sku]) for sku in {*contacts, *orders}}


def _of_products(
    connection: Connection, *, scope: Scope, metric: Metric
) -> dict[str | int | None, Figures]:
    return figures(connection, scope).by(metric, "sku")


def ms(iso: str) -> int:
    """An instant of a line in milliseconds."""
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


@pytest.mark.parametrize(("seed", "day"), [(1, 0), (2, 14), (3, 40)])
def test_random_shops_give_what_counting_one_by_one_gives(story: Tell, seed: int, day: int) -> None:
    told = a_shop(seed)
    database = story(told)
    period = scope(from_ms=at_ms(day * DAY), to_ms=at_ms((day + 21) * DAY))
    right = plainly(told, from_s=day * DAY, to_s=(day + 21) * DAY)
    assert by_sku(database, "contact_per_order", period) == right
    keep_figures_now(database)
    assert by_sku(database, "contact_per_order", period) == right
    for metric in map(metric_of, METRICS):
        loaded = database.read_now(partial(_of_products, scope=period, metric=metric))
        for key, one in loaded.items():
            narrow = replace(period, sku=NOBODY if key is None else str(key))
            rows = database.read_now(partial(rows_behind, scope=narrow, metric=metric))
            assert rows.n == one.n + sum(other.n for other in one.others)


def test_the_file_of_a_page_has_a_line_for_each_product(story: Tell) -> None:
    told = Story().pay(0, "o1", "k", skus=["LAMP", "=1+1"]).ask(MINUTE, "c", "k")
    chosen = {name: metric_of(name) for name in ("contact_per_order", "frt")}
    text = story(told).read_now(partial(page_csv, scope=scope(), metrics=chosen))
    found = [row for row in csv.DictReader(StringIO(text)) if row["by"] == "sku"]
    assert [(row["group"], row["metric"], row["value"]) for row in found] == [
        ("'=1+1", "contact_per_order", "1.0"),
        ("LAMP", "contact_per_order", "1.0"),
    ]
