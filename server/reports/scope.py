"""What a report looks at, and which rows that leaves of a frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any  # Any: an array of truths

import numpy as np

from server.domain.metrics import Metric
from server.reports.frames import Frame

NOBODY = "-"
# What a report can be narrowed to, and the fields of a scope that say so.
FILTERS = {
    "agent": "agent_id",
    "team": "team_id",
    "channel": "channel",
    "label": "label",
    "segment": "segment",
    "sku": "sku",
}
# What a row may have several of: the columns that hold them, one a line.
SEVERAL = {"label": "labels", "sku": "skus"}
# Threads of tickets are measured by the figures of tickets, unless they are asked for.
TICKET_CHANNEL = "ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a report looks at. Instants are ms UTC, ``to_ms`` exclusive, None is unbounded.

    ``as_of_ms`` is when waits that still last are cut; ``as_of_seq`` keeps to what was in the log
    up to that row. Of the filters, None means any, NOBODY an agent or team that there is not.
    """

    timezone: str
    as_of_ms: int
    as_of_seq: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    agent_id: str | None = None
    team_id: str | None = None
    channel: str | None = None
    label: str | None = None
    segment: str | None = None
    sku: str | None = None
    hour: int | None = None
    weekday: int | None = None
    outcome: str | None = None
    wait_from_ms: int | None = None
    wait_to_ms: int | None = None


def held(frame: Frame, scope: Scope) -> Frame:
    """The rows within the scope, as far as that is the same for all metrics of the frame."""
    if not frame.n:
        return frame
    masks: list[Any] = []  # Any: arrays of truths
    if scope.from_ms is not None:
        masks.append(frame.at_ms >= scope.from_ms)
    if scope.to_ms is not None:
        masks.append(frame.at_ms < scope.to_ms)
    if scope.channel is not None:
        masks.append(frame.channel == scope.channel)
    elif TICKET_CHANNEL in frame.texts("channel").values:
        masks.append(frame.channel != TICKET_CHANNEL)
    for name in SEVERAL:
        wanted = getattr(scope, name)
        if wanted is not None:
            masks.append(has_one(frame, name, wanted))
    for name in ("segment", "hour", "weekday", "outcome"):
        wanted = getattr(scope, name)
        if wanted is not None and name in frame.columns:
            masks.append(frame.columns[name] == (None if wanted == NOBODY else wanted))
    masks.extend(_by_wait(frame, scope))
    return frame.select(np.logical_and.reduce(masks)) if masks else frame


def _by_wait(frame: Frame, scope: Scope) -> Iterator[Any]:  # Any: arrays of truths
    if "wait_ms" in frame.columns:
        if scope.wait_from_ms is not None:
            yield frame.wait_ms >= scope.wait_from_ms
        if scope.wait_to_ms is not None:
            yield frame.wait_ms < scope.wait_to_ms


def of_metric(frame: Frame, metric: Metric, scope: Scope) -> Frame:
    """The rows of the scope's agent and team, by what a metric goes by."""
    for name, wanted in ((metric.agent, scope.agent_id), (metric.team, scope.team_id)):
        if wanted is not None:
            frame = frame.select(frame.columns[name] == (None if wanted == NOBODY else wanted))
    return frame


def has_one(frame: Frame, name: str, wanted: str) -> Any:  # Any: an array of truths
    """Where one of several labels, or SKUs, of a row is this one; NOBODY where there are none."""
    column = SEVERAL[name]
    if column not in frame.columns:
        return np.zeros(frame.n, bool)
    texts = frame.texts(column)
    found = [
        place
        for place, value in enumerate(texts.values)
        if (not value if wanted == NOBODY else wanted in (value or "").split("\n"))
    ]
    return np.isin(texts.codes, found)
