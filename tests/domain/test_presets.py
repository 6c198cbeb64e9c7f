"""The rules of marketplaces name metrics that there are, and their goals are judged with care."""

from __future__ import annotations

import pytest

from server.domain.metrics import metric_of
from server.domain.metrics.model import Figures
from server.domain.metrics.presets import PRESETS, Goal, verdict


def test_every_preset_names_metrics_that_there_are() -> None:
    assert list(PRESETS) == ["taobao", "jd", "pdd", "doudian"]
    for preset in PRESETS.values():
        assert preset.headline in preset.metrics
        assert metric_of(preset.headline).kind == "rate"
        for name in (*preset.metrics, *(goal.metric for goal in preset.goals)):
            assert metric_of(name).id == name
        assert 0 <= preset.hours[0] < preset.hours[1] <= 24


@pytest.mark.parametrize(
    ("figures", "goal", "expected"),
    [
        (Figures(n=0, n_open=0), Goal(metric="rt", at_most=1), "none"),
        (Figures(n=1, n_open=0, value=1.0), Goal(metric="rt"), "none"),
        (Figures(n=1, n_open=0, value=0.4), Goal(metric="leave_rate", at_most=0.5), "pass"),
        (Figures(n=1, n_open=0, value=0.6), Goal(metric="leave_rate", at_most=0.5), "fail"),
        (
            Figures(n=9, n_open=0, value=0.4, interval=(0.2, 0.6)),
            Goal(metric="leave_rate", at_most=0.5),
            "near",
        ),
        (
            Figures(n=9, n_open=0, value=1, mean_ms=41_000),
            Goal(metric="rt", at_most=40_000, of="mean_ms"),
            "fail",
        ),
    ],
)
def test_a_goal_within_the_bounds_of_a_figure_is_neither_met_nor_missed(
    figures: Figures, goal: Goal, expected: str
) -> None:
    assert verdict(figures, goal) == expected
