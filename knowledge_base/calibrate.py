"""Learning how sure to be: from questions whose outcome is known, the coefficients of confidence.

The shipped coefficients come from here too: ``python -m tests.tools.calibrate DIR...``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.confidence import FEATURES

# Enough to keep a feature that hardly varies from growing without bound.
_PENALTY = 1.0
_STEPS = 50
_SETTLED = 1e-6


@dataclass(frozen=True, slots=True)
class Sample:
    """What spoke for a first item, and whether it was right; ``weight`` says how much it counts."""

    features: tuple[float, ...]
    right: bool
    weight: float = 1.0


def fit(
    samples: Sequence[Sample], before: Sequence[float] | None = None, *, held: int = 0
) -> tuple[float, ...]:
    """The coefficients under which the samples are likeliest, drawn towards ``before`` (else 0).

    The first ``held`` of them stay as they were before. Penalised logistic regression by Newton's
    method (Hastie, Tibshirani and Friedman 2009, section 4.4.1). Raises ValueError without samples
    of both kinds.
    """
    if len({sample.right for sample in samples}) < 2:
        raise ValueError("samples of both outcomes are needed")
    x = np.array([sample.features for sample in samples], dtype=np.float64)
    y = np.array([sample.right for sample in samples], dtype=np.float64)
    weights = np.array([sample.weight for sample in samples], dtype=np.float64)
    prior = np.zeros(len(FEATURES)) if before is None else np.array(before, dtype=np.float64)
    given, x = x[:, :held] @ prior[:held], x[:, held:]
    prior, kept = prior[held:], prior[:held]
    now = prior.copy()
    for _ in range(_STEPS):
        sure = 1 / (1 + np.exp(-np.clip(given + x @ now, -30, 30)))
        slope = x.T @ (weights * (y - sure)) - _PENALTY * (now - prior)
        bend = (x * (weights * sure * (1 - sure))[:, None]).T @ x + _PENALTY * np.eye(len(now))
        step = np.linalg.solve(bend, slope)
        now = now + step
        if float(np.abs(step).max()) < _SETTLED:
            break
    return tuple(round(float(value), 3) for value in (*kept, *now))
