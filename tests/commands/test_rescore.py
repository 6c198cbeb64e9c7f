"""``shopbell rescore``: a shop's own classes and clocks, at once."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.server import shopbell

ORDERS = "order_id,customer_id,created_at,total\n" + "".join(
    f"{number},{number % 4},2025-01-{1 + number:02d},10.00\n" for number in range(10)
)


def test_a_shop_has_its_own_classes_from_then_on(data_dir: Path, tmp_path: Path) -> None:
    made = shopbell(
        *("init", "--shop", "Lantern", "--locale", "zh", "--timezone", "Asia/Shanghai"),
        *("--currency", "CNY"),
        data_dir=data_dir,
    )
    assert made.returncode == 0, made.stderr
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    assert shopbell("import", "orders", path, data_dir=data_dir).returncode == 0
    done = shopbell("rescore", "--f-classes", "2,4,6,8", "--often", "3", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    assert "4 customers, 4 changed, 0 had drifted." in done.stdout
    # What was not named stays as it was.
    again = shopbell("rescore", "--clocks", "20,50", "--label", "cells", data_dir=data_dir)
    assert again.returncode == 0, again.stderr
    found = shopbell(
        *("export", "profiles", "--as-of", "2025-01-31", "--format", "json"), data_dir=data_dir
    )
    rows = json.loads(found.stdout)
    assert [(row["orders"], row["f"]) for row in rows] == [(3, 2), (3, 2), (2, 2), (2, 2)]
    # All last orders were more than 20 days before, none of them 50.
    assert [row["activity_stage"] for row in rows] == ["dormant", "dormant", "dormant", "dormant"]
    verified = shopbell("verify", data_dir=data_dir)
    assert verified.returncode == 0, verified.stdout


def test_what_makes_no_sense_is_refused(data_dir: Path) -> None:
    made = shopbell(
        *("init", "--shop", "S", "--locale", "en", "--timezone", "UTC", "--currency", "EUR"),
        data_dir=data_dir,
    )
    assert made.returncode == 0, made.stderr
    for arguments in (
        ("--f-classes", "2,2,3,4"),
        ("--f-classes", "two"),
        ("--clocks", "60"),
        ("--clocks", "60,20"),
        ("--often", "0"),
        ("--label", "best"),
    ):
        done = shopbell("rescore", *arguments, data_dir=data_dir)
        assert done.returncode == 1, arguments
        assert len(done.stderr.splitlines()) == 1
