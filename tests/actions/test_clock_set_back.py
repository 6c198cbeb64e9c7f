"""The clock of the machine is set back in the middle of a chat: no wait is below nothing."""

from __future__ import annotations

from functools import partial

from server.domain.metrics import METRICS
from server.reports.rows import report
from server.reports.scope import Scope
from tests.actions.scene import Scene


def test_a_clock_set_back_an_hour_in_a_chat_gives_no_negative_span_and_no_other_order(
    scene: Scene,
) -> None:
    amy, shopper = scene.person("amy"), scene.shopper()
    chat = scene.chat(shopper)
    scene.time.pass_s(30)
    scene.post(amy, "Yes?", chat)
    scene.time.pass_s(-3_600)
    scene.post(shopper, "And blue?", chat)
    scene.time.pass_s(40)
    scene.post(amy, "Also", chat)
    told = [(one.seq, one.at_ms) for one in scene.events(chat)]
    assert told == sorted(told)
    later = Scope(timezone="Asia/Shanghai", as_of_ms=scene.time.at_ms + 7_200_000)
    rows = scene.database.read_now(partial(report, metric_ids=list(METRICS), scope=later))
    found = {row.metric: row for row in rows}
    # The log's clock stood still until the machine's was where it had been.
    assert (found["rt"].n, found["rt"].median_ms, found["rt"].mean_ms) == (2, 0, 15_000)
    for row in rows:
        spans = (row.median_ms, row.p90_ms, row.mean_ms, row.numerator)
        assert all(span is None or span >= 0 for span in spans), row.metric
