"""``shopbell rule``: rules are carried from one shop to another, shown and tried."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.server import shopbell

RULE = {
    "name": "Large refunds",
    "on": {"events": ["ticket_created"]},
    "when": {
        "groups": [
            {"clauses": [{"field": "ticket.field.refund.amount", "op": "min", "values": [50000]}]}
        ]
    },
    "then": [{"do": "set_priority", "priority": "high"}],
    "enabled": True,
}


def test_rules_are_carried_shown_and_tried(data_dir: Path, tmp_path: Path) -> None:
    made = shopbell(
        *("init", "--shop", "S", "--locale", "zh", "--timezone", "UTC", "--currency", "CNY"),
        data_dir=data_dir,
    )
    assert made.returncode == 0, made.stderr
    path, back = tmp_path / "rules.json", tmp_path / "back.json"
    path.write_text(json.dumps({"rules": [RULE, RULE | {"name": "Off", "enabled": False}]}))

    def run(*arguments: str | Path) -> str:
        done = shopbell("rule", *arguments, data_dir=data_dir)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("import", path, "--dry-run").splitlines() == [
        "would be added  Large refunds",
        "would be added  Off",
    ]
    assert run("import", path).startswith("added  Large refunds\n")
    assert [line.split()[1] for line in run("list").splitlines()] == ["on", "off"]
    assert "退款申请的金额至少为" in run("show", "Large refunds")
    assert run("try", "Large refunds").startswith("0 of 0 match")
    run("export", "--out", back)
    assert run("import", back).splitlines() == ["same  Large refunds", "same  Off"]
    # All or none: what makes no sense is named, and nothing is taken.
    path.write_text(json.dumps([RULE | {"name": "Third"}, RULE | {"name": "Bad", "then": []}]))
    done = shopbell("rule", "import", path, data_dir=data_dir)
    assert done.returncode == 1
    assert done.stderr.startswith("shopbell: Rule 2 (Bad): ")
    assert len(run("list").splitlines()) == 2
