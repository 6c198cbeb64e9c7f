"""docs/metrics.md defines every metric that there is, in the words of the table.

``python -m tests.docs.test_metrics`` writes the chapter anew after a row was added or changed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.domain.metrics import METRICS, Metric
from server.domain.metrics.page import markdown

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
_CHAPTER = re.compile(r"(?<=^## The metrics\n\n).*?(?=^## )", re.MULTILINE | re.DOTALL)


def test_the_page_has_the_words_of_the_table() -> None:
    found = _CHAPTER.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == markdown(METRICS.values()) + "\n", "run python -m tests.docs.test_metrics"


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
def test_a_metric_says_all_in_both_languages(metric: Metric) -> None:
    texts = [metric.name, metric.short, metric.definition, metric.formula, metric.attribution]
    texts += [aside.name for aside in metric.asides]
    for words in texts:
        assert words.en.strip()
        assert re.search(r"[\u4e00-\u9fff]", words.zh), words.zh
    assert metric.version >= 1
    assert len({aside.id for aside in metric.asides}) == len(metric.asides)


def write() -> None:
    """Puts the words of the table into the page."""
    text = PAGE.read_text(encoding="utf-8")
    chapter = markdown(METRICS.values()) + "\n"
    PAGE.write_text(_CHAPTER.sub(lambda _: chapter, text, count=1), encoding="utf-8")


if __name__ == "__main__":
    write()
