"""The service metrics: METRICS is the table; a new metric is one more row of one of its families.

A metric is a predicate over rows of a source (turns, sessions, ...) and, for a rate, a second one
that says which of the counted rows were a success. The number that is shown and the list of rows
behind it come from the same predicate, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from server.domain.dimensions import DIMENSIONS
from server.domain.errors import InvalidInput
from server.domain.metrics.care import CARE_METRICS
from server.domain.metrics.measure import counted, measure
from server.domain.metrics.model import Aside, Figures, Kind, Metric, Unit, Words
from server.domain.metrics.outcomes import OUTCOME_METRICS, outcome_metric
from server.domain.metrics.people import PEOPLE_METRICS
from server.domain.metrics.reviews import REVIEW_METRICS
from server.domain.metrics.sessions import SESSION_METRICS
from server.domain.metrics.tickets import TICKET_METRICS
from server.domain.metrics.turns import GOAL_MS, TURN_METRICS, turn_metric

__all__ = [
    "DIMENSIONS",
    "GOAL_MS",
    "METRICS",
    "Aside",
    "Figures",
    "Kind",
    "Metric",
    "Unit",
    "Words",
    "counted",
    "measure",
    "metric_of",
]

METRICS: Mapping[str, Metric] = {
    metric.id: metric
    for metric in (
        *TURN_METRICS,
        *SESSION_METRICS,
        *PEOPLE_METRICS,
        *OUTCOME_METRICS,
        *TICKET_METRICS,
        *CARE_METRICS,
        *REVIEW_METRICS,
    )
}

# Ids that carry a number, such as sl_45: each takes an id and gives its metric, None for no such.
MAKERS: tuple[Callable[[str], Metric | None], ...] = (
    turn_metric,
    outcome_metric,
)


def metric_of(metric_id: str) -> Metric:
    """The metric with this id, shipped or made by its number. Raises InvalidInput for none."""
    metric = METRICS.get(metric_id)
    for make in MAKERS:
        if metric is not None:
            break
        metric = make(metric_id)
    if metric is None:
        raise InvalidInput(
            f"There is no metric {metric_id!r}. There are: {', '.join(METRICS)}.", metric=metric_id
        )
    return metric
