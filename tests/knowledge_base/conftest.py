"""A shop's small base in both languages, and its index."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge_base.articles import load_articles
from knowledge_base.index import Index, build_index

ARTICLES = Path(__file__).parent / "articles.jsonl"


@pytest.fixture(scope="session")
def shop() -> Index:
    reading = load_articles(ARTICLES)
    assert reading.faults == ()
    return build_index(reading.articles)
