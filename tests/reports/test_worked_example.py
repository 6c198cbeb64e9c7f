"""The example that was worked out by hand gives exactly the figures that were worked out."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from typing import Any

import pytest

from server.domain.errors import InvalidInput
from server.reports.cli import formatted, report_command
from server.reports.rows import ReportRow
from server.storage.database import Database
from tests.reports.worked_example import AMY, AS_OF, BO, DAY, NEXT_DAY

METRICS = ("frt", "rt", "r3m_turn")
FIELDS = [
    *("metric", "definition_version", "filters", "as_of_seq", "group", "n", "n_open"),
    *("value", "unit", "numerator", "denominator", "interval"),
    *("median_ms", "p90_ms", "p95_ms", "mean_ms"),
    *("median_interval", "goal_ms", "within_goal", "business", "asides"),
    *("score", "bounds", "baseline", "difference"),
]


def report(
    database: Database,
    *metrics: str,
    **options: Any,  # Any: handed on
) -> list[ReportRow]:
    options = {"as_of": AS_OF} | options
    return database.read_now(partial(report_command, metric_ids=metrics, now_ms=0, **options))


# What was worked out by hand: (value, numerator, denominator, n, n_open).
WORKED_OUT: dict[str, tuple[float | None, int | None, int | None, int, int]] = {
    "frt": (50_000, None, None, 2, 1),
    "frt_handoff": (45_000, None, None, 1, 0),
    "frt_any": (50_000, None, None, 2, 1),
    "rt": (150_000, None, None, 4, 1),
    "agent_rt": (90_000, None, None, 4, 0),
    "queue_wait": (25_000, None, None, 2, 1),
    "asa": (25_000, 25_000, 1, 2, 1),
    "wait_total": (830_000, None, None, 1, 1),
    "sl_30": (0, 0, 2, 2, 1),
    "sl_180": (1 / 2, 1, 2, 2, 1),
    "sl_45": (0, 0, 2, 2, 1),
    "sl_50": (1 / 2, 1, 2, 2, 1),
    "r3m_turn": (2 / 3, 2, 3, 3, 1),
    "r3m_cust": (1 / 2, 1, 2, 2, 1),
    "r30_sess": (0, 0, 2, 2, 1),
    "r3m_sess": (1 / 2, 1, 2, 2, 1),
    "leave_rate": (0, 0, 2, 2, 1),
    "unanswered": (1 / 2, 1, 2, 2, 1),
    "abandon": (0, 0, 2, 2, 1),
    "missed": (0, None, None, 0, 0),
    "dropped": (0, None, None, 0, 0),
    "received": (1, None, None, 1, 0),
    "consulted": (1, None, None, 1, 0),
    "qa_ratio": (3 / 5, 3, 5, 8, 0),
    "replies": (2, None, None, 2, 0),
    "one_touch": (0, 0, 1, 1, 0),
    "frt_res": (390_000, None, None, 1, 0),
    "full_res": (None, None, None, 1, 1),
    "reopen": (None, 0, 0, 0, 1),
    "fcr": (None, 0, 0, 0, 1),
    "fcr_asked": (None, 0, 0, 0, 1),
    "duration": (360_000, None, None, 2, 1),
    "transfer": (1 / 2, 1, 2, 2, 1),
}
BY_AGENT: dict[str, dict[str | None, tuple[float | None, int | None, int | None]]] = {
    "agent_rt": {AMY: (20_000, None, None), BO: (90_000, None, None)},
    "qa_ratio": {AMY: (1.0, 2, 2), BO: (0.5, 1, 2), None: (0.0, 0, 1)},
    "replies": {AMY: (1, None, None), BO: (1, None, None)},
    "received": {AMY: (1, None, None), BO: (1, None, None)},
    "transfer": {AMY: (1.0, 1, 1), None: (0.0, 0, 1)},
    "one_touch": {BO: (0.0, 0, 1)},
    "frt_res": {BO: (390_000, None, None)},
    "unanswered": {BO: (0.0, 0, 1), None: (1.0, 1, 1)},
    "r3m_cust": {None: (0.5, 1, 2)},
}
BESIDE = {
    "agent_rt": {"passed_on": 1},
    "r3m_turn": {"dismissed": 1},
    "abandon": {"short": 0},
    "reopen": {"maturing": 1, "maturing_reopened": 1},
    "fcr": {"maturing": 1, "maturing_failed": 1},
    "fcr_asked": {"maturing": 1},
}


def test_every_figure_is_what_was_worked_out(example: Database) -> None:
    rows = report(example, *WORKED_OUT)
    assert {
        row.metric: (row.value, row.numerator, row.denominator, row.n, row.n_open) for row in rows
    } == WORKED_OUT
    assert {row.metric: row.asides for row in rows if row.asides} == BESIDE


def test_every_figure_is_the_same_as_json_and_as_csv(example: Database) -> None:
    rows = report(example, *WORKED_OUT)
    told = {row["metric"]: row for row in json.loads(formatted(rows, "json"))}
    sheet = {r["metric"]: r for r in csv.DictReader(io.StringIO(formatted(rows, "csv")))}
    for metric, (value, numerator, denominator, n, n_open) in WORKED_OUT.items():
        one, cells = told[metric], sheet[metric]
        assert (one["value"], one["numerator"], one["denominator"]) == (
            value,
            numerator,
            denominator,
        )
        assert (one["n"], one["n_open"]) == (n, n_open)
        assert (float(cells["value"]) if cells["value"] else None) == value
        assert (cells["n"], cells["n_open"]) == (str(n), str(n_open))
        assert json.loads(cells["asides"] or "null") == one["asides"]


def test_every_figure_belongs_to_whom_it_was_worked_out_for(example: Database) -> None:
    found: dict[str, dict[str | None, tuple[object, ...]]] = {}
    for row in report(example, *BY_AGENT, by="agent"):
        groups = found.setdefault(row.metric, {})
        groups[row.group] = (row.value, row.numerator, row.denominator)
    assert found == BY_AGENT


def test_the_customers_of_each_day_count_for_themselves(example: Database) -> None:
    rows = report(example, "r3m_cust", by="day")
    assert [(row.group, row.numerator, row.denominator) for row in rows] == [
        (DAY, 1, 1),
        (NEXT_DAY, 0, 1),
    ]


def test_what_matures_in_a_week_counts_after_a_week(example: Database) -> None:
    rows = {row.metric: row for row in report(example, "reopen", "fcr", as_of="2026-11-28T10:07")}
    assert (rows["reopen"].numerator, rows["reopen"].denominator) == (1, 1)
    assert (rows["fcr"].numerator, rows["fcr"].denominator) == (0, 1)


def test_first_response_is_50_s_and_the_second_session_is_open(example: Database) -> None:
    (row,) = report(example, "frt")
    assert (row.n, row.n_open, row.median_ms, row.mean_ms) == (2, 1, 50_000, 50_000)


def test_response_time_keeps_the_censored_waits(example: Database) -> None:
    (row,) = report(example, "rt")
    assert (row.n, row.n_open, row.median_ms, row.mean_ms) == (4, 1, 150_000, 100_000)
    assert (row.value, row.p90_ms, row.p95_ms) == (150_000, None, None)


def test_two_of_three_turns_were_answered_within_three_minutes(example: Database) -> None:
    (row,) = report(example, "r3m_turn")
    assert (row.numerator, row.denominator, row.n) == (2, 3, 3)
    assert row.value == pytest.approx(2 / 3)
    assert row.interval == pytest.approx((0.2077, 0.9385), abs=1e-3)


def test_a_turn_matures_after_three_minutes(example: Database) -> None:
    (before,) = report(example, "r3m_turn", as_of="2026-11-21T11:02:59.999")
    (after,) = report(example, "r3m_turn", as_of="2026-11-21T11:03:00")
    assert (before.denominator, after.denominator) == (2, 3)


def test_answers_belong_to_who_replied_and_waits_to_who_owns_them(example: Database) -> None:
    rows = {row.group: row for row in report(example, "rt", by="agent")}
    assert {key: (row.n, row.n_open, row.median_ms) for key, row in rows.items()} == {
        AMY: (1, 0, 50_000),
        BO: (2, 0, 150_000),
        None: (1, 1, None),
    }


def test_at_an_earlier_instant_the_turn_was_open_and_its_owner_waited_for(
    example: Database,
) -> None:
    rows = {
        row.group: row for row in report(example, "rt", by="agent", as_of="2026-11-20T10:03:30")
    }
    assert {key: (row.n, row.n_open) for key, row in rows.items()} == {AMY: (2, 1)}


def test_days_and_hours_are_those_of_the_shop(example: Database) -> None:
    assert [(r.group, r.n) for r in report(example, "rt", by="day")] == [
        ("2026-11-20", 3),
        ("2026-11-21", 1),
    ]
    assert [(r.group, r.n) for r in report(example, "rt", by="hour")] == [("10", 3), ("11", 1)]
    assert [(r.group, r.n) for r in report(example, "rt", by="segment")] == [(None, 4)]


def test_a_period_ends_before_its_end_and_a_bare_date_is_a_whole_day(example: Database) -> None:
    (day,) = report(example, "rt", from_="2026-11-20", to="2026-11-20")
    (upto,) = report(example, "rt", to="2026-11-20T10:03:00")
    assert (day.n, upto.n) == (3, 1)


def test_only_the_log_up_to_a_row_counts(example: Database) -> None:
    (last,) = report(example, "rt")
    (same,) = report(example, "rt", as_of_seq=last.as_of_seq)
    (none,) = report(example, "rt", as_of_seq=0)
    assert same == last
    assert none.n == 0


def test_json_has_the_fields_of_the_contract_in_order(example: Database) -> None:
    rows = json.loads(formatted(report(example, *METRICS), "json"))
    assert [row["metric"] for row in rows] == list(METRICS)
    assert all(list(row) == FIELDS for row in rows)
    assert rows[0]["filters"]["as_of"] == "2026-11-21T03:10:00.000Z"
    assert (rows[2]["unit"], rows[2]["median_ms"]) == ("ratio", None)


def test_csv_reads_back(example: Database) -> None:
    rows = list(csv.DictReader(io.StringIO(formatted(report(example, *METRICS), "csv"))))
    assert [(row["metric"], row["n"], row["n_open"]) for row in rows] == [
        ("frt", "2", "1"),
        ("rt", "4", "1"),
        ("r3m_turn", "3", "1"),
    ]


def test_table_says_when_there_are_too_few(example: Database) -> None:
    text = formatted(report(example, *METRICS), "table")
    assert "n too small" in text
    assert "2/3 66.7%" in text
    assert "2/1 2.00" in formatted(report(example, "contact_per_order"), "table")


def test_a_table_has_a_time_that_is_a_sum_or_a_mean_as_it_is(example: Database) -> None:
    online, asa = report(example, "online", "asa")
    assert isinstance(online.value, int)
    minutes, seconds = divmod(online.value // 1000, 60)
    told = f"{minutes // 60}:{minutes % 60:02}:{seconds:04.1f}"
    lines = formatted([online, asa], "table").splitlines()[1:]
    assert [line.split() for line in lines] == [
        ["online", told, str(online.n), "0"],
        ["asa", "0:25.0", "2", "1", "0:25.0"],
    ]


@pytest.mark.parametrize(
    ("metrics", "options"),
    [
        (("nonsense",), {}),
        ((), {}),
        (("rt",), {"by": "weather"}),
        (("rt",), {"as_of": "yesterday"}),
        (("rt",), {"from_": "2026-13-01"}),
        (("rt",), {"as_of_seq": -1}),
    ],
)
def test_what_is_not_there_is_refused(
    example: Database, metrics: tuple[str, ...], options: dict[str, object]
) -> None:
    with pytest.raises(InvalidInput):
        report(example, *metrics, **options)
