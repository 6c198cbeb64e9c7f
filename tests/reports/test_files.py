"""Files of pages have the numbers of the command line, and money in whole units."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from io import StringIO

import pytest

from server.domain.dimensions import DIMENSIONS
from server.domain.metrics import METRICS, metric_of
from server.reports.cli import formatted
from server.reports.page_csv import page_csv
from server.reports.rows import csv_of, report
from server.reports.scope import Scope
from server.reports.stored import make_report, rows_of
from server.storage.database import Database
from tests.reports.stories import DAY, HOUR, Story, at_ms

Tell = Callable[[Story], Database]
AMY = "amy"
SAME = (
    *("metric", "group", "definition_version", "as_of_seq", "n", "n_open", "value", "unit"),
    *("currency", "numerator", "denominator", "interval_low", "interval_high"),
    *("median_ms", "p90_ms", "p95_ms", "mean_ms"),
)


def scope() -> Scope:
    """The first two days, as seen ten days later."""
    as_of_ms = at_ms(10 * DAY)
    return Scope(timezone="UTC", as_of_ms=as_of_ms, from_ms=at_ms(0), to_ms=at_ms(2 * DAY))


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@pytest.fixture
def database(story: Tell) -> Database:
    """A shop that sold in three currencies with different places after three chats."""
    told = Story()
    sold = (("CNY", 29_900), ("JPY", 980), ("KWD", 12_345))
    for number, (currency, minor) in enumerate(sold):
        told.served(number * HOUR, f"c{number}", f"k{number}", AMY)
        told.pay(DAY, f"o{number}", f"k{number}", minor, currency=currency, skus=["LAMP"])
    return story(told)


def test_money_is_in_whole_units_of_the_currency_beside_it(database: Database) -> None:
    rows = database.read_now(partial(report, metric_ids=["aov_chat"], scope=scope()))
    expected = {
        ("CNY", "299.00", "299.00", "1"),
        ("JPY", "980", "980", "1"),
        ("KWD", "12.345", "12.345", "1"),
    }
    names = ("currency", "value", "numerator", "denominator")
    assert {tuple(row[name] for name in names) for row in read(formatted(rows, "csv"))} == expected
    assert "299.00 CNY" in formatted(rows, "table")
    kept = database.read_now(lambda c: make_report(c, ["aov_chat"], now_ms=scope().as_of_ms))
    assert {tuple(row[name] for name in names) for row in read(csv_of(rows_of(kept.body)))} == (
        expected
    )


@pytest.mark.parametrize("by", [None, *DIMENSIONS])
def test_the_file_of_a_page_says_what_the_command_line_says(
    database: Database, by: str | None
) -> None:
    chosen = ("frt", "rt", "r3m_turn", "received", "aov_chat", "inq_conv_24h", "contact_per_order")
    metrics = {name: metric_of(name) for name in chosen}
    page = read(database.read_now(partial(page_csv, scope=scope(), metrics=metrics)))
    rows = database.read_now(partial(report, metric_ids=chosen, scope=scope(), by=by))
    line = read(formatted(rows, "csv"))
    if by == "sku":
        # Only figures of orders go by product; the others would be one group without a name.
        with_products = {row["metric"] for row in page if row["by"] == "sku"}
        assert with_products == {"aov_chat", "contact_per_order"}
        line = [row for row in line if row["metric"] in with_products]
    asked = [row for row in page if row["by"] == (by or "all")]
    assert [[row[name] for name in SAME] for row in asked] == [
        [row[name] for name in SAME] for row in line
    ]
    assert asked


def test_every_figure_of_a_page_is_that_of_the_command_line(database: Database) -> None:
    rows = database.read_now(partial(report, metric_ids=list(METRICS), scope=scope()))
    line = read(formatted(rows, "csv"))
    page = read(database.read_now(partial(page_csv, scope=scope(), metrics=METRICS)))
    whole = [row for row in page if row["by"] == "all"]
    assert [[row[name] for name in SAME] for row in whole] == [
        [row[name] for name in SAME] for row in line
    ]
