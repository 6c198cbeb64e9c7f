"""``shopbell export profiles`` on a small shop whose rows are worked out by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.server import shopbell

ORDERS = """order_id,customer_id,created_at,total,refunded,refunded_at,status,test
1,7,2025-01-10T09:00,10.00,,,paid,
2,7,2025-02-10T09:00,20.00,,,paid,
3,7,2025-03-10T23:30,30.00,30.00,2025-04-01T10:00,paid,
4,8,2025-03-01T00:30,45.50,5.50,2025-03-02T10:00,paid,
5,9,2025-03-01T12:00,99.00,,,paid,yes
6,5,2025-03-11T00:10,80.00,,,paid,
"""


@pytest.fixture
def export(data_dir: Path, tmp_path: Path) -> Callable[..., str]:
    """Exports what a small shop in Shanghai knows; returns what is printed."""
    made = shopbell(
        *("init", "--shop", "Lantern", "--locale", "zh", "--timezone", "Asia/Shanghai"),
        *("--currency", "CNY"),
        data_dir=data_dir,
    )
    assert made.returncode == 0, made.stderr
    orders = tmp_path / "orders.csv"
    orders.write_text(ORDERS)
    done = shopbell("import", "orders", orders, data_dir=data_dir)
    assert done.returncode == 0, done.stderr

    def run(*arguments: str) -> str:
        done = shopbell("export", "profiles", *arguments, data_dir=data_dir)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_rows_of_a_day_are_those_of_its_end(export: Callable[..., str], tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(export("--as-of", "2025-03-10"))))
    assert rows == [
        {
            "customer_id": "7",
            "orders": "3",
            "net_spend": "60.00",
            "currency": "CNY",
            "first_order_at": "2025-01-10T09:00:00+08:00",
            "last_order_at": "2025-03-10T23:30:00+08:00",
            "recency_days": "0",
            "r": "5",
            "f": "3",
            "m": "4",
            "segment": "potential_loyalist",
            "value_cell": "key_value",
            "activity_stage": "active",
            "relationship_stage": "building",
            "top20": "1",
        },
        {
            "customer_id": "8",
            "orders": "1",
            "net_spend": "40.00",
            "currency": "CNY",
            "first_order_at": "2025-03-01T00:30:00+08:00",
            "last_order_at": "2025-03-01T00:30:00+08:00",
            "recency_days": "9",
            "r": "5",
            "f": "1",
            "m": "3",
            "segment": "new",
            "value_cell": "regular_let_go",
            "activity_stage": "new",
            "relationship_stage": "exploring",
            "top20": "0",
        },
        {
            "customer_id": "9",
            "orders": "0",
            "net_spend": "0.00",
            "currency": "CNY",
            "first_order_at": "",
            "last_order_at": "",
            "recency_days": "",
            "r": "",
            "f": "",
            "m": "",
            "segment": "prospects",
            "value_cell": "",
            "activity_stage": "prospect",
            "relationship_stage": "none",
            "top20": "0",
        },
    ]
    # An instant is exclusive; the last order of the day before came 30 minutes earlier.
    early = list(csv.DictReader(io.StringIO(export("--as-of", "2025-03-10T23:30"))))
    assert [(row["customer_id"], row["orders"]) for row in early] == [
        ("7", "2"),
        ("8", "1"),
        ("9", "0"),
    ]
    out = tmp_path / "profiles.json"
    assert export("--as-of", "2025-04-02", "--format", "json", "--out", str(out)) == (
        f"{out}: 4 customers.\n"
    )
    late = {row["customer_id"]: row for row in json.loads(out.read_text())}
    # By then the third order was given back whole.
    assert (late["7"]["orders"], late["7"]["net_spend"]) == (2, "30.00")
    assert (late["7"]["recency_days"], late["5"]["top20"], late["9"]["r"]) == (51, 1, None)


def test_what_cannot_be_is_refused_with_a_line(export: Callable[..., str], data_dir: Path) -> None:
    for arguments, words in (
        (("--as-of", "yesterday"), "ISO 8601"),
        (("--format", "xml"), "csv, json"),
    ):
        done = shopbell("export", "profiles", *arguments, data_dir=data_dir)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
