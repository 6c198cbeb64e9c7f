"""The one line in both languages, and which row of the playbook is whose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.domain.lifecycle import RELATIONSHIP_STAGES
from server.domain.playbook import (
    CELL_NAMES,
    COLUMNS,
    DEFAULTS,
    MAX_TEXT,
    ROW_NAMES,
    ROWS,
    SEGMENT_NAMES,
    STAGE_NAMES,
    Facts,
    overlaid,
    reason_line,
    row_of,
)
from server.domain.segment import SEGMENTS, VALUE_CELLS

GOOD = Facts(
    orders=12,
    net_minor=231_000,
    currency="GBP",
    days_ago=9,
    own_gap=28.0,
    segment="champions",
    value_cell="key_value",
    activity_stage="active",
    relationship_stage="stable",
    quiet=False,
    declining=False,
    refund_share=0.0,
)
NOBODY = Facts(
    orders=0,
    net_minor=0,
    currency="GBP",
    days_ago=None,
    own_gap=None,
    segment="prospects",
    value_cell=None,
    activity_stage="prospect",
    relationship_stage="none",
    quiet=False,
    declining=False,
    refund_share=0.0,
)
FIRST = replace(
    GOOD,
    orders=1,
    own_gap=None,
    segment="new",
    value_cell="regular_develop",
    activity_stage="new",
    relationship_stage="exploring",
)


def test_the_line_says_label_reason_and_what_to_do() -> None:
    line = reason_line(GOOD, DEFAULTS["stable"]["line"])
    assert line == {
        "en": "Champion · stable — 12 orders, £2,310 net, usual gap 28 d, last 9 d ago"
        " — answer first, thank, no discount needed.",
        "zh": "重要价值 · 稳定期 — 12 单/净额 £2,310，平时 28 天一单，上次 9 天前"
        " — 优先接待，先致谢，勿推折扣",
    }


def test_a_shop_may_choose_which_label_comes_first() -> None:
    do = {"en": "x", "zh": "x"}
    cells = reason_line(GOOD, do, label="cells")
    assert cells["en"].startswith("Key: value · stable — ")
    segments = reason_line(GOOD, do, label="segments")
    assert segments["zh"].startswith("冠军客户 · 稳定期 — ")


def test_the_line_is_short_where_there_is_little_to_say() -> None:
    do = {"en": "invite", "zh": "邀请"}
    assert reason_line(NOBODY, do) == {
        "en": "Prospect — no orders yet — invite.",
        "zh": "潜在客户 — 还没有下过单 — 邀请",
    }
    assert reason_line(replace(FIRST, days_ago=0), do) == {
        "en": "New customer · exploring — 1 order, £2,310 net, last today — invite.",
        "zh": "一般发展 · 考察期 — 1 单/净额 £2,310，今天刚下单 — 邀请",
    }
    silent = replace(FIRST, quiet=True, activity_stage="dormant")
    assert "exploring, silent" in reason_line(silent, do)["en"]
    assert "考察期（静默）" in reason_line(silent, do)["zh"]


def test_the_line_names_what_is_wrong() -> None:
    line = reason_line(replace(GOOD, declining=True, refund_share=0.4), DEFAULTS["refunds"]["line"])
    assert "40% refunded" in line["en"]
    assert "orders half as often as before" in line["en"]
    assert "退款占 40%" in line["zh"]
    assert "下单频率不到以前一半" in line["zh"]


@pytest.mark.parametrize(
    ("facts", "row"),
    [
        (NOBODY, "prospect"),
        (FIRST, "exploring"),
        (replace(FIRST, quiet=True, activity_stage="dormant"), "dormant"),
        (GOOD, "stable"),
        (replace(GOOD, segment="loyal", value_cell="regular_value"), "stable"),
        (
            replace(
                GOOD,
                segment="loyal",
                value_cell="regular_value",
                relationship_stage="building",
            ),
            "building",
        ),
        (replace(GOOD, relationship_stage="declining", declining=True), "declining"),
        (replace(GOOD, relationship_stage="declining", activity_stage="dormant"), "declining"),
        (
            replace(
                GOOD,
                segment="hibernating",
                value_cell="regular_keep",
                relationship_stage="declining",
                activity_stage="dormant",
            ),
            "dormant",
        ),
        (replace(GOOD, activity_stage="lost", relationship_stage="ended"), "lost"),
        (replace(GOOD, refund_share=0.31), "refunds"),
        (replace(GOOD, refund_share=0.3), "stable"),
    ],
)
def test_everybody_has_a_row(facts: Facts, row: str) -> None:
    assert row_of(facts) == row


def test_every_text_is_there_in_both_languages() -> None:
    assert tuple(DEFAULTS) == ROWS == tuple(ROW_NAMES)
    for columns in DEFAULTS.values():
        assert tuple(columns) == COLUMNS
        for words in columns.values():
            assert set(words) == {"en", "zh"}
            assert all(0 < len(text) <= MAX_TEXT for text in words.values())
    assert set(SEGMENT_NAMES) == set(SEGMENTS)
    assert set(CELL_NAMES) == set(VALUE_CELLS)
    assert set(RELATIONSHIP_STAGES) - {"none"} == set(STAGE_NAMES) - {"quiet"}


def test_what_a_shop_writes_stands_over_what_comes_with_the_program() -> None:
    own = overlaid(
        {
            "stable": {"tone": {"zh": " 叫名字 "}, "queue": "not words", "odd": {"en": "x"}},
            "lost": None,
            "odd": {},
        }
    )
    assert own["stable"]["tone"] == {"en": DEFAULTS["stable"]["tone"]["en"], "zh": "叫名字"}
    assert own["stable"]["queue"] == DEFAULTS["stable"]["queue"]
    assert own["lost"] == DEFAULTS["lost"]
    assert overlaid(None) == overlaid({"lost": {"tone": {"en": "  "}}}) == DEFAULTS
