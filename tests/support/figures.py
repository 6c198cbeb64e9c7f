"""What tests measured, told at the end of the run: figures add up over the tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

# Properties that tests record with record_property, and how their tables are called.
DELIVERY = "delivery"
MEASURED = "measured"


def told(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Lines for the end of the run: the sum of all deliveries, and each measurement by its test."""
    delivered: Counter[str] = Counter()
    tests = 0
    lines = []
    for report in reports:
        for name, value in report.user_properties:
            if name == DELIVERY and isinstance(value, Mapping):
                tests += 1
                delivered.update({k: v for k, v in value.items() if isinstance(v, int)})
            elif name == MEASURED:
                lines.append(f"{report.nodeid.rpartition('/')[2]}: {value}")
    if tests:
        counts = ", ".join(f"{name} {number}" for name, number in delivered.items())
        lines.insert(0, f"messages over {tests} tests: {counts}")
    return lines
