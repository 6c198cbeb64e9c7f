"""The definitions of all metrics as a chapter of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from server.domain.metrics.model import Metric

_KINDS = {
    "time": "A time, with those who still wait censored.",
    "duration": "A time as it is so far.",
    "rate": "A rate.",
    "count": "A count.",
    "mean": "A mean.",
    "ratio": "A ratio.",
    "money": "Money, by currency.",
}


def markdown(metrics: Iterable[Metric]) -> str:
    """One heading a metric, with what a row of METRICS says of it in both languages."""
    return "\n".join("\n".join(_lines(metric)) for metric in metrics)


def _lines(metric: Metric) -> Iterator[str]:
    yield f"### {metric.id}: {metric.name.en} ({metric.name.zh})"
    yield ""
    yield f"Version {metric.version}. {_KINDS[metric.kind]} {metric.definition.en}"
    yield ""
    yield f"- Formula: {metric.formula.en}"
    yield f"- Whose: {metric.attribution.en}"
    for aside in metric.asides:
        yield f"- Beside it: {aside.name.en} ({aside.name.zh}), `{aside.id}`"
    yield f"- 定义：{metric.definition.zh}"
    yield f"- 公式：{metric.formula.zh}"
    yield f"- 归属：{metric.attribution.zh}"
    yield ""
