"""The judge of the kill test finds what it is there to find."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any  # Any: JSON values

import pytest

from tests.kill.checker import Record, Sent, faults, totals

Json = dict[str, Any]  # Any: JSON values


def posted(number: int, visibility: str = "public", seq: int | None = None) -> Json:
    return {
        "seq": seq or number,
        "conversation_seq": number,
        "kind": "message.posted",
        "at_ms": number,
        "data": {
            "message": {
                "id": f"m{seq or number}",
                "client_id": f"c{seq or number}",
                "body": f"text {seq or number}",
                "visibility": visibility,
            }
        },
    }


def a_good_run() -> tuple[list[Record], dict[str, dict[str, list[Json]]]]:
    staff = [posted(1), posted(2), posted(3, "private"), posted(4)]
    shopper = [posted(1), posted(2), posted(3, seq=4)]
    for envelope, original in zip(shopper, (staff[0], staff[1], staff[3]), strict=True):
        envelope["at_ms"] = original["at_ms"]
    answers = [
        {"conversation_id": "k", "conversation_seq": e["conversation_seq"], "message_id": m["id"]}
        for e in shopper
        if (m := e["data"]["message"])
    ]
    sent = [Sent(f"c{n}", answers=[a]) for n, a in zip((1, 2, 4), answers, strict=True)]
    records = [
        Record("shopper", "visitor", sent, {"k": copy.deepcopy(shopper)}),
        Record("agent", "agent", [], {"k": copy.deepcopy(staff)}),
    ]
    return records, {"visitor": {"k": shopper}, "agent": {"k": staff}}


def test_a_good_run_has_no_faults() -> None:
    assert faults(*a_good_run()) == []


def lost(records: list[Record], final: Any) -> None:
    del final["visitor"]["k"][2]
    del records[0].shown["k"][2]


def twice(records: list[Record], final: Any) -> None:
    double = posted(4, seq=9)
    double["data"]["message"]["client_id"] = "c4"
    final["visitor"]["k"].append(double)


def gap(records: list[Record], final: Any) -> None:
    final["agent"]["k"][3]["conversation_seq"] = 5


def out_of_order(records: list[Record], final: Any) -> None:
    records[0].sent.reverse()


def another_answer(records: list[Record], final: Any) -> None:
    sent = records[0].sent[0]
    sent.answers.append(sent.answers[0] | {"message_id": "other"})


def shown_twice(records: list[Record], final: Any) -> None:
    records[1].shown["k"].append(records[1].shown["k"][-1])


def not_shown(records: list[Record], final: Any) -> None:
    del records[1].shown["k"][1]


def never_heard_of(records: list[Record], final: Any) -> None:
    records[1].shown.clear()


def audiences_differ(records: list[Record], final: Any) -> None:
    final["agent"]["k"][1]["data"]["message"]["visibility"] = "private"


def time_goes_back(records: list[Record], final: Any) -> None:
    for envelopes in (final["agent"]["k"], records[1].shown["k"]):
        envelopes[3]["at_ms"] = 0


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lost, "lost"),
        (twice, "doubled"),
        (gap, "other"),
        (out_of_order, "reordered"),
        (another_answer, "other"),
        (shown_twice, "other"),
        (not_shown, "other"),
        (never_heard_of, "lost"),
        (audiences_differ, "other"),
        (time_goes_back, "other"),
    ],
)
def test_every_kind_of_fault_is_found(
    spoil: Callable[[list[Record], Any], None], kind: str
) -> None:
    records, final = a_good_run()
    spoil(records, final)
    assert kind in {fault.kind for fault in faults(records, final)}


def test_the_totals_count_what_was_tried_and_what_went_wrong() -> None:
    records, final = a_good_run()
    lost(records, final)
    counted = totals(records, faults(records, final))
    assert (counted.sent, counted.acknowledged, counted.answered_again) == (3, 3, 0)
    assert (counted.lost, counted.doubled, counted.reordered) == (1, 0, 0)
