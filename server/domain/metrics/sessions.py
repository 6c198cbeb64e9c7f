"""The metrics over sessions: what became of a shopper's visit."""

from __future__ import annotations

from server.domain.metrics.model import Metric

SESSION_METRICS: tuple[Metric, ...] = ()
